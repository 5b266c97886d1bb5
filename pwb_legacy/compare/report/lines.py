"""What charts with a line for each design have in common: axes, dash patterns, and names at the ends of the lines.

A line has the colour of the design's family, and a dash pattern that tells the members of a family apart. Names stand
right of the plot, moved apart where they would cover each other; a piece of the line in the same colour and pattern
leads to each.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from .charts import LETTER

LEADER: Final = 22
"""Pixels from the end of a line to its name."""
LINE: Final = 15
"""Pixels between two names at least."""
DASHES: Final[tuple[list[int], ...]] = ([], [7, 3], [2, 3])
"""For the first, second and third design of a family."""
REFERENCE: Final = [10, 4]
"""Of a line that is there for reference."""
FEW: Final = 2.5
"""Powers of ten; a scale that has no more has marks between them, too."""


def dashes(designs: Iterable[tuple[str, str, bool]]) -> dict[str, list[int]]:
    """The dash pattern of each design. designs: name, family, and whether it is there for reference."""
    used: dict[str, int] = {}
    found = {}
    for name, family, is_reference in designs:
        found[name] = REFERENCE if is_reference else DASHES[used.get(family, 0) % len(DASHES)]
        used[family] = used.get(family, 0) + 1
    return found


def margin(names: Iterable[str]) -> int:
    """Pixels right of the plot for the names."""
    return round(LETTER * max(map(len, names))) + LEADER + 10


def named(
    ends: Mapping[str, float], looks: Mapping[str, tuple[str, Sequence[int]]], width: float, height: float
) -> Iterator[dict[str, Any]]:
    """Yield layers with the name of each line and what leads to it.

    ends: pixels from the top to the end of each line. looks: the colour and the dash pattern of each.
    """
    at = {key: {"field": key, "type": "quantitative", "scale": None, "axis": None} for key in ("x", "y")}
    for name, top in apart(ends, height).items():
        colour, dash = looks[name]
        way = [  # begins at the right edge also where a line ends before, or it would look like a part of the line
            {"n": 0, "x": width, "y": ends[name]},
            {"n": 1, "x": width + LEADER, "y": top},
        ]
        stroke = {"type": "line", "color": colour, "strokeWidth": 1, "strokeDash": list(dash)}
        text = {"type": "text", "align": "left", "baseline": "middle", "dx": 4, "fontSize": 12.5, "color": "var(--ink)"}
        yield {"data": {"values": way}, "mark": stroke, "encoding": {**at, "order": {"field": "n"}}}
        yield {"data": {"values": way[1:]}, "mark": text, "encoding": {**at, "text": {"value": name}}}


def apart(tops: Mapping[str, float], height: float) -> dict[str, float]:
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


def marks(low: float, high: float) -> list[float]:
    """Where a logarithmic axis has labels: powers of ten, and where there are few of them multiples of these, too."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    span = math.log10(high / low)
    factors = (1, 1.5, 2, 3, 5, 7) if span < 1 else (1, 2, 5) if span < FEW else (1,)
    found = [factor * 10.0**power for power in powers for factor in factors]
    return [mark for mark in found if low <= mark <= high]


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
