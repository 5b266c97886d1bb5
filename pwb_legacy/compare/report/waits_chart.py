"""How long requests wait, as curves: for each design, up to each percentage of its requests, the longest wait.

Both scales are logarithmic: the one of the percentages counts in nines, so that 99 and 99.9 have room. A curve ends
where fewer than ten requests waited longer, for what is beyond is the fate of single requests.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hdrh.histogram import HdrHistogram

from .charts import FONT, picture
from .lines import axis as axis_look
from .lines import margin, marks, named

WIDTH: Final = 720
HEIGHT: Final = 260
PERCENTS: Final = (0, 10, 25, 50, 75, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.99)
MARKED: Final = (0, 50, 90, 99, 99.9, 99.99)
LEFT: Final = 46
"""Pixels for the axis on the left."""
BEYOND: Final = 10
"""Requests that have to wait longer than the last point of a curve."""


def waits_chart(
    curves: Mapping[str, HdrHistogram], looks: Mapping[str, tuple[str, Sequence[int]]], label: str, axis: str
) -> str:
    """An ``<svg>`` element; empty where no curve has two points. curves: waits in microseconds, by design. looks: the
    colour and the dash pattern of each. label: for screen readers. axis: the title of the lower one."""
    drawn = {name: found for name, histogram in curves.items() if len(found := points(histogram)) > 1}
    if not drawn:
        return ""
    ends = [wait for found in drawn.values() for _, wait in found]
    low, high = min(ends) / 1.3, max(ends) * 1.3
    last = max(_nines(found[-1][0]) for found in drawn.values())
    width = WIDTH - LEFT - (right := margin(drawn))
    place = {"x": _across(last, axis), "y": _up(low, high)}
    tops = {name: _top(found[-1][1], low, high) for name, found in drawn.items()}
    specification = {
        "width": width,
        "height": HEIGHT,
        "background": None,
        "padding": {"left": LEFT, "right": right, "top": 8, "bottom": 40},
        "autosize": "none",
        "layer": [
            *(_line(found, *looks[name], place) for name, found in drawn.items()),
            *named(tops, looks, width, HEIGHT),
        ],
        "config": {"font": FONT, "view": {"stroke": None}, "aria": False},
    }
    return picture(specification, label)


def _line(
    found: Sequence[tuple[float, float]], colour: str, dash: Sequence[int], place: Mapping[str, Any]
) -> dict[str, Any]:
    mark = {"type": "line", "strokeWidth": 1.8, "interpolate": "linear", "color": colour, "strokeDash": list(dash)}
    values = [{"x": _nines(percent), "y": wait} for percent, wait in found]
    return {"data": {"values": values}, "mark": mark, "encoding": place}


def points(histogram: HdrHistogram) -> list[tuple[float, float]]:
    """Percentages and waits in milliseconds."""
    n = histogram.get_total_count()
    carried = [percent for percent in PERCENTS if n * (1 - percent / 100) >= BEYOND]
    return [(percent, max(histogram.get_value_at_percentile(percent), 1) / 1000) for percent in carried]


def _nines(percent: float) -> float:
    """0 for 0 %, 1 for 90 %, 2 for 99 %."""
    return -math.log10(1 - percent / 100)


def _top(wait: float, low: float, high: float) -> float:
    """Pixels from the top of the drawing."""
    return HEIGHT * (1 - math.log(wait / low) / math.log(high / low))


def _across(last: float, title: str) -> dict[str, Any]:
    marked = [_nines(percent) for percent in MARKED if _nines(percent) <= last + 1e-9]
    labels = ": ".join(f"abs(datum.value - {_nines(each)}) < 1e-6 ? '{each:g}'" for each in MARKED)
    return {
        "field": "x",
        "type": "quantitative",
        "scale": {"domain": [0, last], "nice": False},
        "axis": axis_look(title) | {"values": marked, "labelExpr": f"{labels} : ''"},
    }


def _up(low: float, high: float) -> dict[str, Any]:
    return {
        "field": "y",
        "type": "quantitative",
        "scale": {"type": "log", "domain": [low, high], "nice": False},
        "axis": axis_look(None) | {"values": marks(low, high), "format": ",~r", "labelOverlap": True},
    }
