"""How fast responses are sent: the time at which a piece of a response may leave.

A piece is reserved before it is sent. Each rate is a bucket, one number, the time at which it will be free again; a
reservation gets that time, and moves it on by what the piece takes at this rate. A connection has one piece reserved at
most. So the connections that share a rate are served in turns, also those of different processes, without a queue.

A piece is an eighth of a second of a connection's rate, or a hundredth of a second of a total, and an eighth of that
when connections wait for long. Smaller pieces cost more processor time; larger ones are sent less evenly.
"""

import time
from collections.abc import Callable
from typing import Final, Protocol

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request
from pwb_async.core.semantics.networks import NO_NETWORKS
from pwb_async.core.site.limit_rules import Limit, SendLimit

from .shared_buckets import SharedBuckets

_NANOSECONDS: Final = 1_000_000_000
_BURST: Final = _NANOSECONDS // 8
"""How long a bucket may be unused without losing any of its rate, since a busy event loop is late at times."""
_BUSY: Final = _NANOSECONDS // 4
"""How long a piece of a total may have to wait; with 300 connections it would be three seconds."""
_MAX_PIECE: Final = 512 * 1024
"""Bytes of a piece at most."""
_MIN_PIECE: Final = 1024
"""Bytes of a piece of a total at least, as there may be many connections, and each piece costs a timer."""


class Bucket(Protocol):
    """A rate, and what of it is reserved."""

    def piece(self, now: int) -> int:
        """Bytes to reserve at most."""

    def reserve(self, size: int, now: int) -> int:
        """Reserve `size` bytes; return when they may be sent."""


class ConnectionBucket:
    """The rate of one connection, in bytes a second."""

    __slots__ = ("_free_at", "_piece", "_rate")

    def __init__(self, rate: int) -> None:
        self._rate, self._free_at = rate, 0
        self._piece = min(rate // 8, _MAX_PIECE)

    def piece(self, now: int) -> int:
        return self._piece

    def reserve(self, size: int, now: int) -> int:
        start = max(self._free_at, now - _BURST)
        self._free_at = start + size * _NANOSECONDS // self._rate
        return start


class TotalBucket:
    """The rate of all connections together, in bytes a second, shared by all processes."""

    __slots__ = ("_buckets", "_cell", "_piece", "_rate")

    def __init__(self, rate: int, buckets: SharedBuckets, cell: int) -> None:
        self._rate, self._buckets, self._cell = rate, buckets, cell
        self._piece = min(rate // 100, _MAX_PIECE)

    def piece(self, now: int) -> int:
        is_busy = self._buckets.free_at(self._cell) - now > _BUSY
        return max(self._piece // 8 if is_busy else self._piece, _MIN_PIECE)

    def reserve(self, size: int, now: int) -> int:
        return self._buckets.reserve(self._cell, size * _NANOSECONDS // self._rate, now - _BURST)


class SendPace:
    """How fast one connection is sent the responses to which one limit applies."""

    __slots__ = ("_buckets", "_delays", "_granted", "_ready_at")

    def __init__(self, buckets: tuple[Bucket, ...], delays: "Delays") -> None:
        self._buckets, self._delays = buckets, delays
        self._granted = self._ready_at = 0

    def take(self, size: int, now: int) -> int:
        """Take as many of `size` bytes as may be sent now; 0 if delay() has to be waited for first."""
        if self.delay(now, size):
            return 0
        size = min(size, self._granted)
        self._granted -= size
        return size

    def give_back(self, size: int) -> None:
        """Give back bytes that were taken and not sent."""
        self._granted += size

    def delay(self, now: int, size: int = _MAX_PIECE) -> int:
        """The nanoseconds until something may be sent. size: the bytes to reserve, if none are."""
        if self._granted <= 0:
            self._granted += min([size, *[bucket.piece(now) for bucket in self._buckets]])
            self._ready_at = max([bucket.reserve(self._granted, now) for bucket in self._buckets])
            if self._ready_at > now:
                self._delays.count += 1
                self._delays.time += self._ready_at - now
        return max(0, self._ready_at - now)


class Delays:
    """What a process has counted."""

    def __init__(self) -> None:
        self.count = 0
        """Pieces that had to wait."""
        self.time = 0
        """Nanoseconds for which they had to."""


class SendRates:
    """The rates of a server.

    Args:
        limit_of: Returns the limit that holds for a request.
        limits: All limits that there are.
        buckets: The totals.
        delays: What has been counted before.
    """

    def __init__(
        self,
        limit_of: Callable[[Request], Limit],
        limits: tuple[Limit, ...],
        buckets: SharedBuckets,
        delays: "Delays | None" = None,
    ) -> None:
        self._limit_of = limit_of
        self.delays = delays or Delays()
        self._totals = {
            total: TotalBucket(total[1], buckets, buckets.total(total[0]))
            for limit in limits
            for total in limit.sending.totals
        }

    def pace(self, paces: dict[SendLimit, SendPace], client: str, event: Request | BadRequest) -> SendPace | None:
        """The pace of a response; None if it has none. paces: those of the connection."""
        if isinstance(event, BadRequest):
            return None
        limit = self._limit_of(event)
        sending = limit.sending
        if not (sending.rate or sending.totals) or (limit.exempt is not NO_NETWORKS and client in limit.exempt):
            return None
        pace = paces.get(sending)
        if pace is None:
            own: tuple[Bucket, ...] = (ConnectionBucket(sending.rate),) if sending.rate else ()
            pace = paces[sending] = SendPace((*own, *(self._totals[each] for each in sending.totals)), self.delays)
        return pace


def clock() -> int:
    """The clock of reservations, which is the same in all processes."""
    return time.monotonic_ns()
