"""The part of the page that shows a sweep: for each question a picture, what it shows in words, and a table."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from markupsafe import Markup

from pwb_legacy.compare.measure.results import Results

from . import chart_data
from .claims import DISTURBED, SPEED
from .curve_words import at, capacities, disturbed, drawn, grown, limited, place, places, sentences, three, told
from .curves import Axes, Line, curves
from .growth import QUESTIONS, Question
from .lines import dashes
from .words import Words

NOTED: Final = ("rate", "load")
"""Questions that have the notes of their axis."""
WIDTHS: Final = (("wide", 820), ("narrow", 370))
"""Pixels of the two drawings of a picture, of which the page shows the one that fits."""


def sections(results: Results, words: Words, family: Callable[[str], str]) -> list[dict[str, Any]]:
    """What the template needs, for each question; empty where there was no sweep."""
    if not results.points:
        return []
    said = sentences(results, words)
    return [_section(results, words, family, *pair) for pair in zip(QUESTIONS, said, strict=True)]


def _section(
    results: Results, words: Words, family: Callable[[str], str], question: Question, said: str
) -> dict[str, Any]:
    name = question.name
    columns = ("page.design", f"curve.{question.axis}", "csv.least", f"curve.{name}.figure", "csv.most")
    return {
        "name": f"curve-{name}",
        "title": words.say(f"curve.{name}"),
        "teaches": words.say(f"curve.{name}.teaches", connections=results.about.connections),
        "said": said,
        "grown": words.say(
            "growth.alone" if question.axis == "clients" else "growth.alone.offered",
            parts=grown(results, words, question),
        ),
        "capacities": capacities(results, words) if question.axis == "offered" else "",
        "csv": chart_data.of_curves(
            [words.say(key) for key in columns],
            _lines(results, family, question),
        ),
        "pictures": list(_pictures(results, words, family, question)),
        "caption": words.say("curves.caption", figure=words.say(f"curve.{name}.figure")),
        "columns": [place(x) for x in places(results, question.axis)],
        "reading": words.say("curves.table", axis=words.say(f"curve.{question.axis}")),
        "rows": [
            (design.name, [_cell(results, design.name, question, x, words) for x in places(results, question.axis)])
            for design in results.designs
        ],
        "limited": any(one.limited_by_load for one in results.points if one.question == question.axis),
        "notes": list(_notes(results, words, question.axis)) if name in NOTED else [],
        "disturbed": _disturbed(results, question, words),
    }


def _pictures(
    results: Results, words: Words, family: Callable[[str], str], question: Question
) -> Iterator[tuple[str, str]]:
    """The same picture in two widths, or why there is none: no fault in a drawing may cost the page."""
    axes = Axes(
        words.say(f"curve.{question.axis}"),
        words.say("curve.up", figure=words.say(f"curve.{question.name}.figure")),
        places(results, question.axis),
        question.axis == "clients",
    )
    label = words.say(f"curve.{question.name}")
    lines = list(_lines(results, family, question))
    for kind, width in WIDTHS:
        try:
            yield kind, Markup(curves(lines, axes, label, width))  # noqa: S704 - curves escape it
        except Exception as error:
            yield kind, words.say("page.no_chart", why=error)


def _lines(results: Results, family: Callable[[str], str], question: Question) -> Iterator[Line]:
    dashed = dashes((one.name, family(one.name), one.kind == "reference") for one in results.designs)
    for design in results.designs:
        found = {x: drawn(results, design.name, question, x) for x in places(results, question.axis)}
        points = {x: value for x, value in found.items() if value is not None}
        yield Line(design.name, f"var(--{family(design.name)})", dashed[design.name], points)


def _cell(results: Results, design: str, question: Question, x: float, words: Words) -> tuple[str, str]:
    """A figure, and below it the smallest and the largest of the rounds."""
    points = at(results, design, question.axis, x)
    value = three(points, question.figure)
    if value is None:
        return "-", ""
    least, _, most = value
    ends = [told((end, end, end)) for end in (least, most)]
    between = words.say("between", least=ends[0], most=ends[1]) if ends[0] != ends[1] else ""
    hollow = question.figure in SPEED and disturbed(points)
    return told(value) + " *" * limited(points) + " †" * hollow, between


def _disturbed(results: Results, question: Question, words: Words) -> str:
    """What the mark of disturbed figures means; empty where there are none."""
    every = (at(results, one.name, question.axis, x) for one in results.designs for x in places(results, question.axis))
    some = question.figure in SPEED and any(disturbed(points) for points in every)
    return words.say("curves.disturbed", share=DISTURBED) if some else ""


def _notes(results: Results, words: Words, axis: str) -> Iterator[str]:
    """What could not be measured, once for each reason."""
    seen = set()
    for one in results.points:
        if one.why is not None and one.question == axis and (one.design, one.why) not in seen:
            seen.add((one.design, one.why))
            yield words.say("curves.failed", design=one.design, x=place(one.x), why=one.why)
    points = [one for one in results.points if one.question == axis]
    failures, requests = sum(one.failures for one in points), sum(one.requests for one in points)
    parts = []
    for design in results.designs:
        bad = [one for one in points if one.design == design.name and one.failures > 0.01 * (one.requests + 1)]
        if bad:
            xs = sorted({one.x for one in bad})
            span = place(xs[0]) if len(xs) == 1 else words.say("to", least=place(xs[0]), most=place(xs[-1]))
            parts.append(words.say("growth.designs", design=design.name, at=span))
    if parts:
        yield words.say("curves.failures", failures=failures, requests=failures + requests, parts=words.listed(parts))
