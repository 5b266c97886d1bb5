"""The last line of a terminal, which a server keeps for its status: what else is written appears above it.

A program in the background has no last line: there a shell has its prompt. It gets there by & or by Ctrl-Z and bg, and
back by fg, so each call looks again.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from pwb_async.output.colours import DIM, Style
from pwb_async.output.width import width

_ERASE: Final = b"\r\x1b[K"
"""Back to the first column, and erase the line (ECMA-48 8.3.41)."""
_ERASE_ROWS: Final = b"\x1b[%dA\r\x1b[J"
"""So many rows up, back to the first column, and erase everything from there on (8.3.22, 8.3.39)."""
_LOCK_TIMEOUT: Final = 0.02
"""Seconds to wait for another thread, which may hang in a write to a terminal that is stopped by Ctrl-S."""


def in_foreground(fd: int) -> bool:
    """Whether this program is in the foreground of the terminal that a descriptor belongs to."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:  # it has been closed, or is not the controlling terminal
        return False


def in_background(fd: int) -> bool:
    """Whether this program is in the background of the terminal, as after `pwb &`."""
    try:
        return os.tcgetpgrp(fd) != os.getpgrp()
    except OSError:
        return False


class LastLine:
    """The last line of a terminal. Every thread may call its methods."""

    def __init__(self, fd: int, encoding: str = "utf-8", *, colours: bool = False) -> None:
        """fd: a descriptor of the terminal. encoding, colours: what it can show."""
        self.make: Callable[[], str] | None = None
        """Makes the text anew whenever something is written above it, so that the two agree; None to leave it. It is
        called in the thread that writes."""
        self._fd, self._encoding, self._style = fd, encoding, Style(colours)
        self._text, self._columns = b"", 0
        self._shown = False
        self._within_line = False  # what was written last does not end with a line end
        self._lock = threading.Lock()

    def show(self, text: str) -> None:
        """Show a text, which must fit into a line, in place of the one before; "" for none."""
        data = self._encode(text)
        with self._lock:
            if data == self._text and self._shown == bool(data):
                return
            erase = self._erase()
            self._text, self._columns = data, width(text)
            if not self._within_line:
                with suppress(OSError):
                    self._put(self._fd, erase, b"")

    def write(self, fd: int, data: bytes | memoryview) -> int:
        """Write lines above the text, like os.write(): return how many bytes were written. Raises OSError."""
        if not os.isatty(fd):
            return os.write(fd, data)
        if not self._lock.acquire(timeout=_LOCK_TIMEOUT):
            return os.write(fd, data)
        try:
            erase = self._erase()
            if (make := self.make) is not None:
                text = make()
                self._text, self._columns = self._encode(text), width(text)
            return self._put(fd, erase, bytes(data))
        finally:
            self._lock.release()

    def _encode(self, text: str) -> bytes:
        return self._style(text, DIM).encode(self._encoding, "replace") if text else b""

    def _erase(self) -> bytes:
        """What erases the text."""
        if not self._shown or not in_foreground(self._fd):
            return b""
        columns = os.get_terminal_size(self._fd).columns or self._columns  # a serial line does not tell
        rows = (self._columns - 1) // columns
        return _ERASE_ROWS % rows if rows else _ERASE  # a terminal that has become narrower shows it in several rows

    def _put(self, fd: int, erase: bytes, data: bytes) -> int:
        self._within_line = not data.endswith(b"\n") if data else self._within_line
        text = self._text if in_foreground(self._fd) and not self._within_line else b""
        self._shown = bool(text)
        if not (output := erase + data + text):
            return 0
        written = os.write(fd, output)
        if (taken := written - len(erase)) < len(data):  # the terminal takes no more for now
            self._within_line, self._shown = True, False
            return max(0, taken)
        return len(data)
