"""The access log: one line for each exchange, formatted at once and written in flush().

Formatting thousands of lines together, even in a thread, would hold the interpreter lock and stall the event loop, so
each line is formatted when its response is reported.

Logging must never stop the server (hazard E8). Lines that cannot be written, on a full disk or to a closed pipe, are
dropped and counted. Lines that a pipe does not take yet, because it is full or has no reader, are kept up to a limit,
and nothing waits for them.
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
from pwb_async.output.writer import write

from .combined_format import forget_requests, format_combined
from .exchange import Exchange, Format, Observer

logger: Final = logging.getLogger("pwb")
STANDARD_OUTPUT: Final = "-"
"""What stands for standard output, in place of a path."""
LOG_RETRY: Final = 0.2
"""Seconds between two attempts of a server to write lines that a pipe has not taken."""
_FLUSH_HALVES: Final = 2 * 1000
"""Each time so many half lines more are kept, some 0.2 MB, on_backlog() is called."""
_MAX_HALVES: Final = 10 * _FLUSH_HALVES
"""When so many half lines are kept, flush() is late. They become a block, because only the size of blocks is limited;
until then they take up to 40 MB, if all are nearly _LONG_HALF."""
_LONG_HALF: Final = 4096
"""Bytes; a longer half line becomes a block at once, because a hostile client can cause lines of 100 KB."""
_FLUSH_BYTES: Final = 128 * 1024
"""With so many bytes in blocks on_backlog() is called, too."""
_MAX_PENDING: Final = 20 * 1024 * 1024
"""Bytes in blocks, some 100,000 usual lines; a block that would exceed it is dropped."""
_MAX_MESSAGE: Final = 64 * 1024
"""The most bytes that hand_over() gives to another process at once."""


class AccessLog:
    """An access log. Every thread may call its methods."""

    dropped: int
    """Lines that were lost."""
    skipped: int
    """Exchanges that were not to be logged."""
    reopen_requested: bool
    """Set it, for instance in a signal handler, and the next flush() opens the path again."""
    on_backlog: Callable[[], object]
    """Called when so many lines are kept that flush() should be called; does nothing unless it is set."""

    def __init__(
        self, target: str, format_line: Format = format_combined, is_logged: Callable[[Exchange], bool] | None = None
    ) -> None:
        """`target` is a path, or "-" for standard output. Raises OSError if it cannot be opened.

        is_logged: tells which exchanges are logged; None for all.
        """
        self._target = target
        self._format = format_line
        self._is_logged = is_logged
        self._halves: list[bytes] = []
        self._blocks: deque[bytes] = deque()
        self._size = 0  # bytes in all blocks
        self._written = 0  # bytes of the first block that have been written
        self._packing = Lock()  # held for a moment
        self._writing = Lock()  # held as long as a write takes
        self.dropped = self.skipped = 0
        self.reopen_requested = False
        self.on_backlog = _do_nothing
        # A byte that forked processes share: 1 once one of them has reported that the pipe has no reader.
        self._reported_no_reader = mmap(-1, 1)
        self._fd = self._open()
        self._is_standard_output = sys.__stdout__ is not None and self._fd == sys.__stdout__.fileno()
        self._examine_target()

    def _open(self) -> int:
        return open_to_append(self._target) if self.has_path else _standard_output()

    def _examine_target(self) -> None:
        """Find out whether lines are written to a file or to a pipe."""
        mode = os.fstat(self._fd).st_mode
        self._always_ready = stat.S_ISREG(mode)
        self._named_pipe = self.has_path and stat.S_ISFIFO(mode)
        if self._named_pipe and not has_reader(self._fd):
            self._report_no_reader()

    @property
    def has_path(self) -> bool:
        """Whether it has a path, which can be opened again; standard output has none."""
        return self._target != STANDARD_OUTPUT

    @property
    def observer(self) -> Observer:
        """What a server calls with each exchange."""
        return self.record if self._is_logged is None else self._record_some

    def _record_some(self, exchange: Exchange) -> None:
        assert self._is_logged is not None
        if self._is_logged(exchange):
            self.record(exchange)
        else:
            self.skipped += 1

    def record(self, exchange: Exchange) -> None:
        """Format an exchange as a line, which flush() will write."""
        halves, line = self._halves, self._format(exchange)
        halves += line
        if len(line[1]) > _LONG_HALF:
            self._pack(_MAX_HALVES)
            if self._size >= _FLUSH_BYTES:
                self.on_backlog()
        elif not len(halves) % _FLUSH_HALVES:
            if len(halves) >= _MAX_HALVES:
                self._pack(_MAX_HALVES)
            self.on_backlog()

    def _pack(self, max_halves: int) -> None:
        """Join the oldest half lines to a block."""
        with self._packing:
            halves = self._halves[:max_halves]
            del self._halves[: len(halves)]
            self._add(b"".join(halves), len(halves) // 2)

    def _add(self, block: bytes, lines: int) -> None:
        if self._size + len(block) > _MAX_PENDING:
            self.dropped += lines
        elif block:
            self._blocks.append(block)
            self._size += len(block)

    @property
    def pending(self) -> bool:
        """Whether lines are kept that are not written yet."""
        return bool(self._blocks or self._halves)

    def flush(self, timeout: float = 0.0) -> None:
        """Write the lines that are kept; wait for a full pipe for at most `timeout` seconds in all."""
        if self.reopen_requested:
            self.reopen_requested = False
            self.try_reopen()
        end = monotonic() + timeout
        with self._writing:
            try:
                while self.pending and (self._always_ready or is_ready(self._fd, end - monotonic())):
                    self._write(self._write_fd, None if self._always_ready else PIPE_BUF)
                    self._reported_no_reader[0] = 0
            except BlockingIOError:  # another process has filled the pipe since is_ready()
                return
            except OSError as error:
                if self._named_pipe and isinstance(error, BrokenPipeError):
                    self._report_no_reader()
                else:
                    self._drop()

    def hand_over(self, send: Callable[[memoryview], int]) -> None:
        """Give the lines that are kept to another process, which calls append() of its own log with them.

        `send` gets whole lines, at most 64 KiB at once, a longer line in pieces, and returns how many bytes it has
        taken. What it refuses with OSError is kept.
        """
        with self._writing, suppress(OSError):
            while self.pending:
                self._write(send, _MAX_MESSAGE)

    def forget(self) -> None:
        """Drop the lines that are kept without counting them: after a fork the parent writes them."""
        with self._packing:
            self._halves.clear()
            self._blocks.clear()
            self._size = self._written = 0

    def append(self, lines: bytes) -> None:
        """Add lines that hand_over() of another process has sent."""
        # Not as one block: flush() writes at most a block at a time to a pipe.
        for line in lines.splitlines(keepends=True):
            self._halves += (line, b"")
        if len(lines) > _LONG_HALF or len(self._halves) >= _MAX_HALVES:
            self._pack(_MAX_HALVES)

    def _write_fd(self, data: memoryview) -> int:
        return write(self._fd, data)

    def _write(self, write: Callable[[memoryview], int], max_bytes: int | None) -> None:
        """Write a block; with `max_bytes` only as many whole lines as fit, and a longer line in pieces."""
        if not self._blocks:
            self._pack(_FLUSH_HALVES)
        block, end = self._blocks[0], None
        if max_bytes is not None:
            end = block.rfind(b"\n", self._written, self._written + max_bytes) + 1 or self._written + max_bytes
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

    def _report_no_reader(self) -> None:
        if not self._reported_no_reader[0]:
            self._reported_no_reader[0] = 1
            logger.error("no process reads the access log %s: its lines are kept until one does", self._target)

    def reopen(self) -> None:
        """Open the path again, after a rotation. If that raises OSError, the old file stays in use."""
        if self.has_path:
            with self._writing:
                old = self._fd
                self._fd = self._open()
                self._examine_target()
                os.close(old)

    def try_reopen(self) -> None:
        """reopen(), which reports an error in the error log instead of raising it."""
        try:
            self.reopen()
        except OSError as error:
            logger.error("the access log cannot be reopened, the old file stays in use: %s", error.strerror)

    def fileno(self) -> int:
        """The descriptor that lines are written to."""
        return self._fd

    def replace_fd(self, fd: int) -> None:
        """Write to the file of `fd` from now on, and close `fd`: for a process that may not reopen the path."""
        with self._writing:
            os.dup2(fd, self._fd, inheritable=False)
            os.close(fd)
            self._examine_target()

    def finish(self, timeout: float = 0.0) -> None:
        """Write the lines that are kept, as flush() does, and drop those that cannot be written."""
        self.flush(timeout)
        with self._writing:
            self._drop()

    def close(self) -> None:
        """Write the lines that are kept, within a second, and report how many lines were lost."""
        self.finish(1.0)
        if self.dropped:
            logger.error("%d lines of the access log were lost", self.dropped)
        if not self._is_standard_output:
            os.close(self._fd)
        forget_requests()


def _do_nothing() -> None:
    pass


def _standard_output() -> int:
    return os.open(os.devnull, os.O_WRONLY) if sys.__stdout__ is None else reopen_nonblocking(sys.__stdout__.fileno())
