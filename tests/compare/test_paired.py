"""Which design is ahead: the test, the correction for many pairs, and a simulation with a known truth."""

import math
import random
from collections.abc import Sequence

import pytest

from pwb_legacy.compare.report.paired import Pair, decided, pair, ratio, signed_rank, student, t_test, tiers


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
    ("values", "chance"), [([1, 2, 3, 4, 5], 0.013236), ([1], 1), ([0, 0], 1), ([2, 2], 0), ([1, -1], 1)]
)
def test_the_t_test(values: Sequence[float], chance: float) -> None:
    assert t_test(values) == pytest.approx(chance, rel=0.001)


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
"""What a default run has on two cores at least; most have more."""
TRUTH = {"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.3, "e": 1.3, "f": 2.0, "g": 2.6, "h": 6.0, "i": 7.8}
"""True figures: of two neighbours some are the same, and some 1.3 times as large."""
EQUAL = dict.fromkeys(TRUTH, 1.0)
MEASURES = 13
"""Of which a run makes claims."""


def noise(chance: random.Random) -> float:
    """The logarithm of what disturbs one measurement. Two designs' ratio in one round, measured on two cores beside other
    programs, differed from the median ratio by 0.05 to 0.16 (normal deviation, from the middle half), with one in ten far
    outside: 0.1 for each of the two is a run that is more disturbed than most."""
    return chance.gauss(0, 0.08 if chance.random() < 0.9 else 0.32)


def simulated(chance: random.Random, truths: Sequence[dict[str, float]], rounds: int) -> list[tuple[float, bool]]:
    """For each pair of a run, the true ratio of the one that is said to be ahead, and whether it is a claim."""
    pairs, true = [], []
    for truth in truths:
        figures = {name: [value * math.exp(noise(chance)) for _ in range(rounds)] for name, value in truth.items()}
        for place, first in enumerate(truth):
            for second in list(truth)[place + 1 :]:
                one = pair(first, second, list(map(ratio, figures[first], figures[second])))
                pairs.append(one)
                true.append(truth[one.first] / truth[one.second])
    claimed = {id(one) for one in decided(pairs)}
    return list(zip(true, (id(one) in claimed for one in pairs), strict=True))


def test_false_claims_are_rare_and_a_factor_of_1_3_is_found() -> None:
    """30 runs: at most 5 % of what is claimed is wrong, and of the true factors of 1.3 at least 80 % are found."""
    chance = random.Random(1)
    found = [each for _ in range(30) for each in simulated(chance, [TRUTH] * MEASURES, DEFAULT_ROUNDS)]
    claims = [true for true, claimed in found if claimed]
    assert sum(true <= 1 for true in claims) <= 0.05 * len(claims)
    small = [claimed for true, claimed in found if true == pytest.approx(1.3) or true == pytest.approx(1 / 1.3)]
    assert sum(small) >= 0.8 * len(small)


def test_where_all_are_equal_hardly_a_run_claims_anything() -> None:
    """100 runs in which no design is ahead: whatever is claimed is wrong, so at most 5 of them may claim something."""
    chance = random.Random(2)
    wrong = sum(any(claimed for _, claimed in simulated(chance, [EQUAL] * 4, DEFAULT_ROUNDS)) for _ in range(100))
    assert wrong <= 5
