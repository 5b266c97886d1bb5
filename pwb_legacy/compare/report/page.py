"""compare.html: the results of a run as one page that needs nothing else, neither network nor script.

For each scenario: what can be seen in it; the order of the designs, as far as the figures carry it; three charts, of
which the first shows what the scenario is about; how long requests wait; then all figures. What could not be measured,
and why, is beside them. A chart that cannot be drawn leaves a line with the reason, and the rest of the page is there.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any, Final, get_args

from markupsafe import Markup, escape

from pwb_async.config.language import LANGUAGES
from pwb_async.config.modes import MODES, Family
from pwb_legacy.compare.measure.results import Design, Results
from pwb_legacy.compare.measure.running_server import PERCENTILES
from pwb_legacy.compare.measure.scenarios import PAGES

from . import chart_data
from .charts import Bar, bars, scale_of
from .claims import SPEED, WAIT, Verdict, is_disturbed, measure_of, verdict
from .curves_page import sections as curve_sections
from .lines import dashes
from .measures import MEASURES, WAITS, Measure
from .notes import measured_in, notes, warnings
from .spread import Spread, spread, waits
from .templates import block, printed
from .waits_chart import waits_chart
from .words import Words, is_limited

CHARTS: Final = {
    "short": ("cpu_us", "rate", WAIT),
    "kept": ("rate", "cpu_us", "memory_kib"),
    "many": (WAIT, "cpu_us", "p50_ms"),
    "large": ("cpu_us", "rate", "memory_kib"),
    "crowd": ("memory_per_connection_kib", "threads", "processes"),
    "slow-heads": (WAIT, "p50_ms", "cpu_us"),
    "slow-readers": (WAIT, "p50_ms", "memory_kib"),
    "burst": (WAIT, "cpu_us", "threads"),
    "vanishing": (WAIT, "p50_ms", "cpu_us"),
    **dict.fromkeys(PAGES, ("page_ms", "cpu_us", "p50_ms")),
    "slow-disk": (WAIT, "p50_ms", "threads"),
}
"""What is drawn for each scenario; the first shows what it is about. WAIT is the highest percentile that all carry."""
USUAL: Final = ("rate", WAIT, "cpu_us")

LESSON: Final = (
    *("lesson.guess", "lesson.guess.of", "lesson.result", "lesson.times", "lesson.exact"),
    "lesson.slide",
)
"""Texts that the script fills in."""

FAMILIES: Final = {
    **{family: tuple(name for name, mode in MODES.items() if mode.family == family) for family in get_args(Family)},
    "async": ("async", "async-uncached", "async-asyncio", "async-http2"),
    "line": ("nginx",),
}
"""How the designs wait: a colour for each way."""


def render(results: Results, language: str = "en", guess: bool = False) -> str:
    """The whole page. It is read in one language, and has a switch to the others. guess: it begins with guesses."""
    found = verdict(results)
    values = {each: _Page(results, Words(results, each), found).values() for each in LANGUAGES}
    others = [
        {"language": one["language"], "title": one["title"], "body": block("page.html", "body", **one)}
        for name, one in values.items()
        if name != language
    ]
    return printed("page.html", **values[language], others=others, guess=guess)


def family(design: str) -> str:
    """The name of the colour of a design, on any number of cores."""
    return next((key for key, names in FAMILIES.items() if design.partition("@")[0] in names), "plain")


class _Page:
    """What the template of the page needs."""

    def __init__(self, results: Results, words: Words, found: Verdict) -> None:
        self._results = results
        self._words = words
        self._verdict = found

    def values(self) -> dict[str, Any]:
        results, words = self._results, self._words
        used = {family(one.name) for one in results.designs}
        curves = curve_sections(results, words, family)
        return {
            "language": words.language,
            "title": words.say("page.title", date=results.about.date),
            "results": results,
            "about": results.about,
            "say": words.say,
            "verdict": [*self._measured(), *(curve["said"] for curve in curves)],
            "conditions": list(words.conditions()),
            "remarks": [words.remark(kind, values) for kind, values in results.about.remarks],
            "ways": len({one.design.partition("@")[0] for one in results.designs if one.kind == "design"}),
            "columns": [words.measure(name)[:2] for name in MEASURES],
            "lesson_texts": {key: words.texts[key] for key in LESSON},
            "families": [(key, words.family(key)) for key in FAMILIES if key in used],
            "family": family,
            "interpreter": words.interpreter,
            "about_kind": words.design,
            "named": _namer(results),
            "sections": [self._section(one.name) for one in results.scenarios],
            "curves": curves,
        }

    def _measured(self) -> list[str]:
        """What the scenarios carry; nothing where none was played."""
        return self._words.verdict(self._verdict) if self._results.measurements else []

    def _section(self, scenario: str) -> dict[str, Any]:
        designs = [one for one in self._results.designs if self._results.of(one.name, scenario)]
        columns = [one for one in MEASURES.values() if any(self._spread(each, scenario, one) for each in designs)]
        drawn = dict.fromkeys(self._field(scenario, name) for name in CHARTS.get(scenario, USUAL))
        charts = [self._drawn(self._chart, scenario, name) for name in drawn if name]
        return {
            "name": scenario,
            "title": self._words.title(scenario),
            "teaches": self._words.teaches(scenario),
            "orders": [
                (self._words.measure(one.measure)[0], self._words.order(one))
                for one in self._verdict.findings
                if one.scenario == scenario and (len(one.tiers) > 1 or one.within)
            ],
            "charts": [chart for chart in charts if chart],
            "waits": self._drawn(self._waits, scenario) if scenario in WAITS else None,
            "columns": list(self._heads(columns)),
            "rows": [self._row(design, scenario, columns) for design in designs],
            "notes": list(notes(self._results, self._words, scenario)),
            "warnings": list(warnings(self._results, self._words, scenario)),
        }

    def _field(self, scenario: str, name: str) -> str:
        """The field of Measurement that is drawn; empty where there is none. It is that of the claims, if there are
        any."""
        if field := measure_of(self._results, scenario, name):
            return field
        measured = measured_in(self._results, scenario)
        carried = (
            each
            for each in reversed(PERCENTILES)
            if all(spread(self._results, one, scenario, each) for one in measured)
        )
        return next(carried, "")

    def _spread(self, design: Design, scenario: str, measure: Measure) -> Spread | None:
        return spread(self._results, design.name, scenario, measure.name)

    def _drawn(self, draw: Callable[..., dict[str, Any] | None], *values: str) -> dict[str, Any] | None:
        """A chart, or why there is none: no fault in a drawing may cost the page."""
        try:
            return draw(*values)
        except Exception as error:
            return {"title": "", "notes": "", "svg": self._words.say("page.no_chart", why=error), "name": ""}

    def _chart(self, scenario: str, name: str) -> dict[str, Any] | None:
        """One chart; None where no design has that figure."""
        measure = MEASURES[name]
        rows = [
            self._bar(one, scenario, measure) for one in self._results.designs if self._results.of(one.name, scenario)
        ]
        values = [row.value for row in rows if row.value]
        known = {one.name: one.kind for one in self._results.designs}
        reference = next((row.value for row in rows if row.value and known[row.name] == "reference"), None)
        if not any(row.value is not None for row in rows):
            return None
        title, _, unit, _ = self._words.measure(name)
        notes = [unit, self._words.say(f"page.{measure.good}") if measure.good else ""]
        notes.append(self._words.say("page.logarithmic") if values and max(values) > 100 * min(values) else "")
        told = "; ".join(f"{row.name}: {row.told}" for row in rows)
        label = f"{self._words.title(scenario)}. {title}. {told}"
        return {
            "title": title,
            "notes": self._words.texts["comma"].join(filter(None, notes)),
            "svg": Markup(bars(rows, label, line=reference)),  # noqa: S704 - charts escape it
            "name": f"{scenario}-{name}",
            "csv": chart_data.of_bars(self._columns(f"{title} ({unit})" if unit else title), rows),
            "lesson": chart_data.lesson(rows, scale_of(rows, line=reference)),
        }

    def _columns(self, title: str) -> list[str]:
        """The heads of the columns of a chart's CSV."""
        say = self._words.say
        return [say("page.design"), title, say("csv.low"), say("csv.high")]

    def _bar(self, design: Design, scenario: str, measure: Measure) -> Bar:
        colour = f"var(--{family(design.name)})"
        known = self._spread(design, scenario, measure)
        if known is None:
            return Bar(design.name, None, self._missing(design, scenario, measure.name), colour)
        told = measure.told(known)
        if known.n is not None:
            told = self._words.say("value.of", value=told, n=known.n)
        if measure.name == "rate" and is_limited(self._results, design.name, scenario):
            told += " *"
        hollow = measure.name in SPEED and is_disturbed(self._results, design.name, scenario)
        shown = measure.scaled(known)
        return Bar(design.name, shown.middle, told + " †" * hollow, colour, shown.low, shown.high, hollow)

    def _missing(self, design: Design, scenario: str, name: str) -> str:
        """Why there is no figure."""
        measurements = self._results.of(design.name, scenario)
        reasons = [one.missing[name] for one in measurements if name in one.missing]
        return self._words.say(f"missing.{reasons[-1]}" if reasons else "missing.not_measured")

    def _waits(self, scenario: str) -> dict[str, Any] | None:
        say = self._words.say
        found = {one.name: waits(self._results.of(one.name, scenario)) for one in self._results.designs}
        curves = {name: one for name, one in found.items() if one is not None}
        dashed = dashes((one.name, family(one.name), one.kind == "reference") for one in self._results.designs)
        looks = {name: (f"var(--{family(name)})", dash) for name, dash in dashed.items()}
        title, percent = say("page.waits"), say("page.waits.axis")
        svg = waits_chart(curves, looks, f"{self._words.title(scenario)}. {title}", percent)
        if not svg:
            return None
        return {
            "title": title,
            "notes": self._words.texts["comma"].join(["ms", say("page.logarithmic")]),
            "svg": Markup(svg),  # noqa: S704 - charts escape it
            "name": f"{scenario}-waits",
            "csv": chart_data.of_waits([say("page.design"), percent, "ms"], curves),
        }

    def _heads(self, columns: list[Measure]) -> Iterator[str]:
        """Heads of the columns; the number of requests stands right before the percentiles."""
        for percentiles, group in groupby(columns, lambda one: one.name in PERCENTILES):
            if percentiles:
                yield self._words.say("page.requests")
            yield from (self._words.measure(one.name)[1] for one in group)

    def _row(self, design: Design, scenario: str, columns: list[Measure]) -> dict[str, Any]:
        """One line of the table: figures, and below each the middle half of the rounds."""
        measurements = self._results.of(design.name, scenario)
        whole = [one for one in measurements if one.why is None]
        cells: list[tuple[str, str]] = []
        for percentiles, group in groupby(columns, lambda one: one.name in PERCENTILES):
            if percentiles:
                together = waits(whole)
                cells.append((f"{together.get_total_count() if together else 0:,}", ""))
            cells += [self._cell(self._spread(design, scenario, one), one) for one in group]
        return {
            "design": design.name,
            "why": None if whole else measurements[-1].why,
            "cells": cells,
            "failures": sum(one.failures for one in measurements),
            "limited": is_limited(self._results, design.name, scenario),
        }

    def _cell(self, known: Spread | None, measure: Measure) -> tuple[str, str]:
        if known is None:
            return "-", ""
        ends = [measure.told(replace(known, middle=end)) for end in (known.low, known.high)]
        between = self._words.say("between", least=ends[0], most=ends[1])
        return measure.told(known), between if known.rounds > 1 and ends[0] != ends[1] else ""


def _namer(results: Results) -> Callable[[str], Markup]:
    """Make a sentence HTML, with the names of designs in bold."""
    names = sorted((one.name for one in results.designs), key=len, reverse=True)
    name = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, names))})(?![\w@-])")

    def named(sentence: str) -> Markup:
        parts = name.split(sentence) if names else [sentence]
        told = (Markup("<b>{}</b>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts))
        return Markup("").join(told)

    return named
