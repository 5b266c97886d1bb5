"""compare.json and compare.html: the figures are written first, so that no fault in a drawing can lose them."""

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


def write(results: Results, out: Path) -> None:
    """Writes the figures. Raises OSError. A byte of a file's name that is no UTF-8 is written as an escape."""
    (out / FIGURES).write_text(results.to_json(), "utf-8", errors="backslashreplace")


def read(paths: list[Path]) -> Results:
    """The results of one run, or of several joined. Raises CannotError, in one line."""
    parts = []
    for path in paths:
        try:
            parts.append(Results.from_json(path.read_text("utf-8")))
        except OSError as error:
            raise CannotError(f"{path}: {error.strerror}") from None
        except ValueError as error:
            raise CannotError(f"{path}: {error}") from None
    return joined(parts)


def draw(results: Results, out: Path, console: Console, language: str = "en", guess: bool = False) -> str:
    """Prints the table and the verdict, and writes the page. Returns a line about the files. Raises OSError."""
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
        return words.say("table.not_drawn", why=f"{type(error).__name__}: {error}", **files)
    (out / PAGE).write_text(text, "utf-8", errors="backslashreplace")
    return words.say("table.written", **files)
