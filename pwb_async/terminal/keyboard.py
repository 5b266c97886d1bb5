"""The keyboard of a terminal: keys without the Return key, as long as the program is in the foreground.

A program in the background must neither read keys nor change the modes of the terminal: the system would stop it
(SIGTTIN, SIGTTOU). It gets there by & or by Ctrl-Z and bg, and back by fg, so each call looks again.
"""

import os
import select
import termios
from contextlib import suppress
from typing import Final

from .last_line import in_foreground

_LOCAL_FLAGS: Final = 3
"""The index of the local modes in what tcgetattr() returns."""
_MAX_BYTES: Final = 64
"""Bytes of one read: an arrow key has three, and what has been pasted is no key."""


class Keyboard:
    """The keyboard of a terminal."""

    def __init__(self, fd: int, *, has_keys: bool) -> None:
        """fd: a descriptor of the terminal. has_keys: whether keys are read; otherwise read() only waits."""
        self._fd = fd
        self._has_keys = has_keys
        self._modes: list[int | list[bytes | int]] | None = None  # those before ours
        self._reader, self._writer = os.pipe()

    def read(self, timeout: float) -> str:
        """The key that is pressed within `timeout` seconds; "" for none, or after interrupt()."""
        watched = [self._reader]
        if self._has_keys and in_foreground(self._fd):
            self._take_keys()
            watched.append(self._fd)
        ready, _, _ = select.select(watched, [], [], timeout)
        if self._fd not in ready or not in_foreground(self._fd):
            return ""
        try:
            pressed = os.read(self._fd, _MAX_BYTES)
        except OSError:
            return ""
        return pressed.decode("ascii", "replace") if len(pressed) == 1 else ""

    def interrupt(self) -> None:
        """Make read() return."""
        os.write(self._writer, b".")

    def restore(self) -> None:
        """Give the terminal its modes back, and read no key from now on. Any thread may call it."""
        self._has_keys = False
        if self._modes is not None and in_foreground(self._fd):
            with suppress(termios.error, OSError):
                termios.tcsetattr(self._fd, termios.TCSANOW, self._modes)

    def close(self) -> None:
        """Close the descriptors; called where read() is."""
        os.close(self._reader)
        os.close(self._writer)

    def _take_keys(self) -> None:
        """Have keys delivered one by one and not echoed, unless they are already. A shell may have changed this."""
        with suppress(termios.error, OSError):
            modes = termios.tcgetattr(self._fd)
            flags = modes[_LOCAL_FLAGS]
            if flags & (termios.ICANON | termios.ECHO):
                if self._modes is None:
                    self._modes = list(modes)
                modes[_LOCAL_FLAGS] = flags & ~(termios.ICANON | termios.ECHO)
                termios.tcsetattr(self._fd, termios.TCSANOW, modes)
