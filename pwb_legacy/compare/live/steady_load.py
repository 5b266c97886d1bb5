"""A steady load on one server: visits at equal distances, each of which asks for four files at once, as a browser does.

It is an open loop: a visit begins at its moment, whether or not the ones before have been answered, and waits count
from that moment. Connections are kept and used again; a request for which none is free waits in a bounded queue.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final, NamedTuple

from pwb_legacy.compare.load.connection import Connection
from pwb_legacy.compare.load.messages import Address, Ask, Request, requests
from pwb_legacy.compare.load.pool import LOOK, Pool
from pwb_legacy.compare.load.timer import Alarm

FILES: Final = 4
"""Requests of a visit, all at the same moment."""
CONNECTIONS: Final = 16
"""Connections of a load at most."""
QUEUE: Final = 200
"""Requests that may wait for a free connection."""
PATIENCE: Final = 2.0
"""Seconds after which a request is given up, counted from the moment of its visit."""


class Waits(NamedTuple):
    """The requests that ended in a piece of time."""

    answered: list[float]
    """Seconds that each answered request waited."""
    lost: int
    """Requests without an answer, and connections that the server cut."""
    late: float
    """Seconds by which the latest visit began after its moment, because this program had to wait for a core."""


class SteadyLoad(Pool):
    """The clients of one server."""

    losses: int
    """Requests without an answer, and connections that the server cut, since forget()."""

    def __init__(self, address: Address, keep_alive: bool, rate: float, offset: float) -> None:
        """rate: requests a second. offset: the share of the time between two visits by which they are shifted, so that
        the designs are not all asked at the same moment."""
        super().__init__(address, keep_alive)
        self._rate, self._offset = rate, offset
        self._requests: Sequence[Request] = ()
        self._queue: deque[tuple[Request, float]] = deque()
        self._answered: list[float] = []
        self._lost = self.losses = 0
        self._late = 0.0
        self._paused = self._closed = False
        self._exits = ExitStack()

    def start(self, targets: Sequence[bytes]) -> None:
        """Begin to ask for these files."""
        self.ask_for(targets)
        self._alarm = self._exits.enter_context(Alarm(self._visit))
        self._sweeper = asyncio.create_task(self._sweep())
        self._set_alarm()

    def ask_for(self, targets: Sequence[bytes]) -> None:
        """Ask for other files from the next visit on."""
        self._requests = requests(self._address, [Ask(target) for target in targets], self._keep_alive)

    def set_rate(self, rate: float) -> None:
        """Change the requests a second."""
        self._rate = rate
        self._set_alarm()

    def pause(self, paused: bool) -> None:
        """Begin no more visits, or go on."""
        self._paused = paused
        if paused:
            self._queue.clear()

    @property
    def connected(self) -> int:
        """Connections that are open now."""
        return len(self._connections) - len(self._opening)

    @property
    def waiting(self) -> int:
        """Requests that have no answer yet."""
        return len(self._queue) + sum(connection.request is not None for connection in self._connections)

    def take(self) -> Waits:
        """The requests that have ended since the last call."""
        waits = Waits(self._answered, self._lost, self._late)
        self._answered, self._lost, self._late = [], 0, 0.0
        return waits

    def forget(self) -> None:
        """Count what is lost from zero."""
        self.losses = 0

    async def close(self) -> None:
        """Close all connections."""
        self._closed = True
        self._queue.clear()
        self._exits.close()
        self._sweeper.cancel()
        await asyncio.gather(self._sweeper, return_exceptions=True)
        await super().close()

    def answered(self, connection: Connection, moment: float) -> None:
        """A response has arrived whole: the connection takes the next request of the queue."""
        self._answered.append(moment - connection.since)
        if not connection.keep_alive:
            return  # it is lost in a moment, and then replaced
        if self._queue:
            connection.ask(*self._queue.popleft())
        else:
            self._idle.append(connection)

    def failed(self, connection: Connection, reason: str) -> None:
        """A request has no answer."""
        self._lose()

    def gone(self, connection: Connection, idle: bool) -> None:
        """A connection has ended: one that the server cut is counted, and the next request opens another."""
        if idle and not connection.broken:
            self._lose()
        if self._queue:
            self.open(*self._queue.popleft())

    def _lose(self) -> None:
        if not self._closed:
            self._lost += 1
            self.losses += 1

    def _set_alarm(self) -> None:
        """Set the alarm to the next moment of this rate; the moments of all loads have the same clock."""
        interval = FILES / self._rate
        now = time.monotonic()
        self._next = (now // interval + 1 + self._offset) * interval
        self._alarm.set(self._next)

    def _visit(self) -> None:
        """Begin all visits that are due."""
        interval = FILES / self._rate
        now = time.monotonic()
        self._late = max(self._late, now - self._next)
        if now - self._next > PATIENCE:
            self._next = now  # this program, or the machine, stood still
        while self._next <= now:
            if not self._paused:
                for request in self._requests:
                    self._ask(request, self._next)
            self._next += interval
        self._alarm.set(self._next)

    def _ask(self, request: Request, since: float) -> None:
        if self._idle:
            self._idle.pop().ask(request, since)
        elif len(self._connections) < CONNECTIONS:
            self.open(request, since)
        elif len(self._queue) < QUEUE:
            self._queue.append((request, since))
        else:
            self._lose()

    async def _sweep(self) -> None:
        """Give up the requests that have waited too long."""
        while True:
            await asyncio.sleep(LOOK)
            limit = time.monotonic() - PATIENCE
            while self._queue and self._queue[0][1] < limit:
                self._queue.popleft()
                self._lose()
            self.expire(PATIENCE, limit)
