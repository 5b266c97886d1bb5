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
    """the status code of the response"""
    detail: str
    """the reason, in words for a developer"""


@dataclass(frozen=True, slots=True)
class BadRequest:
    """Bytes that are no request: the status that answers them, and why, in words for a developer.

    first_line: as much of the request line as is known, for the log. method: known when it begins with a token: HEAD is
    answered without content even so (RFC 9110 9.3.2). persistent: never; so any event can be asked.
    """

    status: int
    detail: str
    first_line: bytes = b""
    method: bytes = b""
    fields: Fields | None = None
    persistent: ClassVar[Literal[False]] = False


class Signal(Enum):
    """What next_event() says when it has no request."""

    NEED_DATA = "need data"
    CLOSED = "closed"


NEED_DATA: Final = Signal.NEED_DATA
CLOSED: Final = Signal.CLOSED

Event: TypeAlias = Request | BadRequest | Signal
