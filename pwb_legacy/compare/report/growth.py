"""How a figure grows along a curve, named from the data: flat, linear, collapsing at n, and so on.

Each round has a curve of its own, and is named for itself. A design gets the name that its rounds agree on; where they
do not, or where there is one round only, it cannot be told.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

from pwb_legacy.compare.measure.results import Results

LEVEL: Final = 1.5
"""Two figures of which the larger is less than so many times the other are level."""
COLLAPSED: Final = 0.5
"""Of the highest throughput: a curve that falls below it, and stays there, has collapsed."""
LEAPED: Final = 5.0
"""Times the wait at the lowest rate: a curve that rises above it, and stays there, has leaped."""
LINEAR: Final = (0.7, 1.3)
"""The exponents of n that count as linear growth."""
FLAT_EXPONENT: Final = 0.2
LEAST_POINTS: Final = 4
"""Of a curve, to be named."""
LEAST_ROUNDS: Final = 2
APART: Final = 8.0
"""Where the rounds place a turn so many times apart, its place cannot be told."""
CANNOT_TELL: Final = "cannot_tell"

Curve = Mapping[float, float]
"""Figures by their place on the axis, in its order."""
Name = tuple[str, float | None]
"""A kind of growth, and the place of its turn, or how many times the figure grows; None: it has none."""


@dataclass(frozen=True, slots=True)
class Growth:
    """How a figure of one design grows."""

    design: str
    kind: str
    """What the functions below return: "flat", "saturates", "collapses" and so on; or CANNOT_TELL."""
    least: float | None = None
    """The place of the turn in the round that has it first, or the factor of the round that has the smallest."""
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One picture: a figure along an axis."""

    name: str
    axis: str
    """A question of the points: "clients" or "offered"."""
    figure: str
    """A field of Point."""
    named: Callable[[Curve], Name]
    """Names the growth of one round."""
    judged: str = ""
    """The field by which it is named, where that is another one: one that the requests of each round carry."""


def throughput(curve: Curve) -> Name:
    """What can be said of requests a second over clients."""
    places, values = list(curve), _smoothed(list(curve.values()))
    most = sorted(values)[-max(1, len(values) // 3)]  # a single lucky point is no level to fall from
    low = [value < COLLAPSED * most for value in values]
    if low[-1]:
        return "collapses", places[len(low) - low[::-1].index(False)]
    reached = next(place for place, value in enumerate(values) if value * LEVEL >= most)
    if reached:
        return "saturates", places[reached]
    return "flat", None


def waits(curve: Curve) -> Name:
    """What can be said of a wait over clients: by which power of n it grows, from a few clients on."""
    upper = list(curve.items())[len(curve) // 3 :]
    exponent = _slope([(math.log(place), math.log(value)) for place, value in upper])
    if exponent < FLAT_EXPONENT:
        return "flat", None
    return "slower" if exponent < LINEAR[0] else "linear" if exponent <= LINEAR[1] else "faster", None


def cost(curve: Curve) -> Name:
    """What can be said of the cost of a request over clients."""
    values = list(curve.values())
    first, last = fmean(values[:2]), fmean(values[-2:])
    if max(first, last) < LEVEL * min(first, last):
        return "flat", None
    return ("grows", last / first) if last > first else ("falls", first / last)


def leap(curve: Curve) -> Name:
    """What can be said of a wait over the share of the capacity that is asked for."""
    places, values = list(curve), list(curve.values())
    high = [value > LEAPED * median(values[:3]) for value in values]
    if not high[-1]:
        return "no_leap", None
    return "leaps", places[len(high) - high[::-1].index(False)]


QUESTIONS: Final = (
    Question("rate", "clients", "rate", throughput),
    Question("wait", "clients", "p99_ms", waits, judged="p90_ms"),
    Question("cpu", "clients", "cpu_us", cost),
    Question("load", "offered", "p90_ms", leap, judged="p50_ms"),
)
"""In the order of the page."""


def growths(results: Results, question: Question) -> list[Growth]:
    """How each design's figure grows, in the order of the designs."""
    swept = {one.design for one in results.points}
    designs = [one.name for one in results.designs if one.name in swept and one.kind != "reference"]
    return [_agreed(name, rounds(results, name, question), question) for name in designs]


def rounds(results: Results, design: str, question: Question) -> list[dict[float, float]]:
    """The curve of each round. Points that show the load generator, not the server, are left out."""
    field = question.judged or question.figure
    found: dict[tuple[int, int], dict[float, float]] = {}
    for one in results.points:
        counts = not one.limited_by_load or question.axis == "clients"
        if counts and (one.design, one.question) == (design, question.axis) and (value := getattr(one, field)):
            found.setdefault((one.run, one.round), {})[one.x] = value
    return [dict(sorted(curve.items())) for curve in found.values()]


def _agreed(design: str, curves: Sequence[Curve], question: Question) -> Growth:
    names = [question.named(curve) for curve in curves if len(curve) >= LEAST_POINTS]
    if len(names) < LEAST_ROUNDS:
        return Growth(design, CANNOT_TELL)
    ((kind, times),) = Counter(kind for kind, _ in names).most_common(1)
    places = [place for name, place in names if name == kind and place is not None]
    if times < len(names) - len(names) // 5 or (places and max(places) > APART * min(places)):
        return Growth(design, CANNOT_TELL)
    if kind in ("grows", "falls"):
        return Growth(design, kind, median(places))
    return Growth(design, kind, min(places, default=None), max(places, default=None))


def _smoothed(values: Sequence[float]) -> list[float]:
    """Each value but the ends as the median of itself and its neighbours, so that a single wild one decides nothing."""
    return [*values[:1], *(median(values[at - 1 : at + 2]) for at in range(1, len(values) - 1)), *values[1:][-1:]]


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the line that fits best."""
    x, y = fmean(a for a, _ in points), fmean(b for _, b in points)
    return sum((a - x) * (b - y) for a, b in points) / sum((a - x) ** 2 for a, _ in points)
