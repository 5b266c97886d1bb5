"""A running server as a scenario sees it: its address, the loads it can be put under, and what it uses meanwhile.

What is watched: CPU time and context switches of the server, the load generator's own CPU time, and, half-way through,
memory, threads and processes. Watching takes time on the core of the load generator, not on the server's.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, Protocol

from pwb_legacy.compare.load import Ask, Tally, closed, open_loop, wrk
from pwb_legacy.compare.load.own_cost import Meter

from . import probes
from .probes import Vitals
from .results import Measurement
from .sample_site import Site
from .servers import Contestant, Server
from .syscalls import counted

WARM_UP: Final = 0.1
"""Seconds of requests after the start, before anything counts: late imports are over by then."""
TIMEOUT: Final = 2.0
"""Seconds that a client waits for a response."""
RUN_UP: Final = 1.0
"""Seconds at most until each client has had a response, before anything counts."""
TRACED_SECONDS: Final = 0.1
CARRIES: Final = {50: 20, 90: 100, 99: 1000}
"""How many requests a percentile needs: ten that waited longer, so that no single one decides it."""
PERCENTILES: Final = {f"p{percent}_ms": percent for percent in CARRIES}
"""The percentiles by the names of their fields."""
WAITS: Final = 120
"""Requests that an open loop sends at least, so that 90 of 100 can be given, unless that takes too long."""
LONGEST: Final = 5
"""Times the length of a measurement that an open loop may last."""
_SETTLE: Final = 3.0


class Load(Protocol):
    """A load of this package, but for the moments at which watching begins and ends."""

    def __call__(self, *, end: Callable[[], object]) -> Awaitable[Tally]: ...


class RunningServer:
    """A server, and how scenarios are to be played on it."""

    def __init__(
        self, server: Server, contestant: Contestant, site: Site, connections: int, seconds: float, seed: int
    ) -> None:
        self.server = server
        self.address = server.address
        self.contestant = contestant
        self.site = site
        self.connections = connections
        """The number of connections of busy clients."""
        self.idle = contestant.idle
        """How many idle connections it gets where there are many."""
        self.seconds = seconds
        """The duration of a measurement."""
        self.seed = seed
        self.cores: tuple[int, ...] = ()
        """The cores that the server runs on; empty: any."""
        self.load_core: int | None = None
        """The core that the load generator runs on; None: any."""
        self.rates: dict[str, float] = {}
        """Requests a second of the open loops, by scenario."""
        self.with_wrk = False
        """Whether wrk plays the closed loops."""
        self.traced = False
        """Whether system calls are counted."""
        self.grown_kib: float | None = None
        """What an idle connection has added to the memory; set by the scenario."""
        self.page_ms: float | None = None
        """How long a page took until its last file was there; set by the scenario."""
        self.watched = 0.0
        """Seconds of all loads so far."""
        self.waited = 0.0
        """Seconds of them in which another program had the load generator's core."""
        self._figures: dict[str, Any] = {}
        self._missing: dict[str, str] = {}
        self._limited = False
        self._answered = False

    async def warm_up(self) -> None:
        """Send the first requests, and take down what the server is like at rest."""
        await closed(self.address, [Ask(self.site.page)], 1, WARM_UP, seed=self.seed)
        self._rest = self.look()

    def look(self) -> Vitals:
        """What the server holds now."""
        return probes.vitals(self.server.pid)

    async def closed_loop(self, asks: Sequence[Ask], connections: int, *, keep_alive: bool = True) -> Tally:
        """So many clients, each of which asks again when it has its response."""
        options: dict[str, Any] = {"keep_alive": keep_alive, "seed": self.seed, "timeout": TIMEOUT}
        own = partial(closed, self.address, asks, connections, **options)
        watch = self._watch(self.seconds / 2)
        if self.with_wrk:
            watch.begin()
            by_wrk = asyncio.to_thread(wrk, self.address, asks, connections, self.seconds, **options)
            tally = await self._watched(by_wrk, watch)
        else:
            # A client that waits from the beginning gives up when the time is over, and asks no second time in vain.
            run_up = max(0.1, min(RUN_UP, TIMEOUT - self.seconds - 0.1))
            load = own(seconds=self.seconds, run_up=run_up, begin=watch.begin, end=watch.end)
            tally = await self._watched(load, watch)
        await self.count(lambda begin: own(seconds=TRACED_SECONDS, run_up=RUN_UP, begin=begin))
        return tally

    async def open_loop(self, scenario: str, asks: Sequence[Ask], connections: int, timeout: float = TIMEOUT) -> Tally:
        """Requests at the scenario's rate, whatever the server does; waits count from the moment that was meant."""
        rate = self.rates[scenario]
        seconds = min(max(self.seconds, WAITS / rate), LONGEST * self.seconds)
        load = partial(open_loop, self.address, asks, rate, seconds, connections=connections, run_up=timeout / 2)
        more: dict[str, Any] = {"seed": self.seed, "poisson": True, "timeout": timeout}
        return await self.watch(partial(load, **more), seconds / 2)

    async def watch(self, load: Load, look_after: float) -> Tally:
        """Any load, watched. look_after: seconds until memory, threads and processes are looked at."""
        watch = self._watch(look_after)
        watch.begin()
        return await self._watched(load(end=watch.end), watch)

    async def count(self, load: Callable[[Callable[[], None]], Awaitable[Tally]]) -> None:
        """Count system calls while a load is played once more, for strace makes them take many times as long. load: is
        given what to call when it begins. Does nothing if they are not to be counted, or if no request was answered.
        Raises CannotError if the server ended meanwhile."""
        if not self.traced or not self._answered:
            return
        with suppress(TimeoutError):
            async with counted(self.server.pid) as count:
                tally = await load(count.start)
            if tally.in_time:
                self._figures["system_calls"] = count.within(tally.seconds) / tally.in_time
        self.server.check()

    def _watch(self, look_after: float) -> "_Watch":
        load = () if self.load_core is None else (self.load_core,)
        return _Watch(self.server, look_after, self.cores, load)

    async def _watched(self, load: Awaitable[Tally], watch: "_Watch") -> Tally:
        """Raises CannotError if the server ended meanwhile."""
        try:
            tally = await load
            watch.end()
            half = await watch.half
        finally:
            watch.cancel()
        self.server.check()
        self._missing = {}
        self._answered = tally.requests > 0
        self._figures = {
            "cpu_us": self._per_request("cpu_us", watch.cpu * 1e6, tally.requests),
            "switches": self._per_request("switches", watch.switches, tally.requests),
            "memory_kib": half.memory_kib or None,
            "threads": half.threads,
            "processes": half.processes,
            "disturbed": watch.disturbed(tally.cpu if self.with_wrk else 0.0),
        }
        self._limited = tally.limited_by_load(watch.cpu / watch.wall / self.contestant.cores)
        self.waited += watch.waited
        self.watched += watch.wall
        return tally

    def _per_request(self, name: str, total: float, requests: int) -> float | None:
        """None, with the reason, where that would be no figure."""
        if not requests:
            self._missing[name] = "no_response"
        elif name == "switches" and self.contestant.spawns:
            self._missing[name] = "threads_end"
        elif total < 0 or (name == "cpu_us" and not total):
            self._missing[name] = "below_resolution"
        else:
            return total / requests
        return None

    def measurement(self, scenario: str, number: int, tally: Tally) -> Measurement:
        """What was seen while the last load was watched."""
        figures = figures_of(tally)
        self._missing |= {name: "too_few" for name in figures if name in PERCENTILES and figures[name] is None}
        if self.grown_kib is not None and self.grown_kib <= 0:
            self._missing["memory_per_connection_kib"] = "below_resolution"
        elif self.grown_kib is None and not self.contestant.keeps_alive:
            self._missing["memory_per_connection_kib"] = "keeps_none"
        return Measurement(
            design=self.contestant.name,
            scenario=scenario,
            round=number,
            memory_per_connection_kib=self.grown_kib if self.grown_kib and self.grown_kib > 0 else None,
            page_ms=self.page_ms,
            limited_by_load=self._limited,
            missing=self._missing,
            **figures,
            **self._figures,
        )

    async def settle(self) -> None:
        """Wait until the threads and processes of clients that have left have ended, too."""
        self.grown_kib = self.page_ms = None
        end = time.monotonic() + _SETTLE
        while self.contestant.spawns and time.monotonic() < end:
            now = self.look()
            if (now.threads, now.processes) <= (self._rest.threads, self._rest.processes):
                return
            await asyncio.sleep(0.02)


def figures_of(tally: Tally) -> dict[str, Any]:
    """The figures that come from the load alone, by the names of their fields."""
    waits = tally.histogram.get_total_count()
    return {
        "requests": tally.requests,
        "failures": tally.failures,
        "seconds": round(tally.seconds, 3),
        "rate": tally.rate,
        "histogram": tally.histogram.encode().decode() if waits else None,
    } | {
        name: tally.percentile(percent) if waits >= CARRIES[percent] else None for name, percent in PERCENTILES.items()
    }


class _Watch:
    """What a server uses between begin() and end()."""

    half: asyncio.Task[Vitals]
    """What it holds `look_after` seconds after the beginning."""
    load_cpu: float
    """Seconds in which this thread worked, the load generator included."""
    waited: float
    """Seconds in which it had work, but another program had its core."""

    def __init__(self, server: Server, look_after: float, cores: Collection[int], load: Collection[int]) -> None:
        self._server = server
        self._look_after = look_after
        shared = bool({*cores} & {*load})
        self._cores: list[Collection[int]] = [{*cores, *load}] if shared else [cores, load]
        self._began = 0.0
        self._ended = False

    def begin(self) -> None:
        self.half = asyncio.create_task(self._look())
        self._meter = Meter()
        self._switches = probes.switches(self._server.pid)
        self._cpu = self._server.cpu_seconds()
        self._busy = [probes.busy_seconds(each) for each in self._cores]
        self._began = time.monotonic()

    def end(self) -> None:
        """Read once: at the end of the load, where its connections are still open, so that no child ends meanwhile.
        Does nothing for a load that was cancelled before its time began."""
        if self._ended or not self._began:
            return
        self._ended = True
        self.wall = time.monotonic() - self._began
        self.load_cpu, self.waited = self._meter.read()
        self.cpu = self._server.cpu_seconds() - self._cpu
        self.busy = [probes.busy_seconds(each) - before for each, before in zip(self._cores, self._busy, strict=True)]
        self.switches = probes.switches(self._server.pid) - self._switches

    def disturbed(self, wrk_cpu: float) -> float | None:
        """The share of the cores' time that other programs had. wrk_cpu: seconds of wrk, where that is the load."""
        load_cpu = self.load_cpu + wrk_cpu
        own = [self.cpu, load_cpu] if len(self._cores) == 2 else [self.cpu + load_cpu]
        shares = [
            (busy - used) / self.wall / len(cores)
            for busy, used, cores in zip(self.busy, own, self._cores, strict=True)
            if cores
        ]
        return round(max(0.0, *shares), 3) if shares else None

    def cancel(self) -> None:
        """Look no more, if it has not yet."""
        if self._began:
            self.half.cancel()

    async def _look(self) -> Vitals:
        await asyncio.sleep(self._look_after)
        return await asyncio.to_thread(probes.vitals, self._server.pid)
