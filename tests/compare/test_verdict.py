"""The verdict says what the figures say: rows of made-up figures, and the sentence."""

from typing import Any

import pytest

from pwb_legacy.compare.report.findings import sentences
from pwb_legacy.compare.report.spread import figure

from .sample_results import results

CLOSE = {"epoll": (950, 1000, 1050), "thread": (900, 960, 1000)}

ROWS: dict[str, tuple[str, dict[str, Any], str]] = {
    "first, next and last": (
        "kept",
        {"rate": {"epoll": (4000, 4100, 3900), "async": (40_000, 41_000, 39_000), "process": (1000, 1010, 990)}},
        "On kept connections async is the fastest: 40,000 requests a second, 10 times epoll, the next. "
        "The slowest is process with 1,000.",
    ),
    "the order is what was measured, not what theory has": (
        "kept",
        {"rate": {"async": (100, 110, 105), "process": (9000, 9010, 9020)}},
        "On kept connections process is the fastest: 9,010 requests a second, 85.8 times async, the next.",
    ),
    "within the spread": (
        "kept",
        {"rate": {**CLOSE, "single": (10, 11, 12)}},
        "On kept connections epoll and thread are level: 960 to 1,000 requests a second, closer together than the "
        "rounds are. The slowest is single with 11.",
    ),
    "one round: a small difference may be none": (
        "many",
        {"rate": {"epoll": (1000,), "thread": (900,)}},
        "With many files epoll and thread are level: 900 to 1,000 requests a second, too close to tell apart in one "
        "round.",
    ),
    "who pays most for a client": (
        "short",
        {"cpu_us": {"process": (900, 1000, 1100), "epoll": (90, 100, 110)}},
        "A client that comes for one request costs most in process: 1,000 microseconds of processor time, "
        "10 times epoll (100).",
    ),
    "a client costs all alike": (
        "short",
        {"cpu_us": CLOSE},
        "A short connection costs all designs alike: 960 to 1,000 microseconds of processor time.",
    ),
    "memory, the least first": (
        "crowd",
        {"memory_per_connection_kib": {"thread": (20,), "epoll": (0.5,), "single": (None,), "process": (3000,)}},
        "A connection that does nothing costs 0.5 KiB in epoll, 20 KiB in thread and 3,000 KiB in process.",
    ),
    "stopped": (
        "slow-heads",
        {
            "rate": {"single": (0, 0), "epoll": (900, 1000), "thread": (900, 1100)},
            "p99_ms": {"single": (None, None), "epoll": (2, 4), "thread": (4, 6)},
        },
        "Half-sent requests stop single: not one other client is answered; with the others 99 of 100 of them wait at "
        "most 3 ms (epoll) to 5 ms (thread).",
    ),
    "held up": (
        "slow-readers",
        {"rate": {"single": (4, 6), "epoll": (900, 1000), "thread": (900, 1100)}},
        "Slow readers hold up single: 5 requests a second, where the middle design answers 950.",
    ),
    "nobody is held up": (
        "vanishing",
        {"rate": CLOSE},
        "Clients that vanish hold up no design's other clients.",
    ),
    "a slow disk, in groups": (
        "slow-disk",
        {"rate": {"async": (9000,), "epoll": (48,), "single": (46,), "thread": (1500,)}},
        "From a slow disk come, in requests a second: single and epoll 46 to 48; thread 1,500; async 9,000.",
    ),
    "who comes last in a burst": (
        "burst",
        {"p99_ms": {"process": (2000, 1900), "async": (20, 30)}},
        "When all connect at once, the last of them wait 1,950 ms at process, 25 ms at async.",
    ),
    "a recording": (
        "replay",
        {"p99_ms": {"process": (20.0, 22.0), "async": (1.0, 2.0)}},
        "Of the replayed requests 99 of 100 wait at most 1.5 ms (async) to 21 ms (process).",
    ),
    "failures": (
        "burst",
        {"failures": {"process": (30, 20), "async": (0, 1)}},
        "Requests that failed: process 50 of 2,050 (a burst of connects).",
    ),
    "no failures": (
        "kept",
        {"failures": {"process": (0, 0), "async": (0, 1)}},
        "Of 4,000 requests at most one in a thousand failed, in any scenario.",
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_sentence(name: str) -> None:
    scenario, figures, sentence = ROWS[name]
    assert sentence in sentences(results(scenario, **figures))


def test_what_was_not_measured_is_not_told() -> None:
    assert sentences(results("kept", threads={"epoll": (1,), "thread": (30,)})) == [
        "Of 2,000 requests at most one in a thousand failed, in any scenario."
    ]


def test_the_load_generator_was_the_limit() -> None:
    made = results("kept", rate={"async": (40_000, 41_000), "epoll": (4000, 4100)})
    made.measurements = [
        type(one)(**{name: getattr(one, name) for name in one.__slots__} | {"limited_by_load": one.design == "async"})
        for one in made.measurements
    ]
    assert sentences(made)[0].startswith("On kept connections async is the fastest: at least 40,500 requests a second")


@pytest.mark.parametrize(
    ("value", "told"),
    [(0, "0"), (0.0621, "0.0621"), (9.42, "9.42"), (99.96, "100"), (999.7, "1,000"), (18924.4, "18,924")],
)
def test_figure(value: float, told: str) -> None:
    assert figure(value) == told
