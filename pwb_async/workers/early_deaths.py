"""Workers that die right after their start: when there are too many, starting more would only burn CPU (hazard F3)."""

from collections import deque
from typing import Final

_EARLY: Final = 1.0
"""Seconds from a worker's start; if it dies sooner, it has died early."""
MAX_EARLY: Final = 5
"""Early deaths within _WINDOW after which the supervisor gives up."""
_WINDOW: Final = 10.0
"""Seconds in which early deaths are counted."""


class EarlyDeaths:
    """The times of the last early deaths."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=MAX_EARLY)

    def are_too_many(self, started_at: float, now: float) -> bool:
        """Note the death of a worker; return whether too many have died early."""
        if now - started_at < _EARLY:
            self._times.append(now)
        return len(self._times) == MAX_EARLY and now - self._times[0] < _WINDOW
