"""The order of things: in each round every scenario, and in each scenario every design, one right after the other.

The steps of a round: start a server of each design, and keep it; play a scenario on one after the other, in an order
that changes each time; the next scenario; then the scenarios that need options of their own, with servers of their own.
So the measurements of a scenario that are compared with each other are made within a few seconds, and what else the
machine does then disturbs all of them alike. Compared with one design after the other, this halved the spread of
the ratio between two designs.

In the first round system calls are counted, too. A design that fails has a measurement with the reason, and is started
again for the next scenario.
"""

import math
import random
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby

from .cores import Cores
from .rates import Rate, capacity, common_rate
from .results import Measurement
from .running_server import RunningServer
from .sample_site import Site
from .scenarios import Scenario
from .servers import CannotError, Contestant, serving
from .sweep_plan import Plan

Options = Callable[[Site], tuple[str, ...]] | None


@dataclass(slots=True)
class Bench:
    """What is to be measured, and how."""

    contestants: Sequence[Contestant]
    scenarios: Sequence[Scenario]
    site: Site
    rounds: int
    """At least."""
    seconds: float
    """Of a measurement."""
    connections: int
    seed: int
    cores: Cores = field(default_factory=lambda: Cores(()))
    """Empty: servers may use any."""
    until: float | None = None
    """More rounds are played as long as they end before this moment of the monotonic clock."""
    wrk: bool = False
    """Closed loops are wrk's."""
    trace: bool = False
    """System calls are counted."""
    idle_share: float = 1.0
    """The share of a design's idle connections that are held."""
    rates: dict[str, Rate] = field(default_factory=dict)
    """Those of the open loops, by scenario; find_rates() finds them."""
    watched: float = 0.0
    """Seconds of all loads so far."""
    waited: float = 0.0
    """Seconds of them in which another program had the load generator's core."""
    plan: Plan | None = None
    """Of a sweep, which is then what is measured, instead of the scenarios."""
    planned: int = 0
    """Rounds that there will be, as far as it can be foreseen."""

    @property
    def total(self) -> int:
        """Measurements of the whole run, as far as it can be foreseen."""
        in_round = sum(len(self.playing(scenario)) for scenario in self.scenarios)
        return max(self.planned, self.rounds) * in_round

    def playing(self, *scenarios: Scenario) -> list[Contestant]:
        """The contestants that play one of these scenarios."""
        return [one for one in self.contestants if any(scenario.has(one) for scenario in scenarios)]


async def find_rates(bench: Bench) -> None:
    """Measure what each design can do, and set the rates of the open loops. A design that cannot be measured has no
    part in it."""
    found: dict[str, dict[str, float]] = {one.name: {} for one in bench.scenarios if one.asks}
    for options, group in groupby(bench.scenarios, lambda scenario: scenario.options):
        scenarios = [one for one in group if one.asks]
        for contestant in bench.playing(*scenarios):
            known: dict[object, float] = {}
            try:
                with ExitStack() as stack:
                    running = await start(bench, contestant, options, stack)
                    for scenario in scenarios:
                        if scenario.asks not in known:
                            known[scenario.asks] = await capacity(running, scenario)
                        found[scenario.name][contestant.name] = known[scenario.asks]
            except (CannotError, OSError, TimeoutError):
                continue
    bench.rates = {name: common_rate(capacities) for name, capacities in found.items()}


async def measure(bench: Bench) -> AsyncGenerator[Measurement, None]:
    """Every measurement, as soon as it is made."""
    chance = random.Random(bench.seed)  # noqa: S311  not for secrets
    lasted = 0.0
    number = 1
    while number <= bench.rounds or (bench.until is not None and time.monotonic() + lasted <= bench.until):
        began = time.monotonic()
        for options, scenarios in groupby(bench.scenarios, lambda scenario: scenario.options):
            with _servers(bench, options, number) as servers:
                for scenario in scenarios:
                    playing = bench.playing(scenario)
                    for contestant in chance.sample(playing, len(playing)):
                        yield await servers.play(contestant, scenario)
        lasted = time.monotonic() - began
        left = max(0.0, bench.until - time.monotonic()) if bench.until is not None else 0.0
        bench.planned = max(bench.rounds, number + math.floor(left / lasted))
        number += 1


def idle_clients(contestant: Contestant, share: float) -> int:
    """How many idle connections a design gets where there are many. share: of those of a whole run."""
    return max(1, int(contestant.idle * share))


class _Servers:
    """The servers of a round, one of each design, started when they are first needed."""

    def __init__(self, bench: Bench, options: Options, number: int) -> None:
        self._bench, self._options, self._number = bench, options, number
        self._running: dict[str, tuple[RunningServer, ExitStack]] = {}

    async def play(self, contestant: Contestant, scenario: Scenario) -> Measurement:
        """One measurement. A server that fails is ended."""
        bench = self._bench
        try:
            running = await self._server(contestant)
            tally = await scenario.play(running)
            measurement = running.measurement(scenario.name, self._number, tally)
            await running.settle()
        except (CannotError, OSError, TimeoutError) as error:
            self.end(contestant.name)
            why = str(error) or type(error).__name__
            return Measurement(contestant.name, scenario.name, self._number, why=why)
        bench.watched += running.watched
        bench.waited += running.waited
        running.watched = running.waited = 0.0
        return measurement

    async def _server(self, contestant: Contestant) -> RunningServer:
        if contestant.name not in self._running:
            with ExitStack() as stack:
                running = await start(self._bench, contestant, self._options, stack)
                running.traced = self._bench.trace and self._number == 1 and self._options is None
                self._running[contestant.name] = running, stack.pop_all()
        running, _ = self._running[contestant.name]
        running.seed = self._bench.seed + self._number  # the same requests for every design, others in each round
        return running

    def end(self, *names: str) -> None:
        """End some servers, by default all."""
        for name in names or tuple(self._running):
            if name in self._running:
                _, stack = self._running.pop(name)
                stack.close()


@contextmanager
def _servers(bench: Bench, options: Options, number: int) -> Iterator[_Servers]:
    servers = _Servers(bench, options, number)
    try:
        yield servers
    finally:
        servers.end()


async def start(bench: Bench, contestant: Contestant, options: Options, stack: ExitStack) -> RunningServer:
    """A server that has answered its first requests; it ends with the stack. Raises CannotError."""
    cores = bench.cores.servers(contestant.cores)
    server = stack.enter_context(serving(contestant, bench.site.root, cores, options(bench.site) if options else ()))
    running = RunningServer(server, contestant, bench.site, bench.connections, bench.seconds, bench.seed)
    running.cores = cores
    running.load_core = bench.cores.load if bench.cores.available else None
    running.with_wrk = bench.wrk
    running.rates = {name: found.rate for name, found in bench.rates.items()}
    running.idle = idle_clients(contestant, bench.idle_share)
    await running.warm_up()
    return running
