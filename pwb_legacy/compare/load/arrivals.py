"""The open loop: requests begin when they were meant to, whether the ones before are answered or not.

Real clients do not wait for each other. A server that stalls for half a second is asked meanwhile, and everybody who
comes in that time waits; so latency counts from the moment that was intended, also where no client was free and the
request had to queue. The queue is bounded, and a request that finds it full is a failure with that reason.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import cycle
from typing import Final

from .clients import TIMEOUT, Clients, Work
from .messages import Address, Ask, Request, requests
from .result import Tally
from .timer import Alarm

QUEUE: Final = 100_000
"""Requests that may wait for a free client."""


async def open_loop(
    address: Address,
    asks: Sequence[Ask],
    rate: float,
    seconds: float,
    *,
    connections: int,
    keep_alive: bool = True,
    seed: int = 0,
    timeout: float = TIMEOUT,
    queue: int = QUEUE,
    stop: asyncio.Event | None = None,
) -> Tally:
    """`rate` requests a second at equal distances for so many seconds, by at most so many clients at once.

    The asks come in the same shuffled order each time round. queue: requests that may wait for a free client.
    """
    shuffled = requests(address, asks, keep_alive)
    random.Random(seed).shuffle(shuffled)  # noqa: S311  not for secrets
    works = ((number / rate, request) for number, request in zip(range(int(rate * seconds)), cycle(shuffled)))
    clients = Clients(address, connections, keep_alive=keep_alive, timeout=timeout, stop=stop)
    return await _Arrivals(clients, works, queue).run(seconds)


async def scheduled(
    address: Address,
    moments: Sequence[tuple[float, Ask]],
    *,
    connections: int,
    keep_alive: bool = True,
    timeout: float = TIMEOUT,
    queue: int = QUEUE,
    stop: asyncio.Event | None = None,
) -> Tally:
    """Each request at its moment, in seconds from now. The time that is measured ends with the last answer."""
    ordered = sorted(moments, key=lambda each: each[0])
    ready = requests(address, [ask for _, ask in ordered], keep_alive)
    works = ((moment, request) for (moment, _), request in zip(ordered, ready, strict=True))
    clients = Clients(address, connections, keep_alive=keep_alive, timeout=timeout, stop=stop)
    return await _Arrivals(clients, works, queue).run(None)


async def burst(
    address: Address, ask: Ask, n: int, *, timeout: float = TIMEOUT, stop: asyncio.Event | None = None
) -> Tally:
    """n clients connect at the same moment, for one request each."""
    return await scheduled(
        address, [(0.0, ask)] * n, connections=n, keep_alive=False, timeout=timeout, queue=n, stop=stop
    )


class _Arrivals:
    """Puts requests into the queue when their time has come. works: in the order of their moments."""

    def __init__(self, clients: Clients, works: Iterable[tuple[float, Request]], bound: int) -> None:
        self._clients, self._works, self._bound = clients, iter(works), bound
        self._queue: deque[Work] = deque()
        self._due = next(self._works, None)

    async def run(self, seconds: float | None) -> Tally:
        """seconds: that are measured; None: until the last answer."""
        clients = self._clients
        clients.source = self._next
        try:
            with Alarm(self._ring) as self._alarm:
                self._ring()
                if seconds is not None and not await clients.done(seconds):
                    clients.mark()
                await clients.done()
        finally:
            tally = await clients.finish()
        tally.unfinished += len(self._queue)
        return tally

    def _ring(self) -> None:
        """All whose time has come."""
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
        """Who has waited too long already does not ask any more."""
        limit = time.monotonic() - self._clients.timeout
        while self._queue:
            work = self._queue.popleft()
            if work[1] > limit:
                return work
            self._clients.missed(f"no client was free within {self._clients.timeout:g} s", waited=True)
        return None
