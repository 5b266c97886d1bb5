"""The access log. A line is made at once, and written in flush(): were thousands made in a thread every now and then,
the loop would stand still as long.

A log must never take the server with it (hazard E8): what a full disk or a closed standard output refuses is counted
and dropped; what a pipe that is full, or a named one that nobody reads, does not take yet waits, up to a bound, and
nobody waits for it.
"""

import logging
import os
import stat
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from mmap import mmap
from select import PIPE_BUF
from threading import Lock
from time import monotonic
from typing import Final

from pwb_async.output.pipes import has_reader, is_ready, open_to_append, reopen_nonblocking

from .combined_format import format_combined
from .exchange import Exchange

logger: Final = logging.getLogger("pwb")
_MANY: Final = 2 * 1000
"""Whenever so many halves of lines more wait, some 0.2 MB, hurry() asks for a flush()."""
_BEHIND: Final = 10 * _MANY
"""With so many nobody has heard it; they become a block, whose weight is known. Until then they take up to 40 MB, if
all are nearly long."""
_LONG: Final = 4096
"""Bytes; a half that is longer becomes a block at once: a hostile client makes lines of 100 KB."""
_ENOUGH: Final = 128 * 1024
"""Whenever there are so many bytes in blocks, hurry() is called too."""
_MOST_WAITING: Final = 20 * 1024 * 1024
"""Bytes in blocks, 100,000 lines as browsers cause them; a block that would be more is dropped."""
_PIECE: Final = 64 * 1024
"""Bytes that are handed over to another process at once."""


class AccessLog:
    """Combined Log Format, one line an exchange. target: a path, or "-" for standard output. dropped: lines lost.
    moved: set it, in a signal handler for one, and the next flush() reopens the path. hurry: called when many
    lines wait.

    Any thread may note and flush. Raises OSError if `target` cannot be opened for appending.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._halves: list[bytes] = []
        self._blocks: deque[bytes] = deque()
        self._size = 0  # of all blocks
        self._written = 0  # of the first one
        self._packing = Lock()  # a moment
        self._writing = Lock()  # as long as a write takes
        self.dropped = 0
        self.reopen_requested = False
        self.on_backlog: Callable[[], object] = int
        self._unread = mmap(-1, 1)  # 1: one of all forked processes has said that nobody reads it
        self._fd = self._open()
        self._look()

    def _open(self) -> int:
        return open_to_append(self._target) if self.has_path else _standard_output()

    def _look(self) -> None:
        """Finds out what lines go to."""
        mode = os.fstat(self._fd).st_mode
        self._always_ready = stat.S_ISREG(mode)
        self._named_pipe = self.has_path and stat.S_ISFIFO(mode)
        if self._named_pipe and not has_reader(self._fd):
            self._say_unread()

    @property
    def has_path(self) -> bool:
        """It can be renamed, and opened anew; standard output cannot."""
        return self._target != "-"

    def record(self, exchange: Exchange) -> None:
        """Format an exchange as a line, which flush() writes."""
        halves, line = self._halves, format_combined(exchange)
        halves += line
        if len(line[1]) > _LONG:
            self._pack(_BEHIND)
            if self._size >= _ENOUGH:
                self.on_backlog()
        elif not len(halves) % _MANY:
            if len(halves) >= _BEHIND:
                self._pack(_BEHIND)
            self.on_backlog()

    def _pack(self, most: int) -> None:
        """Makes a block of what has been noted first."""
        with self._packing:
            halves = self._halves[:most]
            del self._halves[: len(halves)]
            self._add(b"".join(halves), len(halves) // 2)

    def _add(self, block: bytes, lines: int) -> None:
        if self._size + len(block) > _MOST_WAITING:
            self.dropped += lines
        elif block:
            self._blocks.append(block)
            self._size += len(block)

    @property
    def pending(self) -> bool:
        """There is something to write."""
        return bool(self._blocks or self._halves)

    def flush(self, timeout: float = 0.0) -> None:
        """Writes what has been noted; patience: seconds to wait in all for a pipe that is full."""
        if self.reopen_requested:
            self.reopen_requested = False
            self.try_reopen()
        end = monotonic() + timeout
        with self._writing:
            try:
                while self.pending and (self._always_ready or is_ready(self._fd, end - monotonic())):
                    self._write(self._write_fd, None if self._always_ready else PIPE_BUF)
                    self._unread[0] = 0
            except BlockingIOError:  # another process has filled the pipe meanwhile
                return
            except OSError as error:
                if self._named_pipe and isinstance(error, BrokenPipeError):
                    self._say_unread()
                else:
                    self._drop()

    def hand_over(self, send: Callable[[memoryview], int]) -> None:
        """Gives what waits to another process, which appends it to its own log. send: takes whole lines, at most
        64 KiB at once, a longer line in pieces; what it refuses with OSError goes on waiting."""
        with self._writing, suppress(OSError):
            while self.pending:
                self._write(send, _PIECE)

    def forget(self) -> None:
        """Drops what waits, and counts nothing: after a fork it is the other process's to write."""
        with self._packing:
            self._halves.clear()
            self._blocks.clear()
            self._size = self._written = 0

    def append(self, lines: bytes) -> None:
        """Notes lines that another process has handed over."""
        for line in lines.splitlines(keepends=True):  # not as a block: a pipe takes a block at a time
            self._halves += (line, b"")
        if len(lines) > _LONG or len(self._halves) >= _BEHIND:
            self._pack(_BEHIND)

    def _write_fd(self, data: memoryview) -> int:
        return os.write(self._fd, data)

    def _write(self, write: Callable[[memoryview], int], most: int | None) -> None:
        """Writes a block; where there is a bound, as many whole lines as are within it, and a longer line in pieces."""
        if not self._blocks:
            self._pack(_MANY)
        block, end = self._blocks[0], None
        if most is not None:
            end = block.rfind(b"\n", self._written, self._written + most) + 1 or self._written + most
        self._written += write(memoryview(block)[self._written : end])
        if self._written == len(block):
            with self._packing:
                self._size -= len(self._blocks.popleft())
                self._written = 0

    def _drop(self) -> None:
        self._pack(len(self._halves))
        with self._packing:
            for block in self._blocks:
                self.dropped += block.count(b"\n", self._written)
                self._written = 0
            self._blocks.clear()
            self._size = 0

    def _say_unread(self) -> None:
        if not self._unread[0]:
            self._unread[0] = 1
            logger.error("nobody reads the access log %s: its lines wait until somebody does", self._target)

    def reopen(self) -> None:
        """Opens the path anew, after a rotation; if that fails, the old file goes on. Raises OSError then."""
        if self.has_path:
            with self._writing:
                old = self._fd
                self._fd = self._open()
                self._look()
                os.close(old)

    def try_reopen(self) -> None:
        """reopen(), and a word if it fails."""
        try:
            self.reopen()
        except OSError as error:
            logger.error("the access log cannot be opened anew, the old one goes on: %s", error.strerror)

    def fileno(self) -> int:
        return self._fd

    def replace_fd(self, fd: int) -> None:
        """Writes to `fd`, and closes it: for a process that may not reopen the path itself."""
        with self._writing:
            os.dup2(fd, self._fd, inheritable=False)
            os.close(fd)
            self._look()

    def finish(self, timeout: float = 0.0) -> None:
        """Writes what is left, as flush() does; what cannot be written now is lost."""
        self.flush(timeout)
        with self._writing:
            self._drop()

    def close(self) -> None:
        """Writes what is left, with some patience, and says what was lost."""
        self.finish(1.0)
        if self.dropped:
            logger.error("%d lines of the access log were lost", self.dropped)
        if self.has_path:
            os.close(self._fd)


def _standard_output() -> int:
    return os.open(os.devnull, os.O_WRONLY) if sys.__stdout__ is None else reopen_nonblocking(sys.__stdout__.fileno())
