"""The load generator's own CPU time: a generator whose core is full measures itself instead of the server."""

import time
from typing import Final

_SCHEDULE: Final = "/proc/thread-self/schedstat"
"""Nanoseconds on a core, and nanoseconds in the queue for one (proc(5))."""


class Meter:
    """Counts from its creation on, for the thread that created it."""

    def __init__(self) -> None:
        self._began = _used()

    def read(self) -> tuple[float, float]:
        """Seconds of work, and seconds in which there was work but another program had the core."""
        cpu, waited = _used()
        return cpu - self._began[0], waited - self._began[1]


def _used() -> tuple[float, float]:
    try:
        with open(_SCHEDULE) as file:
            cpu, waited, _ = file.read().split()
    except (OSError, ValueError):  # the kernel was built without it
        return time.thread_time(), 0.0
    return int(cpu) / 1e9, int(waited) / 1e9
