"""The exchange: one request with its response, as every observer of a server gets it."""

from collections.abc import Callable
from typing import TypeAlias

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response


class Exchange:
    """A request and what became of its response: it has been sent, is sent right after this report, or was cut off.

    make_exchange() is its constructor. The class has none, so that the server can make an exchange for each cached
    response without a Python call.
    """

    __slots__ = ("client", "request", "response", "sent", "started_at", "status")

    client: str
    """The address of the client that made the request; "-" where there is none. Behind a trusted proxy it is not the
    connection's peer."""
    request: Request | BadRequest
    response: Response | None
    """The response, whose parts may not be read, as it may be closed; None if there was none."""
    status: int
    """The status code of the response; 499 if the request was reset before it."""
    sent: int
    """Bytes of content. A response from memory counts as sent when it is passed to the transport; of any other response
    only the bytes that left are counted, fewer than promised if the connection was lost."""
    started_at: float
    """When the request was complete, in seconds since the epoch."""


Observer: TypeAlias = Callable[[Exchange], None]
"""A function that is called with each exchange, such as that of the access log. It must not block.

Several threads may call it at the same time. If it raises an exception, only the error log shows it."""


Format: TypeAlias = Callable[[Exchange], tuple[bytes, bytes]]
"""A function that makes a line of the access log, in two halves, the second with its line end."""


def make_exchange(
    client: str,
    request: Request | BadRequest,
    status: int,
    sent: int,
    started_at: float,
    response: Response | None = None,
) -> Exchange:
    """Make an exchange of its attributes."""
    exchange = Exchange()
    exchange.client = client
    exchange.request = request
    exchange.response = response
    exchange.status = status
    exchange.sent = sent
    exchange.started_at = started_at
    return exchange
