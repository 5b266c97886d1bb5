"""The rates of the open loops: requests a second that every design can serve, found by measuring it in the run.

A server beyond what it can do only shows a queue that grows. So each design is measured first, with nothing in its way,
and the slowest of them decides: the rate is half of what it does, and no more than MAX_RATE.
"""

from collections.abc import Sequence
from typing import Final

from pwb_legacy.compare.load import closed

from .running_server import RUN_UP, RunningServer
from .scenarios import FEW, Scenario, ask_once

SECONDS: Final = 0.06
"""Of a trial."""
TRIALS: Final = 2
"""The better one counts: other programs can only make a server look slower."""
SHARE: Final = 0.5
"""Of what the slowest design can do."""
MAX_RATE: Final = 2000.0
"""Requests a second; more would load the load generator without showing more."""
MIN_RATE: Final = 10.0


async def capacity(running: RunningServer, scenario: Scenario) -> float:
    """Requests a second that a server can answer for a scenario's files, as far as they matter here."""
    assert scenario.asks is not None
    asks = scenario.asks(running.site)
    if len(asks) > 1:
        await ask_once(running, asks)
    trials = [await closed(running.address, asks, FEW, SECONDS, run_up=RUN_UP) for _ in range(TRIALS)]
    return max(trial.rate for trial in trials)


def common_rate(capacities: Sequence[float]) -> float:
    """The rate for designs with these capacities."""
    able = [each for each in capacities if each]
    return max(MIN_RATE, min([MAX_RATE, *(SHARE * each for each in able)]))
