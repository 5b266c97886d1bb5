"""The events of a connection and its states, the same for every HTTP version."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Final, Literal, NamedTuple, TypeAlias

from .semantics.fields import Fields
from .semantics.messages import Request


class ConnectionState(Enum):
    """The state of a connection: what it waits for, and so which deadline applies."""

    HEAD = "head"
    """It waits for the head of a request: the first one, or one that has begun."""
    IDLE = "idle"
    """It waits for the next request of a persistent connection to begin."""
    CONTENT = "content"
    """It reads and discards the rest of a request's content."""
    RESPONDING = "responding"
    """A request has been received and respond() has not been called yet."""
    LINGER = "linger"
    """The last response has been sent; what the peer still sends is discarded until it closes (RFC 9112 9.6)."""
    CLOSED = "closed"
    """The connection is over: close the socket."""


class Fault(NamedTuple):
    """Why received bytes are not a valid request."""

    status: int
    """The status code of the response."""
    detail: str
    """The reason, in words for a developer."""


@dataclass(frozen=True, slots=True)
class BadRequest:
    """Received bytes that are not a valid request, and the status code of the response.

    A connection that is refused or that takes too long is reported in the same way.
    """

    status: int
    """The status code of the response."""
    detail: str
    """The reason, in words for a developer; a client never sees it."""
    first_line: bytes = b""
    """The request line as far as it was received, for the log."""
    method: bytes = b""
    """The method, if the request line begins with one: a response to HEAD has no content even here (RFC 9110 9.3.2)."""
    fields: Fields | None = None
    """The field section, if it was valid."""
    persistent: ClassVar[Literal[False]] = False
    """The connection ends after the response. Request has the same attribute."""


class Signal(Enum):
    """The events that are not answered."""

    NEED_DATA = "need data"
    """More data has to be received before the next event."""
    CLOSED = "closed"
    """The connection is over."""


NEED_DATA: Final = Signal.NEED_DATA
"""Signal.NEED_DATA, under a shorter name."""
CLOSED: Final = Signal.CLOSED
"""Signal.CLOSED, under a shorter name."""

Event: TypeAlias = Request | BadRequest | Signal
"""What a connection reports: a request to respond to, or a signal."""
