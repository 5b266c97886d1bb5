"""The lesson: the rows, what its buttons do to all of them, and its state for the page."""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pwb_legacy.compare.measure import probes

from . import story
from .processes import holdings
from .row import FAST, SLOW, TICK, Row

CLIENTS: Final = ("slow-senders", "slow-readers", "idle")
"""Buttons that bring clients and take them away."""
SWITCHES: Final = (*CLIENTS, "slow-disk")
FASTEST: Final = 8.0
"""How many times the first rate the load can be."""
SLOWEST: Final = 0.25
MOST: Final = 400.0
"""Requests a second for each design at most."""
_REMEMBERED: Final = 20.0
"""Seconds for which a killed child is mentioned."""
_MEMORY_EVERY: Final = 0.25
"""Seconds between two reads of the memory of one server after the other: a read costs 1 ms for each process."""


class Lesson:
    """All designs at once."""

    def __init__(self, rows: Sequence[Row], rate: float, seconds: float, path: Path) -> None:
        """rate: requests a second that each design gets at first. path: where state.json is written."""
        self.rows = rows
        self._first_rate = self._rate = rate
        self._end = time.monotonic() + seconds
        self._path, self._draft = path, path.with_name(".state.json")
        self._on: set[str] = set()
        self._killed: tuple[int, float] | None = None  # its id, and when
        self._pressing = asyncio.Lock()
        self._over = False

    async def run(self, stopped: Callable[[], bool]) -> None:
        """Play until the time is over or `stopped` returns True, which is asked twice a second."""
        memory = asyncio.create_task(self._read_memory())
        try:
            for row in self.rows:
                row.load.start(FAST)
            tick = time.monotonic()
            while (now := time.monotonic()) < self._end and not (stopped() or memory.done()):
                tick = max(tick + TICK, now)
                await asyncio.sleep(tick - now)
                await self._tick()
            if memory.done():
                memory.result()  # raises what ended it
        finally:
            memory.cancel()
            await asyncio.gather(memory, return_exceptions=True)
            async with self._pressing:
                self._over = True
                self._write(self._state() | {"over": True})
                for row in self.rows:
                    await row.call_off(CLIENTS)
                    await row.load.close()
            await asyncio.sleep(3 * TICK)  # in which the page reads that this is the end

    async def press(self, action: str, value: str) -> bool:
        """Do what a button says, to all designs. False: there is no such button, or the lesson is over."""
        async with self._pressing:  # one after the other: taking clients away takes a moment
            if self._over:
                return False
            if action in SWITCHES and value in ("on", "off"):
                await self._switch(action, value == "on")
            elif action == "kill" and not value:
                self._kill()
            elif action in ("faster", "slower") and not value:
                self._set_rate(self._rate * (2 if action == "faster" else 0.5))
            elif action == "reset" and not value:
                await self._reset()
            elif action in ("pause", "resume") and (row := next((row for row in self.rows if row.name == value), None)):
                await self._pause(row, action == "pause")
            else:
                return False
            self.publish()
        return True

    def publish(self) -> None:
        """Write the state for the page."""
        self._write(self._state())

    async def _switch(self, name: str, on: bool) -> None:
        changed = on != (name in self._on)
        (self._on.add if on else self._on.discard)(name)
        if name == "idle" and changed:
            for row in self.rows:
                row.memory_before_kib = row.memory_kib if on else 0
        for row in self.rows:
            if name == "slow-disk":
                row.load.ask_for(SLOW if on else FAST)
            elif on and not row.paused:
                row.send(name)
        if not on:
            await asyncio.gather(*(row.call_off([name]) for row in self.rows))

    def _set_rate(self, rate: float) -> None:
        most = max(self._first_rate, min(self._first_rate * FASTEST, MOST))
        self._rate = min(max(rate, self._first_rate * SLOWEST), most)
        for row in self.rows:
            row.load.set_rate(self._rate)

    def _kill(self) -> None:
        """SIGKILL to the oldest child of the design that has children."""
        for row in self.rows:
            if row.name == "process" and (holding := holdings([row.pid]).get(row.pid)) and holding.children:
                with suppress(ProcessLookupError):
                    os.kill(holding.children[0], signal.SIGKILL)
                    self._killed = holding.children[0], time.monotonic()

    async def _pause(self, row: Row, paused: bool) -> None:
        row.paused = paused
        row.load.pause(paused)
        if paused:
            await row.call_off(CLIENTS)
        else:
            for name in self._on.intersection(CLIENTS):
                row.send(name)

    async def _reset(self) -> None:
        for name in SWITCHES:
            await self._switch(name, False)
        self._killed = None
        self._set_rate(self._first_rate)
        for row in self.rows:
            await self._pause(row, False)
            row.forget()

    async def _tick(self) -> None:
        held = await asyncio.to_thread(holdings, [row.pid for row in self.rows])
        for row in self.rows:
            row.tick(held.get(row.pid))
        self.publish()

    async def _read_memory(self) -> None:
        while True:
            for row in self.rows:
                row.memory_kib = (await asyncio.to_thread(probes.vitals, row.pid)).memory_kib
                await asyncio.sleep(_MEMORY_EVERY)

    def _state(self) -> dict[str, Any]:
        now = time.monotonic()
        killed = None
        if self._killed is not None and now - self._killed[1] < _REMEMBERED:
            killed = {"pid": self._killed[0], "seconds": round(now - self._killed[1])}
        state: dict[str, Any] = {
            "over": False,
            "left": max(0, round(self._end - now)),
            "rate": self._rate,
            "on": sorted(self._on),
            "killed": killed,
            "rows": [row.figures() for row in self.rows],
        }
        return state | {"story": story.tell(state)}

    def _write(self, state: dict[str, Any]) -> None:
        """Publish the state by a rename, so that the page never reads half of it."""
        self._draft.write_text(json.dumps(state), encoding="utf-8")
        self._draft.replace(self._path)
