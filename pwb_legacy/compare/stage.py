"""One running server as a scenario sees it: where it is, what it may be asked, and how it is watched meanwhile.

What is watched: processor time of the server's tree and of ourselves, context switches, and, half way through, memory,
threads and processes. Whoever looks uses the core of the load generator, never the server's.
"""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from typing import Any, Final

from . import probes
from .contestants import Contestant, Server
from .load import Ask, Tally, closed, wrk
from .probes import Vitals
from .results import Measurement
from .site import Site

WARM_UP: Final = 100
"""Requests before anything counts: imports and caches are over by then."""
PATIENCE: Final = 2.0
"""Seconds that a client waits for an answer; shorter than usual, for some designs let everybody wait in vain."""
_SETTLE: Final = 3.0


class Stage:
    """connections: of busy clients. crowd: how many idle ones are to be held. seconds: of a measurement. with_wrk: the
    closed loops are wrk's. grown_kib: what an idle connection added to the memory, told by the scenario."""

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
        self.with_wrk = False
        self.grown_kib: float | None = None
        self._figures: dict[str, float | int | None] = {}
        self._limited = False

    async def warm_up(self) -> None:
        """The first requests; from here on it is known what the server is like at rest."""
        await closed(self.address, [Ask(self.site.page)], 1, 0.1, seed=self.seed)
        self._rest = self.look()

    def look(self) -> Vitals:
        """The server now."""
        return probes.vitals(self.server.pid)

    async def ask(self, asks: Sequence[Ask], connections: int, *, keep_alive: bool = True) -> Tally:
        """A closed loop of innocent clients, watched."""
        options: dict[str, Any] = {"keep_alive": keep_alive, "seed": self.seed, "patience": PATIENCE}
        if self.with_wrk:
            load = asyncio.to_thread(wrk, self.address, asks, connections, self.seconds, **options)
        else:
            load = closed(self.address, asks, connections, self.seconds, **options)
        return await self.watch(load, self.seconds / 2)

    async def watch(self, load: Awaitable[Tally], look_after: float) -> Tally:
        """Any load, watched. look_after: seconds until memory, threads and processes are looked at. Raises CannotError
        if the server ended meanwhile."""
        pid = self.server.pid
        middle = asyncio.create_task(self._look_later(look_after))
        switches, cpu, began = probes.switches(pid), probes.cpu_seconds(pid), time.monotonic()
        try:
            tally = await load
        except BaseException:
            middle.cancel()
            raise
        wall = time.monotonic() - began
        cpu, switches = probes.cpu_seconds(pid) - cpu, probes.switches(pid) - switches
        half = await middle
        self.server.check()
        count = tally.requests
        self._figures = {
            "cpu_us": cpu * 1e6 / count if count else None,
            "switches": switches / count if count and not self.contestant.spawns else None,
            "memory_kib": half.memory_kib,
            "threads": half.threads,
            "processes": half.processes,
        }
        self._limited = tally.limited_by_load(cpu / wall)
        return tally

    async def _look_later(self, seconds: float) -> Vitals:
        await asyncio.sleep(seconds)
        return await asyncio.to_thread(self.look)

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
