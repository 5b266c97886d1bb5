"""The benchmark's command: ``python -m tests.benchmarks.peers --quick``, ``--full``, ``--asgi`` or ``--compression``.

The steps, in order:
1. find the peers; missing ones are named.
2. for each work: start every peer on the server's core and check the bytes of its responses; a peer
   that can't do the work is named.
3. measure in interleaved rounds: every peer in turn, then every peer again, with the load on
   another core.
4. end them all, print the table, and continue with the next work; then start-up and memory, one
   peer at a time.
5. print the line that CI keeps; with --out write the results, and the charts: ``results.json`` or, with
   --compression, --tls and --http2, a file of that name.

It exits with 0 whatever the figures are: it reports, it does not judge.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from . import session
from .report import Report, as_text, quick_line
from .rounds import PROBES, measure_works, probe
from .servers import PEERS, Peer
from .works import CODED_WORKS, HTTP2_WORKS, TLS_WORKS, WORKS

ALL_WORKS = {work.name: work for work in (*WORKS, *CODED_WORKS, *TLS_WORKS, *HTTP2_WORKS)}
ASGI_WORKS = ("hot", "not-modified", "range", "zipf-log", "file-1m")
"""The works of ``--asgi``."""


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line, with the values that its mode stands for."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.peers", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument(
        "--quick",
        action="store_true",
        help="PWB, nginx, the floor at one work; about two minutes (default)",
    )
    mode.add_argument("--full", action="store_true", help="every peer at every work but those below, 5 rounds")
    mode.add_argument(
        "--compression",
        action="store_true",
        help="the works of compression, with the peers that have it, 5 rounds; about ten minutes",
    )
    mode.add_argument(
        "--tls",
        action="store_true",
        help="the works over HTTPS, with the peers that have it, 5 rounds; about five minutes",
    )
    mode.add_argument(
        "--http2",
        action="store_true",
        help="the works over HTTP/2, with the peers that have it, 5 rounds, by h2load; about a quarter of an hour",
    )
    mode.add_argument(
        "--asgi",
        action="store_true",
        help="PWB, Starlette and ServeStatic as applications in the same uvicorn, 3 rounds; about two minutes",
    )
    works = [*ALL_WORKS, *PROBES]
    names = [peer.name for peer in PEERS]
    parser.add_argument("--works", nargs="+", choices=works, metavar="WORK", help=", ".join(works))
    parser.add_argument("--peers", nargs="+", choices=names, metavar="PEER", help=", ".join(names))
    parser.add_argument(
        "--rounds", type=int, help="rounds of each work (3, --full, --compression, --tls and --http2: 5)"
    )
    parser.add_argument(
        "--duration", type=int, help="seconds of a round (1, --full, --compression, --tls and --http2: 2)"
    )
    parser.add_argument("--idle", type=int, default=5000, help="idle connections to hold (5000)")
    parser.add_argument("--out", type=Path, help="folder for results.json and the charts")
    options = parser.parse_args(words)
    options.floor_everywhere = (
        options.full or options.peers
    )  # --quick measures the floor at one work only, to save time
    long = options.full or options.compression or options.tls or options.http2
    options.works = options.works or default_works(options)
    options.peers = options.peers or [peer.name for peer in PEERS if chosen_by_default(peer, options)]
    options.rounds = max(1, min(options.rounds or (5 if long else 3), 100))
    options.duration = max(1, min(options.duration or (2 if long else 1), 60))
    return options


def default_works(options: argparse.Namespace) -> list[str]:
    """The works of the chosen mode."""
    if options.compression:
        return [work.name for work in CODED_WORKS]
    if options.tls:
        return [work.name for work in TLS_WORKS]
    if options.http2:
        return [work.name for work in HTTP2_WORKS]
    if options.asgi:
        return list(ASGI_WORKS)
    works = [work.name for work in WORKS if options.full or work.quick]
    return [*works, *(PROBES if options.full else ())]


def chosen_by_default(peer: Peer, options: argparse.Namespace) -> bool:
    """Whether a peer takes part in the chosen mode."""
    if options.tls or options.http2:
        return peer.tls
    if options.asgi:
        return peer.asgi
    return peer.compression if options.compression else options.full or peer.quick


def result_of(options: argparse.Namespace) -> str:
    """The name of the file with the results of the chosen mode."""
    modes = ("compression", "tls", "http2")
    return f"{next((mode for mode in modes if getattr(options, mode)), 'results')}.json"


def group_of(name: str) -> str:
    """What works have in common that are measured in the same rounds; the name of any other work or probe."""
    return (ALL_WORKS[name].group if name in ALL_WORKS else "") or name


def measure(options: argparse.Namespace, scratch: Path) -> Report:
    """Measure everything, and print each table when it is complete."""
    tail = max((ALL_WORKS[name].tail for name in options.works if name in ALL_WORKS), default=0)
    choice = session.Choice(options.peers, options.rounds, options.duration, options.idle, tail)
    bench, peers, report = session.prepare(choice, scratch)
    for name, group in groupby(options.works, group_of):
        names = list(group)
        everywhere = options.floor_everywhere or options.works[0] in names
        chosen = [peer for peer in peers if everywhere or not peer.fixed]
        works = [ALL_WORKS[each] for each in names if each in ALL_WORKS]
        tables = measure_works(bench, works, chosen) if works else [probe(bench, name, chosen)]
        report.tables += tables
        print(*(f"\n{as_text(table)}" for table in tables), sep="\n", flush=True)
    print("", *([] if options.full or options.compression or options.asgi else [quick_line(report)]), sep="\n")
    return report


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    options = arguments(words)
    return session.run("quick", lambda scratch: measure(options, scratch), options.out, result_of(options))


if __name__ == "__main__":
    sys.exit(main())
