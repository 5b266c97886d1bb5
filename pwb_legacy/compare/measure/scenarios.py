"""The ten scenarios. Each is a short story about one running server: who asks, who is in the way, and what one learns.

A scenario asks through its Stage, which watches the server meanwhile: only what happens inside `stage.watch()` counts.
Guilty clients come before and stay until the block ends.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from pwb_legacy.compare.load import Ask, Tally, burst, idle, scheduled, slow_heads, slow_readers, vanishing

from .replay import Recording
from .running_server import TIMEOUT, Stage

SLOW_HEADS: Final = 32
SLOW_READERS: Final = 16
SLOW_BYTES: Final = 64 << 10
"""Bytes a second that a slow reader takes."""
VANISHING: Final = 8
SLOW_FILES: Final = 16
"""Asked for on a slow disk: so few that a cache soon has them all."""
FEW: Final = 8
"""Innocent clients, where there are guilty ones."""
PLACED: Final = 0.5
"""Seconds in which those who are slow take their places; some designs let in one of them only."""
SOON: Final = 1.0
"""Seconds that an innocent client waits beside those who are slow for ever: some designs do not answer him at all."""
BURST: Final = 200
WARM_UP: Final = 10.0
"""Seconds at most in which each of many files is asked for once, before it counts."""
REPLAYERS: Final = 256
"""Clients at most, to replay what other clients did."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """teaches: what one sees in it, a sentence. play: the story. options: what the servers are told for it; if any,
    they are started anew."""

    name: str
    title: str
    teaches: str
    play: Callable[[Stage], Awaitable[Tally]]
    options: tuple[str, ...] = ()


async def _crowd(stage: Stage) -> Tally:
    before = stage.look()
    async with idle(stage.address, stage.crowd) as crowd:
        if 2 * crowd.open > stage.crowd:  # else it is none that stays
            stage.grown_kib = (stage.look().memory_kib - before.memory_kib) / crowd.open
        return await stage.ask([Ask(stage.site.page)], FEW)


async def _short(stage: Stage) -> Tally:
    return await stage.ask([Ask(stage.site.page)], stage.connections, keep_alive=False)


async def _kept(stage: Stage) -> Tally:
    return await stage.ask([Ask(stage.site.page)], stage.connections)


async def _many(stage: Stage) -> Tally:
    once = [(0.0, Ask(target)) for target in stage.site.pages]
    await scheduled(stage.address, once, connections=FEW, timeout=WARM_UP)
    return await stage.ask([Ask(target) for target in stage.site.pages], stage.connections)


async def _slow_disk(stage: Stage) -> Tally:
    tally = await stage.ask([Ask(target) for target in stage.site.pages[:SLOW_FILES]], stage.connections)
    # Some answer nobody before they have looked for all: half such a turn would count for nothing, so it is let end.
    tally.in_time, tally.seconds = tally.requests, stage.wall
    return tally


async def _large(stage: Stage) -> Tally:
    return await stage.ask([Ask(stage.site.large)], min(FEW, stage.connections))


async def _slow_heads(stage: Stage) -> Tally:
    async with slow_heads(stage.address, SLOW_HEADS, 0.5, timeout=PLACED):
        return await stage.ask([Ask(stage.site.page)], FEW, timeout=SOON)


async def _slow_readers(stage: Stage) -> Tally:
    async with slow_readers(stage.address, SLOW_READERS, Ask(stage.site.large), SLOW_BYTES, timeout=PLACED):
        return await stage.ask([Ask(stage.site.page)], FEW, timeout=SOON)


async def _burst(stage: Stage) -> Tally:
    load = partial(burst, stage.address, Ask(stage.site.page), BURST, timeout=TIMEOUT)
    tally = await stage.watch(load, 0.02)

    async def traced(begin: Callable[[], None]) -> Tally:
        begin()
        return await load()

    await stage.count(traced)
    return tally


async def _vanishing(stage: Stage) -> Tally:
    async with vanishing(stage.address, VANISHING, Ask(stage.site.large)):
        return await stage.ask([Ask(stage.site.page)], FEW)


SCENARIOS: Final = (
    Scenario(
        "crowd",
        "A crowd of idle connections",
        "What a client costs that only stays connected: memory, and in some designs a thread or a process.",
        _crowd,
    ),
    Scenario(
        "short",
        "Short connections",
        "The book's way, a connection for each request: what it costs to let a client in.",
        _short,
    ),
    Scenario(
        "kept",
        "Kept connections",
        "The same page over and over on connections that stay: what an answer costs when nothing else does.",
        _kept,
    ),
    Scenario(
        "many",
        "Many files",
        "Each request asks for another file: what it costs to find one, and what a cache saves.",
        _many,
    ),
    Scenario(
        "large",
        "One large file to many",
        "The kernel moves the bytes and the design hardly matters, unless it serves one client after the other.",
        _large,
    ),
    Scenario(
        "slow-heads",
        "Slow senders",
        "Half-sent requests that never end: who waits for one client only keeps all others waiting with it.",
        _slow_heads,
    ),
    Scenario(
        "slow-readers",
        "Slow readers",
        "Clients that take a large file in drops: a full socket must not hold up whoever has a small question.",
        _slow_readers,
    ),
    Scenario(
        "burst",
        "A burst of connects",
        "Everybody comes at the same moment: the last of them waits until all before it have been let in.",
        _burst,
    ),
    Scenario(
        "vanishing",
        "Clients that vanish",
        "Clients ask for a large file and are gone: the work for them is lost, the server must not be.",
        _vanishing,
    ),
    Scenario(
        "slow-disk",
        "A slow disk",
        "Each look at the disk takes 20 ms: a loop stalls, threads overlap, a pool fills up, a cache need not look.",
        _slow_disk,
        ("--delay-disk", "20ms"),
    ),
)
"""In the order in which they are played: the crowd comes first, while the server's memory is still fresh."""


def replayed(recording: Recording, speed: float, seconds: float) -> Scenario:
    """What a recording asks for, at its pace. Any status will do: it may have been 404 then, too."""
    moments = recording.faster(speed, seconds)

    async def play(stage: Stage) -> Tally:
        load = partial(scheduled, stage.address, moments, connections=REPLAYERS, timeout=TIMEOUT)
        return await stage.watch(load, moments[-1][0] / 2)

    part = f"{len(moments):,} of {len(recording.moments):,} requests, {moments[-1][0]:.0f} s"
    return Scenario(
        "replay",
        "Replay",
        f"What real clients once asked for, at {speed:g} times their pace ({part}): what it costs on each design.",
        play,
    )
