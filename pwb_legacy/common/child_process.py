"""A process that is forked to serve one client: what its parent does with it, and its own first steps.

fork() gives the child a copy of everything that the parent has. This file is about what the child must not keep, and
about the little that the two share: two numbers in shared memory, and a channel for lines of the access log.
"""

import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from mmap import mmap
from typing import Final

from pwb_async.runtime.context import ServerContext
from pwb_async.runtime.signals import end_signals

from .client import Client

logger: Final = logging.getLogger("pwb")
MAX_MESSAGE: Final = 1 << 17
"""Bytes; more than a log hands over at once."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD)
"""The signals that parent and child handle differently, and that wait during a fork."""
_STANDARD_ERROR: Final = 2


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

    def __init__(self, client: Client) -> None:
        self.peer, self.sock = client.peer, client.sock
        shared = memoryview(mmap(-1, 16))  # two numbers in memory that fork() does not copy
        self._idle_order = shared[:8].cast("d")  # 0.0 while the child has something to do
        self.lines_dropped = shared[8:].cast("q")
        self._stopped = self._reaped = False

    @contextmanager
    def showing_idle(self, client: Client) -> Iterator[None]:
        """In the child: show the parent, until the block ends, that the child is idle, if it is."""
        self._idle_order[0] = client.idle_order or 0.0
        try:
            yield
        finally:
            self._idle_order[0] = 0.0

    @property
    def idle_order(self) -> float | None:
        """A number that orders idle children, the longest idle first; None while a child has something to do."""
        return None if self._stopped else self._idle_order[0] or None

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
        """Whether the child has ended. If so, it is reaped, or it would stay in the process table as a zombie (E5)."""
        if not self._reaped:
            with suppress(ChildProcessError):
                self._reaped = os.waitpid(self.pid, os.WNOHANG) != (0, 0)
        return self._reaped


class Children:
    """The child processes of a server; when it ends, all are killed.

    A child is not allowed to wait until a full pipe takes its lines of the access log, since it may end at any moment.
    It sends them to the parent, which appends them to its own log (E8).
    """

    def __init__(self, context: ServerContext, wakeup: socket.socket) -> None:
        """wakeup: where a byte wakes the parent."""
        self._context = context
        self._log = context.log
        self._wakeup = wakeup
        self._running: set[Child] = set()  # in a child: empty
        self._in_child = False
        # SOCK_SEQPACKET keeps messages whole, whichever children send at the same time.
        self._line_receiver, self._line_sender = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line_receiver.setblocking(False)
        self._line_sender.setblocking(False)

    def __enter__(self) -> "Children":
        # A byte wakes the server when a child ends; set_wakeup_fd() writes it only if there is a handler.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._running:
            child.close()
        self._line_receiver.close()
        self._line_sender.close()

    def start(self, client: Client, serve: Callable[[Child, Client], None]) -> Child:
        """Fork, and call `serve` in the child, which ends with it. Raises OSError.

        A signal that arrives meanwhile waits, in parent and child, until each has its own handlers and its own list of
        connections: call this within signals_blocked().
        """
        child = Child(client)
        child.pid = os.fork()
        if child.pid:
            self._running.add(child)
            return child
        try:
            self._run(child, client, serve)
        except Exception:
            logger.exception("a child process failed")
        finally:
            os._exit(0)  # the parent's stack is below this line: the child must not return to it

    def _run(self, child: Child, client: Client, serve: Callable[[Child, Client], None]) -> None:
        self._in_child = True
        self._running.clear()
        dropped_before = 0
        if self._log is not None:
            self._log.forget()  # the copies of lines that wait in the parent
            dropped_before = self._log.dropped
        self._let_go(client)
        serve(child, client)
        if self._log is not None:
            self.forward_log_lines()
            self._log.finish()
            child.lines_dropped[0] = self._log.dropped - dropped_before

    def _let_go(self, client: Client) -> None:
        """Stop the client at a signal to which the parent reacts otherwise, and close the parent's descriptors.

        The child keeps the client's socket, standard error, the access log, the timeline, archives that are served,
        and two sockets, by which it wakes the parent and sends it lines of the log. SIGUSR1 has the log opened again,
        as in the parent. In the book each child kept the listening socket and all other clients' sockets, so none of
        them was closed when its own process closed it (L11).
        """
        for number in (*end_signals(), signal.SIGALRM, signal.SIGCHLD):
            signal.signal(number, lambda *_: client.stop())
        signal.set_wakeup_fd(-1)
        files = (client.sock, self._wakeup, self._line_sender, self._log, self._context.trace)
        kept = sorted(
            {
                _STANDARD_ERROR,
                *(file.fileno() for file in files if file is not None),
                *self._context.sites.descriptors,
            }
        )
        for low, high in pairwise([*kept, os.sysconf("SC_OPEN_MAX")]):
            os.closerange(low + 1, high)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    def reap(self) -> list[Child]:
        """The children that have ended since the last call. Lines of the access log are taken from all children."""
        ended = [child for child in self._running if child.has_ended()]
        self._running.difference_update(ended)
        if self._log is not None:
            self._log.dropped += sum(child.lines_dropped[0] for child in ended)
            with suppress(BlockingIOError):
                while True:
                    self._log.append(self._line_receiver.recv(MAX_MESSAGE))
        return ended

    def forward_signal(self, number: int) -> None:
        """Send a signal that the parent has received to all children."""
        for child in self._running:
            child.send_signal(number)

    def forward_log_lines(self) -> None:
        """In a child: send the parent the lines that the log has not been able to write. In the parent: do nothing."""
        if self._in_child and self._log is not None and self._log.pending:
            self._log.hand_over(self._line_sender.send)
            with suppress(OSError):  # full: the parent wakes in any case
                self._wakeup.send(b"\0")


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Signals wait while this lasts."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
