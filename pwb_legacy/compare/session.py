"""One run of `compare`, from what was asked to the files.

The steps: a site, the cores, the conditions; all designs at once, to prove that they answer alike; the rates of the
open loops; the rounds; compare.json; then what the figures carry, and compare.html. Ctrl-C on the way keeps what was
measured until then, and no fault in drawing can lose it: it is written before.
"""

import asyncio
import os
import platform
import re
import resource
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from importlib import metadata
from itertools import groupby
from pathlib import Path
from statistics import mean
from typing import Final

import uvloop
from rich.console import Console

from pwb_async.output.printing import printable
from pwb_async.version import __version__
from pwb_legacy.compare.measure.cores import Cores
from pwb_legacy.compare.measure.cpu_time import control_group, new_name
from pwb_legacy.compare.measure.results import About, Measurement, Played, Remark, Results
from pwb_legacy.compare.measure.rounds import Bench, find_rates, idle_clients, measure
from pwb_legacy.compare.measure.scenarios import CROWD, Scenario
from pwb_legacy.compare.measure.servers import CannotError

from . import others_session, sweep_session
from .checks import equality
from .checks import request_corpus as corpus
from .report.claims import verdict
from .report.files import FIGURES, draw, keep_earlier, write, write_somewhere
from .report.paired import LEAST_ROUNDS
from .report.spread import figure
from .report.table import Board
from .report.words import Words

PACKAGES: Final = ("uvloop", "aiofiles", "gevent", "greenlet")
"""What the designs are built on, and whose versions matter."""
IDLE: Final = 0.5
"""A load average up to which a machine counts as idle."""
DISTURBED: Final = 0.05
"""The share of the cores' time that other programs may have without a remark."""


class UnlikeError(Exception):
    """The designs do not answer alike; its str is where."""


def run(bench: Bench, command: str, out: Path, console: Console, language: str = "en", guess: bool = False) -> Results:
    """The whole run. language: of what is printed, and of the page, which begins with guesses if `guess` is set.

    Raises UnlikeError and CannotError before anything is measured; KeyboardInterrupt if Ctrl-C was before, too; OSError
    if nothing can be written at all.
    """
    bench.cores = Cores.of_this_process()
    _check_cores(bench)
    os.sched_setaffinity(0, {bench.cores.load})
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    others_session.admit(bench, console)
    results = Results(
        runs=[about(bench, command)],
        designs=[others_session.row(one) for one in bench.contestants],
        scenarios=[
            Played(one.name, details=one.details | _idle(bench, one), modes=list(one.modes)) for one in bench.scenarios
        ],
    )
    words = Words(results, language)
    silent = _prove(bench, results, console, words)
    others_session.report_likeness(bench, results, console, words)
    bench.contestants = [one for one in bench.contestants if (one.design or one.name) not in silent]
    for design in results.designs:
        if design.design in silent:
            results.measurements += [
                Measurement(design.name, one.name, 1, why=silent[design.design])
                for one in bench.scenarios
                if design in results.playing(one.name)
            ]
    (sweep_session.play if bench.plan else _play)(bench, results, console, words)
    if results.about.interrupted and not results.points and all(one.why for one in results.measurements):
        raise KeyboardInterrupt
    numbers = [one.round for one in results.measurements] + [one.round for one in results.points]
    results.about.rounds = max(numbers, default=0)
    results.about.remarks += _remarks_after(bench, results)
    out = _write(results, out, console, words)
    console.out(printable(draw(results, out, console, language, guess)), highlight=False)
    return results


def _write(results: Results, out: Path, console: Console, words: Words) -> Path:
    """Write the figures, and then the claims with them. Return the folder: a temporary one if that fails."""
    if earlier := keep_earlier(out):
        console.out(printable(words.say("table.earlier", json=earlier)), highlight=False)
    folder, why = write_somewhere(results, out)
    if why:
        line = words.say("table.elsewhere", json=out / FIGURES, why=why, folder=folder)
        console.out(printable(line), highlight=False)
    results.claims = verdict(results).to_json()
    write(results, folder)
    return folder


def _play(bench: Bench, results: Results, console: Console, words: Words) -> None:
    """Play all scenarios. Ctrl-C keeps what was measured until then."""
    with Board(console, results, words, bench.total) as board:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_measure(bench, results, board, console, words))
        except KeyboardInterrupt:
            results.about.interrupted = True


async def _measure(bench: Bench, results: Results, board: Board, console: Console, words: Words) -> None:
    board.show(words.say("table.finding_rates"))
    await find_rates(bench)
    results.scenarios = [
        replace(one, **bench.rates[one.name]._asdict()) if one.name in bench.rates else one for one in results.scenarios
    ]
    if bench.rates:
        by_rate = groupby(bench.rates.items(), lambda pair: pair[1].rate)
        told = [f"{', '.join(name for name, _ in group)} {figure(rate)}/s" for rate, group in by_rate]
        console.out(words.say("table.rates", rates="; ".join(told)), highlight=False)
    async with aclosing(measure(bench)) as measurements:
        async for measurement in measurements:
            results.measurements.append(measurement)
            board.add(measurement, bench.total)


def _idle(bench: Bench, scenario: Scenario) -> dict[str, str]:
    """How many idle clients each design has, where there are some: 500 (process: 120)."""
    if scenario.name != CROWD:
        return {}
    counts = {one.design or one.name: idle_clients(one, bench.idle_share) for one in bench.contestants}
    most = max(counts.values())
    fewer = [f"{name}: {count}" for name, count in counts.items() if count < most]
    return {"idle": f"{most} ({', '.join(fewer)})" if fewer else f"{most}"}


def _check_cores(bench: Bench) -> None:
    """Raises CannotError where a server is to have more cores than there are."""
    there, most = len(bench.cores.available), max(one.cores for one in bench.contestants)
    if most > there:
        raise CannotError(f"--cores {most}: this process may use {there}")


def _prove(bench: Bench, results: Results, console: Console, words: Words) -> dict[str, str]:
    """Prove that all designs answer alike. Return which ones could not be asked, and why."""
    designs = list({one.design or one.name: one for one in bench.contestants if one.kind == "design"}.values())
    named = [replace(one, name=one.design or one.name) for one in designs]
    proof = equality.prove(
        named,
        bench.site.root,
        lambda address: corpus.built_in(bench.site, equality.validators(address, bench.site.page)),
    )
    results.equal = proof.equality
    if proof.equality.differences:
        raise UnlikeError("\n".join(proof.equality.differences))
    for name, why in proof.silent.items():
        console.out(printable(f"{name}: {why}"), highlight=False)
    if len(proof.silent) == len(named):
        raise CannotError("no design could be started")
    asked = len(named) - len(proof.silent)
    alike = words.say("table.alike", requests=proof.equality.requests, n=asked)
    alone = "table.alone" if len(bench.contestants) == 1 and not bench.plan else "table.one_design"
    console.out(words.say(alone) if asked == 1 else alike, highlight=False)
    return proof.silent


def about(bench: Bench, command: str) -> About:
    """The conditions of a run."""
    counts = sorted({one.cores for one in bench.contestants})
    with control_group(new_name()) as group:
        cpu_time = "process tree" if group is None else "control group"
    return About(
        version=__version__,
        command=command,
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        system=_system(),
        kernel=f"{platform.system()} {platform.release()} {platform.machine()}",
        cpu=_found("/proc/cpuinfo", r"model name\s*: (.+)") or platform.machine(),
        cores=os.cpu_count() or 1,
        memory_mib=int(_found("/proc/meminfo", r"MemTotal:\s+(\d+)") or 0) >> 10,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        packages=versions(PACKAGES),
        load="sweep" if bench.plan else "wrk" if bench.wrk else "own",
        load_core=bench.cores.load,
        server_cores=[list(bench.cores.servers(count)) for count in counts],
        cpu_time=cpu_time,
        seed=bench.seed,
        rounds=bench.rounds,
        duration=bench.seconds,
        connections=bench.connections,
        site=bench.site.about,
        remarks=_remarks_before(bench, counts),
    )


def _remarks_before(bench: Bench, counts: Sequence[int]) -> list[Remark]:
    remarks: list[Remark] = []
    if len(bench.cores.available) == 1:
        remarks.append(("one_core", {}))
    elif shared := [count for count in counts if bench.cores.is_shared(count)]:
        remarks.append(("shared_core", {"cores": shared[0], "load": bench.cores.load}))
    if (load := os.getloadavg()[0]) > IDLE:
        remarks.append(("busy", {"load": load}))
    return remarks


def _remarks_after(bench: Bench, results: Results) -> list[Remark]:
    remarks: list[Remark] = []
    rounds = results.about.rounds
    if rounds < LEAST_ROUNDS and not bench.plan:
        remarks.append(("few_rounds", {"rounds": rounds}))
    shares = [one.disturbed for one in results.measurements if one.disturbed is not None]
    if bench.plan and bench.watched:  # a sweep has no measurements
        shares.append(bench.waited / bench.watched)
    if shares and (share := mean(shares)) > DISTURBED:
        remarks.append(("disturbed", {"share": share}))
    return remarks


def versions(names: Sequence[str]) -> dict[str, str]:
    """The versions of those packages that are installed."""
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


def _found(path: str, pattern: str) -> str:
    try:
        found = re.search(pattern, Path(path).read_text())
    except OSError:
        return ""
    return found[1] if found else ""
