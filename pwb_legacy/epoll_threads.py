"""PWB7, epoll for the sockets, threads for the disk: the loop owns every socket, and never waits for the disk.

The plan: as epoll, but a job that may wait for the disk (to make a response, to read the next piece of a file) is put
into a queue. A pool of threads takes jobs from it, and hands each client back through a second queue and a byte that
wakes the loop. While a thread has a client, the loop leaves that client alone: so two requests of one connection are
never answered at once, and the responses are in order (L16). No thread uses a socket, so no descriptor can be closed,
and be reused for a new client, while the loop still uses it (L17). The pool is bounded.
Costs: a hop to a thread and back for each response and each piece, so it is slower than epoll while the disk is fast.
The whole idea is offload().
The book (9.4, net09_web_PWB7.py) started a thread for each event, which used the socket and closed it (L16 to L18;
docs/book.md).
"""

from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from typing import Final

from pwb_async.runtime.context import ServerContext, StartupError
from pwb_legacy.common.client import Client

from .epoll import EpollServer

THREADS: Final = 16
"""Threads in the pool: so many jobs can wait for the disk at the same time."""


class EpollThreadServer(EpollServer):
    """One thread for the sockets, `THREADS` for the disk."""

    def __init__(self, context: ServerContext) -> None:
        super().__init__(context)
        self._offloaded: set[Client] = set()  # those that a thread has, or whose job waits for one
        self._jobs: SimpleQueue[tuple[Client, Callable[[], None]]] = SimpleQueue()
        self._done: deque[tuple[Client, Exception | None]] = deque()
        try:
            for number in range(THREADS):
                Thread(target=self._worker, name=f"pwb-disk_{number}", daemon=True).start()
        except RuntimeError as error:
            self.close()
            raise StartupError(f"cannot start {THREADS} threads: {error}") from None

    def handlerequest(self, client: Client) -> None:
        if client not in self._offloaded:  # otherwise _take_back() gives it its turn
            super().handlerequest(client)

    def offload(self, client: Client, job: Callable[[], None]) -> bool:
        client.deadline.disarm()
        self._offloaded.add(client)
        self._jobs.put((client, job))
        return False  # not done yet: this turn is over, and _take_back() begins the next one

    def _worker(self) -> None:
        while True:
            client, job = self._jobs.get()
            error: Exception | None = None
            try:
                job()
            except Exception as caught:
                error = caught
            self._done.append((client, error))
            self.wake_up()

    def on_wakeup(self) -> None:
        super().on_wakeup()
        self._take_back()

    def _sweep(self, now: float) -> None:
        super()._sweep(now)
        self._take_back()  # here, too, as wake_up() may fail for want of memory

    def _take_back(self) -> None:
        while self._done:
            client, error = self._done.popleft()
            self._offloaded.discard(client)
            if error is not None:
                self.fail(client, error)
            else:
                self.handlerequest(client)
