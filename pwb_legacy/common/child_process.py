"""A child process as its parent sees it, and its own first steps. It is made by a fork, so it has a copy of all that
the parent has: this file is about what it must not keep, and about what the two still share.
"""

import multiprocessing.popen_fork  # it is loaded at the first fork, else: too late with --sandbox
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from mmap import mmap
from typing import Final, Protocol

from pwb_async.observability.access_log import AccessLog
from pwb_async.runtime.signals import end_signals

Fork: Final = multiprocessing.get_context("fork").Process
"""The way that 3.14 has by default cannot hand on a socket that is open (L11)."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGCHLD)
_COURTESY: Final = 0.2
"""Seconds at most that a client's next request waits for those who come in: of 200 busy clients (wrk -c 200) the last
has its first answer after 0.6 to 0.8 s; without it 90 waited more than 2 s: the parent had a hundredth of a core."""
_GLANCE: Final = 0.02
"""Seconds between two looks whether somebody is still coming in."""
coming: Final = mmap(-1, 1)
"""One byte, 1 while the parent is letting clients in; in memory that it shares with all its children."""


class Open(Protocol):
    """Whatever has a descriptor."""

    def fileno(self) -> int: ...


class Child:
    """since: when its client became idle, 0 while it is not: one number, in memory that parent and child share."""

    def __init__(self, peer: str, log: AccessLog | None) -> None:
        self.peer = peer
        shared = memoryview(mmap(-1, 16))
        self.since: memoryview[float] = shared[:8].cast("d")
        self._lost: memoryview[int] = shared[8:].cast("q")  # lines of the log
        self._log = log
        self._stopped = False

    def start(self, run: Callable[[], None]) -> None:
        """Has `run` called in a process of its own, where settle() must come first. Raises OSError."""
        self._process = Fork(target=self._live, args=(run,), daemon=True)
        pipes = _next_four()
        try:
            self._process.start()
        except OSError:  # it forgets its pipes then
            for fd in pipes:
                with suppress(OSError):
                    os.close(fd)
            raise

    def _live(self, run: Callable[[], None]) -> None:
        before = self._log.dropped if self._log is not None else 0
        run()
        if self._log is not None:
            self._log.finish()
            self._lost[0] = self._log.dropped - before

    def settle(self, stop: Callable[[], None], keep: Iterable[Open | None]) -> None:
        """The child's first steps. stop: what a signal does from now on. keep: all that stays open beside stdio; in the
        book everything did, the listening socket and all other clients' (L11)."""
        for number in (*end_signals(), signal.SIGALRM, signal.SIGCHLD):
            signal.signal(number, lambda *_: stop())
        signal.set_wakeup_fd(-1)
        kept = sorted({2, *(file.fileno() for file in keep if file is not None)})
        for low, high in pairwise([*kept, os.sysconf("SC_OPEN_MAX")]):
            os.closerange(low + 1, high)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    @contextmanager
    def waiting(self, idle: bool) -> Iterator[None]:
        """Around a wait for the client. idle: it has all its answers, and its next request stands back for who comes
        in."""
        if idle:
            self.since[0] = time.monotonic()
            end = self.since[0] + _COURTESY
            while coming[0] and time.monotonic() < end:
                time.sleep(_GLANCE)
        try:
            yield
        finally:
            self.since[0] = 0.0

    @property
    def idle_since(self) -> float | None:
        return None if self._stopped else self.since[0] or None

    def stop(self) -> None:
        self._stopped = True
        self._process.terminate()

    def hear(self, number: int) -> None:
        """A signal, to one who is not over()."""
        if self._process.pid is not None:
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def over(self) -> bool:
        """Whether it has ended; if so, it is reaped (hazard E5). Its pipes are closed when nobody holds it any more."""
        if self._process.is_alive():
            return False
        if self._log is not None:
            self._log.dropped += self._lost[0]
            self._lost[0] = 0
        return True


def children(guests: Iterable[object]) -> list[Child]:
    """Those that are children."""
    return [guest for guest in guests if isinstance(guest, Child)]


@contextmanager
def parenthood(guests: Iterable[object]) -> Iterator[None]:
    """The end of a child wakes the door, and so leads to tidy(); no child outlives its parent."""
    signal.signal(signal.SIGCHLD, lambda *_: None)
    try:
        yield
    finally:
        for child in children(guests):
            child.kill()


def pass_on(number: int, guests: Iterable[object]) -> None:
    """A signal that the parent got, and that is for all."""
    for child in children(guests):
        if not child.over():
            child.hear(number)


@contextmanager
def letting_in() -> Iterator[None]:
    """Around a start. A signal waits, on either side, until it is known whom it is for; the other children stand back,
    until `coming` is set to 0."""
    coming[0] = 1
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _next_four() -> list[int]:
    """The descriptors that will be given out next, the lowest that are free: a Process opens two pipes to start."""
    ends = [*socket.socketpair(), *socket.socketpair()]
    numbers = [end.fileno() for end in ends]
    for end in ends:
        end.close()
    return numbers
