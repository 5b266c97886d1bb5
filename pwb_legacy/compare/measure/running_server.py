"""One running server as a scenario sees it: where it is, what it may be asked, and how it is watched meanwhile.

What is watched: processor time of the server's tree and of ourselves, context switches, and, half way through, memory,
threads and processes. Whoever looks uses the core of the load generator, never the server's.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final

from pwb_legacy.compare.load import Ask, Tally, closed, wrk

from . import probes
from .probes import Vitals
from .results import Measurement
from .sample_site import Site
from .servers import Contestant, Server
from .syscalls import counted

Load = Callable[[], Awaitable[Tally]]

WARM_UP: Final = 0.1
"""Seconds of requests after the start, before anything counts: late imports are over by then."""
TIMEOUT: Final = 2.0
"""Seconds that a client waits for an answer."""
RUN_UP: Final = 1.0
"""Seconds at most until each client has had an answer, before anything counts."""
TRACED_SECONDS: Final = 0.2
_SETTLE: Final = 3.0


class Stage:
    """connections: of busy clients. crowd: how many idle ones are to be held. seconds: of a measurement. with_wrk: the
    closed loops are wrk's. traced: system calls are counted. grown_kib: what an idle connection added to the memory,
    told by the scenario. wall: seconds of the last load, to its very last answer. watched: seconds of all loads, and
    waited: in which the load generator's core had other work to do."""

    def __init__(
        self, server: Server, contestant: Contestant, site: Site, connections: int, seconds: float, seed: int
    ) -> None:
        self.server = server
        self.address = server.address
        self.contestant = contestant
        self.site = site
        self.connections = connections
        self.crowd = contestant.idle
        self.seconds = seconds
        self.seed = seed
        self.with_wrk = self.traced = False
        self.grown_kib: float | None = None
        self.wall = self.waited = self.watched = 0.0
        self._figures: dict[str, float | int | None] = {}
        self._limited = False

    async def warm_up(self) -> None:
        """The first requests; from here on it is known what the server is like at rest."""
        await closed(self.address, [Ask(self.site.page)], 1, WARM_UP, seed=self.seed)
        self._rest = self.look()

    def look(self) -> Vitals:
        """The server now."""
        return probes.vitals(self.server.pid)

    async def ask(
        self, asks: Sequence[Ask], connections: int, *, keep_alive: bool = True, timeout: float = TIMEOUT
    ) -> Tally:
        """A closed loop of innocent clients, watched."""
        options: dict[str, Any] = {"keep_alive": keep_alive, "seed": self.seed, "timeout": timeout}
        own = partial(closed, self.address, asks, connections, **options)
        if self.with_wrk:
            load = partial(asyncio.to_thread, wrk, self.address, asks, connections, self.seconds, **options)
            tally = await self.watch(load, self.seconds / 2)
        else:
            watch = _Watch(self.server.pid, self.seconds / 2)
            # Whoever waits from the beginning gives up when the time is over, and does not ask a second time in vain.
            run_up = max(0.1, min(RUN_UP, timeout - self.seconds - 0.1))
            tally = await self._watched(own(seconds=self.seconds, run_up=run_up, begin=watch.begin), watch)
        await self.count(lambda begin: own(seconds=TRACED_SECONDS, run_up=RUN_UP, begin=begin))
        return tally

    async def watch(self, load: Load, look_after: float) -> Tally:
        """Any load, watched. look_after: seconds until memory, threads and processes are looked at."""
        watch = _Watch(self.server.pid, look_after)
        watch.begin()
        return await self._watched(load(), watch)

    async def count(self, load: Callable[[Callable[[], None]], Awaitable[Tally]]) -> None:
        """System calls, in a performance of its own, for they take many times as long meanwhile. load: is told what to
        call when it begins. Nothing is done if they are not to be counted, or if nobody has been answered. Raises
        CannotError if the server ended meanwhile."""
        if not self.traced or self._figures["cpu_us"] is None:
            return
        with suppress(TimeoutError):
            async with counted(self.server.pid) as count:
                tally = await load(count.start)
            if tally.in_time:
                self._figures["system_calls"] = count.within(tally.seconds) / tally.in_time
        self.server.check()

    async def _watched(self, load: Awaitable[Tally], watch: "_Watch") -> Tally:
        """Raises CannotError if the server ended meanwhile."""
        try:
            tally = await load
            cpu, switches, self.wall = watch.end()
            half = await watch.half
        finally:
            watch.half.cancel()
        self.server.check()
        count = tally.requests
        self._figures = {
            "cpu_us": cpu * 1e6 / count if count else None,
            "switches": switches / count if count and not self.contestant.spawns else None,
            "memory_kib": half.memory_kib,
            "threads": half.threads,
            "processes": half.processes,
        }
        self._limited = tally.limited_by_load(cpu / self.wall)
        self.waited += tally.waited
        self.watched += self.wall
        return tally

    def measurement(self, scenario: str, number: int, tally: Tally) -> Measurement:
        """What was seen while the last load was watched."""
        some = tally.requests > 0
        return Measurement(
            design=self.contestant.name,
            scenario=scenario,
            round=number,
            requests=tally.requests,
            failures=tally.failures,
            seconds=round(tally.seconds, 3),
            rate=tally.rate,
            p50_ms=tally.percentile(50) if some else None,
            p90_ms=tally.percentile(90) if some else None,
            p99_ms=tally.percentile(99) if some else None,
            memory_per_connection_kib=self.grown_kib,
            limited_by_load=self._limited,
            **self._figures,  # type: ignore[arg-type]
        )

    async def settle(self) -> None:
        """Waits until the threads and processes of those who have gone have ended, too."""
        self.grown_kib = None
        end = time.monotonic() + _SETTLE
        while self.contestant.spawns and time.monotonic() < end:
            now = self.look()
            if (now.threads, now.processes) <= (self._rest.threads, self._rest.processes):
                return
            await asyncio.sleep(0.02)


class _Watch:
    """What a server spends between begin() and end(). half: what it holds so many seconds after the beginning."""

    half: asyncio.Task[Vitals]

    def __init__(self, pid: int, look_after: float) -> None:
        self._pid = pid
        self._look_after = look_after

    def begin(self) -> None:
        self.half = asyncio.create_task(self._look())
        self._switches = probes.switches(self._pid)
        self._cpu = probes.cpu_seconds(self._pid)
        self._began = time.monotonic()

    def end(self) -> tuple[float, int, float]:
        """Seconds of processor time, context switches, seconds."""
        wall = time.monotonic() - self._began
        return probes.cpu_seconds(self._pid) - self._cpu, probes.switches(self._pid) - self._switches, wall

    async def _look(self) -> Vitals:
        await asyncio.sleep(self._look_after)
        return await asyncio.to_thread(probes.vitals, self._pid)
