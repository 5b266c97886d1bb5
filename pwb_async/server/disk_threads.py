"""Threads for calls that wait for the disk: they share one queue, and pass results to the event loop in batches.

To wake a thread, and then the loop, costs several times as much as to find a file. So all calls of one turn of the
loop wake one thread; it makes calls as long as there are any, and then wakes the loop once. The thread that became idle
last is woken first, since its memory is most likely still in the processor's caches.

A call that takes long holds up only itself (hazard E6): as long as calls wait, the loop checks every millisecond how
many have been begun, and if these are few, it wakes further threads, as many as are at work. So a disk that responds
from memory has one thread, and a slow one soon has many. The check also collects the results that are there.

A call that has not ended in time fails, and its result is dropped later. Until it has really ended it counts, since it
takes a thread or a place in the queue. Measurements: docs/decisions.md.
"""

import asyncio
import errno
import logging
import math
import threading
from _thread import LockType, allocate_lock
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeVar

from pwb_async.observability.error_log import MessageLimit

T = TypeVar("T")
logger: Final = logging.getLogger("pwb")
_CHECK_INTERVAL: Final = 0.001
"""Seconds between two checks of the queue, as long as calls wait in it."""
_FEW: Final = 10
"""Calls begun between two checks that are few: a lookup takes 12 us if its file is in memory."""


class DiskThreads:
    """The threads of one kind. All methods are called in the event loop's thread."""

    threads: list[threading.Thread]
    """The threads that were started."""

    def __init__(self, name: str, max_threads: int, max_calls: int, timeout: float = math.inf) -> None:
        """Start the first thread. Raises RuntimeError if that is impossible.

        name: of the threads, followed by their numbers. max_calls: how many may be under way, in threads and queue.
        timeout: as for set_timeout().
        """
        self._timeout = timeout
        self._name = name
        self._max_threads = max_threads
        self._max_calls = max_calls
        self._loop = asyncio.get_running_loop()
        self._calls = 0
        self.called = self.timed_out = self.rejected = 0
        """Calls so far, those that were too late, and those that were refused since too many waited."""
        self._queue: deque[tuple[asyncio.Future[Any], Callable[[], Any]]] = deque()
        self._results: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._deadlines: dict[asyncio.Future[Any], tuple[float, Callable[[str], Any] | None]] = {}
        self._begun = self._begun_before = 0
        self.threads = []
        self._threads = 0
        self._idle: list[LockType] = []
        self._expiry: asyncio.TimerHandle | None = None
        self._dispatching = self._checking = self._closed = False
        self._failures = MessageLimit()
        self._start_thread()

    @property
    def waiting(self) -> int:
        """The number of calls that are under way, in threads and queue."""
        return self._calls

    def set_timeout(self, timeout: float) -> None:
        """Set how many seconds a call may take, including its time in the queue; those under way have as many left."""
        self._timeout = timeout
        latest = self._loop.time() + timeout
        for future, (deadline, if_late) in self._deadlines.items():
            self._deadlines[future] = min(deadline, latest), if_late
        self._expire()

    def call(self, function: Callable[[], T], if_late: Callable[[str], T] | None = None) -> asyncio.Future[T]:
        """Call a function in a thread.

        If it takes too long or too many calls are under way, the result is what `if_late` makes of the reason; without
        `if_late` the future raises TimeoutError.
        """
        future = self._loop.create_future()
        if self._closed:
            _end(future, if_late)
            return future
        if self._calls >= self._max_calls:
            self.rejected += 1
            _fail(future, if_late, "too many wait for the disk")
            return future
        self._calls += 1
        self.called += 1
        self._deadlines[future] = self._loop.time() + self._timeout, if_late
        self._queue.append((future, function))
        if not self._dispatching:
            self._dispatching = True
            self._loop.call_soon(self._dispatch)
        return future

    def submit(self, function: Callable[..., T], *arguments: object) -> asyncio.Future[T]:
        """Call a function in a thread: what loop.run_in_executor(), and so aiofiles, demands of an executor."""
        return self.call(partial(function, *arguments))

    def close(self) -> None:
        """End the threads, without waiting for one that hangs.

        Calls that have not ended fail as if they were late; without `if_late` they are cancelled.
        """
        self._closed = True
        self._queue.clear()
        while self._idle:
            self._idle.pop().release()
        if self._loop.is_closed():  # then nothing waits for them, as in a program whose loops end before the server
            return
        if self._expiry is not None:
            self._expiry.cancel()
        for future, (_, if_late) in self._deadlines.items():
            _end(future, if_late)
        self._deadlines.clear()

    def _dispatch(self) -> None:
        """Wake a thread for the calls of this turn of the loop, unless one is at work."""
        self._dispatching = False
        self._deliver()
        if len(self._idle) == self._threads:
            self._wake_thread()
        if not self._checking:
            self._check_later()
        if self._expiry is None:
            self._expire()

    def _wake_thread(self) -> bool:
        """Have one more thread take calls; return False if there is none."""
        with suppress(IndexError):
            self._idle.pop().release()
            return True
        if self._threads == self._max_threads:
            return False
        try:
            self._start_thread()
        except RuntimeError as error:
            if self._failures.allows():
                logger.error("%d threads, and no more can be started: %s", self._threads, error)
            return False
        return True

    def _start_thread(self) -> None:
        # A daemon, since Python waits at its end for all other threads, also for one that hangs on a dead disk.
        thread = threading.Thread(target=self._work, name=f"{self._name}_{self._threads}", daemon=True)
        thread.start()
        self.threads.append(thread)
        self._threads += 1

    def _check_later(self) -> None:
        self._checking = True
        self._begun_before = self._begun
        self._loop.call_later(_CHECK_INTERVAL, self._check)

    def _check(self) -> None:
        """Deliver results; wake as many threads as are at work, if calls wait and few have been begun."""
        self._checking = False
        self._deliver()
        if not self._queue:
            return
        if self._begun - self._begun_before < _FEW:
            for _ in range(self._threads - len(self._idle)):
                if not self._wake_thread():
                    break
        self._check_later()

    def _deliver(self) -> None:
        """Pass on the results that are there."""
        results = self._results
        while results:
            future, result, error = results.popleft()
            self._calls -= 1
            self._deadlines.pop(future, None)
            if future.done():  # it was late, or it was cancelled
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    def _expire(self) -> None:
        """Fail the calls that are late. As long as there are others, the next one is waited for.

        The deadlines are in order, since a shorter timeout brings those before it forward.
        """
        now = self._loop.time()
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        late = []
        for future, (deadline, _) in self._deadlines.items():
            if deadline > now:
                if deadline < math.inf:
                    self._expiry = self._loop.call_at(deadline, self._expire)
                break
            late.append(future)
        self.timed_out += len(late)
        for future in late:
            _fail(future, self._deadlines.pop(future)[1], "the disk does not answer")

    def _work(self) -> None:
        """Make calls until the pool is closed; each thread runs this."""
        wake_up = allocate_lock()
        wake_up.acquire()
        while not self._closed:
            self._make_calls()
            self._idle.append(wake_up)
            if self._queue or self._closed:  # since before this thread was idle, so it was not woken for it
                with suppress(ValueError):  # it has been woken after all
                    self._idle.remove(wake_up)
                    continue
            if self._results:
                with suppress(RuntimeError):  # the loop is closed
                    self._loop.call_soon_threadsafe(self._deliver)
            wake_up.acquire()

    def _make_calls(self) -> None:
        """Make calls until the queue is empty."""
        queue, results = self._queue, self._results
        while queue:
            try:
                future, function = queue.popleft()
            except IndexError:  # another thread has taken the last one
                return
            self._begun += 1
            if future.done():  # it is late, or it was cancelled
                results.append((future, None, None))
                continue
            try:
                results.append((future, function(), None))
            except BaseException as error:
                results.append((future, None, error))


def _fail(future: asyncio.Future[Any], if_late: Callable[[str], object] | None, reason: str) -> None:
    if future.done():
        return
    if if_late is None:
        future.set_exception(TimeoutError(errno.ETIMEDOUT, reason))
    else:
        future.set_result(if_late(reason))


def _end(future: asyncio.Future[Any], if_late: Callable[[str], object] | None) -> None:
    if if_late is None:
        future.cancel()
    else:
        _fail(future, if_late, "the server has ended")
