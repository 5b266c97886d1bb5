"""How the growth of a curve is named, from curves of a known shape; and what is said and drawn of them."""

import math
import random
import re
from collections import Counter
from dataclasses import asdict, replace

import pytest

from pwb_legacy.compare.measure.results import Results, joined
from pwb_legacy.compare.measure.sweep_plan import CLIENTS
from pwb_legacy.compare.report import page
from pwb_legacy.compare.report.curve_words import sentences
from pwb_legacy.compare.report.curves import Axes, Line, curves
from pwb_legacy.compare.report.growth import (
    CANNOT_TELL,
    LEAST_POINTS,
    QUESTIONS,
    cost,
    growths,
    leap,
    throughput,
    waits,
)
from pwb_legacy.compare.report.words import Words

from .sample_results import NASTY, swept, swept_results, swept_whole

RATE, WAIT, CPU, LOAD = QUESTIONS


def over(*values: float) -> dict[float, float]:
    """A curve over 1, 2, 4 ... clients."""
    return {2.0**place: value for place, value in enumerate(values)}


@pytest.mark.parametrize(
    ("curve", "name"),
    [
        (over(9, 10, 11, 10, 9.5, 10), ("flat", None)),
        (over(2, 5, 9, 10, 9, 9), ("saturates", 4)),
        (over(3, 6, 10, 9, 4, 3), ("collapses", 16)),
        (over(3, 5, 9, 1, 9, 9, 9), ("saturates", 8)),
        (over(3, 5, 9, 9, 90, 9, 9), ("saturates", 4)),
        (over(10, 9, 8, 4, 3, 1), ("collapses", 8)),
    ],
)
def test_throughput(curve: dict[float, float], name: tuple[str, float | None]) -> None:
    assert throughput(curve) == name


@pytest.mark.parametrize(("exponent", "kind"), [(0, "flat"), (0.5, "slower"), (1, "linear"), (2, "faster")])
def test_waits_over_clients(exponent: float, kind: str) -> None:
    assert waits({n: 0.3 * n**exponent for n in CLIENTS}) == (kind, None)


def test_cost() -> None:
    assert cost(over(50, 55, 60, 52)) == ("flat", None)
    assert cost(over(50, 50, 100, 200, 200)) == ("grows", 4)
    assert cost(over(200, 200, 100, 50, 50)) == ("falls", 4)


def test_waits_over_load() -> None:
    assert leap({0.1: 1, 0.5: 1.2, 0.9: 2, 1.2: 4}) == ("no_leap", None)
    assert leap({0.1: 1, 0.5: 1.2, 0.9: 9, 1.2: 90}) == ("leaps", 0.9)
    assert leap({0.1: 9, 0.3: 1, 0.5: 1, 0.9: 2, 1.2: 90}) == ("leaps", 1.2)


def test_rounds_that_agree_are_named_and_others_cannot_be_told() -> None:
    flat, falling = over(9, 10, 11, 10), over(10, 9, 2, 1)
    found = growths(swept_results(*swept("epoll", flat, flat, flat), *swept("process", flat, falling, flat)), RATE)
    assert [(one.design, one.kind) for one in found] == [("epoll", "flat"), ("process", CANNOT_TELL)]


def test_a_place_on_which_the_rounds_differ_a_little_is_a_span_and_one_far_off_cannot_be_told() -> None:
    early, late = over(10, 9, 8, 4, 3, 3, 3, 3), over(10, 9, 8, 8, 8, 3, 3, 3)
    latest = over(10, 9, 8, 8, 8, 9, 9, 3)
    (near,) = growths(swept_results(*swept("process", early, late)), RATE)
    assert (near.kind, near.least, near.most) == ("collapses", 8, 32)
    (far,) = growths(swept_results(*swept("process", early, latest)), RATE)
    assert far.kind == CANNOT_TELL


@pytest.mark.parametrize("noise", [0.1, 0.2, 0.4])
def test_a_noisy_machine_makes_it_silent_not_wrong(noise: float) -> None:
    """Of three rounds, of which each point is off by a factor that is normal in its logarithm, as that of a machine with
    other work: at most one in twenty names is wrong, and a collapse to a quarter is found in four of five."""
    chance = random.Random(1)
    truths = {
        "flat": dict.fromkeys(CLIENTS, 1000.0),
        "collapses": {n: 1000.0 if n < 64 else 250.0 for n in CLIENTS},
        "saturates": {n: 1000 * min(1, (n + 1) / 5) for n in CLIENTS},
    }
    for truth, curve in truths.items():
        found = Counter(
            growths(swept_results(*swept("epoll", *(_noisy(curve, noise, chance) for _ in range(3)))), RATE)[0].kind
            for _ in range(300)
        )
        assert sum(times for kind, times in found.items() if kind not in (truth, CANNOT_TELL)) <= 0.05 * 300, found
        if truth == "collapses":
            assert found[truth] >= 0.8 * 300


def _noisy(curve: dict[int, float], noise: float, chance: random.Random) -> dict[float, float]:
    return {n: value * math.exp(chance.gauss(0, noise)) for n, value in curve.items()}


def test_one_round_and_few_points_tell_nothing() -> None:
    flat = over(9, 10, 11, 10)
    assert growths(swept_results(*swept("epoll", flat)), RATE)[0].kind == CANNOT_TELL
    few = dict(list(flat.items())[: LEAST_POINTS - 1])
    assert growths(swept_results(*swept("epoll", few, few)), RATE)[0].kind == CANNOT_TELL


def test_points_of_an_open_loop_that_show_the_load_generator_do_not_count() -> None:
    curve = {0.1: 1.0, 0.3: 1.0, 0.5: 1.0, 0.7: 1.0, 1.2: 90.0}
    points = swept("epoll", curve, curve, figure="p50_ms", question="offered")
    assert growths(swept_results(*points), LOAD)[0].kind == "leaps"
    points = [replace(point, limited_by_load=point.x == 1.2) for point in points]
    assert growths(swept_results(*points), LOAD)[0].kind == "no_leap"


def test_what_is_said() -> None:
    flat, falling = over(9, 10, 11, 10), over(10, 9, 2, 1)
    results = swept_results(*swept("epoll", flat, flat), *swept("process", falling, falling))
    told = sentences(results, Words(results))
    assert told[0] == (
        "Requests a second, over the number of clients: flat with epoll; collapses at 4 clients with process."
    )
    assert "the rounds cannot tell for epoll and process" in told[1]
    once = swept_results(*swept("epoll", flat))
    assert all(each.endswith(": a single round cannot tell.") for each in sentences(once, Words(once)))


def test_the_page_of_a_sweep() -> None:
    told = page.render(swept_whole())
    assert told.rstrip().endswith("</html>")
    assert NASTY not in told
    assert "epoll at 0.1: it ended: &lt;script" in told
    assert "failed: epoll (8)" in told
    assert "could not be drawn" not in told
    pictures = re.findall(
        r'<div class="(wide|narrow)">\s*<svg role="img" aria-label="([^"]+)"', told.partition("<template")[0]
    )
    assert [kind for kind, _ in pictures] == ["wide", "narrow"] * 3
    assert "A claim compares two designs" not in told


def test_a_sweep_is_written_read_and_joined() -> None:
    results = swept_whole()
    again = Results.from_json(results.to_json())
    assert list(map(asdict, again.points)) == list(map(asdict, results.points))
    both = joined([results, again])
    assert {one.run for one in both.points} == {0, 1}
    assert len(both.points) == 2 * len(results.points)


@pytest.mark.parametrize("points", [{}, {1.0: (1.0, 1.0, 1.0)}, {1.0: (1e-3, 1.0, 1e6), 8.0: (2.0, 2.0, 2.0)}])
@pytest.mark.parametrize("doubling", [True, False])
def test_no_curve_is_too_strange_to_be_drawn(points: dict[float, tuple[float, float, float]], doubling: bool) -> None:
    line = Line("<epoll>", "var(--loop)", [], points)
    svg = curves([line, line], Axes("n", "y", [1.0, 8.0], doubling), "<label>", 360)
    assert "NaN" not in svg
    assert "Infinity" not in svg
    assert ("&lt;epoll&gt;" in svg) == bool(points)


def test_factors_stand_beside_the_designs() -> None:
    rising = over(50, 50, 100, 200, 200)
    cheap, dear = swept("epoll", rising, rising, figure="cpu_us"), swept("process", rising, rising, figure="cpu_us")
    dear = [replace(point, cpu_us=(point.cpu_us or 0) ** 2) for point in dear]
    told = sentences(swept_results(*cheap, *dear), Words(swept_results(*cheap, *dear)))
    assert told[2].endswith(": grows, by the factors in brackets, with epoll (4.0) and process (16).")


def test_a_reference_is_drawn_in_grey_and_not_named() -> None:
    flat = over(9, 10, 11, 10)
    results = swept_results(*swept("epoll", flat, flat), *swept("nginx", flat, flat), names=("epoll", "nginx"))
    results.designs[1] = replace(results.designs[1], kind="reference")
    assert [one.design for one in growths(results, RATE)] == ["epoll"]
    drawn = page.render(results)
    assert 'stroke="var(--line)"' in drawn
    assert "The same responses, 1 ways" in drawn
