"""SVG charts of a report, readable on light and on dark pages.

``python -m tests.benchmarks.charts RESULTS.json FOLDER`` draws those of an earlier run. Each work
gets one chart, a bar for every peer on a logarithmic scale; ``ratios.svg`` shows PWB against nginx
at every work.
"""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.benchmarks.report import YARDSTICK, Report, Table, figure, from_json

WIDTH, VALUES = 820, 120  # pixels: the whole chart, and what is kept right of the bars for figures
BAR, STEP, TOP = 20, 30, 64  # pixels: a bar's height, from bar to bar, above the first one
LETTER = 7.6  # pixels that a letter takes, about
WHAT = {
    "us": "server CPU per request, microseconds",
    "ms": "milliseconds",
    "bytes": "bytes",
}
STYLE = """
text { font: 14px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 16px; }
.note { fill: #59636e; font-size: 12px; }
.bar { fill: #afb8c1; }
.nginx { fill: #2da44e; }
.pwb { fill: #0969da; }
.line { stroke: #2da44e; stroke-width: 2; stroke-dasharray: 5 4; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .note { fill: #9198a1; }
  .bar { fill: #656c76; }
  .nginx { fill: #3fb950; }
  .pwb { fill: #4493f8; }
  .line { stroke: #3fb950; }
}
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what stands left of it, its figure, what stands right of it, its style class."""

    name: str
    value: float
    told: str
    style: str


def draw(report: Report, folder: Path) -> list[Path]:
    """Write the charts; ImportError when the library that draws them is not installed."""
    drawings = {table.work: _work(table) for table in report.tables if _bars(table)}
    if ratios := _ratio_bars(report):
        drawings["ratios"] = _ratios(ratios)
    paths = []
    for name, drawing in drawings.items():
        path = folder / f"{name}.svg"
        path.write_text(drawing.as_svg())
        paths.append(path)
    return paths


def _bars(table: Table) -> list[Bar]:
    """A bar for every peer that was measured, the cheapest first."""
    rows = sorted((row for row in table.rows if row.samples), key=lambda row: row.value)
    bars = []
    for row in rows:
        ratio = None if row.peer == YARDSTICK else table.ratio(row.peer)
        told = figure(row.value) + (f" ({figure(ratio)}x)" if ratio else "")
        kind = "pwb" if row.peer.startswith("pwb") else row.peer
        style = f"bar {kind}" if kind in ("pwb", YARDSTICK) else "bar"
        if row.value > 0:
            bars.append(Bar(row.title, row.value, told, style))
    return bars


def _work(table: Table) -> Any:
    bars = _bars(table)
    least = math.log(min(bar.value for bar in bars) / 2)
    most = math.log(max(bar.value for bar in bars))
    note = f"{WHAT[table.unit]} (ratio to {YARDSTICK}); logarithmic scale, shorter is better"
    return _chart(table.title, note, bars, lambda value: (math.log(value) - least) / (most - least))


def _ratio_bars(report: Report) -> list[Bar]:
    ratios = ((table.title, table.ratio("pwb")) for table in report.tables if table.unit == "us")
    return [Bar(title, ratio, f"{ratio:.2f}", "bar pwb") for title, ratio in ratios if ratio]


def _ratios(bars: list[Bar]) -> Any:
    most = max(1.0, *(bar.value for bar in bars))
    title = f"PWB against {YARDSTICK}"
    note = f"server CPU per request; the line is {YARDSTICK} in the same run, shorter is better"
    return _chart(title, note, bars, lambda value: value / most, line=1.0)


def _chart(
    title: str,
    note: str,
    bars: Sequence[Bar],
    scale: Callable[[float], float],
    line: float | None = None,
) -> Any:
    """Horizontal bars.

    ``scale`` turns a figure into a share of the longest bar; ``line`` is one drawn across them.
    """
    library = import_module("drawsvg")
    height = TOP + STEP * len(bars)
    chart = library.Drawing(WIDTH, height)
    chart.append_css(STYLE)
    chart.append(library.Text(title, 16, 16, 26, class_="title"))
    chart.append(library.Text(note, 12, 16, 46, class_="note"))
    left = 26 + LETTER * max(len(bar.name) for bar in bars)
    room = WIDTH - left - VALUES
    for place, bar in enumerate(bars):
        top, length = TOP + STEP * place, max(1.0, room * scale(bar.value))
        chart.append(library.Text(bar.name, 14, left - 10, top + 15, text_anchor="end"))
        chart.append(library.Rectangle(left, top, length, BAR, rx=3, class_=bar.style))
        chart.append(library.Text(bar.told, 14, left + length + 8, top + 15))
    if line is not None:
        across = left + room * scale(line)
        chart.append(library.Line(across, TOP - 6, across, height - 4, class_="line"))
    return chart


if __name__ == "__main__":
    print(*draw(from_json(Path(sys.argv[1]).read_text()), Path(sys.argv[2])), sep="\n")
