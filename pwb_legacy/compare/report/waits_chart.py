"""How long requests wait, as curves: for each design, up to each percentage of its requests, the longest wait.

Both scales are logarithmic: the one of the percentages counts in nines, so that 99 and 99.9 have room. A curve ends
where fewer than ten requests waited longer, for what is beyond is the fate of single requests.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hdrh.histogram import HdrHistogram

from .charts import FONT, LETTER, picture

WIDTH: Final = 720
HEIGHT: Final = 260
NAMES: Final = 130
"""Pixels for the names at the ends of the curves."""
LINE: Final = 15
"""Pixels between two names at least."""
PERCENTS: Final = (0, 10, 25, 50, 75, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.99)
MARKED: Final = (0, 50, 90, 99, 99.9, 99.99)
LEFT: Final = 10
"""Requests that have to wait longer than the last point of a curve."""


def waits_chart(curves: Mapping[str, HdrHistogram], colours: Mapping[str, str], label: str, axis: str) -> str:
    """An ``<svg>`` element; empty where no curve has two points. curves: waits in microseconds, by design."""
    drawn = {name: found for name, histogram in curves.items() if len(found := points(histogram)) > 1}
    if not drawn:
        return ""
    ends = [wait for found in drawn.values() for _, wait in found]
    low, high = min(ends) / 1.3, max(ends) * 1.3
    last = max(_nines(found[-1][0]) for found in drawn.values())
    values = [
        {"name": name, "x": _nines(percent), "y": wait, "colour": colours[name]}
        for name, found in drawn.items()
        for percent, wait in found
    ]
    own = {"field": "colour", "type": "nominal", "scale": None}
    place = {"x": _across(last, axis), "y": _up(low, high)}
    names = [
        {"name": name, "x": last, "y": low * (high / low) ** (1 - top / HEIGHT), "colour": colours[name]}
        for name, top in apart({name: _top(found[-1][1], low, high) for name, found in drawn.items()}).items()
    ]
    text = {"type": "text", "align": "left", "dx": 8, "baseline": "middle", "fontSize": 12.5}
    specification = {
        "width": WIDTH - NAMES,
        "height": HEIGHT,
        "background": None,
        "padding": {"left": 46, "right": round(LETTER * max(map(len, drawn))) + 12, "top": 8, "bottom": 40},
        "autosize": "none",
        "layer": [
            {
                "data": {"values": values},
                "mark": {"type": "line", "strokeWidth": 1.8, "interpolate": "linear"},
                "encoding": {**place, "color": own, "detail": {"field": "name", "type": "nominal"}},
            },
            {
                "data": {"values": names},
                "mark": text,
                "encoding": {**place, "text": {"field": "name"}, "color": own},
            },
        ],
        "config": {"font": FONT, "view": {"stroke": None}, "aria": False},
    }
    return picture(specification, label)


def points(histogram: HdrHistogram) -> list[tuple[float, float]]:
    """Percentages and waits in milliseconds."""
    n = histogram.get_total_count()
    carried = [percent for percent in PERCENTS if n * (1 - percent / 100) >= LEFT]
    return [(percent, max(histogram.get_value_at_percentile(percent), 1) / 1000) for percent in carried]


def _nines(percent: float) -> float:
    """0 for 0 %, 1 for 90 %, 2 for 99 %."""
    return -math.log10(1 - percent / 100)


def _top(wait: float, low: float, high: float) -> float:
    """Pixels from the top of the drawing."""
    return HEIGHT * (1 - math.log(wait / low) / math.log(high / low))


def apart(tops: Mapping[str, float], height: float = HEIGHT) -> dict[str, float]:
    """The same, moved so far that the names do not cover each other."""
    placed: dict[str, float] = {}
    before = -math.inf
    for name, top in sorted(tops.items(), key=lambda pair: pair[1]):
        before = max(top, before + LINE)
        placed[name] = before
    below = height
    for name, top in reversed(placed.items()):
        placed[name] = below = min(top, below)
        below -= LINE
    return placed


def _across(last: float, title: str) -> dict[str, Any]:
    marked = [_nines(percent) for percent in MARKED if _nines(percent) <= last + 1e-9]
    labels = ": ".join(f"abs(datum.value - {_nines(each)}) < 1e-6 ? '{each:g}'" for each in MARKED)
    return {
        "field": "x",
        "type": "quantitative",
        "scale": {"domain": [0, last], "nice": False},
        "axis": axis(title) | {"values": marked, "labelExpr": f"{labels} : ''"},
    }


def _up(low: float, high: float) -> dict[str, Any]:
    powers: Sequence[int] = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    return {
        "field": "y",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [low, high], "nice": False},
        "axis": axis(None) | {"values": [10.0**power for power in powers], "format": ",~r"},
    }


def axis(title: str | None) -> dict[str, Any]:
    """How an axis looks, with its title."""
    return {
        "title": title,
        "titleColor": "var(--soft)",
        "titleFontWeight": "normal",
        "titleFontSize": 11,
        "domain": False,
        "ticks": False,
        "gridColor": "var(--rule)",
        "labelColor": "var(--soft)",
        "labelFontSize": 11,
    }
