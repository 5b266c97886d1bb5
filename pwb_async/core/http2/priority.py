"""Priorities: which of the responses that wait is sent first (RFC 9218).

Only responses that cannot leave at once have an order: those of lower urgency numbers come first. Among equals, those
that are not incremental are sent one after another, in the order of their streams, and then incremental ones in turns.
The priorities of RFC 7540 are deprecated (RFC 9113 5.3.2), and ignored.
"""

import re
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple

from .streams import Order, Stream

_URGENCY: Final = re.compile(rb"(?:^|,)[ \t]*u=([0-7])[ \t]*(?=[,;]|$)")
_INCREMENTAL: Final = re.compile(rb"(?:^|,)[ \t]*i(?:=\?([01]))?[ \t]*(?=[,;]|$)")


class Priority(NamedTuple):
    """A priority; the defaults are those of RFC 9218 4."""

    urgency: int = 3
    """0 to 7, the most urgent first."""
    incremental: bool = False
    """Whether the client can use parts of the response as they arrive."""


def parse_priority(value: bytes | None) -> Priority:
    """The priority in the field Priority or in PRIORITY_UPDATE; what is invalid counts as absent (RFC 9218 4)."""
    if value is None:
        return Priority()
    urgency = [int(match[1]) for match in _URGENCY.finditer(value)]
    incremental = [match[1] != b"0" for match in _INCREMENTAL.finditer(value)]
    return Priority(urgency[-1] if urgency else 3, bool(incremental) and incremental[-1])


class SendOrder:
    """The streams that have something to send, in the order in which they get their turn."""

    __slots__ = ("_heap", "_streams", "_turn")

    def __init__(self, streams: dict[bytes, Stream]) -> None:
        """streams: all streams that have not ended."""
        self._streams = streams
        self._heap: list[Order] = []  # with places that are out of date, at most as many as there are streams
        self._turn = 0

    def add(self, stream: Stream) -> None:
        """Put a stream at its place; one that is incremental goes behind its equals."""
        turn = 0
        if stream.incremental:
            self._turn = turn = self._turn + 1
        stream.order = stream.urgency, turn, stream.id
        heappush(self._heap, stream.order)
        if len(self._heap) > 2 * len(self._streams):
            self._heap = [each.order for each in self._streams.values() if each.order is not None]
            heapify(self._heap)

    def pop(self) -> Stream | None:
        """Take the first stream that may be sent; None if there is none.

        The place of a stream is forgotten if it has ended, has got another place, or has no window.
        """
        while self._heap:
            order = heappop(self._heap)
            stream = self._streams.get(order[2])
            if stream is not None and stream.order is order:
                stream.order = None
                if stream.window > 0:
                    return stream
        return None
