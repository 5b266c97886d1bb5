"""The thirteen scenarios: which requests a server gets, and what else happens meanwhile.

A scenario loads a RunningServer, which watches what the server uses; only what happens during the load counts. Clients
that misbehave come before it and stay until it ends. Titles and explanations are in the catalogue of report/.

What a server can do at most is found by a closed loop; how long its clients wait, by an open loop, at a rate that every
design can serve (rates.py).
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from pwb_legacy.compare.load import (
    Ask,
    Tally,
    again,
    burst,
    delayed,
    idle,
    page_over_http1,
    page_over_http2,
    scheduled,
    slow_heads,
    slow_readers,
    vanishing,
)
from pwb_legacy.compare.load.pages import CONNECTIONS

from .replay import Recording
from .running_server import TIMEOUT, RunningServer
from .sample_site import SMALL_FILES, Site
from .servers import HTTP2, Contestant

CROWD: Final = "crowd"
"""The name of the scenario with idle connections."""
SLOW_HEADS: Final = 32
SLOW_READERS: Final = 16
SLOW_BYTES: Final = 64 << 10
"""Bytes a second that a slow reader takes."""
VANISHING: Final = 8
SLOW_DISK_FILES: Final = 20
"""Files that are asked for on a slow disk; the first of them is the slow one."""
SLOW_DISK: Final = "10ms"
"""How much longer the disk takes for it."""
PAGES: Final = {f"page-{delay_ms}ms": delay_ms for delay_ms in (0, 20, 100)}
"""Scenarios that compare HTTP/1.1 with HTTP/2, and the round-trip time in milliseconds that is added in each."""
PROTOCOLS: Final = ("async", HTTP2.name)
"""The contestants that play them."""
FEW: Final = 8
"""Well-behaved clients, where there are others."""
PLACED: Final = 0.5
"""Seconds in which slow clients connect; some designs accept one of them only."""
SOON: Final = 1.0
"""Seconds that a client waits beside clients that are slow without end: some designs never respond to it."""
BURST: Final = 200
WARM_UP: Final = 10.0
"""Seconds at most in which each of many files is asked for once, before it counts."""
REPLAYERS: Final = 256
"""Clients at most, to replay what other clients did."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario, as it is played on each design."""

    name: str
    play: Callable[[RunningServer], Awaitable[Tally]]
    asks: Callable[[Site], list[Ask]] | None = None
    """What an open loop asks for; None: it has none."""
    options: Callable[[Site], tuple[str, ...]] | None = None
    """Options of the servers; where there are some, servers are started for this scenario alone."""
    details: dict[str, Any] = field(default_factory=dict)
    """Values for its text."""
    modes: tuple[str, ...] = ()
    """The contestants that play it; empty: all but those that are there for another protocol."""

    def has(self, contestant: Contestant) -> bool:
        """Whether a contestant plays it."""
        if self.modes:
            return (contestant.design or contestant.name) in self.modes
        return contestant.kind != "protocol"


def _page(site: Site) -> list[Ask]:
    return [Ask(site.page)]


def _pages(site: Site) -> list[Ask]:
    return [Ask(target) for target in site.pages]


def _disk_pages(site: Site) -> list[Ask]:
    return _pages(site)[:SLOW_DISK_FILES]


def _slow_file(site: Site) -> tuple[str, ...]:
    return "--delay-disk", f"{site.glob(site.pages[0])}={SLOW_DISK}"


async def ask_once(running: RunningServer, asks: Sequence[Ask]) -> None:
    """Ask for each file once, so that a cache that can hold them has them."""
    await scheduled(running.address, [(0.0, ask) for ask in asks], connections=FEW, timeout=WARM_UP)


async def _crowd(running: RunningServer) -> Tally:
    before = running.look()
    async with idle(running.address, running.idle) as crowd:
        if 2 * crowd.open > running.idle:  # otherwise it does not stay
            running.grown_kib = (running.look().memory_kib - before.memory_kib) / crowd.open
        return await running.closed_loop(_page(running.site), FEW)


async def _short(running: RunningServer) -> Tally:
    return await running.closed_loop(_page(running.site), running.connections, keep_alive=False)


async def _kept(running: RunningServer) -> Tally:
    return await running.closed_loop(_page(running.site), running.connections)


async def _many(running: RunningServer) -> Tally:
    await ask_once(running, _pages(running.site))
    return await running.open_loop("many", _pages(running.site), FEW)


async def _large(running: RunningServer) -> Tally:
    return await running.closed_loop([Ask(running.site.large)], min(FEW, running.connections))


async def _slow_heads(running: RunningServer) -> Tally:
    async with slow_heads(running.address, SLOW_HEADS, 0.5, timeout=PLACED):
        return await running.open_loop("slow-heads", _page(running.site), FEW, SOON)


async def _slow_readers(running: RunningServer) -> Tally:
    async with slow_readers(running.address, SLOW_READERS, Ask(running.site.large), SLOW_BYTES, timeout=PLACED):
        return await running.open_loop("slow-readers", _page(running.site), FEW, SOON)


async def _burst(running: RunningServer) -> Tally:
    load = partial(burst, running.address, Ask(running.site.page), BURST, timeout=TIMEOUT)
    tally = await running.watch(load, 0.02)

    async def traced(begin: Callable[[], None]) -> Tally:
        begin()
        return await load()

    await running.count(traced)
    return tally


async def _vanishing(running: RunningServer) -> Tally:
    async with vanishing(running.address, VANISHING, Ask(running.site.large), timeout=PLACED):
        return await running.open_loop("vanishing", _page(running.site), FEW, SOON)


async def _slow_disk(running: RunningServer) -> Tally:
    await ask_once(running, _disk_pages(running.site))
    return await running.open_loop("slow-disk", _disk_pages(running.site), FEW)


async def _small_files(delay_ms: int, running: RunningServer) -> Tally:
    targets = running.site.small
    await ask_once(running, [Ask(target) for target in targets])
    contestant = running.contestant
    page = page_over_http2 if (contestant.design or contestant.name) == HTTP2.name else page_over_http1
    seconds = 0.0 if delay_ms else running.seconds  # with a delay one page is enough: it hardly varies
    async with delayed(running.address, delay_ms / 1000) as address:
        load = partial(again, partial(page, address, targets), seconds)
        tally = await running.watch(load, running.seconds / 2)
    running.page_ms = None if tally.failures else 1000 * tally.seconds * len(targets) / tally.requests
    return tally


def _comparing(name: str) -> Scenario:
    """The scenario of PAGES with this name."""
    details = {"files": SMALL_FILES, "connections": CONNECTIONS, "delay_ms": PAGES[name]}
    return Scenario(name, partial(_small_files, PAGES[name]), details=details, modes=PROTOCOLS)


SCENARIOS: Final = (
    Scenario(CROWD, _crowd, details={"clients": FEW, "idle": "many"}),
    Scenario("short", _short),
    Scenario("kept", _kept),
    Scenario("many", _many, _pages),
    Scenario("large", _large, details={"clients": FEW}),
    Scenario("slow-heads", _slow_heads, _page),
    Scenario("slow-readers", _slow_readers, _page),
    Scenario("burst", _burst, details={"clients": BURST}),
    Scenario("vanishing", _vanishing, _page),
    *map(_comparing, PAGES),
    Scenario("slow-disk", _slow_disk, _disk_pages, _slow_file, {"files": SLOW_DISK_FILES, "delay": "10 ms"}),
)
"""In the order in which they are played: idle connections come first, while the server's memory is still fresh."""


def replayed(recording: Recording, speed: float, seconds: float) -> Scenario:
    """The requests of a recording, at their moments. Any status is right: it may have been 404 then, too."""
    moments = recording.faster(speed, seconds)

    async def play(running: RunningServer) -> Tally:
        load = partial(scheduled, running.address, moments, connections=REPLAYERS, timeout=TIMEOUT)
        return await running.watch(load, moments[-1][0] / 2)

    asked = {"asked": len(moments), "recorded": len(recording.moments), "seconds": moments[-1][0], "speed": speed}
    return Scenario("replay", play, details=asked)
