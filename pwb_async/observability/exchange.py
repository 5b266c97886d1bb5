"""One request with its response, as every observer of a server gets it."""

from collections.abc import Callable
from typing import TypeAlias

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request


class Exchange:
    """A request whose response has been sent, or has been given up.

    make_exchange() is its constructor. The class has none, so that the server can make an exchange for each cached
    response without a Python call.
    """

    __slots__ = ("began", "client", "request", "sent", "status")

    client: str
    """The address of the client that made the request; "-" where there is none. Behind a trusted proxy it is not the
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


def make_exchange(client: str, request: Request | BadRequest, status: int, sent: int, began: float) -> Exchange:
    """Make an exchange of its attributes."""
    exchange = Exchange()
    exchange.client = client
    exchange.request = request
    exchange.status = status
    exchange.sent = sent
    exchange.began = began
    return exchange
