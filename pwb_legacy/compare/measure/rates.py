"""The rates of the open loops: requests a second that every design can serve, found by measuring it in the run.

A server beyond what it can do only shows a queue that grows. So each design is measured first, with nothing in its way,
over as many connections as the open loop has. The slowest decides: the rate is half of what it does, and no more than
MAX_RATE.
"""

from collections.abc import Mapping
from statistics import median
from typing import Final, NamedTuple

from pwb_legacy.compare.load import closed

from .running_server import RUN_UP, RunningServer
from .scenarios import FEW, Scenario, ask_once

SECONDS: Final = 0.05
"""Of a trial."""
TRIALS: Final = 3
"""The middle one counts: what a server can do once, in its best moment, it cannot do in all rounds."""
SHARE: Final = 0.5
"""Of what the slowest design can do: the margin for requests that arrive together, and for other programs."""
MAX_RATE: Final = 2000.0
"""Requests a second; more would load the load generator without showing more."""
MIN_RATE: Final = 1.0


class Rate(NamedTuple):
    """The rate of an open loop, and why it is that."""

    rate: float
    slowest: str = ""
    """The design that can do least; "" if none could be measured."""
    capacity: float | None = None
    """Requests a second that this design can answer."""


async def capacity(running: RunningServer, scenario: Scenario) -> float:
    """Requests a second that a server can answer for a scenario's files, as far as they matter here."""
    assert scenario.asks is not None
    asks = scenario.asks(running.site)
    if len(asks) > 1:
        await ask_once(running, asks)
    trials = [await closed(running.address, asks, FEW, SECONDS, run_up=RUN_UP) for _ in range(TRIALS)]
    return median(trial.rate for trial in trials)


def common_rate(capacities: Mapping[str, float]) -> Rate:
    """The rate for designs with these capacities. One that answered nothing has no part in it."""
    able = {name: each for name, each in capacities.items() if each}
    if not able:
        return Rate(MIN_RATE)
    slowest = min(able, key=able.__getitem__)
    return Rate(max(MIN_RATE, min(MAX_RATE, SHARE * able[slowest])), slowest, able[slowest])
