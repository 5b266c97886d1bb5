"""The middle of a run of `compare --sweep`, between the proof that all designs answer alike and the files."""

import asyncio
from contextlib import aclosing
from statistics import median

import uvloop
from rich.console import Console

from pwb_async.output.printing import printable
from pwb_legacy.compare.measure.results import Results
from pwb_legacy.compare.measure.rounds import Bench
from pwb_legacy.compare.measure.sweep import sweep
from pwb_legacy.compare.measure.sweep_plan import Plan

from .report.curves_table import Progressing
from .report.words import Words


def play(bench: Bench, results: Results, console: Console, words: Words) -> None:
    """Measure all points. Ctrl-C keeps those that there are."""
    plan = bench.plan
    assert plan is not None
    in_round = plan.points(len(bench.contestants))
    console.out(printable(words.say("curves.plan", **plan.foreseen(in_round), points=in_round)), highlight=False)
    with Progressing(console, words, in_round * plan.rounds[0]) as progress:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_points(bench, plan, results, progress))
        except KeyboardInterrupt:
            results.about.interrupted = True
    results.about.duration = round(median([one.seconds for one in results.points] or [plan.seconds]), 2)
    number = max((one.round for one in results.points), default=0)
    missing = number * in_round - len(results.points)
    if missing and not results.about.interrupted:
        results.about.remarks.append(("over", {"number": number, "n": missing}))


async def _points(bench: Bench, plan: Plan, results: Results, progress: Progressing) -> None:
    in_round = plan.points(len(bench.contestants))
    async with aclosing(sweep(bench, plan)) as points:
        async for point in points:
            results.points.append(point)
            progress.add(point, in_round * max(plan.rounds[0], point.round))
