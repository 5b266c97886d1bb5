"""A timer for the open loop, exact to a tenth of a millisecond: a request that is sent too early or too late would be
measured wrongly.

The event loop's own timers count whole milliseconds, which is more than a server needs for a response. This one is the
kernel's timerfd; Python has it from 3.13 on, before that the C library is called.
"""

import asyncio
import ctypes
import os
import time
from collections.abc import Callable
from typing import Final, Self

_ABSOLUTE: Final = 1
_LIBRARY: Final = ctypes.CDLL(None, use_errno=True)


class _Times(ctypes.Structure):
    """struct itimerspec: the interval, 0 for once, and the moment; each in seconds and nanoseconds."""

    _fields_ = tuple((name, ctypes.c_long) for name in ("every", "every_ns", "at", "at_ns"))


class Alarm:
    """A timer that calls `ring` on the running event loop at the moments that it is set to, until its block ends.
    Raises OSError."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring

    def __enter__(self) -> Self:
        self._fd = _LIBRARY.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        asyncio.get_running_loop().add_reader(self._fd, self._rings)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)

    def set(self, moment: float) -> None:
        """Set the next moment, by the monotonic clock; `ring` is called at once if it has passed."""
        seconds, nanoseconds = divmod(max(int(moment * 1e9), 1), 1_000_000_000)
        times = _Times(0, 0, seconds, nanoseconds)
        if _LIBRARY.timerfd_settime(self._fd, _ABSOLUTE, ctypes.byref(times), None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def _rings(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return  # it was set anew meanwhile
        self._ring()
