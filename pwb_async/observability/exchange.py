"""One request with its response, as every observer of a server gets it."""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, TypeAlias, cast

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request


class Exchange(NamedTuple):
    """A request whose response has been sent, or has been given up."""

    client: str
    """The address of the client that made the request; "-" where there is none. A proxy makes it another one than the
    connection's peer."""
    request: Request | BadRequest
    status: int
    """The status code of the response."""
    sent: int
    """Bytes of content that were sent; fewer than promised if the connection was lost."""
    began: float
    """When the request was complete, in seconds since the epoch."""


Observer: TypeAlias = Callable[[Exchange], None]
"""What is called with each exchange: the access log, metrics. It must not block."""

make_exchange: Final = cast(
    Callable[[tuple[str, Request | BadRequest, int, int, float]], Exchange], partial(tuple.__new__, Exchange)
)
"""Make an Exchange of a tuple of its fields, without the Python call that its constructor is."""
