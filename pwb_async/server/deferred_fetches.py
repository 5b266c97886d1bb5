"""The fetches that lookups wait for, awaited on the event loop: each is made once, however many wait for it.

A lookup whose file was kept before waits a second at most. Then it goes on with that, if it may, while the fetch
continues.
"""

import asyncio
import errno
import logging
import math
from collections.abc import Callable, Hashable, Sequence
from contextlib import nullcontext
from functools import partial
from time import monotonic
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

from pwb_async.core.site.findings import Finding, Unavailable
from pwb_async.storage.deferred import Caller, Deferred, Fetch, FetchError, NoAnswerError, deferring

from .disk_threads import DiskThreads

T = TypeVar("T")
logger: Final = logging.getLogger("pwb")
_PATIENCE: Final = 1.0
"""Seconds for which a lookup waits that could go on with what was kept."""
_PROBE_INTERVAL: Final = 1.0
"""Seconds between two questions to a store that fails."""
_AT_ONCE: Final = 128
"""Fetches under way; further ones wait for their turn. Each may take the memory of a slice."""
_FEW: Final = 16
"""Fetches under way up to which others are begun ahead of their need."""
_MAX_WAITING: Final = 4096
"""Fetches under way and waiting."""
_SLOW: Final = FetchError("the object store is slow")
_ROUNDS: Final = 64
"""How often a lookup is made again. Each candidate, its content and each page of an error may take one."""


class DeferredFetches:
    """The fetches of a server."""

    def __init__(self, timeout: float) -> None:
        """timeout: seconds for a fetch, including its wait for a turn."""
        self.timeout = timeout
        self._running: dict[Hashable, asyncio.Task[FetchError | None]] = {}
        self._fetched: dict[Hashable, float] = {}
        """When the last fetches have succeeded, the latest last; not on the loop's clock, which is that of its turn."""
        self._tasks: set[asyncio.Task[FetchError | None]] = set()
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._health = WeakKeyDictionary[Caller, StoreHealth]()  # a reload may replace a caller
        self._clock = asyncio.get_running_loop().time
        self.succeeded = 0
        """Fetches that the store has answered, so far; as are all that follow."""
        self.failed = 0
        """Fetches that it has answered with an error."""
        self.unanswered = 0
        """Fetches without a whole answer, also for want of time."""
        self.seconds = 0.0
        """How long all fetches have taken."""
        self.stale = 0
        """How often what was kept has served longer, as the store failed or was slow."""

    async def find(self, threads: DiskThreads, function: Callable[[], Finding]) -> Finding:
        """Make a lookup in one of these threads; Unavailable if it, or a fetch, fails or takes too long."""
        try:
            return await self._repeat(threads, function, Unavailable)
        except FetchError as failure:
            return Unavailable(str(failure))

    async def call(self, threads: DiskThreads, function: Callable[[], T]) -> T:
        """Call a function in one of these threads. Raises OSError if a fetch fails, and what the function raises."""
        try:
            return await self._repeat(threads, function)
        except FetchError as failure:
            raise TimeoutError(errno.ETIMEDOUT, str(failure)) from None

    async def _repeat(
        self, threads: DiskThreads, function: Callable[[], T], if_late: Callable[[str], T] | None = None
    ) -> T:
        """Call a function in one of these threads until it needs no more fetches. Raises FetchError."""
        for _ in range(_ROUNDS):
            began = monotonic()
            result = await threads.call(partial(_defer, function), if_late)
            if not isinstance(result, Deferred):
                return result
            self._begin_ahead(self._needed(result.ahead, began))
            await self.make(result.fetches, began)
        raise FetchError("what is looked up changes all the time")

    def _begin_ahead(self, fetches: Sequence[Fetch]) -> None:
        """Begin fetches that nothing waits for yet, as long as few are under way and the store answers."""
        for fetch in fetches:
            health = self._health.setdefault(fetch.caller, StoreHealth(self._clock))
            if fetch.key not in self._running and len(self._running) < _FEW and not health.is_failing:
                self._start(fetch, health)

    async def make(self, fetches: Sequence[Fetch], began: float = math.inf) -> None:
        """Make fetches at the same time, and return when all have ended. Raises FetchError.

        began: when the lookup began that needs them. What has been fetched since then is not fetched again.
        """
        needed = self._needed(fetches, began)
        failures = [each for each in await asyncio.gather(*map(self._make, needed)) if each is not None]
        if failures:
            raise failures[0]

    def _needed(self, fetches: Sequence[Fetch], began: float) -> list[Fetch]:
        return [each for each in fetches if self._fetched.get(each.key, -math.inf) <= began]

    async def _make(self, fetch: Fetch) -> FetchError | None:
        """Make a fetch, or wait for the one that is under way; return why it failed, unless what was kept may serve."""
        health = self._health.setdefault(fetch.caller, StoreHealth(self._clock))
        task = self._running.get(fetch.key)
        if health.is_failing:
            if not health.may_probe():
                return self._unless_kept(fetch, FetchError("the object store does not answer"))
            task = self._start(fetch, health)
        elif task is None:
            if len(self._running) >= _MAX_WAITING:
                return self._unless_kept(fetch, FetchError("too many wait for the object store"))
            task = self._start(fetch, health)
        done, _ = await asyncio.wait([task], timeout=health.patience)
        if not done:
            if self._unless_kept(fetch, _SLOW) is None:
                health.note_delay()
                return None
            await asyncio.wait([task])
        failure = task.result()
        return None if failure is None else self._unless_kept(fetch, failure)

    def _unless_kept(self, fetch: Fetch, failure: FetchError) -> FetchError | None:
        """A failure, or None if what was kept before may serve."""
        if not fetch.excuse():
            return failure
        self.stale += 1
        return None

    def _start(self, fetch: Fetch, health: "StoreHealth") -> asyncio.Task[FetchError | None]:
        task = asyncio.get_running_loop().create_task(self._run(fetch, health, health.is_failing))
        self._running[fetch.key] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run(self, fetch: Fetch, health: "StoreHealth", is_probe: bool) -> FetchError | None:
        began = self._clock()
        try:
            async with asyncio.timeout(self.timeout), nullcontext() if is_probe else self._turns:
                fetch.accept(await fetch.caller.call(fetch.method, fetch.arguments))
        except TimeoutError:
            health.note_silence(began)
            self.unanswered += 1
            return NoAnswerError("the object store does not answer")
        except NoAnswerError as failure:
            health.note_silence(began)
            self.unanswered += 1
            return failure
        except FetchError as failure:
            self.failed += 1
            return failure
        finally:
            self.seconds += self._clock() - began
            if self._running.get(fetch.key) is asyncio.current_task():
                del self._running[fetch.key]
        self.succeeded += 1
        health.note_success()
        self._fetched.pop(fetch.key, None)
        self._fetched[fetch.key] = monotonic()
        if len(self._fetched) > _AT_ONCE:
            del self._fetched[next(iter(self._fetched))]
        return None

    def close(self) -> None:
        """Cancel all fetches."""
        for task in self._tasks:
            task.cancel()


class StoreHealth:
    """Whether a store has answered of late. All times are in seconds on the loop's clock.

    If a fetch has got no answer, and none has succeeded since it began, the store counts as failing. Then one fetch a
    second is made, and all others end at once; as soon as one succeeds, all are made again.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._succeeded_at = self._delayed_until = self._next_probe = -math.inf
        self.is_failing = False
        """Whether the store counts as failing."""

    @property
    def patience(self) -> float:
        """For how long a lookup waits that could go on with what was kept."""
        is_slow = self.is_failing or self._clock() < self._delayed_until
        return 0 if is_slow else _PATIENCE

    def may_probe(self) -> bool:
        """Whether to ask a failing store again."""
        now = self._clock()
        if now < self._next_probe:
            return False
        self._next_probe = now + _PROBE_INTERVAL
        return True

    def note_delay(self) -> None:
        """Note that a lookup has lost its patience: for some time no other one waits."""
        self._delayed_until = self._clock() + _PATIENCE

    def note_silence(self, began: float) -> None:
        """Note that a fetch has got no answer which began at that time."""
        if self._succeeded_at < began and not self.is_failing:
            self.is_failing = True
            logger.error("an object store does not answer; what is known of it is served")

    def note_success(self) -> None:
        """Note that a fetch has succeeded."""
        self._succeeded_at = self._clock()
        if self.is_failing:
            self.is_failing = False
            logger.warning("the object store answers again")
        self._delayed_until = -math.inf


def _defer(function: Callable[[], T]) -> T | Deferred:
    """The result of a function, or what has to be fetched before it can be called."""
    try:
        with deferring():
            return function()
    except Deferred as deferred:
        return deferred
