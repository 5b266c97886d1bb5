"""The commands of the laboratory: python -m pwb_legacy compare, diff, trace. Options, and exit statuses.

Exit status 0: done; 1: designs that differ, or nothing could be done; 2: wrong use; 130: stopped by Ctrl-C, and what
was measured until then is kept. Every error is one line.
"""

import shlex
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pwb_async.kinds import SECONDS

from .contestants import CONTESTANTS, CannotError, Contestant

if TYPE_CHECKING:
    from .scenarios import Scenario
    from .site import Site

PROGRAM: Final = "pwb-legacy"
FULL: Final = (3, 0.5)
"""Rounds, and seconds of a measurement."""
QUICK: Final = (1, 0.2)
REPLAY: Final = (1, 10.0)
QUICK_CROWD: Final = 0.4
"""Of the idle connections of a whole run."""
QUICK_LEAVES_OUT: Final = "async-asyncio"
CONNECTIONS: Final = 32
FOLDER: Final = click.Path(exists=True, file_okay=False, path_type=Path)
FILE: Final = click.Path(exists=True, path_type=Path)
SCENARIO_NAMES: Final = (
    *("crowd", "short", "kept", "many", "large"),
    *("slow-heads", "slow-readers", "burst", "vanishing", "slow-disk"),
)
"""Said here once more, so that --help works without the extra `lab`."""


class Names(click.ParamType[Any]):
    """Some of the known names, with commas between them."""

    name = "NAME,..."

    def __init__(self, what: str, known: Sequence[str]) -> None:
        self._what, self._known = what, known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        names = [name.strip() for name in value.split(",") if name.strip()]
        unknown = [name for name in names if name not in self._known]
        if unknown or not names:
            self.fail(
                f"no {self._what} {', '.join(unknown) or 'at all'}; there are {', '.join(self._known)}", param, ctx
            )
        return tuple(names)


DESIGNS: Final = Names("design", [one.name for one in CONTESTANTS])


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def laboratory() -> None:
    """The laboratory: every design of PWB under the same loads, side by side."""


@laboratory.command()
@click.argument("root", type=FOLDER, required=False)
@click.option("--designs", type=DESIGNS, help="Only these.  [default: all]")
@click.option("--scenarios", type=Names("scenario", SCENARIO_NAMES), help="Only these.  [default: all]")
@click.option("--duration", type=SECONDS, metavar="SECONDS", help="Of a measurement.  [default: 0.5s]")
@click.option(
    "--connections", type=click.IntRange(1, 1000), default=CONNECTIONS, help="Busy clients.", show_default=True
)
@click.option("--rounds", type=click.IntRange(1, 100), help="Each shows the median of them.  [default: 3]")
@click.option("--seed", type=int, default=1, help="Of the order, and of what is asked for.", show_default=True)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=".", help="Folder for what is written."
)
@click.option("--load", type=click.Choice(["own", "wrk"]), default="own", help="Who asks, where wrk can.")
@click.option("--quick", is_flag=True, help=f"One round, shorter, without {QUICK_LEAVES_OUT} and system calls.")
@click.option("--replay", type=FILE, metavar="FILE", help="Access log (combined format) or HAR file to replay on ROOT.")
@click.option("--speed", type=click.FloatRange(0.001, 100_000), default=1.0, help="So many times its pace.")
def compare(root: Path | None, quick: bool, out: Path, **told: Any) -> None:
    """Measure all designs in ten scenarios; write compare.html and compare.json.

    ROOT is the folder whose files are asked for; without it a site is made for the run.
    """
    with _extra("compare"):
        from rich.console import Console

        from .rounds import Bench
        from .session import UnlikeError, run
        from .tracer import can_trace
    contestants = _contestants(told["designs"], quick)
    scenarios = _scenarios(root, told, quick)
    rounds, seconds = REPLAY if told["replay"] else QUICK if quick else FULL
    with _site(root, told["seed"]) as site:
        bench = Bench(
            contestants=contestants,
            scenarios=scenarios,
            site=site,
            rounds=told["rounds"] or rounds,
            seconds=told["duration"] or seconds,
            connections=told["connections"],
            seed=told["seed"],
            wrk=told["load"] == "wrk",
            trace=not quick and can_trace(),
            crowd=QUICK_CROWD if quick else 1.0,
        )
        try:
            results = run(bench, f"python -m pwb_legacy {shlex.join(sys.argv[1:])}", out, Console())
        except UnlikeError as unlike:
            print(unlike)
            raise CannotError("the designs do not answer alike, so there is nothing to compare") from None
    if results.about.interrupted:
        raise SystemExit(130)


@laboratory.command()
@click.argument("root", type=FOLDER, required=False)
@click.option("--designs", type=DESIGNS, help="Only these.  [default: all]")
@click.option("--corpus", type=FILE, metavar="FILE", help="What to send, instead of what is built in.")
def diff(root: Path | None, designs: tuple[str, ...] | None, corpus: Path | None) -> None:
    """Send the same requests to all designs, and print any byte in which the answers differ but for their dates.

    `single` ends every connection after one answer: it is compared by that answer, without the field Connection.

    ROOT is the folder that they serve; without it a site is made for it.

    A corpus is a file of requests with a line --- between them. A request is sent as it stands, each of its lines ended
    by CRLF (so the head needs its empty line), with the escapes of Python: \\x00, \\r, \\n, \\\\. A folder of *.http
    files is a corpus, too: they are sent as they are.
    """
    from . import corpus as cases
    from . import equality

    chosen = _contestants(designs, False)
    given = cases.read(corpus) if corpus else None
    with _site(root, 1) as site:
        proof = equality.prove(
            chosen,
            site.root,
            lambda address: given or cases.built_in(site, equality.validators(address, site.page)),
        )
    for difference in proof.equality.differences:
        print(difference, end="\n\n")
    for name, why in proof.silent.items():
        print(f"{PROGRAM}: {name}: {why}", file=sys.stderr)
    count, asked = len(proof.equality.differences), len(chosen) - len(proof.silent)
    alike = f"{count:,} are not answered alike" if count else "all are answered alike"
    print(f"{proof.equality.requests:,} requests to {asked} designs: {alike}")
    if count or proof.silent:
        raise SystemExit(1)


def main() -> None:
    """The command line of this process. Raises SystemExit, with the status."""
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))  # it ends the servers, too
    try:
        laboratory.main(prog_name=PROGRAM, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        raise SystemExit(2) from None
    except click.ClickException as error:
        _leave(error.format_message(), 2)
    except CannotError as error:
        _leave(str(error), 1)
    except OSError as error:
        _leave(f"{error.filename or PROGRAM}: {error.strerror or error}", 1)
    except (click.Abort, KeyboardInterrupt):
        _leave("stopped", 130)


def _leave(why: str, status: int) -> None:
    print(f"{PROGRAM}: {why}", file=sys.stderr)
    raise SystemExit(status)


@contextmanager
def _extra(command: str) -> Iterator[None]:
    """Around imports of what a server does not need."""
    try:
        yield
    except ImportError as error:
        missing = (error.name or str(error)).partition(".")[0]
        what = f"{command} needs {missing}, which is not installed: pip install 'pwb[lab]'"
        raise CannotError(what) from None


def _contestants(names: Sequence[str] | None, quick: bool) -> list[Contestant]:
    if names:
        return [one for one in CONTESTANTS if one.name in names]
    return [one for one in CONTESTANTS if not quick or one.name != QUICK_LEAVES_OUT]


def _scenarios(root: Path | None, told: dict[str, Any], quick: bool) -> "list[Scenario]":
    """Those that are asked for; of a recording, its replay alone."""
    from .replay import read
    from .scenarios import SCENARIOS, replayed

    if told["replay"] is None:
        return [one for one in SCENARIOS if not told["scenarios"] or one.name in told["scenarios"]]
    if root is None:
        raise click.UsageError("--replay asks for real files: name the folder ROOT that has them")
    recording = read(told["replay"])
    if recording.missing:
        print(f"{told['replay']}: left out: {recording.missing}", file=sys.stderr)
    return [replayed(recording, told["speed"], told["duration"] or REPLAY[1])]


@contextmanager
def _site(root: Path | None, seed: int) -> "Iterator[Site]":
    """The folder that is named, or one that is made and gone afterwards."""
    from . import site

    if root is not None:
        yield site.find(root.absolute(), seed)
        return
    with tempfile.TemporaryDirectory(prefix="pwb-site-") as folder:
        yield site.make(Path(folder), seed)
