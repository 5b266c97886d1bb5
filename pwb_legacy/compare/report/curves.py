"""Curves as SVG: a line for each design over a common axis, with its name at its end (lines.py).

A thin upright line at a point joins the smallest and the largest figure of the rounds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .charts import FONT, picture
from .lines import axis, margin, marks, named

HEIGHT: Final = 330
LEFT: Final = 66
"""Pixels for the axis on the left."""


@dataclass(frozen=True, slots=True)
class Line:
    """A curve: a design over the common axis."""

    name: str
    colour: str
    """CSS."""
    dash: Sequence[int]
    points: Mapping[float, tuple[float, float, float]]
    """For each place on the axis the smallest, the middle and the largest figure, all above 0."""


@dataclass(frozen=True, slots=True)
class Axes:
    """The axes have titles, and the places that the points of all lines have in common."""

    across: str
    up: str
    places: Sequence[float]
    """Of the axis across, in order."""
    doubling: bool
    """The scale across is logarithmic, so that powers of two are at equal distances."""
    from_zero: bool = False
    """The scale up is linear and begins at zero; otherwise it is logarithmic."""
    most: float = 0.0
    """Where the scale up ends; 0: a quarter above the largest figure."""


def curves(lines: Sequence[Line], axes: Axes, label: str, width: int) -> str:
    """An ``<svg>`` element of so many pixels; label: for screen readers. Empty where no line has a point."""
    drawn = [line for line in lines if line.points]
    if not drawn:
        return ""
    names = margin(line.name for line in drawn)
    frame = _Frame(drawn, axes, width - LEFT - names)
    specification = {
        "width": frame.width,
        "height": HEIGHT,
        "background": None,
        "padding": {"left": LEFT, "right": names, "top": 10, "bottom": 48},
        "autosize": "none",
        "layer": [*(layer for line in drawn for layer in frame.line(line)), *frame.names(drawn)],
        "config": {"font": FONT, "view": {"stroke": None}, "aria": False},
    }
    return picture(specification, label)


class _Frame:
    """The frame turns figures into pixels."""

    def __init__(self, lines: Sequence[Line], axes: Axes, width: int) -> None:
        ends = [value for line in lines for three in line.points.values() for value in three]
        self.width = width
        self._low, self._high = 0.0 if axes.from_zero else min(ends) / 1.25, axes.most or max(ends) * 1.25
        self._axes = axes
        first, last = axes.places[0], axes.places[-1]
        scale = {"type": "log", "base": 2} if axes.doubling else {"type": "linear"}
        across = {"values": list(axes.places), "labelOverlap": True, "format": ",~g"}
        self._across = {
            "field": "x",
            "type": "quantitative",
            "scale": {**scale, "domain": [first, last], "nice": False},
            "axis": axis(axes.across) | across,
        }
        even: dict[str, Any] = {"tickCount": 5, "format": ",~f"}
        up = even if axes.from_zero else {"values": marks(self._low, self._high), "format": ",~g"}
        self._up = {
            "field": "y",
            "type": "quantitative",
            "scale": {
                "type": "linear" if axes.from_zero else "log",
                "domain": [self._low, self._high],
                "nice": False,
            },
            "axis": axis(axes.up) | up | {"labelOverlap": True, "minExtent": 42, "maxExtent": 42, "titlePadding": 6},
        }

    def line(self, line: Line) -> list[dict[str, Any]]:
        """The line, its points, and the spread at each of them."""
        values = [
            {"x": x, "y": middle, "low": low, "high": high} for x, (low, middle, high) in sorted(line.points.items())
        ]
        place = {"x": self._across, "y": self._up}
        spread = place | {"y": {**self._up, "field": "low"}, "y2": {"field": "high"}}
        stroke = {"type": "line", "color": line.colour, "strokeWidth": 1.9, "strokeDash": list(line.dash)}
        dots = {"type": "point", "filled": True, "size": 16, "opacity": 1, "color": line.colour}
        thin = {"type": "rule", "strokeWidth": 1, "opacity": 0.5, "color": line.colour}
        data = {"values": values}
        return [
            {"data": data, "mark": thin, "encoding": spread},
            {"data": data, "mark": stroke, "encoding": place},
            {"data": data, "mark": dots, "encoding": place},
        ]

    def names(self, lines: Sequence[Line]) -> list[dict[str, Any]]:
        """The names, and what leads to them."""
        ends = {line.name: self._top(max(line.points.items())[1][1]) for line in lines}
        return list(named(ends, {line.name: (line.colour, line.dash) for line in lines}, self.width, HEIGHT))

    def _top(self, value: float) -> float:
        """Pixels from the top of the plot."""
        if self._axes.from_zero:
            return HEIGHT * (1 - value / self._high)
        return HEIGHT * (1 - math.log(value / self._low) / math.log(self._high / self._low))
