"""Charts as SVG: a row for each design, with its figure at the end of its bar.

1. A chart is given as rows (name, figure, the figure as text, colour, spread).
2. They become a Vega-Lite specification, which is plain data.
3. ``vl_convert`` compiles and draws it, in this process: no browser, no network.

Nothing is decided here about colours: they are CSS, mostly variables of the page that holds the chart, so one drawing
serves light and dark. Text stays text. A figure on a linear scale is a bar; on a logarithmic one, where length has no
meaning, it is a point. Only positive figures have a place on a logarithmic scale; anything else is drawn at its start.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any, Final

import vl_convert

WIDTH: Final = 360
"""Pixels, the whole chart with its names; a page may scale it."""
STEP: Final = 22
"""Pixels from row to row."""
LETTER: Final = 7.1
"""Pixels that a letter takes, about."""
WIDE: Final = 100
"""The ratio of the largest to the smallest figure above which the scale is logarithmic."""
BELOW: Final = 8
"""Pixels between the middle of a row and the line of its spread, below the figure's text."""
FONT: Final = "system-ui, -apple-system, 'Segoe UI', sans-serif"
_ROLES: Final = re.compile(r' (role|aria-roledescription)="graphics-[^"]*"| aria-roledescription="[^"]*"')
"""Roles of a drawing's inner groups, which would each need a label of their own."""
UNKNOWN: Final = "not measured"


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a chart."""

    name: str
    value: float | None
    """The figure; None where there is none."""
    told: str
    """The figure as text, or why there is none."""
    colour: str
    """CSS."""
    least: float | None = None
    """The beginning of its spread, which is drawn as a thin line where both ends are known."""
    most: float | None = None
    hollow: bool = False
    """Drawn hollow: the figure is not to be relied on."""

    @property
    def reach(self) -> float:
        """The largest value that is drawn of it."""
        return max(self.value or 0.0, self.most or 0.0)


@dataclass(frozen=True, slots=True)
class Scale:
    """Where the figures of a chart lie in its drawing."""

    left: float
    """Pixels left of the scale, for the names."""
    width: float
    """Pixels of the scale."""
    low: float
    """The figure at its beginning."""
    high: float
    logarithmic: bool


def scale_of(rows: Sequence[Bar], width: int = WIDTH, line: float | None = None) -> Scale:
    """The scale of a chart of bars, with the arguments of bars()."""
    names = round(LETTER * max(len(row.name) for row in rows)) + 10
    plot = width - names
    told = 12 + LETTER * max((len(row.told) for row in rows if row.value is not None), default=0)
    positive = [row.value for row in rows if row.value is not None and row.value > 0]
    logarithmic = bool(positive) and max(positive) > WIDE * min(positive)
    share = plot / max(plot - told, plot / 3)
    low, high = _ends([row.reach for row in rows] + [line or 0.0], positive, logarithmic, share)
    return Scale(names, plot, low, high, logarithmic)


def bars(
    rows: Sequence[Bar], label: str, *, width: int = WIDTH, line: float | None = None, title: Sequence[str] = ()
) -> str:
    """Horizontal bars, from the first row down, as an ``<svg>`` element.

    label: for screen readers. line: a value at which a dashed line is drawn. title: lines above, in the drawing itself;
    all but the first are small.
    """
    place = scale_of(rows, width, line)
    low = place.low
    scale = {"type": "log" if place.logarithmic else "linear", "domain": [low, place.high], "nice": False}
    most = max((row.value or 0.0 for row in rows), default=0.0)
    across = {"type": "quantitative", "scale": scale, "axis": _decades(low, most) if place.logarithmic else None}
    down = {"field": "name", "type": "nominal", "sort": [row.name for row in rows], "axis": _names(place.left)}
    layers = [{"encoding": {"x": across, "y": down}, "layer": _points() if place.logarithmic else _bars()}]
    if line is not None:
        mark = {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.5, "color": "var(--line)"}
        layers.append({"mark": mark, "encoding": {"x": {"datum": line, "type": "quantitative"}}})
    specification = {
        "width": place.width,
        "height": {"step": STEP},
        "background": None,
        "padding": 0,
        "data": {"values": [_datum(row, low, line or low) for row in rows]},
        "layer": layers,
        **({"title": _title(title)} if title else {}),
        "config": {"font": FONT, "view": {"stroke": None}, "aria": False},
    }
    return picture(specification, label)


def alone(svg: str, style: str) -> str:
    """The same drawing with a style of its own, for a file outside a page."""
    return svg.replace(">", f"><style>{style}</style>", 1)


def picture(specification: dict[str, Any], label: str) -> str:
    """A Vega-Lite specification as an ``<svg>`` element with a label for screen readers."""
    svg = _compiled(json.dumps(specification))
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)


@lru_cache
def _compiled(specification: str) -> str:
    """The drawing; most drawings of a page are the same in all languages."""
    svg: str = vl_convert.vegalite_to_svg(specification)
    return _ROLES.sub("", svg)


def _ends(reaches: Sequence[float], positive: list[float], logarithmic: bool, share: float) -> tuple[float, float]:
    """The scale's ends, with room for the words right of the longest bar."""
    most = max(reaches) or 1.0
    if not logarithmic:
        return 0.0, most * share
    low = min(positive) / 1.6
    return low, low * (most / low) ** share


def _datum(row: Bar, low: float, line: float) -> dict[str, Any]:
    drawn = row.value is not None
    spread = drawn and row.least is not None and row.most is not None and row.most > row.least
    return {
        "name": row.name,
        "start": low,
        "value": max(row.value, low) if row.value is not None else None,
        "colour": row.colour,
        "fill": 0.0 if row.hollow else 1.0,
        "least": max(row.least or 0.0, low) if spread else None,
        "most": row.most if spread else None,
        "end": max(row.value, low, line) if row.value is not None else low,  # no text across the dashed line
        "told": row.told if drawn else row.told or UNKNOWN,
        "ink": "var(--ink)" if drawn else "var(--soft)",
    }


def _bars() -> list[dict[str, Any]]:
    bar = {"type": "bar", "height": {"band": 0.62}, "strokeWidth": 1.5}
    return [{"mark": bar, "encoding": {"x": {"field": "value"}, **_FILLED}}, *_spread_and_words()]


def _points() -> list[dict[str, Any]]:
    stem = {"type": "rule", "strokeWidth": 1.5, "opacity": 0.55}
    along = {"x": {"field": "start"}, "x2": {"field": "value"}, "color": _own("colour")}
    point = {"type": "point", "filled": True, "size": 90, "opacity": 1}
    return [
        {"mark": stem, "encoding": along},
        {"mark": point, "encoding": {"x": {"field": "value"}, **_FILLED}},
        *_spread_and_words(),
    ]


def _spread_and_words() -> list[dict[str, Any]]:
    spread = {"type": "rule", "strokeWidth": 1.5, "color": "var(--ink)", "yOffset": BELOW}
    words = {"type": "text", "align": "left", "baseline": "middle", "dx": 7, "dy": -1, "fontSize": 12.5}
    return [
        {"mark": spread, "encoding": {"x": {"field": "least"}, "x2": {"field": "most"}}},
        {"mark": words, "encoding": {"x": {"field": "end"}, "text": {"field": "told"}, "color": _own("ink")}},
    ]


def _title(lines: Sequence[str]) -> dict[str, Any]:
    return {
        "text": lines[0],
        "subtitle": list(lines[1:]),
        "anchor": "start",
        "frame": "bounds",
        "fontSize": 16,
        "color": "var(--ink)",
        "subtitleColor": "var(--soft)",
        "offset": 12,
    }


def _own(field: str) -> dict[str, Any]:
    """A colour that is in the data."""
    return {"field": field, "type": "nominal", "scale": None}


_FILLED: Final = {
    "color": _own("colour"),
    "stroke": _own("colour"),
    "fillOpacity": {"field": "fill", "type": "quantitative", "scale": None},
}
"""Filled with the row's colour, or with its outline only."""


def _names(extent: float) -> dict[str, Any]:
    """The names left of the bars, in a column of a fixed width, for the widths of the font's letters are not known."""
    return {
        "title": None,
        "domain": False,
        "ticks": False,
        "labelColor": "var(--ink)",
        "labelFontSize": 12.5,
        "labelPadding": 8,
        "labelLimit": 0,
        "minExtent": extent,
        "maxExtent": extent,
    }


def _decades(low: float, most: float) -> dict[str, Any]:
    """Lines at the powers of ten, which show that the scale is logarithmic."""
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(2 * most))
    return {
        "title": None,
        "values": [10.0**power for power in range(first, last + 1)],
        "format": ",~r",
        "domain": False,
        "ticks": False,
        "grid": True,
        "gridColor": "var(--rule)",
        "labelColor": "var(--soft)",
        "labelFontSize": 11,
        "labelOverlap": True,
        "labelSeparation": 8,
        "labelBound": True,
    }
