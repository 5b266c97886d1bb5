"""The command `pwb-legacy check`: options, what is printed, and exit statuses.

Exit status 0: the server keeps all rows; 1: it does not, or does not start; 2: wrong use; 130: stopped by Ctrl-C.
"""

import re
import shlex
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import click

from pwb_async.config.command_line import describe
from pwb_async.config.help import HelpfulCommand
from pwb_async.config.language import language_option
from pwb_async.output.printing import discard_output, print_error
from pwb_legacy.compare.checks.essential_rows import write_site

from .clients import CLIENTS, write_large_file
from .examine import IDS, TIME, Command, Failure, GivenUpError, examine
from .server import START, CannotRunError, NotStartedError, adopting_orphans, is_listening
from .words.catalogue import Words, load
from .words.sections import SECTIONS

PROGRAM: Final = "pwb-legacy"
EXAMPLES: Final = (
    ("pwb-legacy check my_server.py", "started as `python my_server.py PORT ROOT`"),
    ("pwb-legacy check --command './my_server {port} {root}'", "a server in another language"),
    ("pwb-legacy check my_server.py --rows 'B7-*'", "only the rows with such an id; --list shows all"),
)
_PACKAGE: Final = Path(__file__).resolve().parents[1]
_EXHIBIT: Final = re.compile(r"pwb([1-7])\.py")
LINES: Final = 6
"""Lines of a request or a response that are shown, and half as many as of the server's output."""
COLUMNS: Final = 100


@click.command(cls=HelpfulCommand, examples=EXAMPLES)
@click.argument("server", required=False)
@click.option("--command", metavar="COMMAND", help="Command of a server, in which {port} and {root} are replaced.")
@click.option(
    "--port", type=click.IntRange(1, 65535), metavar="PORT", help="Port of the server.  [default: a free one]"
)
@click.option(
    "--rows", multiple=True, metavar="GLOB", help="Only the rows and clients with such an id, as 'B7-*'; repeatable."
)
@click.option("--list", "listing", is_flag=True, help="Print the ids with what they demand, and end.")
@language_option()
def check(
    server: str | None, command: str | None, port: int | None, rows: tuple[str, ...], listing: bool, lang: str
) -> None:
    """Check a server of your own: start it, send it what a server must cope with, and name in words what fails.

    SERVER is a file that is started as `python SERVER PORT ROOT`. It must listen on 127.0.0.1:PORT within 10 s, and
    serve the folder ROOT, which this command has made and removes.
    """
    words = load(lang)
    ids = [each for each in IDS if not rows or any(fnmatchcase(each, pattern) for pattern in rows)]
    if not ids:
        raise click.UsageError(words.text["no-row"].format(rows=", ".join(rows)))
    if listing:
        for each in ids:
            click.echo(f"{each:45} {words.titles[each]}")
        return
    start = _command(server, command, words)
    if port and is_listening(port):
        raise click.UsageError(words.text["port-taken"].format(port=port))
    clients = sum(each in CLIENTS for each in ids)
    name = server or str(command)
    click.echo(words.text["checking"].format(server=name, rows=len(ids) - clients, clients=clients))
    with tempfile.TemporaryDirectory(prefix="pwb-check-") as folder, adopting_orphans():
        root = write_site(Path(folder).resolve())
        write_large_file(root)
        try:
            failed = _examine(start, port or 0, root, ids, words)
        except NotStartedError as error:
            raise click.ClickException("\n".join(_not_started(error, words))) from None
        except CannotRunError as error:
            raise click.UsageError(words.text["cannot-run"].format(server=name, why=error.args[0])) from None
    if failed:
        raise SystemExit(1)


def _command(server: str | None, command: str | None, words: Words) -> Command:
    """How the server is started. Raises click.UsageError."""
    if server and command:
        raise click.UsageError(words.text["two-servers"])
    if command:
        try:
            template = shlex.split(command)
            [word.format(port=1, root="/") for word in template]
        except (ValueError, LookupError) as error:
            why = str(error) if isinstance(error, ValueError) else f"{{{error.args[0]}}}"
            raise click.UsageError(words.text["bad-command"].format(command=command, why=why)) from None
        if "{port}" not in command:
            raise click.UsageError(words.text["no-port"].format(command=command))
        return lambda port, root: [word.format(port=port, root=root) for word in template]
    if not server:
        raise click.UsageError(words.text["no-server"])
    if problem := _problem(Path(server)):
        raise click.UsageError(
            words.text[problem].format(server=server, exhibit=_EXHIBIT.sub(r"\1", Path(server).name))
        )
    return lambda port, root: [sys.executable, server, str(port), str(root)]


def _problem(server: Path) -> str:
    """Why a file cannot be started as a server, as a key of the words; "" if it can."""
    path = server.resolve()
    if path.is_dir():
        return "a-folder"
    if not path.is_file():
        return "no-file"
    if path.parent == _PACKAGE / "book/exhibits" and _EXHIBIT.fullmatch(path.name):
        return "an-exhibit"
    inside = path.is_relative_to(_PACKAGE) and not path.is_relative_to(_PACKAGE / "typed")
    return "a-part" if inside else ""


def _examine(start: Command, port: int, root: Path, ids: Sequence[str], words: Words) -> int:
    """Print each failure as soon as it is found, then the summary, and return the number of failures."""
    failed = done = 0
    why = ""
    erase = "\r\x1b[K" if sys.stderr.isatty() else ""  # there, the number of those that are done is shown
    try:
        for done, result in enumerate(examine(start, port, root, ids), 1):
            click.echo(erase, err=True, nl=False)
            if result.failure:
                failed += 1
                click.echo("\n".join(["", *_lines(result.failure, words)]))
            if erase:
                click.echo(words.text["progress"].format(done=done, total=len(ids)), err=True, nl=False)
    except GivenUpError as error:
        why = words.text[f"why-{error.args[0]}"].format(value=int(TIME))
    click.echo(erase, err=True, nl=False)
    click.echo()
    if why:
        left = len(ids) - done
        click.echo(words.text["given-up"].format(failed=failed, left=left, why=why))
    elif failed:
        click.echo(words.text["some-fail"].format(failed=failed, total=len(ids)))
    else:
        click.echo(words.text["all-hold"].format(total=len(ids)))
    return failed + bool(why)


def _lines(failure: Failure, words: Words) -> Iterator[str]:
    """A failure: what was demanded, what was sent, what came back, what is wrong, and where the RFC demands it."""
    text = words.text
    yield f"{words.titles[failure.id]}  [{failure.id}]"
    if failure.way != "client":
        yield from _block(text["sent"].format(way=text[failure.way]), _wire(failure.sent, words))
        yield from _block(text["received"], _wire(failure.received, words))
    yield from _block(text["wrong"], [words.sentence(finding) for finding in failure.findings])
    if SECTIONS[failure.id]:
        yield from _block(text["see"], [SECTIONS[failure.id]])
    if failure.printed:
        yield from _block(text["printed"], _last_lines(failure.printed))


def _block(label: str, lines: Sequence[str]) -> Iterator[str]:
    yield f"  {label}"
    yield from (f"    {line}" for line in lines)


def _wire(data: bytes, words: Words) -> list[str]:
    """The first lines of bytes, with what cannot be printed as escapes."""
    if not data:
        return [words.text["nothing"]]
    every = data.removesuffix(b"\r\n\r\n").split(b"\r\n")
    lines = [repr(line)[2:-1][:COLUMNS] for line in every[:LINES]]
    complete = len(every) <= LINES and all(len(line) <= COLUMNS for line in every)
    return lines if complete else [*lines, words.text["more"].format(size=f"{len(data):,}")]


def _last_lines(printed: str) -> list[str]:
    return [repr(line)[1:-1][:COLUMNS] for line in printed.splitlines()[-2 * LINES :]]


def _not_started(error: NotStartedError, words: Words) -> Iterator[str]:
    text = words.text
    if error.status is None:
        yield text["not-listening"].format(port=error.port, value=int(START))
    else:
        yield text["not-started"].format(value=error.status)
    yield text["printed"] if error.printed else text["printed-nothing"]
    yield from (f"    {line}" for line in _last_lines(error.printed))


def main() -> None:
    """The command line of this process. Raises SystemExit, with the status."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # it ends the server, too
    try:
        check.main(args=sys.argv[2:], prog_name=f"{PROGRAM} check", standalone_mode=False)
    except click.UsageError as error:
        print_error(f"{PROGRAM}: {describe(error)}")
        raise SystemExit(2) from None
    except BrokenPipeError:  # nothing reads the rest of what is printed
        discard_output()
        raise SystemExit(1) from None
    except click.ClickException as error:
        click.echo(error.message)
        raise SystemExit(1) from None
    except (click.Abort, KeyboardInterrupt):
        print_error(f"{PROGRAM}: {load('en').text['stopped']}")
        raise SystemExit(130) from None
