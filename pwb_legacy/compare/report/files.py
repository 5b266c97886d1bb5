"""compare.json and compare.html: the figures are written first, so that no fault in a drawing can lose them."""

import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from pwb_async.output.printing import printable
from pwb_legacy.compare.measure.results import Results, joined
from pwb_legacy.compare.measure.servers import CannotError

from . import page
from .claims import verdict
from .curve_words import sentences
from .curves_table import tables
from .table import table
from .words import Words

FIGURES: Final = "compare.json"
PAGE: Final = "compare.html"


def keep_earlier(out: Path) -> Path | None:
    """Rename the figures of an earlier run by the time when they were written. Return their new path; None: there are
    none, or they cannot be renamed."""
    try:
        written = datetime.fromtimestamp((out / FIGURES).stat().st_mtime)
        return (out / FIGURES).rename(out / f"compare-{written:%Y-%m-%d-%H%M%S}.json")
    except OSError:
        return None


def write(results: Results, out: Path) -> None:
    """Write the figures, all or nothing. Raises OSError. A byte of a file's name that is no UTF-8 is written as an
    escape."""
    draft = out / f".{FIGURES}.new"
    draft.write_text(results.to_json(), "utf-8", errors="backslashreplace")
    draft.replace(out / FIGURES)


def write_somewhere(results: Results, out: Path) -> tuple[Path, str]:
    """Write the figures into the folder `out`, or, if that fails, into a temporary one. Return the folder, and why it
    is another one. Raises OSError."""
    try:
        write(results, out)
    except OSError as error:
        spare = Path(tempfile.mkdtemp(prefix="pwb-compare-"))
        write(results, spare)
        return spare, error.strerror or str(error)
    return out, ""


def read(paths: list[Path]) -> Results:
    """The results of one run, or of several joined; a run that is in several files counts once. Raises CannotError, in
    one line."""
    parts: list[Results] = []
    for path in paths:
        if path.is_dir() or path.suffix == ".html":
            beside = path / FIGURES if path.is_dir() else path.with_name(FIGURES)
            raise CannotError(f"{path}: is not the compare.json of a run; try {beside}")
        try:
            found = Results.from_json(path.read_text("utf-8"))
        except OSError as error:
            raise CannotError(f"{path}: {error.strerror}") from None
        except ValueError as error:
            raise CannotError(f"{path}: {_why(error)}") from None
        if not any(_is_same(found, part) for part in parts):
            parts.append(found)
    return joined(parts)


def _is_same(one: Results, other: Results) -> bool:
    """Whether two results are those of the same run."""
    return (one.runs, one.measurements, one.points) == (other.runs, other.measurements, other.points)


def _why(error: ValueError) -> str:
    """What is wrong with a file."""
    if isinstance(error, json.JSONDecodeError):
        return f"is not the compare.json of a run: line {error.lineno} is not JSON"
    if isinstance(error, UnicodeDecodeError):
        return "is not the compare.json of a run: it is not UTF-8"
    return str(error)


def draw(
    results: Results, out: Path, console: Console, language: str = "en", guess: bool = False, again: bool = False
) -> str:
    """Print the table and the verdict, and write the page. again: its figures are elsewhere. Return a line about the
    files. Raises OSError, and CannotError where the page cannot be drawn again."""
    words = Words(results, language)
    files = {"page": out / PAGE, "json": out / FIGURES}
    try:
        for grid in [table(results, words)] if results.scenarios else tables(results, words):
            console.print(grid)
        for sentence in words.verdict(verdict(results)) if results.measurements else ():
            console.out(printable(sentence), highlight=False)
        for sentence in sentences(results, words) if results.points else ():
            console.out(printable(sentence), highlight=False)
        text = page.render(results, language, guess)
    except OSError:
        raise
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        if again:
            raise CannotError(f"the page cannot be drawn: {why}") from None
        return words.say("table.not_drawn", why=why, **files)
    (out / PAGE).write_text(text, "utf-8", errors="backslashreplace")
    return words.say("table.drawn" if again else "table.written", **files)
