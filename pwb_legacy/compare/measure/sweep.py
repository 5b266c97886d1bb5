"""The sweep: how a design does as its clients, or the requests that are sent to it, become more.

Two questions, each with a curve for every design:

1. clients: a closed loop of 1, 2, 4 ... 512 clients, of which each asks again when it has its response.
2. offered: an open loop of 64 clients, at 0.1 to 1.2 times the design's own capacity, which is measured right
   before: the responses a second of a closed loop with as many clients. A wait counts from the moment when its request
   was due.

In a round all servers run, and each point is measured on one right after the other, in an order that changes. The time
of the whole sweep is limited: what is left of it is divided among the points that are left.
"""

import random
import time
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final

from pwb_legacy.compare.load import Ask, Tally, closed, open_loop

from .results import Point
from .rounds import Bench, start
from .running_server import RUN_UP, TIMEOUT, RunningServer, figures_of
from .servers import CannotError, Contestant, Server
from .sweep_plan import Plan

CAPACITY_SECONDS: Final = 0.3


async def sweep(bench: Bench, plan: Plan) -> AsyncGenerator[Point, None]:
    """Every point, as soon as it is measured."""
    chance = random.Random(bench.seed)  # noqa: S311  not for secrets
    least, most = plan.rounds
    longest = 0.0
    for number in range(1, most + 1):
        if number > least and not plan.has_time(longest):
            return
        began = time.monotonic()
        left = plan.points(len(bench.contestants)) * (max(0, least - number) + 1)
        with ExitStack() as stack:
            servers = _Servers(bench, number, stack)
            for question, values in (("clients", plan.clients), ("offered", plan.shares)):
                for x in values:
                    for contestant in chance.sample(bench.contestants, len(bench.contestants)):
                        if not plan.has_time():
                            return
                        yield await servers.measure(contestant, question, x, plan, left)
                        left -= 1
        longest = max(longest, time.monotonic() - began)


class _Servers:
    """The servers of a round, one of each design, started when they are first needed."""

    def __init__(self, bench: Bench, number: int, stack: ExitStack) -> None:
        self._bench, self._number, self._stack = bench, number, stack
        self._running: dict[str, RunningServer] = {}
        self._capacities: dict[str, float] = {}

    async def measure(self, contestant: Contestant, question: str, x: float, plan: Plan, left: int) -> Point:
        """One point. A server that fails is left to itself until the round ends, and the next point gets another."""
        began = time.monotonic()
        point = Point(contestant.name, question, x, self._number)
        try:
            running = await self._server(contestant)
            if question == "offered" and contestant.name not in self._capacities:
                self._capacities[contestant.name] = await self._capacity(running)
            length = plan.length(left)
            cost = _Cost(running.server, contestant.cores)
            if question == "clients":
                tally = await self._closed(running, int(x), length, cost)
            else:
                offered = x * self._capacities[contestant.name]
                point = replace(point, offered=offered)
                tally = await self._open(running, offered, length, cost)
            running.server.check()
            await running.settle()
        except (CannotError, OSError, TimeoutError) as error:
            self._running.pop(contestant.name, None)
            return replace(point, why=str(error) or type(error).__name__)
        self._bench.watched += tally.seconds
        self._bench.waited += tally.waited
        plan.spent.append(max(0.0, time.monotonic() - began - length))
        cpu_us = cost.seconds / tally.requests * 1e6 if tally.requests and cost.seconds > 0 else None
        limited = tally.limited_by_load(cost.busy)
        return replace(point, cpu_us=cpu_us, limited_by_load=limited, **figures_of(tally))

    async def _server(self, contestant: Contestant) -> RunningServer:
        if contestant.name not in self._running:
            self._running[contestant.name] = await start(self._bench, contestant, None, self._stack)
        return self._running[contestant.name]

    async def _capacity(self, running: RunningServer) -> float:
        cost = _Cost(running.server, running.contestant.cores)
        tally = await self._closed(running, self._bench.connections, CAPACITY_SECONDS, cost)
        if not tally.rate:
            raise CannotError("it answered nothing, so it has no capacity to take a share of")
        return tally.rate

    async def _closed(self, running: RunningServer, clients: int, seconds: float, cost: "_Cost") -> Tally:
        asks = [Ask(running.site.page)]
        more: dict[str, Any] = {"seed": self._bench.seed + self._number, "timeout": TIMEOUT, "run_up": RUN_UP}
        return await closed(running.address, asks, clients, seconds, begin=cost.begin, end=cost.end, **more)

    async def _open(self, running: RunningServer, rate: float, seconds: float, cost: "_Cost") -> Tally:
        asks = [Ask(running.site.page)]
        more: dict[str, Any] = {"seed": self._bench.seed + self._number, "timeout": TIMEOUT, "run_up": RUN_UP}
        return await open_loop(
            running.address, asks, rate, seconds,
            connections=self._bench.connections, poisson=True, begin=cost.begin, end=cost.end, **more,
        )  # fmt: skip


class _Cost:
    """CPU time of a server between begin() and end()."""

    def __init__(self, server: Server, cores: int) -> None:
        self._server, self._cores = server, cores
        self._began = self._end = 0.0
        self.seconds = 0.0

    def begin(self) -> None:
        self._cpu, self._began = self._server.cpu_seconds(), time.monotonic()

    def end(self) -> None:
        """Read once, while the connections are still open, so that no child ends meanwhile. Does nothing for a load
        that was cancelled before its time began."""
        if self._began and not self._end:
            self._end = time.monotonic()
            self.seconds = self._server.cpu_seconds() - self._cpu

    @property
    def busy(self) -> float:
        """The share of the time of its cores that the server used."""
        return self.seconds / (self._end - self._began) / self._cores
