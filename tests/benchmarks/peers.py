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
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from tests.benchmarks import charts
from tests.benchmarks.measure import Generator, Sample, idle_memory
from tests.benchmarks.process import Server, free_port, started
from tests.benchmarks.report import (
    Report,
    Row,
    Table,
    as_json,
    as_text,
    conditions,
    quick_line,
    who_is_missing,
)
from tests.benchmarks.servers import PEERS, MissingError, Peer, Setting, find_program
from tests.benchmarks.site import Site, make_site
from tests.benchmarks.verify import CannotError, Client, check
from tests.benchmarks.works import WORKS, Plan, Work, get

FAILURES = (CannotError, OSError, HTTPException)  # of one peer; the others go on
UNLOGGED = {peer.name for peer in PEERS if peer.fixed}
PROBES = ("startup", "idle-memory")
SMALL = get("small.html")


@dataclass(frozen=True, slots=True)
class Bench:
    """One run: what is served, where the servers run, who measures, and how often."""

    site: Site
    scratch: Path
    server_core: int
    generator: Generator
    rounds: int
    idle: int

    @contextmanager
    def start(self, peer: Peer, work: Work) -> Iterator["Seat"]:
        """Start a peer in the setting that the work asks for, until the block ends."""
        folder = Path(tempfile.mkdtemp(prefix=f"{peer.name}-", dir=self.scratch))
        plan = work.plan(self.site, b'"0"')
        plan = plan.fixed() if peer.fixed else plan
        log = folder / "access.log" if work.log else None
        setting = Setting(self.site.root, free_port(), folder, log, work.cache, plan)
        output = folder / "output"
        command = peer.command(setting)
        with started(command, setting.port, SMALL, self.server_core, output) as server:
            if work.tagged and not peer.fixed:
                plan = work.plan(self.site, entity_tag(server.port, work.tagged))
            yield Seat(Row(peer.name, peer.title), server, plan, folder / "access.log", output)


@dataclass(slots=True)
class Seat:
    """A peer that takes part in a work: its row, its server, and what it is asked.

    Its access log is in ``log`` or, if that is not there, in ``output``.
    """

    row: Row
    server: Server
    plan: Plan
    log: Path
    output: Path

    def count_log(self) -> None:
        """Remark on an access log that lacks lines."""
        asked = sum(sample.requests for sample in self.row.samples)
        with (self.log if self.log.exists() else self.output).open("rb") as lines:
            logged = sum(1 for _ in lines)
        if logged < 0.95 * asked:
            self.row.remarks.append(f"{logged:,} lines in the log for {asked:,} requests")


def entity_tag(port: int, path: str) -> bytes:
    """The tag that a server gives a file; CannotError when it gives none."""
    with Client(port) as client:
        tag = client.ask(get(path)).tag
    if not tag:
        raise CannotError("sends no ETag")
    return tag


def measure_work(bench: Bench, work: Work, peers: Sequence[Peer]) -> Table:
    """Steps 2 to 4 for one work."""
    rows: list[Row] = []
    with ExitStack() as stack:
        seats = []
        for peer in peers:
            try:
                seat = stack.enter_context(bench.start(peer, work))
                seat.row.remarks += check(seat.server.port, seat.plan)
            except FAILURES as error:
                rows.append(Row(peer.name, peer.title, cannot=str(error)))
            else:
                rows.append(seat.row)
                seats.append(seat)
        for _ in range(bench.rounds):
            for seat in seats:
                if not seat.row.cannot:
                    measure_round(bench, work, seat)
        for seat in seats:
            seat.row.memory_bytes = seat.server.memory_bytes()
            if work.log and seat.row.peer not in UNLOGGED:
                seat.count_log()
    return Table(work.name, work.title, "us", rows)


def measure_round(bench: Bench, work: Work, seat: Seat) -> None:
    """One peer's turn; a peer that fails has no figures, not half of them."""
    try:
        seat.row.samples.append(bench.generator.load(seat.server, work, seat.plan))
    except FAILURES as error:
        seat.row.samples.clear()
        seat.row.cannot = str(error)


def probe(bench: Bench, name: str, peers: Sequence[Peer]) -> Table:
    """Start-up or idle memory: each peer alone, started anew for each sample."""
    startup = name == "startup"
    rows = {peer.name: Row(peer.name, peer.title) for peer in peers}
    for _ in range(bench.rounds if startup else 1):
        for peer in peers:
            row = rows[peer.name]
            if row.cannot:
                continue
            try:
                with bench.start(peer, WORKS[0]) as seat:
                    if startup:
                        row.samples.append(Sample(seat.server.start_seconds * 1000))
                    else:
                        row.samples.append(idle_memory(seat.server, SMALL, bench.idle))
            except FAILURES as error:
                row.cannot = str(error)
    if startup:
        return Table(name, "from the start to the first answer", "ms", list(rows.values()))
    title = f"memory per idle connection, {bench.idle:,} connections"
    return Table(name, title, "bytes", list(rows.values()))


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
    mode.add_argument("--quick", action="store_true", help="PWB, nginx, the floor; about 60 s (default)")
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
        table = measure_work(bench, work, peers) if work else probe(bench, name, peers)
        report.tables.append(table)
        print(f"\n{as_text(table)}", flush=True)
    return report


def write(report: Report, folder: Path) -> None:
    """Step 5: results.json and the charts."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(as_json(report))
    try:
        charts.draw(report, folder)
    except ImportError as error:
        print(f"no charts: {error}")


def stop_once(number: int, frame: object) -> None:
    """Ctrl-C or SIGTERM: end the servers and leave; a second one can't hinder that."""
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    raise KeyboardInterrupt


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    told = arguments(words)
    if not find_program("wrk"):
        print("benchmark: nothing measured; missing: wrk, the load generator (apt-get install wrk)")
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
