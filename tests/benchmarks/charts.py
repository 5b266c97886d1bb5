"""SVG charts of a report, readable on light and on dark pages.

``python -m tests.benchmarks.charts RESULTS.json FOLDER`` draws those of an earlier run. Each work
gets one chart, a bar for every peer; ``ratios.svg`` shows PWB against nginx at every work; and
``growth-files.svg`` and its like are curves. They are drawn as those of the laboratory are.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from pwb_legacy.compare.report.charts import Bar, alone, bars
from pwb_legacy.compare.report.curves import Axes, Line, curves
from pwb_legacy.compare.report.spread import figure

from .curves import CURVES, Curve
from .hit_ratio import Result
from .report import YARDSTICK, Report, Table, from_json
from .works import CODED_WORKS, HTTP2_WORKS, TLS_WORKS

WIDTH = 820  # pixels
CURVE_WIDTH = 410  # pixels: two side by side
WHAT = {
    "us": "server CPU per request, microseconds",
    "ms": "milliseconds",
    "bytes": "bytes",
}
STYLE = """
svg { --ink: #1f2328; --soft: #59636e; --rule: #d1d9e0; --line: #2da44e;
      --bar: #afb8c1; --nginx: #2da44e; --pwb: #0969da; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e6edf3; --soft: #9198a1; --rule: #3d444d; --line: #3fb950;
        --bar: #656c76; --nginx: #3fb950; --pwb: #4493f8; }
}
"""


def draw(report: Report, folder: Path) -> list[Path]:
    """Write the charts into a folder that is there, and return their paths."""
    drawings = {f"growth-{curve.name}": _curve(curve, tables) for curve in CURVES if (tables := curve.tables(report))}
    of_curves = {table.work for curve in CURVES for table in curve.tables(report).values()}
    others = [table for table in report.tables if table.work not in of_curves]
    drawings |= {table.work: _work(table) for table in others if _bars(table)}
    apart = {work.name for work in (*CODED_WORKS, *TLS_WORKS, *HTTP2_WORKS)}
    if ratios := _ratio_bars([table for table in others if table.work not in apart]):
        drawings["ratios"] = _ratios(ratios)
    paths = []
    for name, drawing in drawings.items():
        path = folder / f"{name}.svg"
        path.write_text(alone(drawing, STYLE))
        paths.append(path)
    return paths


def _bars(table: Table) -> list[Bar]:
    """A bar for every peer that was measured, the cheapest first."""
    rows = sorted((row for row in table.rows if row.samples), key=lambda row: row.value)
    found = []
    for row in rows:
        ratio = None if row.peer == YARDSTICK else table.ratio(row.peer)
        label = figure(row.value) + (f" ({figure(ratio)}x)" if ratio else "")
        if row.value > 0:
            found.append(Bar(row.title, row.value, label, _colour(row.peer)))
    return found


def _colour(peer: str) -> str:
    kind = peer.partition("-")[0]
    return f"var(--{kind})" if kind in ("pwb", YARDSTICK) else "var(--bar)"


def _work(table: Table) -> str:
    note = f"{WHAT[table.unit]} (ratio to {YARDSTICK}); shorter is better"
    return bars(_bars(table), table.title, width=WIDTH, title=(table.title, note))


def _ratio_bars(tables: Sequence[Table]) -> list[Bar]:
    ratios = ((table.title, table.ratio("pwb")) for table in tables if table.unit == "us")
    return [Bar(title, ratio, f"{ratio:.2f}", "var(--pwb)") for title, ratio in ratios if ratio]


def _ratios(rows: list[Bar]) -> str:
    title = f"PWB against {YARDSTICK}"
    note = f"server CPU per request; the line is {YARDSTICK} in the same run, shorter is better"
    return bars(rows, title, width=WIDTH, line=1.0, title=(title, note))


def _curve(curve: Curve, tables: dict[int, Table]) -> str:
    """A line for each peer, from zero up, so that a curve that looks flat is flat."""
    titles = {row.peer: row.title for table in tables.values() for row in table.rows}
    lines = [Line(title, _colour(peer), [], _points(peer, tables)) for peer, title in titles.items()]
    axes = Axes(curve.axis, "CPU of a request, microseconds", list(tables), doubling=True, from_zero=True)
    return curves(lines, axes, f"CPU of a request over the number of {curve.axis}", CURVE_WIDTH)


def _points(peer: str, tables: dict[int, Table]) -> dict[float, tuple[float, float, float]]:
    """The smallest, the median and the largest figure of a peer at each place where it was measured."""
    rows = {place: row for place, table in tables.items() if (row := table.row(peer))}
    values = {place: [sample.value for sample in row.samples] for place, row in rows.items()}
    return {place: (min(values[place]), row.value, max(values[place])) for place, row in rows.items()}


def draw_hit_ratio(results: Sequence[Result], folder: Path) -> Path:
    """Write the picture of hit ratios into a folder that is there, and return its path.

    A line for each exponent in the first of them, the middle and the last, and a dashed one for three nodes.
    """
    exponents = sorted({result.exponent for result in results})
    shown = (exponents[0], exponents[len(exponents) // 2], exponents[-1])
    places = sorted({100 * result.share for result in results})
    lines = []
    for exponent in shown:
        for nodes in sorted({result.nodes for result in results}):
            points = {
                100 * result.share: (100 * result.hit_ratio,) * 3
                for result in results
                if (result.exponent, result.nodes) == (exponent, nodes)
            }
            name, dash = f"{exponent}", []
            if nodes > 1:
                name, dash = f"{exponent}, {nodes} nodes by URI", [5, 3]
            lines.append(Line(name, "var(--nginx)" if nodes > 1 else "var(--pwb)", dash, points))
    axes = Axes(
        "objects that a node has room for, % of the site", "hits, %", places, doubling=True, from_zero=True, most=100
    )
    path = folder / "hit-ratio.svg"
    path.write_text(alone(curves(lines, axes, "Hit ratio over the size of the cache", WIDTH), STYLE))
    return path


if __name__ == "__main__":
    print(*draw(from_json(Path(sys.argv[1]).read_text()), Path(sys.argv[2])), sep="\n")
