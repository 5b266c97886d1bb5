"""The figures of a chart as data beside its drawing: as CSV to be saved, and for the guesses of a lesson."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hdrh.histogram import HdrHistogram

from .charts import STEP, Bar, Scale
from .curves import Line
from .waits_chart import points


def lesson(rows: Sequence[Bar], scale: Scale) -> dict[str, Any]:
    """What the page needs to let a student guess: the rows (name, figure, the figure as text), and the scale."""
    shown = [[row.name, row.value, row.told] for row in rows]
    return {"rows": shown, "scale": asdict(scale), "step": STEP}


def of_bars(head: Sequence[str], rows: Iterable[Bar]) -> str:
    """A line for each design: its figure, and the ends of its spread. head: the names of the columns."""
    return _csv(head, ([row.name, row.value, row.least, row.most] for row in rows))


def of_waits(head: Sequence[str], curves: Mapping[str, HdrHistogram]) -> str:
    """A line for each design and percentage: the longest wait in milliseconds."""
    return _csv(head, ([name, *point] for name, one in curves.items() for point in points(one)))


def of_curves(head: Sequence[str], lines: Iterable[Line]) -> str:
    """A line for each design and place: the smallest, the middle and the largest figure."""
    return _csv(head, ([line.name, x, *value] for line in lines for x, value in line.points.items()))


def _csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """RFC 4180. A figure has six digits; an empty cell is one that was not measured."""
    out = io.StringIO()
    written = csv.writer(out)
    written.writerow(head)
    written.writerows([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row] for row in rows)
    return out.getvalue()
