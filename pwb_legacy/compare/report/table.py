"""What `compare` prints while it runs: in a terminal a table that fills and a progress bar with the time that is left,
elsewhere a line for each measurement.

The table has a column for each scenario, with the measure that the scenario is about, and fits 80 columns. The
scenarios that only some designs play have a table of their own below.
"""

from collections.abc import Sequence
from statistics import median
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from pwb_async.output.printing import printable
from pwb_legacy.compare.measure.results import Measurement, Results

from .claims import MEASURES, measure_of
from .spread import figure, spread
from .words import Words

_MOST_FAILURES: Final = 0.01
"""Of the requests; above it a figure has a mark."""
_USUAL: Final = "rate"
"""The measure of a column where the scenario's own one is not known."""


class Board:
    """The table and the progress bar."""

    def __init__(self, console: Console, results: Results, words: Words, total: int) -> None:
        """total: measurements of the whole run, as far as it can be foreseen."""
        self._console = console
        self._results = results
        self._words = words
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

    def show(self, text: str) -> None:
        """Something that is done before the measurements."""
        self._progress.update(self._task, description=text)
        self._draw()

    def add(self, measurement: Measurement, total: int) -> None:
        """One more measurement, which is in the results already. total: of the whole run, as far as it can be foreseen
        now."""
        one = measurement
        what = self._words.say("table.progress", round=one.round, design=one.design, scenario=one.scenario)
        self._progress.update(self._task, advance=1, total=total, description=what)
        self._draw()
        if not self._live:
            self._console.out(printable(line(one, self._words)), highlight=False)

    def _draw(self) -> None:
        if self._live:
            self._live.update(Group(table(self._results, self._words), self._progress), refresh=True)


def line(one: Measurement, words: Words) -> str:
    """A measurement on a line."""
    start = words.say("table.line", round=one.round, design=one.design, scenario=one.scenario)
    if one.why is not None:
        return f"{start} {one.why}"
    tail = words.say("table.line.p90", ms=one.p90_ms) if one.p90_ms is not None else ""
    cost = words.say("table.line.cpu", us=one.cpu_us) if one.cpu_us is not None else ""
    failures = words.say("table.line.failures", n=one.failures) if one.failures else ""
    return f"{start} {words.say('table.line.rate', rate=one.rate or 0)}{tail}{cost}{failures}"


def table(results: Results, words: Words) -> RenderableType:
    """A row for each design, a column for each scenario: the median over the rounds so far."""
    for_some = [one.name for one in results.scenarios if one.modes]
    for_all = [one.name for one in results.scenarios if not one.modes]
    grids = [_grid(results, words, scenarios) for scenarios in (for_all, for_some) if scenarios]
    legend = [words.say("table.legend"), *[words.say("table.legend.pages")] * bool(for_some)]
    return Group(*grids, Text("\n".join(legend), style="dim"))


def _grid(results: Results, words: Words, scenarios: Sequence[str]) -> Table:
    """The table of scenarios that the same designs play."""
    grid = Table(box=None, padding=(0, 0, 0, 1), pad_edge=False)
    grid.add_column("", no_wrap=True)
    names = {scenario: _measure(results, scenario) for scenario in scenarios}
    for scenario, name in names.items():
        head = f"{words.head(scenario)}\n{words.measure(name)[3]}"
        grid.add_column(head, justify="right", vertical="bottom", no_wrap=True)
    for design in results.playing(scenarios[0]):
        cells = (_cell(results, design.name, scenario, name) for scenario, name in names.items())
        grid.add_row(design.name, *cells)
    return grid


def _measure(results: Results, scenario: str) -> str:
    return measure_of(results, scenario, MEASURES.get(scenario, (_USUAL,))[0]) or _USUAL


def _cell(results: Results, design: str, scenario: str, name: str) -> str:
    """At most five characters."""
    measurements = results.of(design, scenario)
    whole = [one for one in measurements if one.why is None]
    if not whole:  # blank while it may still be measured
        return "x" if measurements or any(run.interrupted for run in results.runs) else ""
    known = spread(results, design, scenario, name)
    if known is None or (name == "rate" and not known.middle):
        return "-"
    failures, requests = (median(getattr(one, each) for one in whole) for each in ("failures", "requests"))
    return short(known.middle) + ("!" if failures > _MOST_FAILURES * requests else "")


def short(value: float) -> str:
    """A number in at most four characters: 0.53, 12, 999, 1.2k, 95k, 1.3M."""
    for unit in ("", "k", "M"):
        if value < 999.5 or unit == "M":
            text = figure(value, None)
            return (text if not unit or value < 9.95 else f"{value:.0f}") + unit
        value /= 1000
    raise AssertionError("unreachable")
