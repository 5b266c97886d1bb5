"""Curves as SVG: a line for each design over a common axis, with its name at its end.

A line has the colour of the design's family, and a dash pattern that tells the members of a family apart. Names stand
right of the plot, moved apart where they would cover each other; a piece of the line in the same colour and pattern
leads to each. A thin upright line at a point joins the smallest and the largest figure of the rounds.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .charts import FONT, LETTER, picture
from .waits_chart import apart, axis

HEIGHT: Final = 330
LEFT: Final = 66
"""Pixels for the axis on the left."""
LEADER: Final = 22
"""Pixels from the end of a line to its name."""
DASHES: Final[tuple[list[int], ...]] = ([], [7, 3], [2, 3])
"""For the first, second and third design of a family."""
REFERENCE: Final = [10, 4]
"""Of a line that is there for reference."""


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


def curves(lines: Sequence[Line], axes: Axes, label: str, width: int) -> str:
    """An ``<svg>`` element of so many pixels; label: for screen readers. Empty where no line has a point."""
    drawn = [line for line in lines if line.points]
    if not drawn:
        return ""
    names = round(LETTER * max(len(line.name) for line in drawn)) + LEADER + 10
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
        self._low, self._high = 0.0 if axes.from_zero else min(ends) / 1.25, max(ends) * 1.25
        self._axes = axes
        first, last = axes.places[0], axes.places[-1]
        scale = {"type": "log", "base": 2} if axes.doubling else {"type": "linear"}
        marks = {"values": list(axes.places), "labelOverlap": True, "format": ",~g"}
        self._across = {
            "field": "x",
            "type": "quantitative",
            "scale": {**scale, "domain": [first, last], "nice": False},
            "axis": axis(axes.across) | marks,
        }
        up = {"tickCount": 5} if axes.from_zero else {"values": _marks(self._low, self._high)}
        self._up = {
            "field": "y",
            "type": "quantitative",
            "scale": {
                "type": "linear" if axes.from_zero else "log",
                "domain": [self._low, self._high],
                "nice": False,
            },
            "axis": axis(axes.up)
            | up
            | {"format": ",~g", "labelOverlap": True, "minExtent": 42, "maxExtent": 42, "titlePadding": 6},
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
        """The names, and what leads to them, in pixels."""
        ends = {line.name: max(line.points.items()) for line in lines}
        tops = {name: self._top(three[1]) for name, (_, three) in ends.items()}
        places = apart(tops, HEIGHT)
        layers: list[dict[str, Any]] = []
        for line in lines:
            name = line.name
            way = [  # begins at the right edge also where a line ends before, or it would look like a part of the line
                {"n": 0, "x": self.width, "y": tops[name]},
                {"n": 1, "x": self.width + LEADER, "y": places[name]},
            ]
            stroke = {"type": "line", "color": line.colour, "strokeWidth": 1, "strokeDash": list(line.dash)}
            text = {
                "type": "text",
                "align": "left",
                "baseline": "middle",
                "dx": 4,
                "fontSize": 12.5,
                "color": "var(--ink)",
            }
            at = {key: {"field": key, "type": "quantitative", "scale": None, "axis": None} for key in ("x", "y")}
            layers += [
                {"data": {"values": way}, "mark": stroke, "encoding": {**at, "order": {"field": "n"}}},
                {"data": {"values": way[1:]}, "mark": text, "encoding": {**at, "text": {"value": name}}},
            ]
        return layers

    def _top(self, value: float) -> float:
        """Pixels from the top of the plot."""
        if self._axes.from_zero:
            return HEIGHT * (1 - value / self._high)
        return HEIGHT * (1 - math.log(value / self._low) / math.log(self._high / self._low))


def _marks(low: float, high: float) -> list[float]:
    """Powers of ten; where there are few of them, their halves and doubles too."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1, 2, 5) if math.log10(high / low) < 2.5 else (1,)
    found = [factor * 10.0**power for power in powers for factor in factors]
    return [mark for mark in found if low <= mark <= high]
