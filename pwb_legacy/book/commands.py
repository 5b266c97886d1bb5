"""The command `pwb-legacy book`: options, and exit statuses.

Exit status 0: done; 1: a design of PWB does not hold, or nothing could be done; 2: wrong use; 130: stopped by
Ctrl-C. Every error is one line.
"""

import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from pwb_async.config.command_line import describe
from pwb_async.config.help import HelpfulCommand
from pwb_async.config.language import language_option
from pwb_async.output.printing import discard_output, print_error

from . import table
from .attacks.catalogue import ATTACKS
from .attacks.outcome import Mark
from .matrix import Cell, cells
from .programs import PROGRAMS, Program
from .running import StartError
from .site import temporary_site
from .words.catalogue import Words, load

PROGRAM: Final = "pwb-legacy"
PAGE: Final = "book.html"
EXAMPLES: Final = (
    ("pwb-legacy book", "all programs and designs, as a matrix"),
    ("pwb-legacy book 6 L13", "one program, one defect: what was sent, and what happened"),
    ("pwb-legacy book --out lesson --lang zh", "the matrix as a page, in Chinese"),
)


class Defect(click.ParamType[str]):
    """An argument's value: the code of a defect."""

    name = "DEFECT"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The code in capitals; called by click. Raises click.BadParameter."""
        code = value.upper()
        if code not in ATTACKS:
            self.fail(f"{value!r} is not one of {next(iter(ATTACKS))} to {next(reversed(ATTACKS))}", param, ctx)
        return code


@click.command(cls=HelpfulCommand, examples=EXAMPLES)
@click.argument(
    "program", type=click.Choice([program.name for program in PROGRAMS]), metavar="[PROGRAM]", required=False
)
@click.argument("defects", type=Defect(), metavar="[DEFECT]...", nargs=-1)
@click.option("--out", type=click.Path(path_type=Path), help=f"Folder in which to write {PAGE}.")
@language_option()
def book(program: str | None, defects: tuple[str, ...], out: Path | None, lang: str) -> None:
    """Attack the book's seven programs, and the designs of PWB beside them; print what happens as a matrix.

    PROGRAM is a number from 1 to 7, or a design: only it is attacked. DEFECT is a code from L1 to L20: only these.

    The seven programs have defects on purpose. They listen on 127.0.0.1 alone, serve a temporary folder, and end with
    this command.
    """
    if sys.platform != "linux":
        raise click.UsageError("book needs Linux: epoll, and what /proc tells of processes")
    words = load(lang)
    chosen = [each for each in PROGRAMS if program in (None, each.name)]
    codes = [code for code in ATTACKS if not defects or code in defects]
    if out is not None and program:
        raise click.UsageError("--out: the page has all programs; leave the program out")
    if out is not None:
        _check_folder(out)
    print_error(words.text["starting"])
    found = _run(chosen, codes, words)
    lines = table.details(found[0], words) if len(found) == 1 else table.column(found, words)
    for line in lines if program else table.matrix(found, words):
        click.echo(line)
    if out is not None:
        click.echo(words.text["written"].format(path=_write_page(out, found, words)))
    if any(cell.outcome.mark is not Mark.HELD and not cell.program.is_exhibit for cell in found):
        raise SystemExit(1)


def _run(chosen: Sequence[Program], codes: Sequence[str], words: Words) -> list[Cell]:
    """All cells, in the order of the programs and of the codes. In a terminal, a line counts those that are done."""
    found: dict[tuple[str, str], Cell] = {}
    total = len(chosen) * len(codes)
    shown = sys.stderr.isatty()
    with temporary_site() as folder:
        for cell in cells(chosen, codes, folder):
            found[cell.program.name, cell.code] = cell
            if shown:
                click.echo("\r" + words.text["progress"].format(done=len(found), total=total), err=True, nl=False)
    if shown:
        click.echo("\r\x1b[K", err=True, nl=False)
    return [found[program.name, code] for program in chosen for code in codes]


def _write_page(out: Path, found: Sequence[Cell], words: Words) -> Path:
    from .page import render  # needs jinja2, which the matrix does not

    path = out / PAGE
    path.write_text(render(found, words, f"{PROGRAM} {shlex.join(sys.argv[1:])}"), encoding="utf-8")
    return path


def _check_folder(out: Path) -> None:
    """A run takes a minute: whether its page can be written is seen before."""
    if out.exists() and not out.is_dir():
        raise click.UsageError(f"--out: {os.fspath(out)}: is a file, not a folder")
    if (out / PAGE).is_dir():
        raise click.UsageError(f"--out: {os.fspath(out / PAGE)}: is a folder, and a file of this name is to be written")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
        import jinja2  # noqa: F401
    except OSError as error:
        raise click.UsageError(f"--out: {os.fspath(out)}: {error.strerror}") from None
    except ImportError:
        raise click.UsageError("--out needs jinja2, which is not installed: pip install '.[lab]'") from None


def main() -> None:
    """The command line of this process. Raises SystemExit, with the status."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # it ends the exhibits, too
    try:
        book.main(args=sys.argv[2:], prog_name=f"{PROGRAM} book", standalone_mode=False)
    except click.UsageError as error:
        _end(2, describe(error))
    except BrokenPipeError:  # nothing reads the rest of what is printed
        discard_output()
        raise SystemExit(1) from None
    except (StartError, OSError) as error:
        _end(1, str(error))
    except (click.Abort, KeyboardInterrupt):
        _end(130, "stopped")


def _end(status: int, why: str) -> None:
    print_error(f"{PROGRAM}: {why}")
    raise SystemExit(status)
