"""What one sees while `compare` runs: in a terminal a table that fills and a progress bar with the time that is left,
elsewhere a line for each measurement.
"""

from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from pwb_async.output.printing import printable
from pwb_legacy.compare.measure.results import Measurement, Results

LEGEND: Final = "requests a second (k: thousands); ! some failed, - none was answered, x could not be measured"
_MOST_FAILURES: Final = 0.01
"""Of the requests; above it a figure has a mark."""
_MANY: Final = 9999.5
"""A second; from here on they are told in thousands."""


class Board:
    """total: measurements of the whole run."""

    def __init__(self, console: Console, results: Results, total: int) -> None:
        self._console = console
        self._results = results
        self._progress = Progress(
            TextColumn("{task.description:32}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            auto_refresh=False,
        )
        self._task = self._progress.add_task("", total=total)
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
            self._draw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def add(self, measurement: Measurement) -> None:
        """One more; it is in the results already."""
        what = f"round {measurement.round}, {measurement.design}, {measurement.scenario}"
        self._progress.update(self._task, advance=1, description=what)
        self._draw()
        if not self._live:
            self._console.out(printable(line(measurement)), highlight=False)

    def _draw(self) -> None:
        if self._live:
            self._live.update(Group(table(self._results), self._progress), refresh=True)


def line(one: Measurement) -> str:
    """A measurement on a line."""
    start = f"round {one.round}  {one.design:14} {one.scenario:12}"
    if one.why is not None:
        return f"{start} {one.why}"
    tail = f"  p99 {one.p99_ms:.1f} ms" if one.p99_ms is not None else ""
    cost = f"  {one.cpu_us:,.0f} us each" if one.cpu_us is not None else ""
    failures = f"  {one.failures:,} failures" if one.failures else ""
    return f"{start} {one.rate or 0:9,.0f}/s{tail}{cost}{failures}"


def table(results: Results) -> RenderableType:
    """Requests a second, the median over the rounds so far: a row for each design, a column for each scenario."""
    grid = Table(box=None, padding=(0, 0, 0, 1), pad_edge=False)
    grid.add_column("", no_wrap=True)
    for scenario in results.scenarios:
        grid.add_column(scenario.name.replace("-", "-\n"), justify="right", vertical="bottom", no_wrap=True)
    for design in results.designs:
        grid.add_row(design.name, *(_cell(results.median(design.name, each.name)) for each in results.scenarios))
    return Group(grid, Text(LEGEND, style="dim"))


def _cell(one: Measurement | None) -> str:
    if one is None:
        return ""
    if one.why is not None:
        return "x"
    if not one.requests:
        return "-"
    mark = "!" if one.failures > _MOST_FAILURES * one.requests else ""
    rate = one.rate or 0.0
    return f"{rate / 1000:.1f}k{mark}" if rate >= _MANY else f"{rate:,.0f}{mark}"
