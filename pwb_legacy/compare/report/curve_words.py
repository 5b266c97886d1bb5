"""What the curves of a sweep show, as sentences and as cells of tables, by the templates of a catalogue."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import median

from hdrh.histogram import HdrHistogram

from pwb_legacy.compare.measure.results import Point, Results
from pwb_legacy.compare.measure.running_server import CARRIES, PERCENTILES

from .claims import DISTURBED
from .growth import CANNOT_TELL, QUESTIONS, Growth, Question, growths
from .spread import figure, waits
from .words import Words

ORDER = (
    "flat",
    "saturates",
    "slower",
    "linear",
    "faster",
    "falls",
    "grows",
    "no_leap",
    "leaps",
    "collapses",
    CANNOT_TELL,
)
"""Kinds of growth, the best first."""
Three = tuple[float, float, float]
"""The smallest, the middle and the largest figure of the rounds."""


def at(results: Results, design: str, axis: str, x: float) -> list[Point]:
    """The points of all rounds at one place, those without figures left out."""
    return [one for one in results.points if (one.design, one.question, one.x) == (design, axis, x) and one.why is None]


def places(results: Results, axis: str) -> list[float]:
    """Where on the axis something was measured."""
    return sorted({one.x for one in results.points if one.question == axis})


def three(points: Sequence[Point], field: str) -> Three | None:
    """A figure over the rounds. A percentile that the requests of no single round carry is that of all together."""
    values = [value for one in points if (value := getattr(one, field)) is not None and value > 0]
    if not values and field in PERCENTILES and (together := waits(points)):
        values = [value for value in [_percentile(together, PERCENTILES[field])] if value is not None]
    return (min(values), median(values), max(values)) if values else None


def limited(points: Sequence[Point]) -> bool:
    """Whether the load generator was the bottleneck in most rounds."""
    return 2 * sum(one.limited_by_load for one in points) > len(points)


def disturbed(points: Sequence[Point]) -> bool:
    """Whether other programs had too much of the cores' time in most rounds."""
    return 2 * sum((one.disturbed or 0.0) > DISTURBED for one in points) > len(points)


def drawn(results: Results, design: str, question: Question, x: float) -> Three | None:
    """What is drawn at a place; None where there is no figure, or it would be that of the load generator."""
    points = at(results, design, question.axis, x)
    if question.axis == "offered" and limited(points):
        return None
    return three(points, question.figure)


def told(value: Three) -> str:
    """The middle as text, with the digits that the spread allows."""
    least, middle, most = value
    return figure(middle, (most - least) / 2 if most > least else None)


def sentences(results: Results, words: Words) -> list[str]:
    """One for each question."""
    return [
        words.say("growth", title=words.say(f"curve.{one.name}"), parts=grown(results, words, one)) for one in QUESTIONS
    ]


def grown(results: Results, words: Words, question: Question) -> str:
    """How the figure of each design grows, as a part of a sentence."""
    if len({(one.run, one.round) for one in results.points}) == 1:
        return words.say("growth.cannot_tell.one_round")
    separator: str = words.texts["part"]
    return separator.join(_parts(growths(results, question), words))


def capacities(results: Results, words: Words) -> str:
    """What each design could serve, so that shares become rates; empty where that was not measured."""
    parts = []
    for design in results.designs:
        found = [one.offered / one.x for one in results.points if one.design == design.name and one.offered]
        if found:
            values = {"design": design.name, "rate": figure(median(found), (max(found) - min(found)) / 2)}
            parts.append(words.say("curve.capacity.part", **values))
    return words.say("curve.capacity", parts=words.texts["comma"].join(parts)) if parts else ""


def place(x: float) -> str:
    """A place on an axis: 64, or 0.85."""
    return f"{x:g}"


def _parts(found: Sequence[Growth], words: Words) -> Iterator[str]:
    ordered = sorted(found, key=lambda one: ORDER.index(one.kind))
    for kind, group in groupby(ordered, lambda one: one.kind):
        ones = list(group)
        if kind in ("grows", "falls"):
            by_factor = sorted(ones, key=lambda each: each.least or 0.0)
            named = [
                words.say("growth.designs", design=one.design, at=figure(one.least or 0.0, None)) for one in by_factor
            ]
            yield words.say(f"growth.{kind}", designs=words.listed(named))
            continue
        for (least, most), same in groupby(sorted(ones, key=_turn), lambda one: (one.least, one.most)):
            names = words.listed([one.design for one in same])
            yield words.say(f"growth.{kind}", designs=names, at=_span(least, most, words))


def _turn(one: Growth) -> tuple[float, float]:
    return one.least or 0.0, one.most or 0.0


def _span(least: float | None, most: float | None, words: Words) -> str:
    if least is None or most is None:
        return ""
    return place(least) if least == most else words.say("to", least=place(least), most=place(most))


def _percentile(together: HdrHistogram, percent: int) -> float | None:
    if together.get_total_count() < CARRIES[percent]:
        return None
    return max(float(together.get_value_at_percentile(percent)), 1.0) / 1000
