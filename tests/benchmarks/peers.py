"""The benchmark's command: ``python -m tests.benchmarks.peers --quick`` or ``--full``.

The steps, in order:
1. find the peers; missing ones are named.
2. for each work: start every peer on the server's core and check the bytes of its responses; a peer
   that can't do the work is named.
3. measure in interleaved rounds: every peer in turn, then every peer again, with the load on
   another core.
4. end them all, print the table, and continue with the next work; then start-up and memory, one
   peer at a time.
5. with --out write the results; end with the line that CI keeps.

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
from .report import Report, as_json, as_text, conditions, missing_lines, quick_line
from .rounds import PROBES, Bench, measure_work, probe
from .servers import PEERS, MissingError, Peer
from .site import make_site
from .works import WORKS


def find(peers: Sequence[Peer], report: Report) -> list[Peer]:
    """Step 1: the installed peers; the report gets the versions of these, and the reasons why others are missing."""
    found = []
    for peer in peers:
        try:
            report.versions[peer.name] = peer.version()
            found.append(peer)
        except MissingError as reason:
            report.missing[peer.name] = str(reason)
    return found


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line, with the values that --quick and --full stand for."""
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
    options = parser.parse_args(words)
    options.floor_everywhere = (
        options.full or options.peers
    )  # --quick measures the floor at one work only, to save time
    options.works = options.works or [
        *(work.name for work in WORKS if options.full or work.quick),
        *(PROBES if options.full else ()),
    ]
    options.peers = options.peers or [peer.name for peer in PEERS if options.full or peer.quick]
    options.rounds = max(1, min(options.rounds or (5 if options.full else 3), 100))
    options.duration = max(1, min(options.duration or (2 if options.full else 1), 60))
    return options


def run(options: argparse.Namespace, scratch: Path) -> Report:
    """Measure everything, and print each table when it is complete."""
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = cores[0], cores[-1]
    os.sched_setaffinity(0, {load_core})
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    report = Report(conditions(options.duration, options.rounds, server_core, load_core))
    peers = find([peer for peer in PEERS if peer.name in options.peers], report)
    print("\n".join([*report.versions.values(), *missing_lines(report.missing)]), flush=True)
    (scratch / "site").mkdir()
    bench = Bench(
        site=make_site(scratch / "site"),
        scratch=scratch,
        server_core=server_core,
        generator=Generator(load_core, options.duration, scratch),
        rounds=options.rounds,
        idle=max(1, min(options.idle, limit - 300)),
    )
    if len(cores) == 1:
        print("one core only: the load generator takes time from the servers", flush=True)
    for name in options.works:
        work = next((work for work in WORKS if work.name == name), None)
        everywhere = options.floor_everywhere or name == options.works[0]
        chosen = [peer for peer in peers if everywhere or not peer.fixed]
        table = measure_work(bench, work, chosen) if work else probe(bench, name, chosen)
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
    options = arguments(words)
    if not find_program("wrk"):
        print("benchmark quick: nothing measured; missing: wrk (apt-get install wrk)")
        return 0
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop_once)
    try:
        with tempfile.TemporaryDirectory(prefix="pwb-benchmark-") as scratch:
            report = run(options, Path(scratch))
    except KeyboardInterrupt:
        print("benchmark: stopped", file=sys.stderr)
        return 130
    if options.out:
        write(report, options.out)
    print("", *([] if options.full else [quick_line(report)]), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
