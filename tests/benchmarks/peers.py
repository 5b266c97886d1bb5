"""The benchmark's command: ``python -m tests.benchmarks.peers --quick`` or ``--full``.

The steps, in order:
1. find the peers; who is missing is named.
2. for each work: start every peer on the server's core and check the bytes of its answers; who
   can't do the work is named.
3. measure in interleaved rounds: every peer in turn, then every peer again, with the load on
   another core.
4. end them all, print the table, and go on with the next work; then start-up and memory, one peer
   at a time.
5. with --out write what came out; close with the line that CI keeps.

It exits with 0 whatever the figures are: it reports, it does not judge.
"""

import argparse
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .commands import find_program
from .measure import Generator
from .report import Report, as_json, as_text, conditions, quick_line, who_is_missing
from .rounds import PROBES, Bench, measure_work, probe
from .servers import PEERS, MissingError, Peer
from .site import make_site
from .works import WORKS


def find(peers: Sequence[Peer], report: Report) -> list[Peer]:
    """Step 1: the peers that are there; the report learns of all of them."""
    found = []
    for peer in peers:
        try:
            report.versions[peer.name] = peer.version()
            found.append(peer)
        except MissingError as reason:
            report.missing[peer.name] = str(reason)
    return found


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line, with what --quick and --full stand for filled in."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.peers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--quick",
        action="store_true",
        help="PWB, nginx, the floor at one work; about 60 s (default)",
    )
    mode.add_argument("--full", action="store_true", help="every peer at every work, 5 rounds")
    works = [work.name for work in WORKS] + list(PROBES)
    names = [peer.name for peer in PEERS]
    parser.add_argument("--works", nargs="+", choices=works, metavar="WORK", help=", ".join(works))
    parser.add_argument("--peers", nargs="+", choices=names, metavar="PEER", help=", ".join(names))
    parser.add_argument("--rounds", type=int, help="rounds of each work (3, --full: 5)")
    parser.add_argument("--duration", type=int, help="seconds of a round (1, --full: 2)")
    parser.add_argument("--idle", type=int, default=5000, help="idle connections to hold (5000)")
    parser.add_argument("--out", type=Path, help="folder for results.json and the charts")
    told = parser.parse_args(words)
    told.floor_everywhere = told.full or told.peers  # --quick asks the floor at one work, for time
    told.works = told.works or [
        *(work.name for work in WORKS if told.full or work.quick),
        *(PROBES if told.full else ()),
    ]
    told.peers = told.peers or [peer.name for peer in PEERS if told.full or peer.quick]
    told.rounds = max(1, min(told.rounds or (5 if told.full else 3), 100))
    told.duration = max(1, min(told.duration or (2 if told.full else 1), 60))
    return told


def run(told: argparse.Namespace, scratch: Path) -> Report:
    """Everything, with the tables printed as they come."""
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = cores[0], cores[-1]
    os.sched_setaffinity(0, {load_core})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    report = Report(conditions(told.duration, told.rounds, server_core, load_core))
    peers = find([peer for peer in PEERS if peer.name in told.peers], report)
    print("\n".join([*report.versions.values(), *who_is_missing(report.missing)]), flush=True)
    (scratch / "site").mkdir()
    bench = Bench(
        site=make_site(scratch / "site"),
        scratch=scratch,
        server_core=server_core,
        generator=Generator(load_core, told.duration, scratch),
        rounds=told.rounds,
        idle=max(1, min(told.idle, most - 300)),
    )
    if len(cores) == 1:
        print("one core only: the load generator takes time from the servers", flush=True)
    for name in told.works:
        work = next((work for work in WORKS if work.name == name), None)
        everywhere = told.floor_everywhere or name == told.works[0]
        asked = [peer for peer in peers if everywhere or not peer.fixed]
        table = measure_work(bench, work, asked) if work else probe(bench, name, asked)
        report.tables.append(table)
        print(f"\n{as_text(table)}", flush=True)
    return report


def write(report: Report, folder: Path) -> None:
    """Step 5: results.json and the charts."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(as_json(report))
    try:
        from . import charts
    except ImportError as error:
        print(f"no charts: {error}")
    else:
        charts.draw(report, folder)


def stop_once(number: int, frame: object) -> None:
    """Ctrl-C or SIGTERM: end the servers and leave; a second one can't hinder that."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    raise KeyboardInterrupt


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    told = arguments(words)
    if not find_program("wrk"):
        print("benchmark quick: nothing measured; missing: wrk (apt-get install wrk)")
        return 0
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop_once)
    try:
        with tempfile.TemporaryDirectory(prefix="pwb-benchmark-") as scratch:
            report = run(told, Path(scratch))
    except KeyboardInterrupt:
        print("benchmark: stopped", file=sys.stderr)
        return 130
    if told.out:
        write(report, told.out)
    print("", *([] if told.full else [quick_line(report)]), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
