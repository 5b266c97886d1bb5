"""The verdict: what figures carry, as data and as sentences. Rows of made-up figures, and what is written about them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pwb_legacy.compare.measure.results import Played, Results, joined
from pwb_legacy.compare.report.claims import Claim, verdict
from pwb_legacy.compare.report.files import read
from pwb_legacy.compare.report.spread import figure
from pwb_legacy.compare.report.words import Words

from .claims_hold import failures
from .sample_results import histogram, results

STEADY = (1.0, 1.02, 0.98, 1.01, 0.99, 1.03, 0.97, 1.0)
NOISY = (1.0, 0.5, 2.0, 0.9, 1.1, 0.6, 1.7, 0.3)


def rounds(value: float, factors: tuple[float, ...] = STEADY) -> tuple[float, ...]:
    """A figure in each of eight rounds."""
    return tuple(value * factor for factor in factors)


def sentences(made: Results) -> list[str]:
    return Words(made).verdict(verdict(made))


ROWS: dict[str, tuple[str, dict[str, Any], str]] = {
    "first, next and last": (
        "kept",
        {"rate": {"epoll": rounds(4000), "async": rounds(40_000), "process": rounds(1000)}},
        "Kept connections, requests a second, on one core: most with async (40,000): 10 times epoll (10 to 10; ahead in 8 of 8 "
        "rounds); fewest with process (1,000): epoll has 4.0 times that (4.0 to 4.0; ahead in 8 of 8 rounds).",
    ),
    "the order is what was measured, not what theory has": (
        "kept",
        {"rate": {"async": rounds(100), "process": rounds(9000)}},
        "Kept connections, requests a second, on one core: most with process (9,000): 90 times async (90 to 90; ahead in 8 of 8 "
        "rounds).",
    ),
    "a slowest that is not tested is not named": (
        "kept",
        {"rate": {"async": rounds(9000), "epoll": rounds(1000, NOISY), "single": rounds(1010)}},
        "Kept connections, requests a second, on one core: most with async (9,000): 8.9 times single (8.9 to 8.9; ahead in 8 of 8 "
        "rounds).",
    ),
    "the rounds cannot tell": (
        "kept",
        {"rate": {"epoll": rounds(1000, NOISY), "thread": rounds(1010)}},
        "Kept connections, requests a second, on one core: 8 rounds cannot tell the designs apart.",
    ),
    "rounds that differ more than the designs do": (
        "kept",
        {"rate": {"gevent": tuple(2.6 * value for value in rounds(2000, NOISY)), "process": rounds(2000, NOISY)}},
        "Kept connections, requests a second, on one core: most with gevent (5,000): 2.6 times process (2.6 to 2.6; ahead in 8 of 8 "
        "rounds).",
    ),
    "one round: a factor of two is not told": (
        "kept",
        {"rate": {"epoll": (1000,), "thread": (500,)}},
        "Kept connections, requests a second, on one core: one round tells only factors of ten, and there is none.",
    ),
    "one round: a factor of ten is": (
        "kept",
        {"rate": {"epoll": (1000,), "single": (80,)}},
        "Kept connections, requests a second, on one core: most with epoll (1,000): 12 times single (one round).",
    ),
    "one round: one factor of ten among others": (
        "kept",
        {"rate": {"epoll": (1000,), "thread": (400,), "single": (80,)}},
        "Kept connections, requests a second, on one core: the order cannot be told, but epoll (1,000) has 12 times as many as single "
        "(80) (one round).",
    ),
    "what a client costs": (
        "short",
        {"cpu_us": {"process": rounds(1000), "epoll": rounds(100)}},
        "Short connections, CPU time for a request: least with epoll (100 µs): process has 10 times that (10 to 10; ahead "
        "in 8 of 8 rounds).",
    ),
    "memory, of those that keep connections": (
        "crowd",
        {"memory_per_connection_kib": {"thread": rounds(20), "epoll": rounds(0.5), "single": (None,) * 8}},
        "Many idle connections, memory for an idle connection: least with epoll (0.500 KiB): thread has 40 times that (40 "
        "to 40; ahead in 8 of 8 rounds).",
    ),
    "a design that answers nothing": (
        "slow-heads",
        {
            "rate": {"single": (0,) * 8, "epoll": rounds(900)},
            "p90_ms": {"single": (1000.0,) * 8, "epoll": rounds(2)},
        },
        "Slow senders, 90 of 100 requests wait at most: least with epoll (2.00 ms): single has 500 times that (490 to 510; "
        "ahead in 8 of 8 rounds); single answered no request at all.",
    ),
    "failures of a few": (
        "kept",
        {"failures": {"process": (0, 0), "async": (0, 1)}},
        "Of 4,001 requests at most one in a thousand failed, with each design in each scenario.",
    ),
    "failures": (
        "burst",
        {"failures": {"process": (30, 20), "async": (0, 1)}},
        "Requests that failed: process 50 of 2,050 (a burst of connects).",
    ),
    "no failures": (
        "kept",
        {"failures": {"process": (0, 0), "async": (0, 0)}},
        "None of 4,000 requests failed.",
    ),
    "more cores, and the interpreter's lock": (
        "kept",
        {
            "rate": {
                "thread@1": rounds(1000), "thread@2": rounds(600),
                "process@1": rounds(500), "process@2": rounds(950),
                "epoll@1": rounds(1000), "epoll@2": rounds(1000, NOISY),
            }
        },
        "From 1 core to 2: thread serves fewer, 0.60 times as many (0.60 to 0.60; ahead in 0 of 8 rounds); process serves "
        "1.9 times as many requests (1.9 to 1.9; ahead in 8 of 8 rounds); no difference that 8 rounds could tell "
        "with epoll.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_sentence(name: str) -> None:
    scenario, figures, sentence = ROWS[name]
    made = results(scenario, **figures)
    for place, one in enumerate(made.measurements):
        if one.p90_ms:
            made.measurements[place] = replace(one, histogram=histogram(one.p90_ms))
    assert sentence in sentences(made)


def test_the_lock_is_explained_where_the_figures_show_it() -> None:
    _, figures, _ = ROWS["more cores, and the interpreter's lock"]
    assert any("share its lock" in one for one in sentences(results("kept", **figures)))
    both = {"rate": figures["rate"] | {"thread@2": rounds(1900)}}
    assert not any("share its lock" in one for one in sentences(results("kept", **both)))


def test_claims_are_data() -> None:
    made = results("short", cpu_us={"process": rounds(1000), "epoll": rounds(100), "thread": rounds(100, NOISY)})
    (claim,) = verdict(made).claims()
    assert claim == Claim(
        "ahead", "short", "cpu_us", ["thread", "epoll"], ["process"], claim.winner, "process",
        ratio=claim.ratio, low=claim.low, high=claim.high, ahead=8, rounds=8,
    )  # fmt: skip
    assert claim.ratio == pytest.approx(10, rel=0.2)
    assert json.loads(json.dumps(verdict(made).to_json()))[0]["winners"] == ["thread", "epoll"]


def test_what_was_not_measured_is_not_told() -> None:
    assert sentences(results("kept", threads={"epoll": (1,), "thread": (30,)})) == ["None of 2,000 requests failed."]


def test_the_load_generator_was_the_limit() -> None:
    made = results("kept", rate={"async": rounds(40_000), "epoll": rounds(4000)})
    made.measurements = [replace(one, limited_by_load=one.design == "async") for one in made.measurements]
    assert (
        "Kept connections: the load generator was busier than async, so these could have served more requests a second."
        in (sentences(made))
    )


def test_what_is_the_same_of_several_scenarios_is_one_sentence() -> None:
    made = results("kept", rate={"epoll": rounds(1000, NOISY), "thread": rounds(1010)})
    made.scenarios += [Played("short"), Played("large"), Played("crowd")]
    for one in results("short", cpu_us={"epoll": rounds(10, NOISY), "thread": rounds(11)}).measurements:
        made.measurements += [one, replace(one, scenario="large")]
    made.measurements += results(
        "crowd", memory_per_connection_kib={"epoll": rounds(1), "thread": rounds(20)}
    ).measurements
    told = sentences(made)
    assert told[0].startswith("Many idle connections, memory for an idle connection: least with epoll"), "decided first"
    assert told[1] == (
        "Kept connections, requests a second, on one core; short connections and one large file to many, CPU time for a "
        "request: 8 rounds cannot tell the designs apart."
    )
    assert len(told) == 3


def test_decided_pairs_of_designs_without_an_order_are_named() -> None:
    """epoll is better than gevent, and both are level with thread."""
    figures = {"epoll": rounds(1000), "thread": rounds(1050, NOISY), "gevent": rounds(800), "single": rounds(50)}
    made = results("kept", rate=figures)
    (found, *_) = verdict(made).findings
    assert found.tiers == [["epoll", "thread", "gevent"], ["single"]]
    assert found.within == [("epoll", "gevent")]
    assert Words(made).order(found) == (
        "Best first: (epoll, thread, gevent) > single. Within brackets: epoll before gevent"
    )
    assert Words(made, "zh").order(found).endswith("epoll 优于 gevent")
    assert "of which not all can be told apart" not in sentences(made)[0], "single alone is named, as the last"
    last = results(
        "kept",
        rate={name: figures[name] for name in ("epoll", "thread", "gevent")}
        | {"single": rounds(9000), "async": rounds(90_000)},
    )
    assert "of which not all can be told apart: single has" in sentences(last)[0]


def test_a_run_that_is_in_several_files_counts_once(tmp_path: Path) -> None:
    made = results("kept", rate={"epoll": rounds(2000, NOISY), "thread": rounds(1900, NOISY)})
    copies = [tmp_path / f"{number}.json" for number in range(6)]
    for path in copies:
        path.write_text(made.to_json())
    found = read(copies)
    assert len(found.runs) == 1
    assert found.measurements == made.measurements
    other = replace(made, runs=[replace(made.about, date="2026-01-03 03:04 UTC")])
    copies[0].write_text(other.to_json())
    assert len(read(copies).runs) == 2


def test_many_joined_runs_count_once_each() -> None:
    """In each of six runs one design is ahead in all rounds; in two of the runs it is the other one."""

    def run(first: float, second: float) -> Results:
        return Results.from_json(results("kept", rate={"epoll": rounds(first), "thread": rounds(second)}).to_json())

    alike = joined([run(2000, 1000)] * 6)
    assert verdict(alike).unit == "runs"
    assert "ahead in 6 of 6 runs" in sentences(alike)[0]
    different = joined([run(2000, 1000)] * 4 + [run(1000, 2000)] * 2)
    assert sentences(different)[0].endswith("6 runs cannot tell the designs apart.")


@pytest.mark.parametrize(
    ("value", "uncertain", "told"),
    [
        (0, 0, "0"), (0.0621, 0, "0.0621"), (9.42, 0, "9.42"), (99.96, 0, "100"), (999.7, 0, "1,000"), (18924.4, 0, "18,924"),
        (18924.4, 900, "18,900"), (18924.4, 3000, "19,000"), (18924.4, 20_000, "20,000"), (18924.4, None, "19,000"),
        (0.5283, 0.02, "0.53"), (0.5283, 0.0001, "0.528"), (1266.3, 40, "1,270"), (3.04, 0.1, "3.0"), (9.96, 0.1, "10"),
        (0.0, None, "0"), (17.0, 200.0, "20"),
    ],
)  # fmt: skip
def test_figure(value: float, uncertain: float | None, told: str) -> None:
    assert figure(value, uncertain) == told


def test_claims_that_turn_are_found() -> None:
    first = results("kept", rate={"epoll": rounds(2000), "thread": rounds(1000)})
    same = results("kept", rate={"epoll": rounds(1300), "thread": rounds(1000)})
    turned = results("kept", rate={"epoll": rounds(900), "thread": rounds(1000)})
    claims = verdict(first).claims()
    assert failures(claims, [first, same]) == {}
    ((claim, ratios),) = failures(claims, [same, turned]).items()
    assert claim == "kept, rate: epoll before thread, 2.0"
    assert ratios == pytest.approx([1.3, 0.9])


def test_one_disturbed_round_claims_nothing_of_speed() -> None:
    """Other programs had 40 % of the cores' time while one design was measured: its rate says nothing, its cost does."""
    figures = {
        "rate": {"epoll": (1000,), "thread": (900,), "gevent": (50,)},
        "cpu_us": {"epoll": (10,), "gevent": (200,)},
    }
    made = results("kept", **figures)
    made.measurements = [replace(one, disturbed=0.4 if one.design == "gevent" else 0.01) for one in made.measurements]
    cost, rate, _ = sentences(made)
    assert rate == (
        "Kept connections, requests a second, on one core: one round tells only factors of ten, and there is none; "
        "gevent left out, because other programs had more than 25% of the cores' time."
    )
    assert cost.startswith(
        "Kept connections, CPU time for a request: least with epoll (10 µs): gevent has 20 times that"
    )
    every = results("kept", rate=figures["rate"])
    every.measurements = [replace(one, disturbed=0.4) for one in every.measurements]
    assert sentences(every)[0] == (
        "Kept connections, requests a second, on one core: epoll, thread and gevent left out, because other programs had "
        "more than 25% of the cores' time."
    )
    assert json.loads(json.dumps(verdict(every).to_json())) == []


def test_many_disturbed_rounds_are_compared() -> None:
    made = results("kept", rate={"epoll": rounds(2000), "thread": rounds(1000)})
    made.measurements = [replace(one, disturbed=0.6) for one in made.measurements]
    assert "2.0 times thread" in sentences(made)[0]
