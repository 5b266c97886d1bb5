"""What both commands begin and end with: the cores, the installed peers, a temporary folder, Ctrl-C."""

import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from .commands import find_program
from .measure import Generator
from .report import Report, as_json, conditions, missing_lines
from .rounds import Bench
from .servers import PEERS, MissingError, Peer
from .site import make_site


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line chooses: peers by name, rounds, seconds of a round, idle connections to hold.

    ``tail``: the number of files in the site's tail, as many as the works ask for.
    """

    peers: Collection[str]
    rounds: int
    seconds: int
    idle: int
    tail: int


def find(names: Collection[str], report: Report) -> list[Peer]:
    """The installed peers; the report gets the versions of these, and the reasons why others are missing."""
    found = []
    for peer in PEERS:
        if peer.name in names:
            try:
                report.versions[peer.name] = peer.version()
                found.append(peer)
            except MissingError as reason:
                report.missing[peer.name] = str(reason)
    return found


def prepare(choice: Choice, scratch: Path) -> tuple[Bench, list[Peer], Report]:
    """Pin this process to the load's core, find the peers, make the site, and print what was found."""
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = cores[0], cores[-1]
    os.sched_setaffinity(0, {load_core})
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    report = Report(conditions(choice.seconds, choice.rounds, server_core, load_core))
    peers = find(choice.peers, report)
    print("\n".join([*report.versions.values(), *missing_lines(report.missing)]), flush=True)
    if len(cores) == 1:
        print("one core only: the load generator takes time from the servers", flush=True)
    (scratch / "site").mkdir()
    bench = Bench(
        site=make_site(scratch / "site", choice.tail),
        scratch=scratch,
        server_core=server_core,
        generator=Generator(load_core, choice.seconds, scratch),
        rounds=choice.rounds,
        idle=max(1, min(choice.idle, limit - 300)),
    )
    return bench, peers, report


def run(name: str, measure: Callable[[Path], Report], out: Path | None, result: str) -> int:
    """Measure with a temporary folder, and write the report as ``out/result`` with its charts, if out is given.

    Returns the exit status: 130 after Ctrl-C, else 0. name: of the benchmark, for its messages.
    """
    if not find_program("wrk"):
        print(f"benchmark {name}: nothing measured; missing: wrk (apt-get install wrk)")
        return 0
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop_once)
    try:
        with tempfile.TemporaryDirectory(prefix="pwb-benchmark-") as scratch:
            report = measure(Path(scratch))
    except KeyboardInterrupt:
        print("benchmark: stopped", file=sys.stderr)
        return 130
    if out:
        write(report, out, result)
    return 0


def write(report: Report, folder: Path, result: str) -> None:
    """Write the report as JSON, and its charts where the drawing library is there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / result).write_text(as_json(report))
    try:
        from . import charts
    except ImportError as error:
        print(f"no charts: {error}")
    else:
        charts.draw(report, folder)


def _stop_once(number: int, frame: object) -> None:
    """Ctrl-C or SIGTERM: end the servers and leave; a second one can't hinder that."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    raise KeyboardInterrupt
