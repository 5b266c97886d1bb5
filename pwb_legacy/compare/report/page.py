"""compare.html: the results of a run as one page that needs nothing else, neither network nor script.

For each scenario: what it teaches; three charts, of which the first carries that; then all figures. What could not be
measured, and why, stands beside them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup, escape

from pwb_legacy.compare.measure.results import Design, Lesson, Measurement, Results

from .charts import Bar, bars
from .spread import Spread, figure, spread
from .templates import printed


@dataclass(frozen=True, slots=True)
class Measure:
    """One kind of figure. name: the field of Measurement. short: above a column. unit: after the title of a chart.
    good: "more", "less" or "". scale: what the field is divided by."""

    name: str
    title: str
    short: str
    unit: str = ""
    good: str = ""
    scale: float = 1.0

    def told(self, value: float) -> str:
        return figure(value / self.scale)


MEASURES: Final = {
    one.name: one
    for one in (
        Measure("rate", "Requests a second", "requests/s", good="more"),
        Measure("p50_ms", "Half of all wait at most", "p50 ms", "ms", "less"),
        Measure("p90_ms", "90 of 100 wait at most", "p90 ms", "ms", "less"),
        Measure("p99_ms", "99 of 100 wait at most", "p99 ms", "ms", "less"),
        Measure("cpu_us", "Processor time for a request", "CPU µs", "µs", "less"),
        Measure("memory_kib", "Memory of all its processes", "MiB", "MiB", "less", 1024),
        Measure("memory_per_connection_kib", "Memory per idle client", "KiB each", "KiB", "less"),
        Measure("threads", "Threads", "threads"),
        Measure("processes", "Processes", "processes"),
        Measure("switches", "Context switches for a request", "switches", "", "less"),
        Measure("system_calls", "System calls for a request", "calls", "", "less"),
    )
}
"""In the order of the columns."""

CHARTS: Final = {
    "short": ("rate", "cpu_us", "p99_ms"),
    "kept": ("rate", "cpu_us", "p99_ms"),
    "many": ("rate", "cpu_us", "p99_ms"),
    "large": ("rate", "cpu_us", "memory_kib"),
    "crowd": ("memory_per_connection_kib", "threads", "processes"),
    "slow-heads": ("rate", "p99_ms", "cpu_us"),
    "slow-readers": ("p99_ms", "rate", "memory_kib"),
    "burst": ("p99_ms", "cpu_us", "threads"),
    "vanishing": ("rate", "p99_ms", "cpu_us"),
    "slow-disk": ("rate", "p99_ms", "threads"),
}
"""What is drawn for each scenario; the first carries what it teaches."""
USUAL: Final = ("rate", "p99_ms", "cpu_us")

FAMILIES: Final = (
    ("one", "one client at a time", ("single",)),
    ("each", "something waits for each client", ("thread", "process", "gevent")),
    ("loop", "epoll tells who is ready", ("epoll", "epoll-thread")),
    ("async", "an asyncio event loop", ("async", "async-uncached", "async-asyncio")),
)
"""How the designs wait: a colour for each way."""


def render(results: Results) -> str:
    """The whole page."""
    return printed(
        "page.html",
        results=results,
        about=results.about,
        conditions=list(_conditions(results)),
        families=[(key, told) for key, told, names in FAMILIES if any(one.name in names for one in results.designs)],
        family=family,
        named=_namer(results),
        sections=[_section(results, lesson) for lesson in results.scenarios],
    )


def family(design: str) -> str:
    """The name of the colour of a design."""
    return next((key for key, _, names in FAMILIES if design in names), "plain")


def _namer(results: Results) -> Callable[[str], Markup]:
    """Makes a sentence HTML, with the names of designs in bold."""
    names = sorted((one.name for one in results.designs), key=len, reverse=True)
    name = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, names))})(?![\w-])")

    def named(sentence: str) -> Markup:
        parts = name.split(sentence) if names else [sentence]
        told = (Markup("<b>{}</b>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts))
        return Markup("").join(told)

    return named


def _conditions(results: Results) -> Iterator[tuple[str, str]]:
    about = results.about
    yield "PWB", about.version
    yield "Command", about.command
    yield "Date", about.date
    yield "Machine", f"{about.cpu}, {about.cores} cores, {about.memory_mib / 1024:,.0f} GiB"
    yield "System", f"{about.system}, {about.kernel}"
    yield "Python", ", ".join([about.python, *(f"{name} {version}" for name, version in about.packages.items())])
    yield "Load", "the laboratory's own generator" if about.load == "own" else f"{about.load}, where it can"
    yield "Clients", f"{about.connections} busy connections, unless the scenario says otherwise"
    yield "Rounds", f"{about.rounds}, each of {about.duration:g} s for a measurement; seed {about.seed}"
    yield "Site", about.site


def _section(results: Results, lesson: Lesson) -> dict[str, Any]:
    rows = [(design, results.median(design.name, lesson.name)) for design in results.designs]
    return {
        "name": lesson.name,
        "title": lesson.title,
        "teaches": lesson.teaches,
        "charts": [chart for name in CHARTS.get(lesson.name, USUAL) if (chart := _chart(results, lesson, name))],
        "columns": (columns := [one for one in MEASURES.values() if _is_known(rows, one)]),
        "rows": [_row(results, lesson, design, middle, columns) for design, middle in rows if middle],
        "notes": list(_notes(rows)),
    }


def _is_known(rows: list[tuple[Design, Measurement | None]], measure: Measure) -> bool:
    return any(middle and getattr(middle, measure.name) is not None for _, middle in rows)


def _chart(results: Results, lesson: Lesson, name: str) -> dict[str, Any] | None:
    """One chart; None when not one design has that figure."""
    measure = MEASURES[name]
    rows = []
    for design in results.designs:
        if (middle := results.median(design.name, lesson.name)) is not None:
            known = spread(results, design.name, lesson.name, name)
            rows.append(_bar(design.name, middle, known, measure))
    if not any(row.value is not None for row in rows):
        return None
    told = "; ".join(f"{row.name}: {row.told}" for row in rows)
    return {
        "title": measure.title,
        "unit": measure.unit,
        "good": f"{measure.good} is better" if measure.good else "",
        "svg": Markup(bars(rows, f"{lesson.title}. {measure.title}. {told}")),  # noqa: S704 - charts escape it
    }


def _bar(name: str, middle: Measurement, known: Spread | None, measure: Measure) -> Bar:
    colour = f"var(--{family(name)})"
    if known is None:
        return Bar(name, None, _missing(middle, measure), colour)
    least, value, most = (part / measure.scale for part in (known.least, known.middle, known.most))
    mark = " *" if middle.limited_by_load and measure.name == "rate" else ""
    return Bar(name, value, figure(value) + mark, colour, least, most)


def _missing(middle: Measurement, measure: Measure) -> str:
    """Instead of a figure."""
    if middle.why is None and not middle.requests:
        return "no answer"
    if middle.why is None and measure.name == "memory_per_connection_kib":
        return "keeps no connection"
    return "not measured"


def _row(
    results: Results, lesson: Lesson, design: Design, middle: Measurement, columns: list[Measure]
) -> dict[str, Any]:
    """One line of the table: the median, and below the rate its spread."""
    told = [getattr(middle, one.name) for one in columns]
    rates = spread(results, design.name, lesson.name, "rate")
    rounds = [one for one in results.measurements if (one.design, one.scenario) == (design.name, lesson.name)]
    return {
        "design": design.name,
        "why": middle.why,
        "cells": ["-" if value is None else one.told(value) for one, value in zip(columns, told, strict=True)],
        "spread": f"{figure(rates.least)} to {figure(rates.most)}" if rates and rates.rounds > 1 else "",
        "failures": sum(one.failures for one in rounds),
        "limited": middle.limited_by_load,
    }


def _notes(rows: list[tuple[Design, Measurement | None]]) -> Iterator[str]:
    """What a reader must know of a scenario's figures."""
    for design, middle in rows:
        if middle is None:
            yield f"{design.name} was not asked: the run was interrupted before."
        elif middle.why:
            yield f"{design.name} could not be measured, because {middle.why}"
        elif not middle.requests:
            yield f"{design.name} answered nobody in the time of a measurement."
    if limited := [design.name for design, middle in rows if middle and middle.limited_by_load]:
        yield f"* The load generator was busier than {', '.join(limited)}: at least so many requests a second."
