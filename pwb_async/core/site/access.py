"""Who makes a request, and whether it is answered at all: what is asked before anything else is done for a request."""

from collections.abc import Callable
from typing import TypeAlias

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response

Guard: TypeAlias = Callable[[str, Request], Response | None]
"""A function of the client's address and its request: the response that refuses the request, or None.

It is called before the cache is asked, and must not block; a slow check, as of a password, belongs where the file is
found."""
ClientResolver: TypeAlias = Callable[[str, Request | BadRequest], str]
"""A function of the peer's address and a request: the client's address, as a trusted proxy reports it."""
