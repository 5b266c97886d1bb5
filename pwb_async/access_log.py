"""The access log. A line is made at once, and written in flush(): were thousands made in a thread every now and then,
the loop would stand still as long.

A log must never take the server with it (hazard E8): what a full disk or a closed pipe refuses is counted and dropped;
what a full pipe does not take yet waits, up to a bound, and nobody waits for it.
"""

import logging
import os
import select
import stat
import sys
from collections.abc import Callable
from threading import Lock
from typing import Final

from .core.exchange import combined
from .core.messages import BadRequest, Request

logger: Final = logging.getLogger("pwb")
_MANY: Final = 2 * 1000
"""Whenever so many halves of lines more wait, some 0.2 MB, hurry() asks for a flush(); so many are written to a file at
once."""
_MOST_WAITING: Final = 2 * 100_000
"""Halves of lines not yet written; some 20 MB of lines as browsers cause them."""
_PIPE_TAKES: Final = select.PIPE_BUF if hasattr(select, "PIPE_BUF") else 512
"""bytes that a pipe which is ready takes without blocking"""


class AccessLog:
    """Combined Log Format, one line an exchange. target: a path, or "-" for standard output. dropped: lines lost.
    moved: set it, in a signal handler for one, and the next flush() reopens the path. hurry: called when many
    lines wait.

    Any thread may note and flush. Raises OSError if `target` cannot be opened for appending.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._halves: list[bytes] = []
        self._begun = b""  # of lines of which a write has taken a part
        self._writing = Lock()
        self.dropped = 0
        self.moved = False
        self.hurry: Callable[[], object] = int
        self._open()

    def _open(self) -> None:
        if self._target == "-":
            self._fd = sys.__stdout__.fileno() if sys.__stdout__ is not None else os.open(os.devnull, os.O_WRONLY)
        else:
            self._fd = os.open(self._target, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._always_ready = stat.S_ISREG(os.fstat(self._fd).st_mode)

    def note(self, peer: str, request: Request | BadRequest, status: int, sent: int, began: float) -> None:
        """Notes an exchange, said as combined() has it."""
        halves = self._halves
        if len(halves) < _MOST_WAITING:
            halves += combined(peer, request, status, sent, began)
            if not len(halves) % _MANY:
                self.hurry()
        else:
            self.dropped += 1

    @property
    def waiting(self) -> bool:
        """There is something to write."""
        return bool(self._begun or self._halves)

    def flush(self, patience: float = 0.0) -> None:
        """Writes what has been noted; patience: seconds to wait each time that a pipe is full."""
        if self.moved:
            self.moved = False
            self.reopen_or_complain()
        with self._writing:
            try:
                while self.waiting and (self._always_ready or self._is_ready(patience)):
                    self._write()
            except OSError:
                self._drop()

    def _write(self) -> None:
        """Writes as many whole lines as go at once; a line longer than a pipe takes goes in pieces."""
        if not self._begun:
            count = _MANY if self._always_ready else self._go_into_a_pipe()
            self._begun = b"".join(self._halves[:count])
            del self._halves[:count]
        most = len(self._begun) if self._always_ready else _PIPE_TAKES
        self._begun = self._begun[os.write(self._fd, self._begun[:most]) :]

    def _go_into_a_pipe(self) -> int:
        """How many halves, at least those of one line, are so short together that a pipe takes them as a whole."""
        size = 0
        for count, half in enumerate(self._halves):
            size += len(half)
            if size > _PIPE_TAKES:
                return max(2, count - count % 2)
        return count + 1

    def _drop(self) -> None:
        self.dropped += self._begun.count(b"\n") + len(self._halves) // 2
        self._begun = b""
        self._halves.clear()

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

    def reopen_or_complain(self) -> None:
        """reopen(), and a word if it fails."""
        try:
            self.reopen()
        except OSError as error:
            logger.error("the access log cannot be opened anew, the old one goes on: %s", error.strerror)

    def fileno(self) -> int:
        return self._fd

    def take(self, fd: int) -> None:
        """Writes to `fd`, and closes it: for a process that may not reopen the path itself."""
        with self._writing:
            os.dup2(fd, self._fd, inheritable=False)
            os.close(fd)

    def close(self) -> None:
        """Writes what is left, with some patience, and says what was lost."""
        self.flush(1.0)
        self._drop()
        if self.dropped:
            logger.error("%d lines of the access log were lost", self.dropped)
        if self._target != "-":
            os.close(self._fd)
