"""The benchmark's command: ``python -m tests.benchmarks.peers --quick`` or ``--full``.

The steps, in order:
1. find the peers; missing ones are named.
2. for each work: start every peer on the server's core and check the bytes of its responses; a peer
   that can't do the work is named.
3. measure in interleaved rounds: every peer in turn, then every peer again, with the load on
   another core.
4. end them all, print the table, and continue with the next work; then start-up and memory, one
   peer at a time.
5. print the line that CI keeps; with --out write the results.

It exits with 0 whatever the figures are: it reports, it does not judge.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import session
from .report import Report, as_text, quick_line
from .rounds import PROBES, measure_works, probe
from .servers import PEERS
from .works import WORKS


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line, with the values that --quick and --full stand for."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.peers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--quick",
        action="store_true",
        help="PWB, nginx, the floor at one work; about two minutes (default)",
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


def measure(options: argparse.Namespace, scratch: Path) -> Report:
    """Measure everything, and print each table when it is complete."""
    works = {work.name: work for work in WORKS}
    tail = max((works[name].tail for name in options.works if name in works), default=0)
    choice = session.Choice(options.peers, options.rounds, options.duration, options.idle, tail)
    bench, peers, report = session.prepare(choice, scratch)
    for name in options.works:
        everywhere = options.floor_everywhere or name == options.works[0]
        chosen = [peer for peer in peers if everywhere or not peer.fixed]
        work = works.get(name)
        table = measure_works(bench, [work], chosen)[0] if work else probe(bench, name, chosen)
        report.tables.append(table)
        print(f"\n{as_text(table)}", flush=True)
    print("", *([] if options.full else [quick_line(report)]), sep="\n")
    return report


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    options = arguments(words)
    return session.run("quick", lambda scratch: measure(options, scratch), options.out, "results.json")


if __name__ == "__main__":
    sys.exit(main())
