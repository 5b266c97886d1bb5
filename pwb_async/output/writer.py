"""Writing to a descriptor: os.write(), or what a program puts in its place.

The status line of a terminal (terminal/last_line.py) does, because all that is written has to appear above it.
"""

import os
from collections.abc import Callable
from typing import TypeAlias

Write: TypeAlias = Callable[[int, bytes | memoryview], int]
"""A function like os.write(): it returns how many bytes it has written, and raises OSError."""
_write: Write = os.write


def set_write(function: Write) -> None:
    """Have all lines of this process written by a function."""
    global _write
    _write = function


def write(fd: int, data: bytes | memoryview) -> int:
    """Write as os.write() does."""
    return _write(fd, data)
