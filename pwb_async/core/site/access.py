"""The hooks that run before anything else is done for a request: which client made it, and whether it is refused."""

from collections.abc import Callable
from typing import TypeAlias

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response

Guard: TypeAlias = Callable[[str, Request], Response | None]
"""A function of the client's address and its request. It returns a response that refuses the request, or None.

It is called for every request, before the cache is looked up, and must not block. Several threads may call it at the
same time. If it raises an exception, the response is 500.

A check that takes long, such as that of a password hash, has no place yet: not here, where it would stop the event
loop, and not in Storage.find, which is not called for a cached file. It needs a step in a thread of its own, which
keeps the verdict under a keyed hash of the credentials; the guard then only looks the verdict up."""
ClientResolver: TypeAlias = Callable[[str, Request | BadRequest], str]
"""A function of the peer's address and a request. It returns the client's address, as a trusted proxy reports it, in
visible ASCII characters, without a quotation mark or a backslash.

It is called once for each exchange, and must not block. Several threads may call it at the same time. If it raises an
exception, or returns no address, a request gets 500, and the client's address is "-"."""
