"""Charts as SVG: a row for each contestant, its figure beside its bar.

1. A chart is given as rows (name, figure, the figure in words, colour, spread).
2. They become a Vega-Lite specification, which is plain data.
3. ``vl_convert`` compiles and draws it, in this process: no browser, no network.

Nothing is decided here about colours: they are CSS, mostly variables of the page that holds the
chart, so one drawing serves light and dark. Text stays text. A figure on a linear scale is a bar;
on a logarithmic one, where length has no meaning, it is a point.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
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
"""With more than this between the least and the most, the scale is logarithmic."""
FONT: Final = "system-ui, -apple-system, 'Segoe UI', sans-serif"
UNKNOWN: Final = "not measured"


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: its name, its figure (None: there is none), the figure in words, a CSS colour.

    ``least`` and ``most`` are the spread of the figure, drawn as a thin line when both are there.
    """

    name: str
    value: float | None
    told: str
    colour: str
    least: float | None = None
    most: float | None = None

    @property
    def reach(self) -> float:
        """The farthest that is drawn of it."""
        return max(self.value or 0.0, self.most or 0.0)


def bars(
    rows: Sequence[Bar], label: str, *, width: int = WIDTH, line: float | None = None, title: Sequence[str] = ()
) -> str:
    """Horizontal bars, from the first row down, as an ``<svg>`` element.

    ``label`` is what a screen reader says; ``line`` is a figure to draw a dashed line at; ``title``
    stands above, in the drawing itself: the first line of it, and what follows in small.
    """
    names = round(LETTER * max(len(row.name) for row in rows)) + 10
    plot = width - names
    told = 12 + LETTER * max((len(row.told) for row in rows if row.value is not None), default=0)
    positive = [row.value for row in rows if row.value]
    logarithmic = bool(positive) and max(positive) > WIDE * min(positive)
    share = plot / max(plot - told, plot / 3)
    low, high = _ends([row.reach for row in rows] + [line or 0.0], positive, logarithmic, share)
    scale = {"type": "log" if logarithmic else "linear", "domain": [low, high], "nice": False}
    across = {"type": "quantitative", "scale": scale, "axis": _decades(low, max(positive)) if logarithmic else None}
    down = {"field": "name", "type": "nominal", "sort": [row.name for row in rows], "axis": _names(names)}
    layers = [{"encoding": {"x": across, "y": down}, "layer": _points() if logarithmic else _bars()}]
    if line is not None:
        mark = {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.5, "color": "var(--line)"}
        layers.append({"mark": mark, "encoding": {"x": {"datum": line, "type": "quantitative"}}})
    specification = {
        "width": plot,
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
    """The same drawing with a style of its own, for a file that no page holds."""
    return svg.replace(">", f"><style>{style}</style>", 1)


def picture(specification: dict[str, Any], label: str) -> str:
    """A Vega-Lite specification as an ``<svg>`` element that says what it is."""
    svg: str = vl_convert.vegalite_to_svg(specification)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)


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
        "least": max(row.least or 0.0, low) if spread else None,
        "most": row.most if spread else None,
        "end": max(row.reach, low, line) if drawn else low,  # no words across the line
        "told": row.told if drawn else row.told or UNKNOWN,
        "ink": "var(--ink)" if drawn else "var(--soft)",
    }


def _bars() -> list[dict[str, Any]]:
    bar = {"type": "bar", "height": {"band": 0.62}}
    return [{"mark": bar, "encoding": {"x": {"field": "value"}, "color": _own("colour")}}, *_spread_and_words()]


def _points() -> list[dict[str, Any]]:
    stem = {"type": "rule", "strokeWidth": 1.5, "opacity": 0.55}
    along = {"x": {"field": "start"}, "x2": {"field": "value"}, "color": _own("colour")}
    point = {"type": "point", "filled": True, "size": 90, "opacity": 1}
    return [
        {"mark": stem, "encoding": along},
        {"mark": point, "encoding": {"x": {"field": "value"}, "color": _own("colour")}},
        *_spread_and_words(),
    ]


def _spread_and_words() -> list[dict[str, Any]]:
    spread = {"type": "rule", "strokeWidth": 1.5, "color": "var(--ink)"}
    words = {"type": "text", "align": "left", "baseline": "middle", "dx": 7, "fontSize": 12.5}
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
    """A colour that stands in the data."""
    return {"field": field, "type": "nominal", "scale": None}


def _names(extent: int) -> dict[str, Any]:
    """The names left of the bars, in a column of a fixed width: what the font measures is not known here."""
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
    """Lines at the powers of ten: the scale is logarithmic, and one shall see it."""
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
    }
