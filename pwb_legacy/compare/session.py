"""One run of `compare`, from what was asked to the files.

The steps: a site, the cores, the conditions; all contestants at once, to see that they answer alike; the rounds; the
verdict; compare.json and compare.html. A Ctrl-C on the way keeps what was measured until then.
"""

import asyncio
import os
import platform
import re
import resource
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

import uvloop
from rich.console import Console

from pwb_async.output.printing import printable
from pwb_async.version import __version__
from pwb_legacy.compare.measure.results import About, Design, Lesson, Measurement, Results
from pwb_legacy.compare.measure.rounds import Bench, measure
from pwb_legacy.compare.measure.servers import CannotError
from pwb_legacy.compare.report.table import Board, table

from .checks import equality
from .checks import request_corpus as corpus
from .report import findings as verdict
from .report import page

PACKAGES: Final = ("uvloop", "aiofiles", "gevent", "greenlet")
"""What the designs stand on, and whose versions matter."""
IDLE: Final = 0.5
"""A load average up to which a machine counts as idle."""
DISTURBED: Final = 0.05
"""The share of the time; what is measured while others work more than that is to be taken with care."""


class UnlikeError(Exception):
    """The designs do not answer alike; its str says where."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Where the servers run, and where the load generator. server: None where there is one core for both."""

    server: int | None
    load: int


def cores() -> Cores:
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[0] if len(allowed) > 1 else None, allowed[-1])


def run(bench: Bench, command: str, out: Path, console: Console) -> Results:
    """The whole run. Raises UnlikeError, CannotError and OSError, before anything is measured."""
    out.mkdir(parents=True, exist_ok=True)
    if not os.access(out, os.W_OK):
        raise CannotError(f"{out}: nothing can be written there")
    where = cores()
    bench.core = where.server
    os.sched_setaffinity(0, {where.load})
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    results = Results(
        about=about(bench, command, where),
        designs=[Design(one.name, one.title, one.command) for one in bench.contestants],
        scenarios=[Lesson(one.name, one.title, one.teaches) for one in bench.scenarios],
    )
    silent = _prove(bench, results, console)
    bench.contestants = [one for one in bench.contestants if one.name not in silent]
    with Board(console, results, bench.total) as board:
        for design, why in silent.items():
            for scenario in bench.scenarios:
                results.measurements.append(Measurement(design, scenario.name, 1, why=why))
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_measure(bench, results, board))
        except KeyboardInterrupt:
            results.about.interrupted = True
    if where.server is not None and bench.waited > DISTURBED * bench.watched:
        share = bench.waited / bench.watched
        results.about.remarks.append(f"Other work kept the load generator from its core for {share:.0%} of the time.")
    results.verdict = verdict.sentences(results)
    console.print(table(results))
    for sentence in results.verdict:
        console.out(printable(sentence), highlight=False)
    write(results, out)
    written = f"{out / 'compare.html'} has the pictures, {out / 'compare.json'} the figures"
    console.out(printable(written), highlight=False)
    return results


def write(results: Results, out: Path) -> None:
    """Raises OSError. A byte of a file's name that is no UTF-8 is written as an escape."""
    (out / "compare.json").write_text(results.to_json(), "utf-8", errors="backslashreplace")
    (out / "compare.html").write_text(page.render(results), "utf-8", errors="backslashreplace")


async def _measure(bench: Bench, results: Results, board: Board) -> None:
    async with aclosing(measure(bench)) as measurements:
        async for measurement in measurements:
            results.measurements.append(measurement)
            board.add(measurement)


def _prove(bench: Bench, results: Results, console: Console) -> dict[str, str]:
    """Whether all answer alike. Returns who could not be asked, and why."""
    proof = equality.prove(
        bench.contestants,
        bench.site.root,
        lambda address: corpus.built_in(bench.site, equality.validators(address, bench.site.page)),
    )
    results.equal = proof.equality
    if proof.equality.differences:
        raise UnlikeError("\n".join(proof.equality.differences))
    for name, why in proof.silent.items():
        console.out(printable(f"{name}: {why}"), highlight=False)
    if len(proof.silent) == len(bench.contestants):
        raise CannotError("no design could be started")
    asked = len(bench.contestants) - len(proof.silent)
    if asked == 1:
        console.out("one design was asked: nothing to compare its answers with", highlight=False)
    else:
        console.out(f"{proof.equality.requests} requests are answered alike by all {asked} designs", highlight=False)
    return proof.silent


def about(bench: Bench, command: str, where: Cores) -> About:
    """The conditions of a run."""
    remarks = []
    if where.server is None:
        remarks.append("There is one core only: the load generator took time from the servers.")
    if (load := os.getloadavg()[0]) > IDLE:
        remarks.append(f"The machine had other work to do when this began: a load average of {load:.1f}.")
    return About(
        version=__version__,
        command=command,
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        system=_system(),
        kernel=f"{platform.system()} {platform.release()} {platform.machine()}",
        cpu=_told("/proc/cpuinfo", r"model name\s*: (.+)") or platform.machine(),
        cores=os.cpu_count() or 1,
        memory_mib=int(_told("/proc/meminfo", r"MemTotal:\s+(\d+)") or 0) >> 10,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages=versions(PACKAGES),
        load="wrk" if bench.wrk else "own",
        seed=bench.seed,
        rounds=bench.rounds,
        duration=bench.seconds,
        connections=bench.connections,
        site=bench.site.about,
        remarks=remarks,
    )


def versions(names: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _told(path: str, pattern: str) -> str:
    try:
        found = re.search(pattern, Path(path).read_text())
    except OSError:
        return ""
    return found[1] if found else ""
