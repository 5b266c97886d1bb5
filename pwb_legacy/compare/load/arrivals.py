"""The open loop: requests begin when they are due, whether the earlier ones have been answered or not.

Real clients do not wait for each other. A server that stalls for half a second receives requests meanwhile, and each of
them waits; so a latency is counted from the moment when the request was due, also where no client was free and it had
to queue. The queue is bounded, and a request that finds it full is a failure with that reason.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle
from typing import Final

from .clients import TIMEOUT, Clients, Work
from .messages import Address, Ask, Request, requests
from .result import Tally
from .timer import Alarm

QUEUE: Final = 100_000
"""Requests that may wait for a free client."""
Hook = Callable[[], object] | None


async def open_loop(
    address: Address,
    asks: Sequence[Ask],
    rate: float,
    seconds: float,
    *,
    connections: int,
    keep_alive: bool = True,
    seed: int = 0,
    poisson: bool = False,
    timeout: float = TIMEOUT,
    queue: int = QUEUE,
    stop: asyncio.Event | None = None,
    run_up: float = 0.0,
    begin: Hook = None,
    end: Hook = None,
) -> Tally:
    """Send `rate` requests a second for so many seconds, by at most so many clients at once.

    The asks are sent in the same shuffled order each time round. poisson: the gaps between requests are random, as
    those of independent visitors are, and the same for the same seed; otherwise all are equal. queue: requests that may
    wait for a free client. run_up: seconds at most in which all clients connect and ask once, before the time begins.
    begin: called at that moment. end: called when the last request has been answered or has failed, before connections
    are closed.
    """
    chance = random.Random(seed)  # noqa: S311  not for secrets
    shuffled = requests(address, asks, keep_alive)
    chance.shuffle(shuffled)
    moments = _poisson(rate, seconds, chance) if poisson else (n / rate for n in range(int(rate * seconds)))
    clients = Clients(address, connections, keep_alive=keep_alive, timeout=timeout, stop=stop, end=end)
    if run_up:
        await clients.connect(shuffled[:1] * connections, run_up)
    if begin:
        begin()
    return await _Arrivals(clients, zip(moments, cycle(shuffled)), queue).run(seconds)


async def scheduled(
    address: Address,
    moments: Sequence[tuple[float, Ask]],
    *,
    connections: int,
    keep_alive: bool = True,
    timeout: float = TIMEOUT,
    queue: int = QUEUE,
    stop: asyncio.Event | None = None,
    end: Hook = None,
) -> Tally:
    """Send each request at its moment, in seconds from now. The time that is measured ends with the last answer."""
    ordered = sorted(moments, key=lambda each: each[0])
    ready = requests(address, [ask for _, ask in ordered], keep_alive)
    works = ((moment, request) for (moment, _), request in zip(ordered, ready, strict=True))
    clients = Clients(address, connections, keep_alive=keep_alive, timeout=timeout, stop=stop, end=end)
    return await _Arrivals(clients, works, queue).run(None)


async def burst(
    address: Address, ask: Ask, n: int, *, timeout: float = TIMEOUT, stop: asyncio.Event | None = None, end: Hook = None
) -> Tally:
    """n clients connect at the same moment, for one request each."""
    return await scheduled(
        address, [(0.0, ask)] * n, connections=n, keep_alive=False, timeout=timeout, queue=n, stop=stop, end=end
    )


def _poisson(rate: float, seconds: float, chance: random.Random) -> Iterator[float]:
    """Moments of a Poisson process: the gaps are exponentially distributed."""
    moment = chance.expovariate(rate)
    while moment < seconds:
        yield moment
        moment += chance.expovariate(rate)


class _Arrivals:
    """Puts requests into the queue when they are due. works: (moment, request) in the order of their moments."""

    def __init__(self, clients: Clients, works: Iterable[tuple[float, Request]], bound: int) -> None:
        self._clients, self._works, self._bound = clients, iter(works), bound
        self._queue: deque[Work] = deque()
        self._due = next(self._works, None)

    async def run(self, seconds: float | None) -> Tally:
        """Wait for what comes of all requests. seconds: that are measured; None: until the last answer."""
        clients = self._clients
        clients.source = self._next
        try:
            with Alarm(self._on_alarm) as self._alarm:
                self._on_alarm()
                if seconds is not None and not await clients.done(seconds):
                    clients.mark()
                await clients.done()
        finally:
            tally = await clients.finish()
        tally.unfinished += len(self._queue)
        return tally

    def _on_alarm(self) -> None:
        """Queue every request that is due, and set the alarm to the next one."""
        clients, queue = self._clients, self._queue
        now = time.monotonic() - clients.began
        while self._due and self._due[0] <= now:
            moment, request = self._due
            if len(queue) < self._bound:
                queue.append((request, clients.began + moment))
                clients.engage()
                clients.tally.queued = max(clients.tally.queued, len(queue))
            else:
                clients.missed("too many requests waited for a free client")
            self._due = next(self._works, None)
        if self._due:
            self._alarm.set(clients.began + self._due[0])
        else:
            clients.over()

    def _next(self) -> Work | None:
        """The next request in the queue; those that have waited too long already are failures."""
        limit = time.monotonic() - self._clients.timeout
        while self._queue:
            work = self._queue.popleft()
            if work[1] > limit:
                return work
            self._clients.missed(f"no client was free within {self._clients.timeout:g} s", waited=True)
        return None
