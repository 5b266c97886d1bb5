"""One design of the lesson: its server, its steady load, the clients that make trouble, and its figures."""

import asyncio
import statistics
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from pwb_legacy.compare.load.hostile_clients import Outcome, idle, slow_heads, slow_readers
from pwb_legacy.compare.load.messages import Ask
from pwb_legacy.compare.measure.servers import CannotError, Contestant, Server

from .processes import Holding
from .steady_load import SteadyLoad, Waits

SLOW_SENDERS: Final = 8
SLOW_READERS: Final = 8
SLOW_BYTES: Final = 64 << 10
"""Bytes a second that a slow reader takes."""
IDLE: Final = 100
_PLACED: Final = 0.5
"""Seconds for which clients that make trouble may take their places; single lets in one at a time."""
TICK: Final = 0.5
"""Seconds between two pieces of the lane."""
LANE: Final = 120
"""Pieces of a lane: a minute."""
FAST: Final = (b"/a.html", b"/b.html", b"/c.html", b"/d.html")
SLOW: Final = tuple(b"/slow" + target for target in FAST)
"""The same files in the folder whose disk is slow."""
LARGE: Final = Ask(b"/large.bin")

Piece = tuple[float | None, float | None, int]
"""Half a second of a lane: the median and the longest wait in milliseconds, None without an answer; what was lost."""


class Row:
    """A design and what happens to it."""

    paused: bool
    ended: str
    """Why the server has ended by itself; empty: it runs."""
    memory_kib: int
    """Memory of its processes as last read; 0: not yet, or the kernel does not report it."""
    memory_before_kib: int
    """Memory before the idle clients came; 0: unknown."""
    lane: deque[Piece]

    def __init__(self, contestant: Contestant, server: Server, load: SteadyLoad) -> None:
        self.contestant, self.server, self.load = contestant, server, load
        self.name, self.pid = contestant.name, server.pid
        self.paused = False
        self.ended = ""
        self.memory_kib = self.memory_before_kib = 0
        self.holding: Holding | None = Holding(0.0, 0, ())
        self.lane = deque(maxlen=LANE)
        self._cpu: deque[float] = deque(maxlen=3)
        self._waits: deque[Waits] = deque(maxlen=2)
        self._silent = 0
        self._outcomes: dict[str, Outcome] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def send(self, trouble: str) -> None:
        """Bring the clients that make a trouble, if they are not there."""
        if trouble not in self._tasks:
            self._tasks[trouble] = asyncio.create_task(self._hold(trouble))

    async def call_off(self, troubles: Sequence[str]) -> None:
        """Take these clients away; return when their connections are closed."""
        tasks = [self._tasks.pop(trouble) for trouble in troubles if trouble in self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _hold(self, trouble: str) -> None:
        try:
            async with self._clients(trouble) as self._outcomes[trouble]:
                await asyncio.Event().wait()
        finally:
            self._outcomes.pop(trouble, None)

    def _clients(self, trouble: str) -> AbstractAsyncContextManager[Outcome]:
        address = self.server.address
        if trouble == "slow-senders":
            return slow_heads(address, SLOW_SENDERS, 0.5, timeout=_PLACED)
        if trouble == "slow-readers":
            return slow_readers(address, SLOW_READERS, LARGE, SLOW_BYTES, timeout=_PLACED)
        return idle(address, IDLE, timeout=_PLACED)

    def tick(self, holding: Holding | None) -> None:
        """Half a second is over. holding: what the processes hold now; None: the server has ended."""
        self.holding = holding
        if holding is None:
            self._cpu.clear()
        else:
            self._cpu.append(holding.cpu)
        for trouble in [name for name, task in self._tasks.items() if task.done()]:
            self._tasks[trouble] = asyncio.create_task(self._hold(trouble))  # it failed; the loop prints why
        try:
            self.server.check()
        except CannotError as error:
            self.ended = str(error)
        waits = self.load.take()
        self._waits.append(waits)
        self._silent = 0 if waits.answered or not self.load.waiting else self._silent + 1
        times = [wait * 1000 for wait in waits.answered]
        median = round(statistics.median(times), 2) if times else None
        self.lane.append((median, round(max(times), 2) if times else None, waits.lost))

    def forget(self) -> None:
        """Forget what was measured."""
        self.lane.clear()
        self._waits.clear()
        self.load.forget()

    def figures(self) -> dict[str, Any]:
        """The row as JSON; waits in milliseconds and the rate are those of the last second."""
        times = [wait * 1000 for waits in self._waits for wait in waits.answered]
        seconds = TICK * max(1, len(self._cpu) - 1)
        known = self.memory_kib and self.memory_before_kib
        return {
            "name": self.name,
            "paused": self.paused,
            "ended": self.ended,
            "rate": round(len(times) / (TICK * max(1, len(self._waits)))),
            "median": round(statistics.median(times), 2) if times else None,
            "longest": round(max(times), 2) if times else None,
            "late": round(max((waits.late for waits in self._waits), default=0.0) * 1000),
            "waiting": self.load.waiting,
            "silent": self._silent * TICK,
            "lost": self.load.losses,
            "cpu": max(0, round(100 * (self._cpu[-1] - self._cpu[0]) / seconds)) if len(self._cpu) > 1 else None,
            "memory": round(self.memory_kib / 1024, 1) if self.memory_kib else None,
            "grown": round((self.memory_kib - self.memory_before_kib) / 1024, 1) if known else None,
            "threads": self.holding.threads if self.holding else None,
            "processes": self.holding.processes if self.holding else None,
            "clients": self.load.connected + sum(outcome.open for outcome in self._outcomes.values()),
            "lane": list(self.lane),
        }
