"""Which of two designs is ahead, from measurements that were made in the same rounds.

What disturbs a round disturbs all designs in it, so figures are compared within a round, and a pair of designs has one
ratio for each round. The claim that one is ahead rests on three numbers that a reader can check: the median ratio, its
middle half, and in how many rounds it was ahead.

Whether that could be chance is decided by two tests on the logarithms of the ratios: the paired t-test, which needs few
rounds, and Wilcoxon's signed-rank test, which no single wild round can spoil. Either suffices, so the smaller p value
is doubled. Many pairs are tested in a run, and some would look decided by chance; the procedure of Benjamini and
Hochberg keeps the expected share of wrong ones among those that are decided at 5 %. Fewer than six rounds decide
nothing in this way: then all ratios have to be large, with one round a factor of ten.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import mean, median, stdev
from typing import Final

FALSE_SHARE: Final = 0.05
"""The expected share of wrong decisions among all decisions."""
LEAST_ROUNDS: Final = 6
"""With fewer, three ratios that happen to be alike would look sure."""
SMALLEST: Final = 1.05
"""A median ratio closer to 1 is not called a difference: it may come from where a design stands in the memory."""
LARGEST: Final = 1e6
"""Larger ratios count as this one, and infinite ones, too."""
LEAST_DEVIATION: Final = 0.01
"""Of the logarithms of ratios. Rounds that agree more closely, or to the last digit, make nothing surer: no figure is
exact to 1 %."""
ALONE: Final = 10.0
"""The ratio that decides in a single round; in n rounds every one needs the n-th root of it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two designs compared over the rounds: `first` has `ratio` times the figure of `second`."""

    first: str
    second: str
    ratio: float
    """The median over the rounds; infinite where only the second has nothing."""
    low: float
    """The lower end of the middle half of the ratios."""
    high: float
    """The upper end."""
    ahead: int
    """Rounds in which the first had the larger figure."""
    rounds: int
    chance: float
    """The p value: how often a difference like this would come about by chance."""
    smallest: float
    """The smallest ratio of all rounds."""


def pair(first: str, second: str, ratios: Sequence[float]) -> Pair:
    """Compare two designs; the one with the larger figure comes first. ratios: the first one's figure over the second
    one's, one for each round, at least one; infinite where only the second has nothing."""
    if median(ratios) < 1:
        return pair(second, first, [1 / ratio if ratio else math.inf for ratio in ratios])
    ordered = sorted(ratios)
    return Pair(
        first,
        second,
        median(ordered),
        quantile(ordered, 0.25),
        quantile(ordered, 0.75),
        sum(ratio > 1 for ratio in ordered),
        len(ordered),
        chance([math.log(min(max(ratio, 1 / LARGEST), LARGEST)) for ratio in ordered]),
        ordered[0],
    )


def ratio(one: float, other: float) -> float:
    """One figure over another; neither is negative."""
    if one == other:
        return 1.0
    return one / other if other else math.inf


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which this share of the ordered values lies, interpolated."""
    place = share * (len(ordered) - 1)
    lower, upper = ordered[math.floor(place)], ordered[math.ceil(place)]
    return lower if lower == upper else lower + (upper - lower) * (place % 1)


def decided(pairs: Sequence[Pair], share: float = FALSE_SHARE) -> list[Pair]:
    """Those pairs of a whole run of which the first is ahead, beyond chance."""
    tested = sorted((one for one in pairs if one.rounds >= LEAST_ROUNDS), key=lambda one: one.chance)
    last = max((n for n, one in enumerate(tested, 1) if one.chance <= share * n / len(tested)), default=0)
    few = [one for one in pairs if one.rounds < LEAST_ROUNDS and one.smallest >= ALONE ** (1 / one.rounds)]
    return [one for one in [*tested[:last], *few] if one.ratio >= SMALLEST]


def chance(values: Sequence[float]) -> float:
    """How often values would lie so far from zero, in either direction, by chance: the smaller p value of both tests,
    doubled."""
    return min(1.0, 2 * min(t_test(values), signed_rank(values)))


def t_test(values: Sequence[float]) -> float:
    """The p value of the t-test, two-sided: whether the mean of the values is zero. 1 for fewer than two values. The
    values are taken to deviate by LEAST_DEVIATION at least."""
    if len(values) < 2:
        return 1.0
    deviation = max(stdev(values), LEAST_DEVIATION)
    return student(abs(mean(values)) / deviation * math.sqrt(len(values)), len(values) - 1)


def student(t: float, freedom: int) -> float:
    """The probability that Student's t is farther from zero than `t`, by the finite series for whole degrees of freedom
    (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(freedom))
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = term if freedom > 1 else 0.0
    for k in range(2 + odd, freedom - 1, 2):
        term *= math.cos(angle) ** 2 * (k - 1) / k
        total += term
    inside = 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total
    return max(0.0, 1.0 - inside)


def signed_rank(values: Sequence[float]) -> float:
    """The p value of Wilcoxon's signed-rank test, exact and two-sided: whether values lie around zero. Zeros are left
    out, and equal sizes share their ranks."""
    sizes = sorted(abs(value) for value in values if value)
    if not sizes:
        return 1.0
    doubled = {size: 2 * sizes.index(size) + sizes.count(size) + 1 for size in set(sizes)}  # ranks times two are whole
    positive = sum(doubled[value] for value in values if value > 0)
    negative = sum(doubled[-value] for value in values if value < 0)
    ways = _ways(tuple(doubled[size] for size in sizes))
    tail: int = sum(ways[: min(positive, negative) + 1])
    return min(1.0, 2 * tail / 2.0 ** len(sizes))


@cache
def _ways(ranks: tuple[int, ...]) -> list[int]:
    """In how many ways signs can be given to the ranks so that the positive ones have each sum."""
    ways = [1] + [0] * sum(ranks)
    for rank in ranks:
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    return ways


def tiers(names: Sequence[str], ahead: Sequence[Pair]) -> list[list[str]]:
    """Designs in groups, the largest figure first: each design of a group is ahead of each one of the groups below, and
    within a group that is not so. names: ordered by their figures, the largest first. ahead: the decided pairs."""
    beats = {(one.first, one.second) for one in ahead}
    groups: list[list[str]] = []
    begin = 0
    for end in range(1, len(names) + 1):
        if end == len(names) or all((upper, lower) in beats for upper in names[:end] for lower in names[end:]):
            groups.append(list(names[begin:end]))
            begin = end
    return groups
