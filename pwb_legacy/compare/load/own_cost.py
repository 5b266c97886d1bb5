"""What the load generator itself costs: whoever measures on a full core measures himself."""

import time
from typing import Final

_SCHEDULE: Final = "/proc/thread-self/schedstat"
"""Nanoseconds on a core, and nanoseconds in the queue for one (proc(5))."""


class Meter:
    """Counts from its creation on, for the thread that made it."""

    def __init__(self) -> None:
        self._began = _used()

    def read(self) -> tuple[float, float]:
        """Seconds of work, and seconds of waiting for a core to work on."""
        cpu, waited = _used()
        return cpu - self._began[0], waited - self._began[1]


def _used() -> tuple[float, float]:
    try:
        with open(_SCHEDULE) as file:
            cpu, waited, _ = file.read().split()
    except (OSError, ValueError):  # the kernel was built without it
        return time.thread_time(), 0.0
    return int(cpu) / 1e9, int(waited) / 1e9
