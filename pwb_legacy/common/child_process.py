"""A process that is forked to serve one client: what its parent does with it, and its own first steps.

fork() gives the child a copy of everything that the parent has. This file is about what the child must not keep, and
about the little that the two still share.
"""

import logging
import os
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import pairwise
from mmap import mmap
from typing import Final

from pwb_async.observability.access_log import AccessLog
from pwb_async.runtime.context import ServerContext
from pwb_async.runtime.signals import end_signals

from .client import Client

logger: Final = logging.getLogger("pwb")


def _line_channel() -> tuple[int, int]:
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setblocking(False)
    return ends[0].detach(), ends[1].detach()


PARENT: Final = os.getpid()
LINES_IN, LINES_OUT = _line_channel()
"""carry lines of the access log from children to their parent, in messages that stay whole"""
MAX_MESSAGE: Final = 1 << 17
"""bytes; more than a log hands over at once"""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD)


class Child:
    """A forked process that serves one client.

    In the parent it takes the client's place in the admission control, which counts, stops and evicts it. The book used
    multiprocessing.Process, which adds two pipes for each child, and whose default since Python 3.14 cannot pass an
    open socket on (L11).
    """

    peer: str
    """The client's address."""
    sock: socket.socket
    """The client's socket, which the parent closes after the fork."""
    pid: int

    def __init__(self, client: Client, log: AccessLog | None) -> None:
        self.peer, self.sock = client.peer, client.sock
        shared = memoryview(mmap(-1, 16))  # two numbers that parent and child share, since fork() does not copy them
        self._idle_since = shared[:8].cast("d")
        self._lines_dropped = shared[8:].cast("q")
        self._log = log
        self._stopped = self._reaped = False

    def start(self, serve: Callable[[], None]) -> None:
        """Fork, and call `serve` in the child, which must begin with after_fork(). Raises OSError."""
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._run(serve)
            except Exception:
                logger.exception("a child process failed")
            finally:
                os._exit(0)  # the parent's stack is below this line: the child must not return to it

    def _run(self, serve: Callable[[], None]) -> None:
        before = 0
        if self._log is not None:
            self._log.forget()  # the copies of lines that wait in the parent
            before = self._log.dropped
        serve()
        self.exchange_lines(self._log, int)  # the end of the child wakes the parent
        if self._log is not None:
            self._log.finish()
            self._lines_dropped[0] = self._log.dropped - before

    @staticmethod
    def exchange_lines(log: AccessLog | None, wake_up: Callable[[], object]) -> None:
        """Move lines that a pipe does not take yet from a child, which may end at any moment, to its parent's log (E8).

        In a child this sends them, in the parent it receives them.
        """
        if log is None:
            return
        if os.getpid() == PARENT:
            with suppress(BlockingIOError):
                while True:
                    log.append(os.read(LINES_IN, MAX_MESSAGE))
        elif log.pending:
            log.hand_over(partial(os.write, LINES_OUT))
            wake_up()

    def after_fork(self, client: Client, context: ServerContext, wakeup: int) -> None:
        """The child's first steps: SIGTERM stops the client, and only the client's socket and the logs stay open.

        In the book each child kept the listening socket and all other clients' sockets, so none of them was closed
        when its own process closed it (L11).
        """
        for number in (*end_signals(), signal.SIGALRM, signal.SIGCHLD):
            signal.signal(number, lambda *_: client.stop())
        signal.set_wakeup_fd(-1)
        files = (client.sock, context.log, context.trace)
        kept = sorted({2, LINES_OUT, wakeup, *(file.fileno() for file in files if file is not None)})
        for low, high in pairwise([*kept, os.sysconf("SC_OPEN_MAX")]):
            os.closerange(low + 1, high)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def set_idle_since(self, moment: float | None) -> None:
        """Called in the child, and seen by the parent."""
        self._idle_since[0] = moment or 0.0

    @property
    def idle_since(self) -> float | None:
        """A number that is smallest for the child idle longest; None while it has something to do."""
        return None if self._stopped else self._idle_since[0] or None

    def stop(self) -> None:
        """Accept no more requests: the child ends when it has sent the current response."""
        self._stopped = True
        self.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """End the process at once."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        """Send a signal to the child, unless it has ended and its number may be another process's by now."""
        if not self.has_ended():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def has_ended(self) -> bool:
        """Whether the child has ended. Reaps it then, or it would stay in the process table as a zombie (E5)."""
        if not self._reaped:
            with suppress(ChildProcessError):
                if os.waitpid(self.pid, os.WNOHANG) == (0, 0):
                    return False
            self._reaped = True
            self.exchange_lines(self._log, int)
            if self._log is not None:
                self._log.dropped += self._lines_dropped[0]
                self._lines_dropped[0] = 0
        return True


@contextmanager
def reaping_children(children: Iterable[Child]) -> Iterator[None]:
    """While this lasts, the end of a child wakes the server, which calls has_ended(); then all children are killed."""
    signal.signal(signal.SIGCHLD, lambda *_: None)  # set_wakeup_fd() writes a byte only if there is a handler
    try:
        yield
    finally:
        for child in children:
            child.close()


def forward_signal(number: int, children: Iterable[Child]) -> None:
    """Send a signal that the parent has received to all its children."""
    for child in children:
        child.send_signal(number)


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Around fork(): a signal waits in parent and child until each has its own handlers and its list of connections."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
