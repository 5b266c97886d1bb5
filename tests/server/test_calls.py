"""The budget of the fast path."""

import asyncio

import pytest
import uvloop

from tests.benchmarks.calls import BUDGETS, MEASURED, count


@pytest.mark.parametrize("log_format", BUDGETS)
def test_a_hit_stays_within_its_budget_of_python_calls(log_format: str) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tallies = runner.run(count(log_format))
    assert set(tallies) == {"GET", "HEAD", "304", "206"}
    for kind, tally in tallies.items():
        calls = round(sum(tally.values()))  # a hit in a hundred is the first one of a second, and makes a new time
        assert 3 < calls <= BUDGETS[log_format], (kind, tally)


def test_metrics_cost_a_hit_one_python_call() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tallies = runner.run(count("combined", *MEASURED))
    for kind, tally in tallies.items():
        assert round(sum(tally.values())) <= BUDGETS["combined"] + 1, (kind, tally)
        assert tally["Recorder.record"] == 1
