"""The pace of long work in a thread, so that the event loop hardly waits for the interpreter lock.

A thread that computes gives the lock up only every 5 ms, and an event loop needs it for each round. Work that paces
itself holds the lock for 0.2 ms at a time. If getting it back takes long, the loop is busy, and then a turn is longer,
so that the work goes on.
"""

import threading
import time
from typing import Final

_TURN: Final = 0.0002
"""Seconds of work between two pauses."""
_PAUSE: Final = 0.0001
"""Seconds of a pause; the kernel makes it some 0.05 ms longer."""
_SHARE: Final = 0.25
"""The time of a turn, at least, as a share of the time that the last pause took."""


class Pace:
    """The pace of one piece of work."""

    __slots__ = ("_end", "_pauses")

    def __init__(self) -> None:
        # A design without threads gains nothing by a pause of its only thread.
        self._pauses = threading.current_thread() is not threading.main_thread()
        self._end = time.perf_counter() + _TURN

    def step(self) -> None:
        """Pause if the turn is over; to be called every 0.1 ms or so."""
        if self._pauses and (now := time.perf_counter()) > self._end:
            time.sleep(_PAUSE)
            self._end = (after := time.perf_counter()) + max(_TURN, (after - now) * _SHARE)
