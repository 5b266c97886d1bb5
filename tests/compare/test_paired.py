"""Which design is ahead: the test, the correction for many pairs, and a simulation with a known truth."""

import math
import random
from collections.abc import Sequence

import pytest

from pwb_legacy.compare.report.paired import (
    LEAST_ROUNDS,
    Pair,
    decided,
    pair,
    ratio,
    signed_rank,
    student,
    t_test,
    tiers,
)


@pytest.mark.parametrize(
    ("values", "chance"),
    [
        ([1, 2, 3, 4, 5, 6], 2 / 64),
        ([-1, 2, 3, 4, 5, 6], 4 / 64),
        ([1, 2, 3, 4, 5, -6], 28 / 64),
        ([1, -1], 1.0),
        ([0, 0], 1.0),
        ([1, 1, 1, 1, 1, 1, 1, 1], 2 / 256),
        ([1, -1, 1, 1, 1, 1, 1, 1], 18 / 256),
        ([math.inf] * 6, 2 / 64),
    ],
)
def test_the_signed_rank_test_is_exact(values: Sequence[float], chance: float) -> None:
    """Against tables of the distribution, and with ties counted by hand."""
    assert signed_rank(values) == pytest.approx(chance)


@pytest.mark.parametrize(
    ("freedom", "five", "one_per_mille"),
    [(1, 12.706, 636.619), (2, 4.303, 31.599), (3, 3.182, 12.924), (4, 2.776, 8.610), (5, 2.571, 6.869),
     (6, 2.447, 5.959), (7, 2.365, 5.408), (8, 2.306, 5.041), (11, 2.201, 4.437), (30, 2.042, 3.646)],
)  # fmt: skip
def test_students_distribution(freedom: int, five: float, one_per_mille: float) -> None:
    """Against the usual table of critical values."""
    assert student(five, freedom) == pytest.approx(0.05, rel=0.001)
    assert student(one_per_mille, freedom) == pytest.approx(0.001, rel=0.001)


@pytest.mark.parametrize(
    ("values", "chance"), [([1, 2, 3, 4, 5], 0.013236), ([1], 1), ([0, 0], 1), ([2, 2], 0.00225079), ([1, -1], 1)]
)
def test_the_t_test(values: Sequence[float], chance: float) -> None:
    assert t_test(values) == pytest.approx(chance, rel=0.001)


@pytest.mark.parametrize("rounds", [2, 6])
def test_rounds_that_agree_to_the_last_digit_are_not_certain(rounds: int) -> None:
    """The figures have a resolution: rounds without any spread make nothing surer than rounds that differ by 1 %."""
    nearly = [0.26 + 0.01 * (-1) ** place for place in range(rounds)]
    assert t_test([0.26] * rounds) > 0
    assert t_test([0.26] * rounds) == pytest.approx(t_test(nearly), rel=3)


def test_a_pair_puts_the_larger_figure_first() -> None:
    one = pair("a", "b", [0.5, 0.4, 0.25])
    assert (one.first, one.second, one.ratio, one.ahead, one.rounds, one.smallest) == ("b", "a", 2.5, 3, 3, 2.0)
    assert (one.low, one.high) == (2.25, 3.25)


def test_a_design_that_answers_nothing_is_behind() -> None:
    one = pair("a", "b", [ratio(5, 0), ratio(7, 0), ratio(0, 0)])
    assert (one.first, one.ratio, one.ahead) == ("a", math.inf, 2)


@pytest.mark.parametrize(
    ("ratios", "told"),
    [
        ([9.0], False),
        ([10.5], True),
        ([3.0, 20.0], False),
        ([3.2, 20.0], True),
        ([1.3] * 5, False),
        ([1.6] * 5, True),
        ([1.3] * 6, True),
        ([1.02] * 12, False),
        ([1.3] * 11 + [100.0], True),
        ([1.2, 1.5, 1.3, 1.4, 1.3, 0.1], False),
        ([1.3, 1.2, 1.4, 0.9, 1.3, 0.8, 1.1, 0.95], False),
    ],
)
def test_how_much_decides(ratios: list[float], told: bool) -> None:
    """One round: a factor of ten. Fewer than six: large in each. From six on, the test."""
    assert bool(decided([pair("a", "b", ratios)])) is told


@pytest.mark.parametrize("rounds", [7, 8, 10, 12, 20, 50])
def test_more_rounds_never_make_it_blinder(rounds: int) -> None:
    """Rounds differ by more than the designs do, but in each of them the same one is ahead."""
    chance = random.Random(rounds)
    ratios = [1.2 * math.exp(abs(chance.gauss(0, 0.5))) for _ in range(rounds)]
    assert decided([pair("a", "b", ratios)])


def test_many_pairs_are_corrected_for() -> None:
    """One pair of 41 in which six of six rounds agree may be chance; 40 of 80 are not."""
    sure = [pair("a", "b", [1.1, 1.5, 1.2, 1.4, 1.3, 1.3])]
    unsure = [pair("c", "d", [1.3, 0.8, 1.2, 0.9, 1.1, 0.85])] * 40
    assert decided(sure)
    assert decided(sure + unsure) == []
    assert len(decided(sure * 40 + unsure)) == 40


def test_tiers_are_what_is_decided_throughout() -> None:
    def ahead(*names: str) -> list[Pair]:
        return [pair(name[0], name[1], [2.0] * 6) for name in names]

    assert tiers("abc", []) == [["a", "b", "c"]]
    assert tiers("abc", ahead("ac")) == [["a", "b", "c"]], "b is level with both"
    assert tiers("abc", ahead("ab", "ac")) == [["a"], ["b", "c"]]
    assert tiers("abc", ahead("ab", "ac", "bc")) == [["a"], ["b"], ["c"]]
    assert tiers("a", []) == [["a"]]


# --- how often it is wrong

DEFAULT_ROUNDS = 8
"""About what a default run has on two idle cores; it has LEAST_ROUNDS at least."""
TRUTH = {"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.3, "e": 1.3, "f": 2.0, "g": 2.6, "h": 6.0, "i": 7.8}
"""True figures: of two neighbours some are the same, and some 1.3 times as large."""
EQUAL = dict.fromkeys(TRUTH, 1.0)
MEASURES = 13
"""Of which a run makes claims."""


QUIET, LOUD, WILD = 0.08, 0.25, 0.7
"""How far the logarithm of one measurement deviates. Measured on two cores beside other programs (load average 8 to 16, in
a default run, from the middle half of the ratios): 0.06 for CPU time and memory, 0.25 for requests a second, 0.3 to 0.9 for
waits."""


def noise(chance: random.Random, deviation: float) -> float:
    """The logarithm of what disturbs one measurement; one in ten is far outside, as it was there."""
    return chance.gauss(0, deviation if chance.random() < 0.9 else 4 * deviation)


def simulated(
    chance: random.Random, truths: Sequence[dict[str, float]], rounds: int, deviation: float
) -> list[tuple[float, bool]]:
    """For each pair of a run, the true ratio of the one that is said to be ahead, and whether it is a claim."""
    pairs, true = [], []
    for truth in truths:
        figures = {
            name: [value * math.exp(noise(chance, deviation)) for _ in range(rounds)] for name, value in truth.items()
        }
        for place, first in enumerate(truth):
            for second in list(truth)[place + 1 :]:
                one = pair(first, second, list(map(ratio, figures[first], figures[second])))
                pairs.append(one)
                true.append(truth[one.first] / truth[one.second])
    claimed = {id(one) for one in decided(pairs)}
    return list(zip(true, (id(one) in claimed for one in pairs), strict=True))


@pytest.mark.parametrize(
    ("rounds", "deviation"),
    [(1, QUIET), (1, LOUD), (3, LOUD), (3, WILD), (LEAST_ROUNDS, QUIET), (LEAST_ROUNDS, WILD), (DEFAULT_ROUNDS, LOUD)],
)
def test_false_claims_are_rare(rounds: int, deviation: float) -> None:
    """10 runs: at most 5 % of what is claimed is wrong, however little was measured. Where one round is as disturbed as
    WILD, nothing is claimed of waits at all (test_verdict.py)."""
    chance = random.Random(1)
    claims = [
        true for _ in range(10) for true, claimed in simulated(chance, [TRUTH] * MEASURES, rounds, deviation) if claimed
    ]
    assert sum(true <= 1 for true in claims) <= 0.05 * len(claims)


@pytest.mark.parametrize(("rounds", "deviation"), [(LEAST_ROUNDS, 0.06), (DEFAULT_ROUNDS, QUIET)])
def test_a_factor_of_1_3_is_found(rounds: int, deviation: float) -> None:
    """10 runs: at least 80 % of the true factors of 1.3 are claimed."""
    chance = random.Random(1)
    found = [each for _ in range(10) for each in simulated(chance, [TRUTH] * MEASURES, rounds, deviation)]
    small = [claimed for true, claimed in found if true in (pytest.approx(1.3), pytest.approx(1 / 1.3))]
    assert sum(small) >= 0.8 * len(small)


@pytest.mark.parametrize("deviation", [QUIET, LOUD])
def test_where_all_are_equal_hardly_a_run_claims_anything(deviation: float) -> None:
    """100 runs in which no design is ahead: whatever is claimed is wrong, so at most 5 of them may claim something."""
    chance = random.Random(2)
    runs = [simulated(chance, [EQUAL] * 4, DEFAULT_ROUNDS, deviation) for _ in range(100)]
    assert sum(any(claimed for _, claimed in run) for run in runs) <= 5
