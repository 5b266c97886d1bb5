"""PWB7, epoll for the sockets, threads for the work: the loop owns every socket, and waits for no disk.

The plan: all of epoll, but what may have to wait for the disk (to make an answer, to read the next piece of a file)
goes into a queue. A pool of threads takes it from there, and gives the client back through another queue and a byte
that wakes the loop. While a client is in their hands, the loop leaves it alone: so no two requests of one connection
are ever answered at once, and they come back in order (L16). No thread touches a socket, so no descriptor can be
closed, and given to somebody new, behind the loop's back (L17). The pool is bounded: a thread for each event was not
(L18).
Costs: a hop to a thread and back for each answer and each piece, so it is slower than epoll while the disk is fast.
The whole idea is work().
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Final

from pwb_async.runtime.context import ServerContext, StartupError
from pwb_legacy.common.client import Client

from .epoll import EpollServer

_THREADS: Final = 16


class EpollThreadServer(EpollServer):
    """One thread for the sockets, `_THREADS` for the disk."""

    def __init__(self, context: ServerContext) -> None:
        super().__init__(context)
        self._busy: set[Client] = set()
        self._todo: SimpleQueue[tuple[Client, Callable[[], None]]] = SimpleQueue()
        self._done: deque[tuple[Client, Exception | None]] = deque()
        try:
            for number in range(_THREADS):
                Thread(target=self._worker, name=f"pwb-disk_{number}", daemon=True).start()
        except RuntimeError as error:
            self.close()
            raise StartupError(f"cannot start {_THREADS} threads: {error}") from None

    def handlerequest(self, client: Client) -> None:
        if client not in self._busy:
            super().handlerequest(client)

    def work(self, client: Client, job: Callable[[], None]) -> bool:
        client.deadline.disarm()
        self._busy.add(client)
        self._todo.put((client, job))
        return False

    def _worker(self) -> None:
        while True:
            client, job = self._todo.get()
            error: Exception | None = None
            try:
                job()
            except Exception as caught:
                error = caught
            self._done.append((client, error))
            with suppress(OSError):  # it will wake up anyway, or has no memory (see _sweep), or has ended
                self.waker.send(b"\0")

    def woken(self) -> None:
        super().woken()
        self._take_back()

    def _sweep(self, now: float) -> None:
        super()._sweep(now)
        self._take_back()

    def _take_back(self) -> None:
        while self._done:
            client, error = self._done.popleft()
            self._busy.discard(client)
            if error is not None:
                self.drop(client, error)
            else:
                self.handlerequest(client)
