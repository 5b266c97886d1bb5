"""When a supervisor ends its workers: perhaps after a delay, then gracefully, and at last at once."""

import time
from typing import Final

_KILL_DELAY: Final = 1.0
"""Seconds from when the workers should have ended until they are killed."""
_NEVER: Final = float("inf")
"""The time of what is not scheduled."""


class Shutdown:
    """The end of the workers, which is not announced at first."""

    begun = False
    """Whether the workers have been asked to end."""
    status = 0
    """The exit status of the supervisor."""

    def __init__(self) -> None:
        self._begin_at = self._kill_at = _NEVER

    @property
    def is_announced(self) -> bool:
        """Whether the workers are ending, or will after a delay."""
        return self.begun or self._begin_at < _NEVER

    @property
    def next_step(self) -> float:
        """When the next step is due, on the monotonic clock; infinite for never."""
        return min(self._begin_at, self._kill_at)

    @property
    def is_due(self) -> bool:
        """Whether the delay is over."""
        return time.monotonic() >= self._begin_at

    @property
    def kill_is_due(self) -> bool:
        """Whether the workers that are left have to be killed."""
        return time.monotonic() >= self._kill_at

    @property
    def is_urgent(self) -> bool:
        """Whether responses under way have no time left."""
        return self._kill_at <= time.monotonic() + _KILL_DELAY

    def delay(self, seconds: float) -> None:
        """Let the end begin in some seconds."""
        self._begin_at = time.monotonic() + seconds

    def begin(self, status: int, grace_period: float) -> None:
        """Begin it. status: the exit status. grace_period: seconds that responses under way have."""
        self.begun, self.status, self._begin_at = True, status, _NEVER
        self._kill_at = time.monotonic() + grace_period + _KILL_DELAY

    def hasten(self) -> None:
        """Let responses under way have no more time."""
        self._kill_at = min(self._kill_at, time.monotonic() + _KILL_DELAY)
