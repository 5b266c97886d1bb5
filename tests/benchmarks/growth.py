"""How the cost of a request grows: ``python -m tests.benchmarks.growth --out docs/benchmark``, about a quarter of an hour.

PWB and nginx are measured at all places of a curve in each round, so that a change of the machine's speed moves the
whole curve instead of bending it. --quick measures the ends of each axis and one place between them once, in about two
minutes. With --out the results are written as ``growth.json``, and a picture of each curve, such as ``growth-files.svg``.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pwb_legacy.compare.report.spread import figure

from . import session
from .curves import CURVES, Curve
from .report import YARDSTICK, Report, Row, Table
from .rounds import measure_works
from .servers import PEERS

PEERS_BESIDE = ("pwb", YARDSTICK)


def as_text(curve: Curve, tables: dict[int, Table]) -> str:
    """One curve for a terminal: a line for each place, with the figure of each peer."""
    lines = [f"{curve.name}: CPU us/request for a number of {curve.axis}"]
    for place, table in tables.items():
        cells = [f"{row.title} {_cell(table, row)}" for row in table.rows]
        lines.append(f"  {place:>7,}  {', '.join(cells)}")
    return "\n".join(lines)


def _cell(table: Table, row: Row) -> str:
    ratio = None if row.peer == YARDSTICK else table.ratio(row.peer)
    words = [figure(row.value) if row.samples else "", f"({ratio:.2f}x)" if ratio else "", row.note]
    return " ".join(filter(None, words))


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.growth", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    names = [curve.name for curve in CURVES]
    parser.add_argument("--quick", action="store_true", help="three places of each axis, one round of 1 s")
    parser.add_argument("--curves", nargs="+", choices=names, default=names, metavar="CURVE", help=", ".join(names))
    parser.add_argument("--peers", nargs="+", choices=[peer.name for peer in PEERS], default=PEERS_BESIDE)
    parser.add_argument("--rounds", type=int, help="rounds of each curve (5, --quick: 1)")
    parser.add_argument("--duration", type=int, help="seconds of a round (2, --quick: 1)")
    parser.add_argument("--out", type=Path, help="folder for growth.json and the pictures")
    options = parser.parse_args(words)
    options.rounds = max(1, options.rounds or (1 if options.quick else 5))
    options.duration = max(1, options.duration or (1 if options.quick else 2))
    return options


def few(places: Sequence[int]) -> tuple[int, ...]:
    """The ends of an axis, and one place between them."""
    return tuple(dict.fromkeys((places[0], places[len(places) // 2], places[-1])))


def measure(options: argparse.Namespace, scratch: Path) -> Report:
    """Measure the curves, and print each when it is complete."""
    chosen = [curve for curve in CURVES if curve.name in options.curves]
    works = {
        curve.name: [curve.at(place) for place in (few(curve.places) if options.quick else curve.places)]
        for curve in chosen
    }
    files = max(work.tail for several in works.values() for work in several)
    choice = session.Choice(options.peers, options.rounds, options.duration, 0, files)
    bench, peers, report = session.prepare(choice, scratch)
    for curve in chosen:
        report.tables += measure_works(bench, works[curve.name], peers)
        print(f"\n{as_text(curve, curve.tables(report))}", flush=True)
    return report


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    options = arguments(words)
    return session.run("growth", lambda scratch: measure(options, scratch), options.out, "growth.json")


if __name__ == "__main__":
    sys.exit(main())
