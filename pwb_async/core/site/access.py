"""The hooks that run before anything else is done for a request: which client made it, and whether it is refused."""

from collections.abc import Callable
from typing import TypeAlias

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response

Guard: TypeAlias = Callable[[str, Request], Response | None]
"""A function of the client's address and its request. It returns a response that refuses the request, or None.

It is called before the cache is looked up, and must not block: a slow check, such as that of a password hash, belongs
in Storage.find."""
ClientResolver: TypeAlias = Callable[[str, Request | BadRequest], str]
"""A function of the peer's address and a request. It returns the client's address, as a trusted proxy reports it."""
