"""The commands of the laboratory: python -m pwb_legacy compare, report, diff, trace. Options, and exit statuses.

Exit status 0: done; 1: designs that differ, or nothing could be done; 2: wrong use; 130: stopped by Ctrl-C, and what
was measured until then is kept. Every error is one line.
"""

import shlex
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click

from pwb_async.config.click_types import ClickType
from pwb_async.config.command_line import describe
from pwb_async.config.help import SETTINGS
from pwb_async.config.language import language_option
from pwb_async.config.option_types import SECONDS
from pwb_async.output.printing import printable
from pwb_legacy.compare.measure.servers import CannotError

from . import option_values as choices
from .command_help import helpful
from .option_values import (
    COMMAND,
    COMPARED,
    CONNECTIONS,
    CORES,
    FILE,
    FOLDER,
    FULL,
    FULL_SECONDS,
    MODES,
    OUT,
    QUICK,
    QUICK_IDLE,
    QUICK_LEAVES_OUT,
    REPLAY,
    SCENARIOS,
    TRACED,
)

PROGRAM: Final = "pwb-legacy"
GUESS: Final = click.option("--guess", is_flag=True, help="The page covers its charts until a guess is made.")


@click.group(context_settings=SETTINGS)
def laboratory() -> None:
    """The laboratory: every design of PWB under the same loads, side by side."""


@laboratory.command(**helpful("compare"))
@click.argument("root", type=FOLDER, required=False)
@click.option("--modes", type=COMPARED, help="Only these designs; nginx is for reference.  [default: all]")
@click.option("--scenarios", type=SCENARIOS, help="Only these.  [default: all]")
@click.option(
    "--duration", type=ClickType(SECONDS), metavar="SECONDS", help="Length of a measurement.  [default: 0.15s]"
)
@click.option(
    "--connections",
    type=click.IntRange(1, 1000),
    metavar="COUNT",
    default=CONNECTIONS,
    help="Busy clients.",
    show_default=True,
)
@click.option(
    "--rounds",
    type=click.IntRange(1, 100),
    metavar="COUNT",
    help="Measurements of each design.  [default: as many as fit into 225 s, at least 6]",
)
@click.option("--cores", type=CORES, default="1", help="Cores of a server; 1,2 measures it on each.", show_default=True)
@click.option(
    "--seed",
    type=int,
    default=1,
    metavar="NUMBER",
    help="Chooses the order of the designs, and the files that are requested.",
    show_default=True,
)
@click.option("--out", type=OUT, default=".", help="Folder for what is written.")
@click.option(
    "--load", type=click.Choice(["own", "wrk"]), default="own", help="What sends the requests of closed loops."
)
@click.option("--quick", is_flag=True, help=f"One round, shorter, without {QUICK_LEAVES_OUT} and system calls.")
@click.option("--python", multiple=True, metavar="PATH", help="All of them under this interpreter, too; repeatable.")
@click.option("--also", multiple=True, type=COMMAND, help="A command that serves {root} on {port}; repeatable.")
@click.option("--sweep", is_flag=True, help="Curves over 1 to 512 clients and over the load, instead of the scenarios.")
@click.option("--replay", type=FILE, metavar="FILE", help="Access log (combined format) or HAR file to replay on ROOT.")
@click.option(
    "--speed",
    type=click.FloatRange(0.001, 100_000),
    metavar="FACTOR",
    help="How many times as fast as it was recorded.  [default: 1.0]",
)
@language_option("Language of the terminal; the page has both.")
@GUESS
def compare(root: Path | None, quick: bool, sweep: bool, out: Path, lang: str, guess: bool, **told: Any) -> None:
    """Measure all designs in thirteen scenarios; write compare.html and compare.json.

    ROOT is the folder whose files are asked for; without it a site is made for the run.
    """
    with _extra("compare"):
        from rich.console import Console

        from pwb_legacy.compare.measure.rounds import Bench
        from pwb_legacy.compare.measure.syscalls import can_trace

        from .report.files import FIGURES, PAGE
        from .session import UnlikeError, run
    choices.check_folder(out, (FIGURES, PAGE))
    began = time.monotonic()
    contestants = choices.compared(told, quick)
    plan = choices.plan(told, quick, began) if sweep else None
    scenarios = [] if sweep else choices.playable(contestants, choices.scenarios(root, told))
    contestants = choices.with_http2(contestants, scenarios)
    if told["load"] == "wrk" and not shutil.which("wrk"):
        raise click.UsageError("--load wrk: wrk is not installed")
    rounds, seconds = REPLAY if told["replay"] else QUICK if quick else FULL
    with choices.site(root, told["seed"]) as served:
        bench = Bench(
            contestants=contestants,
            scenarios=scenarios,
            site=served,
            rounds=told["rounds"] or rounds,
            seconds=plan.seconds if plan else told["duration"] or seconds,
            until=None if quick or told["rounds"] or told["replay"] else began + FULL_SECONDS * len(told["cores"]),
            connections=plan.connections if plan else told["connections"],
            seed=told["seed"],
            wrk=told["load"] == "wrk",
            trace=not quick and can_trace(),
            idle_share=QUICK_IDLE if quick else 1.0,
            plan=plan,
        )
        try:
            results = run(bench, f"python -m pwb_legacy {shlex.join(sys.argv[1:])}", out, Console(), lang, guess)
        except UnlikeError as unlike:
            print(unlike)
            raise CannotError("the designs do not answer alike, so there is nothing to compare") from None
    if results.about.interrupted:
        raise click.Abort


@laboratory.command(**helpful("report"))
@click.argument("files", type=click.Path(path_type=Path), metavar="COMPARE.JSON...", nargs=-1)
@click.option("--out", type=OUT, default=".", help="Folder for compare.html.")
@language_option("Language of the terminal; the page has both.")
@GUESS
def report(files: tuple[Path, ...], out: Path, lang: str, guess: bool) -> None:
    """Draw compare.html again, from the compare.json of a run.

    Several files, such as those of a whole class, are joined: all their requests are one distribution, and from six
    runs on, each run counts once where designs are compared.
    """
    with _extra("report"):
        from rich.console import Console

        from .report.files import PAGE, draw, read
    if not files:
        raise click.UsageError(f"COMPARE.JSON is missing: the file that `{PROGRAM} compare` has written")
    choices.check_folder(out, (PAGE,))
    Console().out(printable(draw(read(list(files)), out, Console(), lang, guess, again=True)), highlight=False)


@laboratory.command(**helpful("diff"))
@click.argument("root", type=FOLDER, required=False)
@click.option("--modes", type=MODES, help="Only these designs.  [default: all]")
@click.option("--corpus", type=FILE, metavar="FILE", help="What to send, instead of what is built in.")
@language_option()
def diff(root: Path | None, modes: tuple[str, ...] | None, corpus: Path | None, lang: str) -> None:
    """Send the same requests to all designs, and print any byte in which the answers differ but for their dates.

    `single` ends every connection after one answer: it is compared by that answer, without the field Connection.

    ROOT is the folder that they serve; without it a site is made for it, with rules, passwords, and a site of a host.

    A corpus is a file of requests with a line --- between them. A request is sent as it stands, each of its lines ended
    by CRLF (so the head needs its empty line), with the escapes of Python: \\x00, \\r, \\n, \\\\. A folder of *.http
    files is a corpus, too: they are sent as they are.
    """
    from .checks import equality
    from .checks import request_corpus as cases
    from .checks.configured_corpus import Configured, configure
    from .report.texts.catalogue import load

    chosen = choices.contestants(modes, False)
    if len(chosen) < 2:
        raise click.UsageError("--modes: one design has nothing to be compared with; name two at least")
    given = cases.read(corpus) if corpus else None
    with choices.site(root, 1) as served, TemporaryDirectory(prefix="pwb-diff-") as beside:
        made = configure(served.root, Path(beside)) if root is None else Configured((), ())
        proof = equality.prove(
            chosen,
            served.root,
            lambda address: given or [*cases.built_in(served, equality.validators(address, served.page)), *made.cases],
            made.options,
        )
    for difference in proof.equality.differences:
        print(difference, end="\n\n")
    for name, why in proof.silent.items():
        print(printable(f"{PROGRAM}: {name}: {why}"), file=sys.stderr)
    count, asked = len(proof.equality.differences), len(chosen) - len(proof.silent)
    texts, n = load(lang).texts, proof.equality.requests
    requests = texts["diff.request" if n == 1 else "diff.requests"].format(n=n)
    key = "diff.one" if asked == 1 else "diff.unlike" if count else "diff.alike"
    print(texts[key].format(requests=requests, n=asked, count=count))
    if count or proof.silent:
        raise SystemExit(1)


@laboratory.command(**helpful("trace"))
@click.option("--modes", type=TRACED, help="Only these designs.  [default: the book's seven, and async]")
@click.option("--out", type=OUT, default=".", help="Folder for what is written.")
@language_option("Language of the page.")
def trace(modes: tuple[str, ...] | None, out: Path, lang: str) -> None:
    """Play three clients through the designs; write trace.html, a page to step through, and trace.json for Perfetto.

    One client sends its request slowly, one reads a large file slowly, and one requests one page after the other.
    """
    choices.check_folder(out, ("trace.json", "trace.html"))
    with _extra("trace"):
        from .timeline import three_clients as play
    command = f"python -m pwb_legacy {shlex.join(sys.argv[1:])}"
    written = play.main(modes or (), out, command, lang)
    for path in (written.trace, written.page):
        print(printable(str(path)))
    if written.stopped:
        raise click.Abort


@laboratory.command(**helpful("live"))
@click.option("--modes", type=MODES, help="Only these designs.  [default: all]")
@click.option(
    "--rate",
    type=click.FloatRange(4, 100),
    default=20.0,
    help="Requests a second for each design, at first.",
    show_default=True,
)
@click.option("--duration", type=ClickType(SECONDS), default="30m", help="When it ends by itself.", show_default=True)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Of the page; 0: any free one.", show_default=True
)
@language_option()
def live(modes: tuple[str, ...] | None, rate: float, duration: float, port: int, lang: str) -> None:
    """Show all designs at once on a page with buttons: slow clients, idle clients, a slow disk, a killed child.

    The page is for a lesson. It is at the address that is printed, which this machine alone can open. Everything ends
    with this command.
    """
    with _extra("live"):
        from .live import session as live_session
    live_session.run(choices.contestants(modes, False), rate, duration, port, lang)


def main() -> None:
    """The command line of this process. Raises SystemExit, with the status."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # it ends the servers, too
    try:
        laboratory.main(prog_name=PROGRAM, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        raise SystemExit(2) from None
    except click.UsageError as error:
        _leave(describe(error), 2)
    except CannotError as error:
        _leave(str(error), 1)
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        _leave(f"{what}{error.strerror or error}", 1)
    except (click.Abort, KeyboardInterrupt):
        _leave("stopped", 130)


def _leave(why: str, status: int) -> None:
    print(printable(f"{PROGRAM}: {why}"), file=sys.stderr)
    raise SystemExit(status)


@contextmanager
def _extra(command: str) -> Iterator[None]:
    """Around imports of what a server does not need."""
    try:
        yield
    except ImportError as error:
        missing = (error.name or str(error)).partition(".")[0]
        package = "." if missing == "uvloop" else "'.[lab]'"  # a server needs the former, too
        what = f"{command} needs {missing}, which is not installed: pip install {package} in a checkout of PWB"
        raise CannotError(what) from None
