"""What a sweep prints: in a terminal a progress bar with the time that is left, elsewhere a line for each point; in the
end a table of throughput over clients, and one of waits over load."""

from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from pwb_async.output.printing import printable
from pwb_legacy.compare.measure.results import Point, Results

from .curve_words import at, place, places, three
from .growth import QUESTIONS, Question
from .table import short
from .words import Words

PRINTED: Final = ("rate", "load")
"""Questions whose tables are printed; all are on the page."""


class Progressing:
    """The progress bar, or the lines."""

    def __init__(self, console: Console, words: Words, total: int) -> None:
        """total: points of the whole sweep, as far as it can be foreseen."""
        self._console, self._words = console, words
        self._progress = Progress(
            TextColumn("{task.description:48}"),
            BarColumn(20),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("", total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def add(self, point: Point, total: int) -> None:
        """One more point. total: of the whole sweep, as far as it can be foreseen now."""
        values = {"round": point.round, "design": point.design, "x": place(point.x)}
        where = self._words.say(f"curves.point.{point.question}", **values)
        self._progress.update(self._task, advance=1, total=total, description=where)
        if not self._console.is_terminal:
            self._console.out(printable(f"{where:44} {_figures(point, self._words)}"), highlight=False)


def _figures(point: Point, words: Words) -> str:
    if point.why is not None:
        return point.why
    tail = words.say("table.line.p90", ms=point.p90_ms) if point.p90_ms is not None else ""
    failures = words.say("table.line.failures", n=point.failures) if point.failures else ""
    return f"{words.say('table.line.rate', rate=point.rate or 0)}{tail}{failures}"


def tables(results: Results, words: Words) -> Iterator[RenderableType]:
    """A row for each design, a column for each place; they fit 80 columns."""
    for question in QUESTIONS:
        if question.name in PRINTED and places(results, question.axis):
            yield Text(words.say(f"curve.{question.name}"), style="bold")
            yield _table(results, words, question)


def _table(results: Results, words: Words, question: Question) -> Table:
    grid = Table(box=None, padding=(0, 0, 0, 1), pad_edge=False)
    grid.add_column(words.say(f"curve.{question.name}.unit"), no_wrap=True)
    xs = places(results, question.axis)
    for x in xs:
        grid.add_column(place(x), justify="right", no_wrap=True)
    for design in results.designs:
        found = [three(at(results, design.name, question.axis, x), question.figure) for x in xs]
        grid.add_row(design.name, *("-" if value is None else short(value[1]) for value in found))
    return grid
