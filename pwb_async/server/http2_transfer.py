"""A transfer: a request of HTTP/2 whose response could not be sent at once, and what it waits for."""

from enum import Enum, auto
from typing import Final, Protocol

from pwb_async.core.events import BadRequest
from pwb_async.core.http2.streams import Stream
from pwb_async.core.semantics.messages import Request, Response

from .response_cache import ResponseCache
from .response_writer import ResponseWriter

_SHARE: Final = 1024 * 1024
"""Bytes of an incremental response that are sent before another one like it gets its place."""


class Phase(Enum):
    """What a transfer waits for; it is in exactly one phase."""

    WAITING = auto()
    """For a lookup, a place or memory; it is in `Transfers.waiting`."""
    LOOKED_UP = auto()
    """A thread checks its access, or looks for its file."""
    OPEN = auto()
    """Its content is sent when the windows allow it. If that is in a file, it has a place."""
    READING = auto()
    """The same, while a thread reads a piece of its file."""
    PARKED = auto()
    """It has begun, but has no place."""
    ENDED = auto()
    """It was sent, reset or lost."""


class Transfer:
    """A request whose response could not be sent at once."""

    __slots__ = ("cache", "client", "held", "looked_up", "lost", "memory", "needs_place", "phase", "placed_at",
                 "request", "response", "size", "started_at", "stream")  # fmt: skip

    stream: Stream
    request: Request | BadRequest
    client: str
    """The address of the client; "" for the peer."""
    started_at: float
    """When the request was received, in seconds since the epoch."""
    cache: ResponseCache | None
    """The server's cache at that time (ServerState.current)."""
    phase: Phase
    response: Response | None
    """The response, once it has been begun."""
    held: bool
    """Whether it waits for a send rate."""
    needs_place: bool
    """Whether it waits for a place."""
    placed_at: int
    """Bytes that were left to send when it got its place."""
    looked_up: bool
    """Whether its file was not in the cache, which has the response by the end of the lookup."""
    lost: int
    """Bytes of content that were passed to the transport, and lost with the connection."""
    memory: int
    """Bytes of content in memory for which it counts."""
    size: int
    """Bytes of content that it has, if it waits for memory; otherwise 0."""

    def __init__(
        self,
        stream: Stream,
        request: Request | BadRequest,
        client: str,
        started_at: float,
        cache: ResponseCache | None,
    ) -> None:
        self.stream = stream
        self.request = request
        self.client = client
        self.started_at = started_at
        self.cache = cache
        self.phase = Phase.OPEN
        self.response = None
        self.held = self.needs_place = self.looked_up = False
        self.placed_at = self.memory = self.size = self.lost = 0

    @property
    def precedence(self) -> tuple[int, bool]:
        """The lower of two comes first; among equals the responses that are not incremental (RFC 9218 10)."""
        return self.stream.urgency, self.stream.incremental

    def yields_to(self, other: "Transfer") -> bool:
        """Whether it gives the place that it has to another one, which has more use for it.

        It needs an entity tag, by which the same version of the file is known when it is opened again.
        """
        if self.phase is not Phase.OPEN or self.response is None:
            return False
        stream = self.stream
        has_had_its_share = stream.incremental and self.placed_at - stream.unsent >= _SHARE
        is_due = other.precedence < self.precedence or (has_had_its_share and other.precedence == self.precedence)
        return (self.held or stream.window <= 0 or is_due) and b"ETag" in dict(self.response.fields)


class Owner(Protocol):
    """What transfers need of the protocol that they belong to."""

    @property
    def peer(self) -> str:
        """The address of the other end of the connection."""

    @property
    def writer(self) -> ResponseWriter:
        """The sending side of the connection."""

    def schedule(self) -> None:
        """Take a turn when other connections have had theirs."""

    def abort(self, reset: bool = False) -> None:
        """Close the connection at once."""

    def report(self, transfer: Transfer, status: int, sent: int) -> None:
        """Pass the exchange to the observers."""
