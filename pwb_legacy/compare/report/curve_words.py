"""What the curves of a sweep show, as sentences and as cells of tables, by the templates of a catalogue."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import median

from hdrh.histogram import HdrHistogram

from pwb_legacy.compare.measure.results import Point, Results
from pwb_legacy.compare.measure.running_server import CARRIES

from .growth import CANNOT_TELL, QUESTIONS, Growth, Question, growths
from .spread import PERCENTILES, figure, waits
from .words import Words

ORDER = ("flat", "saturates", "slower", "linear", "faster", "falls", "grows", "leaps", "collapses", CANNOT_TELL)
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
    """A figure over the rounds. A percentile is that of all their requests together, if they carry it."""
    values = [value for one in points if (value := getattr(one, field)) is not None and value > 0]
    if field in PERCENTILES:
        together = waits(points)
        middle = _percentile(together, PERCENTILES[field]) if together else None
        if middle is None:
            return None
        return min([*values, middle]), middle, max([*values, middle])
    return (min(values), median(values), max(values)) if values else None


def limited(points: Sequence[Point]) -> bool:
    """Whether the load generator was the bottleneck in most rounds."""
    return 2 * sum(one.limited_by_load for one in points) > len(points)


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
    rounds = {(one.run, one.round) for one in results.points}
    found = []
    for question in QUESTIONS:
        if len(rounds) == 1:
            parts = [words.say("growth.cannot_tell.one_round")]
        else:
            parts = list(_parts(growths(results, question), words))
        if parts:
            title = words.say(f"curve.{question.name}")
            found.append(words.say("growth", title=title, parts=words.texts["part"].join(parts)))
    return found


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
            for one in sorted(ones, key=lambda each: each.least or 0.0):
                yield words.say(f"growth.{kind}", designs=one.design, times=figure(one.least or 0.0, None))
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
