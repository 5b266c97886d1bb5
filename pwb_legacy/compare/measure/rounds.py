"""The order of things: in each round every design, in an order of its own, in each design every scenario.

The steps for a design: start it, warm it up, play the scenarios that need no option, end it; the same for those that
need one. In the first round system calls are counted, too. Whoever fails has a measurement that says why; if the
server is gone, it is started anew for the next scenario.
"""

import random
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from itertools import groupby

from .results import Measurement
from .running_server import Stage
from .sample_site import Site
from .scenarios import Scenario
from .servers import CannotError, Contestant, serving


@dataclass(slots=True)
class Bench:
    """core: where the servers run; None: anywhere. seconds: of a measurement. wrk: asks where it can. trace: system
    calls are counted. crowd: the share of a design's idle connections that is held.
    watched, waited: seconds of all loads so far, and how long the generator's core had other work meanwhile."""

    contestants: Sequence[Contestant]
    scenarios: Sequence[Scenario]
    site: Site
    rounds: int
    seconds: float
    connections: int
    seed: int
    core: int | None = None
    wrk: bool = False
    trace: bool = False
    crowd: float = 1.0
    watched: float = 0.0
    waited: float = 0.0

    @property
    def total(self) -> int:
        """Measurements of a whole run."""
        return self.rounds * len(self.contestants) * len(self.scenarios)


async def measure(bench: Bench) -> AsyncGenerator[Measurement, None]:
    """Every measurement, as soon as it is made."""
    chance = random.Random(bench.seed)  # noqa: S311  not for secrets
    for number in range(1, bench.rounds + 1):
        for contestant in chance.sample(bench.contestants, len(bench.contestants)):
            for options, scenarios in groupby(bench.scenarios, lambda scenario: scenario.options):
                left = list(scenarios)
                while left:
                    async for measurement in _play(bench, contestant, options, left, number):
                        del left[0]
                        yield measurement


async def _play(
    bench: Bench, contestant: Contestant, options: tuple[str, ...], scenarios: Sequence[Scenario], number: int
) -> AsyncGenerator[Measurement, None]:
    """The scenarios on one server, up to the first that it does not survive."""
    scenario = scenarios[0]
    try:
        with serving(contestant, bench.site.root, bench.core, options) as server:
            stage = Stage(server, contestant, bench.site, bench.connections, bench.seconds, bench.seed)
            stage.with_wrk = bench.wrk
            stage.traced = bench.trace and number == 1 and not options  # what takes 20 ms leaves too few to count
            stage.crowd = max(1, int(contestant.idle * bench.crowd))
            await stage.warm_up()
            for scenario in tuple(scenarios):
                measurement = stage.measurement(scenario.name, number, await scenario.play(stage))
                await stage.settle()
                bench.watched += stage.watched
                bench.waited += stage.waited
                stage.watched = stage.waited = 0.0
                yield measurement
    except (CannotError, OSError, TimeoutError) as error:
        yield Measurement(contestant.name, scenario.name, number, why=str(error) or type(error).__name__)
