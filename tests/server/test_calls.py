"""The budget of the fast path."""

from tests.benchmarks.calls import BUDGET, count


async def test_a_hit_stays_within_its_budget_of_python_calls() -> None:
    tallies = await count()
    assert set(tallies) == {"GET", "HEAD", "304", "206"}
    for kind, tally in tallies.items():
        assert 3 < sum(tally.values()) <= BUDGET, (kind, tally)
