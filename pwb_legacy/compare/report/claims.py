"""What the figures of a run carry: which designs are ahead of which, as data. The sentences are in texts/.

1. For each scenario there are a few measures of which claims are made (MEASURES).
2. In each round every two designs have a ratio (paired.py).
3. All pairs of the run are tested together, so that their number does not make chance look like a result.
4. The decided pairs order the designs into tiers, and between two tiers there is a claim; with one tier there is none,
   and that is a result, too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median
from typing import Any, Final

from pwb_legacy.compare.measure.results import Design, Measurement, Results
from pwb_legacy.compare.measure.scenarios import PAGES

from . import paired
from .paired import Pair

WAIT: Final = "wait"
"""The highest percentile that the requests of every round carry."""
PERCENTILES: Final = ("p99_ms", "p90_ms", "p50_ms")
MORE_IS_BETTER: Final = ("rate",)
MEASURES: Final[dict[str, tuple[str, ...]]] = {
    "kept": ("rate", "cpu_us"),
    "short": ("cpu_us",),
    "crowd": ("memory_per_connection_kib",),
    "slow-heads": (WAIT,),
    "slow-readers": (WAIT,),
    "vanishing": (WAIT,),
    "slow-disk": (WAIT,),
    "burst": (WAIT,),
    "many": (WAIT, "cpu_us"),
    "large": ("cpu_us",),
    **dict.fromkeys(PAGES, ("page_ms", "cpu_us")),
    "replay": (WAIT,),
}
"""Of which measures claims are made, in the order in which they are reported."""
CORES: Final = ("kept", "rate")
"""The scenario and the measure that show what a further core brings."""
DISTURBED: Final = 0.25
"""The share of the cores' time. Where other programs had more, and there are few rounds, nothing is concluded from how
fast a design was; in many rounds they meet all designs alike."""
STEADY: Final = ("cpu_us", "memory_per_connection_kib")
"""Measures that depend little on what other programs do."""
SPEED: Final = (*MORE_IS_BETTER, *PERCENTILES, "page_ms")
"""Measures that depend on it."""
LEAST_RUNS: Final = paired.LEAST_ROUNDS
"""Joined runs from which on each run counts once: the rounds of one machine resemble each other."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Each of the winners is ahead of each of the losers; the numbers are those of the two that are closest."""

    kind: str
    """"ahead": better in this scenario. "cores": the same design on more cores does more, or less."""
    scenario: str
    measure: str
    winners: list[str]
    losers: list[str]
    winner: str
    loser: str
    ratio: float | None
    """How many times the figure of the worse one it is, as a number above 1; None: beyond measure."""
    low: float | None
    """The lower end of the middle half of the ratios."""
    high: float | None
    ahead: int
    """Rounds in which the winner was ahead."""
    rounds: int


@dataclass(frozen=True, slots=True)
class Finding:
    """The order of the designs by one measure in one scenario, as far as the rounds carry it."""

    scenario: str
    measure: str
    cores: int
    tiers: list[list[str]]
    """The best ones first; within a tier the rounds cannot tell which is better."""
    claims: list[Claim]
    """Between each tier and the next; with one tier, the largest difference that is decided, if there is one."""
    within: list[tuple[str, str]]
    """Of the designs of a tier those of which the first is better than the second. The others of the tier stand between
    them, or beside them, so that there is no order of all."""
    rounds: int
    disturbed: list[str]
    """Designs that were left out, because other programs had too much of the cores' time."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """What more cores bring to a design."""

    design: str
    few: int
    many: int
    """Numbers of cores."""
    ratio: float
    """The median of what it does on many over what it does on few."""
    claim: Claim | None
    """None: the rounds cannot tell."""
    rounds: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything that the figures of a run carry."""

    findings: list[Finding]
    scaling: list[Scaling]
    unit: str
    """What counts once: "rounds", or "runs" where enough runs were joined."""

    def claims(self) -> list[Claim]:
        """All claims."""
        found = [claim for one in self.findings for claim in one.claims]
        return found + [one.claim for one in self.scaling if one.claim]

    def to_json(self) -> list[dict[str, Any]]:
        """All claims as plain values."""
        return [asdict(one) for one in self.claims()]


@dataclass(frozen=True, slots=True)
class _Group:
    """Designs that are compared with each other, and every pair of them."""

    scenario: str
    measure: str
    cores: int
    names: list[str]
    """Those with the largest figure first."""
    pairs: list[Pair]
    disturbed: list[str]
    """Designs that were left out."""


def verdict(results: Results) -> Verdict:
    """What the figures of a run carry."""
    groups = [group for group in _groups(results) if group.pairs or group.disturbed]
    scaling = list(_scaling_pairs(results))
    steady = [
        one for few, many, one in scaling if not any(_disturbs(results, each.name, CORES[0]) for each in (few, many))
    ]
    ahead = paired.decided([one for group in groups for one in group.pairs] + steady)
    decided = {id(one) for one in ahead}
    return Verdict(
        findings=[_finding(group, [one for one in group.pairs if id(one) in decided]) for group in groups],
        scaling=[
            Scaling(
                few.design or few.name,
                few.cores,
                many.cores,
                one.ratio if one.first == many.name else 1 / one.ratio,
                _claim("cores", *CORES, [one.first], [one.second], one) if id(one) in decided else None,
                one.rounds,
            )
            for few, many, one in scaling
        ],
        unit="runs" if len(results.runs) >= LEAST_RUNS else "rounds",
    )


def measure_of(results: Results, scenario: str, measure: str) -> str | None:
    """The field of Measurement for a measure; None where no percentile of the waits is carried by all rounds."""
    if measure != WAIT:
        return measure
    whole = [one for one in results.measurements if one.scenario == scenario and one.why is None]
    return next((name for name in PERCENTILES if whole and all(getattr(one, name) is not None for one in whole)), None)


def figures(results: Results, design: str, scenario: str, name: str) -> dict[tuple[int, int], float]:
    """A figure in each round, by run and round, where it is there. A design that answered nothing has a rate of 0."""
    return {
        (one.run, one.round): value
        for one in results.of(design, scenario)
        if one.why is None and (value := getattr(one, name)) is not None
    }


def _groups(results: Results) -> Iterator[_Group]:
    played = {one.name for one in results.scenarios}
    designs = [one for one in results.designs if one.kind != "reference"]
    for scenario, measures in MEASURES.items():
        for measure in measures if scenario in played else ():
            name = measure_of(results, scenario, measure)
            if name is None:
                continue
            for cores in sorted({one.cores for one in results.designs}):
                yield _group(results, scenario, name, [one for one in designs if one.cores == cores])


def _group(results: Results, scenario: str, name: str, designs: Sequence[Design]) -> _Group:
    every = {one.name: found for one in designs if (found := figures(results, one.name, scenario, name))}
    known = {each: found for each, found in every.items() if name in STEADY or not _disturbs(results, each, scenario)}
    names = sorted(known, key=lambda each: median(known[each].values()), reverse=True)
    pairs = [
        one
        for place, first in enumerate(names)
        for second in names[place + 1 :]
        if (one := _pair(results, first, second, known[first], known[second]))
    ]
    return _Group(scenario, name, designs[0].cores, names, pairs, [each for each in every if each not in known])


def is_disturbed(results: Results, design: str, scenario: str) -> bool:
    """Whether other programs had too much of the cores' time: in most rounds, or in one of few."""
    shares = _shares(results, design, scenario)
    over = sum(share > DISTURBED for share in shares)
    return over > 0 if len(shares) < paired.LEAST_ROUNDS else 2 * over > len(shares)


def _shares(results: Results, design: str, scenario: str) -> list[float]:
    """The share of the cores' time that other programs had, in each round."""
    return [one.disturbed or 0.0 for one in results.of(design, scenario) if one.why is None]


def _disturbs(results: Results, design: str, scenario: str) -> bool:
    """Whether a design is left out: it was disturbed, and there are too few rounds for that to even out."""
    few = len(_shares(results, design, scenario)) < paired.LEAST_ROUNDS
    return few and is_disturbed(results, design, scenario)


def _pair(
    results: Results,
    first: str,
    second: str,
    ones: dict[tuple[int, int], float],
    others: dict[tuple[int, int], float],
) -> Pair | None:
    ratios = {place: paired.ratio(ones[place], others[place]) for place in ones.keys() & others.keys()}
    if not ratios:
        return None
    if len(results.runs) < LEAST_RUNS:
        return paired.pair(first, second, list(ratios.values()))
    runs = {run for run, _ in ratios}
    return paired.pair(first, second, [median(value for (of, _), value in ratios.items() if of == run) for run in runs])


def _scaling_pairs(results: Results) -> Iterator[tuple[Design, Design, Pair]]:
    """Each design on the fewest and on the most cores that were measured."""
    for name in dict.fromkeys(one.design for one in results.designs if one.design and one.kind != "reference"):
        same = sorted((one for one in results.designs if one.design == name), key=lambda one: one.cores)
        few, many = same[0], same[-1]
        known = [figures(results, one.name, *CORES) for one in (many, few)]
        if few is not many and (one := _pair(results, many.name, few.name, *known)):
            yield few, many, one


def _finding(group: _Group, ahead: Sequence[Pair]) -> Finding:
    tiers = paired.tiers(group.names, ahead)
    if group.measure not in MORE_IS_BETTER:
        tiers = [tier[::-1] for tier in reversed(tiers)]
    claims = []
    if len(tiers) == 1 and ahead:
        far = max(ahead, key=lambda one: (one.ratio, one.ahead))
        better, worse = _better_first(far, group.measure)
        claims.append(_claim("ahead", group.scenario, group.measure, [better], [worse], far))
    for upper, lower in pairwise(tiers):
        closest = min((one for one in ahead if _across(one, upper, lower)), key=lambda one: one.ratio)
        claims.append(_claim("ahead", group.scenario, group.measure, upper, lower, closest))
    rounds = max((one.rounds for one in group.pairs), default=0)
    places = {name: place for place, tier in enumerate(tiers) for name in tier}
    better_first = [_better_first(one, group.measure) for one in ahead]
    within = [(better, worse) for better, worse in better_first if places[better] == places[worse]]
    return Finding(group.scenario, group.measure, group.cores, tiers, claims, within, rounds, group.disturbed)


def _better_first(one: Pair, measure: str) -> tuple[str, str]:
    return (one.first, one.second) if measure in MORE_IS_BETTER else (one.second, one.first)


def _across(one: Pair, better: Sequence[str], worse: Sequence[str]) -> bool:
    """Whether a pair has one design of each tier."""
    return (one.first in better and one.second in worse) or (one.first in worse and one.second in better)


def _claim(kind: str, scenario: str, measure: str, winners: list[str], losers: list[str], one: Pair) -> Claim:
    winner, loser = _better_first(one, measure)
    return Claim(
        kind, scenario, measure, winners, losers, winner, loser,
        ratio=_finite(one.ratio), low=_finite(one.low), high=_finite(one.high),
        ahead=one.ahead, rounds=one.rounds,
    )  # fmt: skip


def _finite(value: float) -> float | None:
    return value if value != float("inf") else None


def failed(measurements: Sequence[Measurement]) -> tuple[int, int]:
    """Requests that failed, and all requests, of some measurements."""
    failures = sum(one.failures for one in measurements)
    return failures, failures + sum(one.requests for one in measurements)
