"""The values of the laboratory's options, and what is measured by default."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pwb_async.output.printing import printable
from pwb_legacy.compare.measure.servers import CONTESTANTS, HTTP2, CannotError, Contestant

if TYPE_CHECKING:
    from pwb_legacy.compare.measure.sample_site import Site
    from pwb_legacy.compare.measure.scenarios import Scenario
    from pwb_legacy.compare.measure.sweep_plan import Plan

FULL: Final = (6, 0.15)
"""Rounds at least, and seconds of a measurement."""
FULL_SECONDS: Final = 225.0
"""Of a whole run: more rounds are played as long as they fit into it."""
QUICK: Final = (1, 0.15)
REPLAY: Final = (1, 10.0)
QUICK_IDLE: Final = 0.4
"""The share of a whole run's idle connections."""
QUICK_LEAVES_OUT: Final = "async-asyncio"
CONNECTIONS: Final = 32
SCENARIO_NAMES: Final = (
    *("crowd", "short", "kept", "many", "large"),
    *("slow-heads", "slow-readers", "burst", "vanishing"),
    *("page-0ms", "page-20ms", "page-100ms", "slow-disk"),
)
"""Once more, so that --help works without the extra `lab`."""


class Place(click.ParamType[Path]):
    """An option's value: the path of a file or folder that exists; with `folder`, of a folder."""

    def __init__(self, name: str, folder: bool = False) -> None:
        self.name, self._folder = name, folder

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        if not path.exists():
            self.fail(f"{printable(os.fspath(value))}: No such file or directory", param, ctx)
        if self._folder and not path.is_dir():
            self.fail(f"{printable(os.fspath(value))}: is a file, not a folder", param, ctx)
        return path


class Names(click.ParamType[Any]):
    """An option's value: some of the known names, with commas between them."""

    name = "NAME,..."

    def __init__(self, what: str, known: Sequence[str]) -> None:
        self._what, self.known = what, tuple(known)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        names = [name.strip() for name in value.split(",") if name.strip()]
        unknown = [name for name in names if name not in self.known]
        if unknown or not names:
            self.fail(
                f"no {self._what} {', '.join(unknown) or 'at all'}; there are {', '.join(self.known)}", param, ctx
            )
        return tuple(names)


class Counts(click.ParamType[Any]):
    """An option's value: different numbers above 0, with commas between them."""

    name = "N,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        counts = [each.strip() for each in value.split(",") if each.strip()]
        if not counts or not all(each.isascii() and each.isdecimal() and 0 < int(each) < 10_000 for each in counts):
            self.fail(f"{value!r} is not a list of numbers such as 1,2", param, ctx)
        return tuple(sorted({int(each) for each in counts}))


class Command(click.ParamType[Any]):
    """An option's value: NAME=command, as a contestant."""

    name = "NAME=COMMAND"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from pwb_legacy.compare.measure.others import NGINX, also

        try:
            found = also(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if found.name in {*(one.name for one in (*CONTESTANTS, HTTP2)), NGINX}:
            self.fail(f"{found.name} is the name of another contestant; choose a different one", param, ctx)
        return found


COMMAND: Final = Command()
CORES: Final = Counts()
FOLDER: Final = Place("FOLDER", folder=True)
FILE: Final = Place("FILE")
OUT: Final = click.Path(path_type=Path)
MODES: Final = Names("mode", [one.name for one in CONTESTANTS])
COMPARED: Final = Names("mode", [*(one.name for one in CONTESTANTS), "nginx"])
"""Those of `compare`, which has nginx for reference."""
TRACED: Final = Names("mode", ["fixed", *(one.name for one in CONTESTANTS)])
SCENARIOS: Final = Names("scenario", SCENARIO_NAMES)


def check_folder(out: Path, names: Sequence[str] = ()) -> None:
    """Make the folder for what is written, before a run that takes minutes. names: of files that are written there.
    Raises CannotError."""
    if out.exists() and not out.is_dir():
        raise CannotError(f"{out}: is a file, not a folder")
    place = out
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
        for place in (out / name for name in names):
            if place.is_dir():
                raise CannotError(f"{place}: is a folder, and a file of this name is to be written")
            if place.exists():
                place.open("ab").close()
    except OSError as error:
        raise CannotError(f"{place}: {error.strerror}") from None


def contestants(names: Sequence[str] | None, quick: bool) -> list[Contestant]:
    """The designs that are asked for, by default all; a quick run has one fewer."""
    return [one for one in CONTESTANTS if (one.name in names if names else not quick or one.name != QUICK_LEAVES_OUT)]


def compared(told: Mapping[str, Any], quick: bool) -> list[Contestant]:
    """All contestants of `compare`: designs, the same under other interpreters, nginx for reference, and the commands
    of --also; each on each number of cores. Raises CannotError, click.UsageError."""
    from pwb_legacy.compare.measure.interpreters import under
    from pwb_legacy.compare.measure.others import NGINX, nginx

    names, also = told["modes"], told["also"]
    if len({one.name for one in also}) < len(also):
        raise click.UsageError("--also: two commands have the same name")
    designs = contestants(names, quick)
    if not designs:
        raise click.UsageError("--modes: nginx is there for reference only; name a design beside it")
    reference = nginx() if (NGINX in names if names else not quick) else None
    if names and NGINX in names and reference is None:
        raise click.UsageError("--modes: nginx is not installed")
    chosen = [*designs, *under(designs, told["python"]), *([reference] if reference else []), *also]
    cores: tuple[int, ...] = told["cores"]
    return chosen if cores == (1,) else [one.on(count) for one in chosen for count in cores]


def scenarios(root: Path | None, told: Mapping[str, Any]) -> "list[Scenario]":
    """The scenarios that are asked for; of a recording, its replay alone. Raises CannotError, click.UsageError."""
    from pwb_legacy.compare.measure.replay import read
    from pwb_legacy.compare.measure.scenarios import SCENARIOS as ALL
    from pwb_legacy.compare.measure.scenarios import replayed

    if told["replay"] is None:
        if told["speed"] is not None:
            raise click.UsageError("--speed is that of a recording: it needs --replay")
        return [one for one in ALL if not told["scenarios"] or one.name in told["scenarios"]]
    if root is None:
        raise click.UsageError("--replay asks for real files: name the folder ROOT that has them")
    if told["scenarios"]:
        raise click.UsageError("--replay and --scenarios: a recording is a scenario of its own; choose one")
    recording = read(told["replay"])
    if recording.missing:
        print(printable(f"{told['replay']}: left out: {recording.missing}"), file=sys.stderr)
    return [replayed(recording, told["speed"] or 1.0, told["duration"] or REPLAY[1])]


def playable(contestants: Sequence[Contestant], scenarios: "Sequence[Scenario]") -> "list[Scenario]":
    """Those scenarios that one of the contestants plays. Raises click.UsageError if none is left."""
    found = [scenario for scenario in scenarios if any(map(scenario.has, contestants))]
    if scenarios and not found:
        raise click.UsageError(f"--scenarios: none of these designs plays {', '.join(one.name for one in scenarios)}")
    return found


def with_http2(contestants: Sequence[Contestant], scenarios: "Sequence[Scenario]") -> list[Contestant]:
    """The contestants, and HTTP/2 beside each `async` where a scenario compares the two."""
    if not any(HTTP2.name in one.modes for one in scenarios):
        return list(contestants)
    found: list[Contestant] = []
    for one in contestants:
        found.append(one)
        if (one.design or one.name) == "async":
            found.append(HTTP2.on(one.cores) if one.design else HTTP2)
    return found


def plan(told: Mapping[str, Any], quick: bool, began: float) -> "Plan":
    """Which points a sweep has, and how much time. began: when the command did, by the monotonic clock. Raises
    CannotError, click.UsageError."""
    from pwb_legacy.compare.measure import sweep_plan as sweep

    for name in ("scenarios", "replay", "speed"):
        if told[name] is not None:
            raise click.UsageError(f"--sweep and --{name}: a sweep has curves instead of scenarios; choose one")
    if told["load"] != "own":
        raise click.UsageError("--sweep needs --load own: wrk has no open loop")
    sweep.check_descriptors()
    found = sweep.Plan(seconds=told["duration"] or sweep.SECONDS)
    if quick:
        found.clients, found.shares, found.rounds = sweep.CLIENTS[::3], sweep.SHARES[::2], (1, 1)
    if told["rounds"]:
        found.rounds = told["rounds"], told["rounds"]
    else:
        found.until = began + sweep.LIMIT
    return found


@contextmanager
def site(root: Path | None, seed: int) -> "Iterator[Site]":
    """The folder that is named, or one that is made, and removed afterwards. Raises CannotError."""
    from pwb_legacy.compare.measure.sample_site import find, make

    if root is not None:
        yield find(root.absolute(), seed)
        return
    with tempfile.TemporaryDirectory(prefix="pwb-site-") as folder:
        yield make(Path(folder), seed)
