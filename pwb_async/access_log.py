"""The access log, an observer of exchanges. Noting is one append; formatting and writing happen in flush().

A log must never take the server with it (hazard E8): what a full disk or a closed pipe does not take is counted and
dropped, and a pipe that nobody reads is waited for a bounded time only.
"""

import os
import select
import stat
import sys
from collections import deque
from threading import Lock
from typing import Final

from .core.exchange import Exchange, combined

_MOST_WAITING: Final = 100_000
"""exchanges noted and not yet written; about 20 MB"""
_PIPE_TAKES: Final = select.PIPE_BUF if hasattr(select, "PIPE_BUF") else 512
"""bytes that a pipe which is ready takes without blocking"""


class AccessLog:
    """Combined Log Format, one line an exchange. target: a path, or "-" for standard output. dropped: lines lost.

    Any thread may note and flush. Raises OSError if `target` cannot be opened for appending.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._waiting: deque[Exchange] = deque()
        self._writing = Lock()
        self.dropped = 0
        self._open()

    def _open(self) -> None:
        if self._target == "-":
            self._fd = sys.__stdout__.fileno() if sys.__stdout__ is not None else os.open(os.devnull, os.O_WRONLY)
        else:
            self._fd = os.open(self._target, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._always_ready = stat.S_ISREG(os.fstat(self._fd).st_mode)

    def __call__(self, exchange: Exchange) -> None:
        """Notes an exchange."""
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append(exchange)
        else:
            self.dropped += 1

    def flush(self, patience: float = 1.0) -> None:
        """Writes what has been noted; patience: seconds to wait for a reader that does not read."""
        with self._writing:
            lines = [combined(self._waiting.popleft()) for _ in range(len(self._waiting))]
            written = self._write(lines, patience)
            self.dropped += len(lines) - written

    def _write(self, lines: list[bytes], patience: float) -> int:
        """Writes whole lines in few writes; returns how many lines were taken."""
        most = 1 << 20 if self._always_ready else _PIPE_TAKES
        done = 0
        while done < len(lines):
            size, end = len(lines[done]), done + 1
            while end < len(lines) and size + len(lines[end]) <= most:
                size += len(lines[end])
                end += 1
            if not self._write_all(b"".join(lines[done:end]), patience):
                break
            done = end
        return done

    def _write_all(self, data: bytes, patience: float) -> bool:
        try:
            while data:
                if not (self._always_ready or self._is_ready(patience)):
                    return False
                data = data[os.write(self._fd, data if self._always_ready else data[:_PIPE_TAKES]) :]
        except OSError:
            return False
        return True

    def _is_ready(self, patience: float) -> bool:
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        return any(event & select.POLLOUT for _, event in poll.poll(patience * 1000))

    def reopen(self) -> None:
        """Opens the path anew, after a rotation; if that fails, the old file goes on. Raises OSError then."""
        if self._target != "-":
            with self._writing:
                old = self._fd
                self._open()
                os.close(old)

    def close(self) -> None:
        """Writes what is left."""
        self.flush()
        if self._target != "-":
            os.close(self._fd)
