"""A number of clients that take requests from a source and send them to a server, each over a connection of its own.

The steps: engage() gives free clients something to do, as long as the source has something; a client that has its
response takes the next request at once; one whose connection has ended opens a new one; one that has failed pauses
before, so that a server which is down does not get a million requests. A request that waits too long has failed.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from .connection import Connection
from .messages import Address, Request
from .own_cost import Meter
from .pool import LOOK, Pool
from .result import Tally

Work = tuple[Request, float]
"""A request, and when it was meant to begin, by the monotonic clock."""
TIMEOUT: Final = 5.0
"""Seconds from the moment when a request was meant to begin."""
_PAUSE: Final = 0.05
"""Seconds that a client waits after a failure."""
_GLANCE: Final = 0.005
"""Seconds between two checks whether all clients have had a response."""


class Clients(Pool):
    """Clients of one server, at most `most` at once. stop: ends the measurement early."""

    source: Callable[[], Work | None]
    """Returns the next request; None: there is none now."""

    def __init__(
        self,
        address: Address,
        most: int,
        *,
        keep_alive: bool,
        timeout: float,
        stop: asyncio.Event | None,
        end: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(address, keep_alive)
        self.tally = Tally()
        self.timeout = timeout
        self._most, self._stop, self._end = most, stop, end
        self._active = 0
        self._answers = self._bytes = 0
        self._early = 0.0  # the share of answers that had arrived before the measured time, in which they end
        self._latencies: defaultdict[int, int] = defaultdict(int)  # recorded in the end: 20 times cheaper so
        self._done = asyncio.Event()
        self._over = False
        self._meter = Meter()
        self.began = time.monotonic()
        self._watcher = asyncio.create_task(self._watch())

    # --- the owner of connections

    def answered(self, connection: Connection, moment: float) -> None:
        """Count a response, and give the connection the next request."""
        self._latencies[int((moment - connection.since) * 1e6)] += 1
        self._answers += 1
        self._bytes += connection.size
        if not connection.keep_alive:
            return  # it is lost in a moment, and then replaced
        if work := self.source():
            connection.ask(*work)
        else:
            self._idle.append(connection)
            self._rest()

    def failed(self, connection: Connection, reason: str) -> None:
        """Count a failure."""
        self.tally.fail(reason)

    def gone(self, connection: Connection, idle: bool) -> None:
        """Replace a connection that has ended, as long as there are requests."""
        if idle:
            return
        if connection.broken and not self._done.is_set():
            asyncio.get_running_loop().call_later(_PAUSE, self._replace)
        else:
            self._replace()

    def _replace(self) -> None:
        if work := self.source():
            self.open(*work)
        else:
            self._rest()

    def _rest(self) -> None:
        """One client fewer has something to do."""
        self._active -= 1
        if self._over and not self._active:
            self._done.set()

    # --- their owner

    def engage(self) -> None:
        """Give the source's requests to the clients that are free."""
        while self._active < self._most and (work := self.source()):
            self._active += 1
            if self._idle:
                self._idle.pop().ask(*work)
            else:
                self.open(*work)

    async def settle(self, within: float) -> None:
        """Wait until each client has had a response, for so many seconds at most, and forget what was until then."""
        if not within:
            return
        engaged = time.monotonic()
        while time.monotonic() < engaged + within and any(each.since <= engaged for each in self._connections):
            if await self.done(_GLANCE):
                return
        self.restart()

    async def connect(self, requests: list[Request], within: float) -> None:
        """Send each of these requests over a connection of its own, wait for the responses, for so many seconds at
        most, and forget what was until then. The connections stay, if the server keeps them; those without a response
        are closed, so that no request of the run-up counts."""
        self.source = lambda: (requests.pop(), time.monotonic()) if requests else None
        self.engage()
        end = time.monotonic() + within
        while self._active and time.monotonic() < end and not self._done.is_set():
            await self.done(_GLANCE)
        self._active -= self.abandon()
        self.restart()

    def restart(self) -> None:
        """Begin the measurement anew."""
        self.tally = Tally()
        self._answers = self._bytes = 0
        self._latencies.clear()
        self._early = self._under_way()
        self._meter = Meter()
        self.began = time.monotonic()

    def missed(self, reason: str, waited: bool = False) -> None:
        """Count a request that failed before a client took it. waited: it did so for the whole timeout."""
        self.tally.fail(reason)
        if waited:
            self._latencies[int(self.timeout * 1e6)] += 1

    def over(self) -> None:
        """Declare that the source has nothing more."""
        self._over = True
        if not self._active:
            self._done.set()

    def mark(self) -> None:
        """End the time that is measured."""
        self.tally.seconds = time.monotonic() - self.began
        self.tally.cpu, self.tally.waited = self._meter.read()
        self.tally.in_time = max(0.0, self._answers + self._under_way() - self._early)

    def _under_way(self) -> float:
        """How much has come of responses that are not whole yet, as a number of responses."""
        return sum(1 - each.left / each.size for each in self._connections if each.request and each.size)

    async def done(self, within: float | None = None) -> bool:
        """Wait until it is over, and everything has been answered or has failed, or until `stop`. False: not within
        so many seconds."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._done.wait(), within)
        return self._done.is_set()

    async def finish(self) -> Tally:
        """Call `end`, close all connections, and count up."""
        if not self.tally.seconds:
            self.mark()
        if self._end:
            self._end()
        self._done.set()
        tally = self.tally
        tally.requests, tally.bytes = self._answers, self._bytes
        tally.unfinished = sum(each.request is not None for each in self._connections)
        self.source = lambda: None
        self._watcher.cancel()
        await asyncio.gather(self._watcher, return_exceptions=True)
        await self.close()
        for microseconds, times in self._latencies.items():
            tally.record(microseconds, times)
        return tally

    # --- below

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(min(LOOK, self.timeout / 4))
            if self._stop and self._stop.is_set():
                self.tally.interrupted = True
                self._done.set()
                return
            if late := self.expire(self.timeout, time.monotonic() - self.timeout):
                self._latencies[int(self.timeout * 1e6)] += late
