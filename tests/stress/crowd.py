"""Many clients at once, and clients that want too much: the bars on time and memory, each with its figure.

    python -m tests.stress.crowd [NAME ...] [--quick] [--design async-uvloop]      no name: all of them

    half-sent      5,000 heads that never end: others' times, memory of each, all gone at the deadline
    idle           5,000 connections between two requests: memory of each
    never-read     200 clients that take nothing of a 3 GiB file: memory, others' times, gone at the deadline (A4)
    endless-heads  64 MB of head in every shape: how much is read, how much memory (B8)
    resets         10,000 resets after the first 4 KiB (A11)
    pipeline       100,000 requests at once and nobody reads; then all answers in order (A14)
    fast-reader    8 GiB to one client at full speed: others' times (A15)
    burst          2,000 connects at once (F6)
    gone           10,000 clients that vanish while their file is being opened, slowly (A12; needs strace)

Others' times are those of tests.stress.asker, which asks in turn a server with the crowd and its twin without one: the
bar is on the ratio of both 99th percentiles. The short form judges no times: it asks too little, and machines of CI
have other things to do. Memory is PSS, of all processes of the server. Descriptors: the limit is raised to 20,000 where
that is allowed; with fewer the crowd is smaller, and says so.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from tests.conformance.designs import Design

from .harness import NAMED, Report, descriptors, gently, workplace
from .heads import endless
from .rushing import burst, fast_reader, pipeline
from .scene import Scene
from .vanishing import gone, resets
from .waiting import half_sent, idle, never_read

BARS: Final[dict[str, Callable[[Scene], Awaitable[None]]]] = {
    "half-sent": half_sent,
    "idle": idle,
    "never-read": never_read,
    "endless-heads": endless,
    "resets": resets,
    "pipeline": pipeline,
    "fast-reader": fast_reader,
    "burst": burst,
    "gone": gone,
}


async def crowd(names: Sequence[str], quick: bool, design: Design) -> int:
    report = Report()
    most = descriptors()
    report.say(f"{design.name}, {'quick' if quick else 'full'}, {os.cpu_count()} processors, {most:,} descriptors")
    with workplace() as (root, log_dir):
        scene = Scene(report, design, root, log_dir, quick)
        for name in names:
            report.say(f"{name}:")
            try:
                await BARS[name](scene)
            except (AssertionError, OSError, TimeoutError) as error:
                report.fact("it could be measured", False, repr(error))
    return report.end()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.stress.crowd", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BARS))
    parser.add_argument("--quick", action="store_true", help="fewer clients, shorter deadlines: for CI")
    parser.add_argument("--design", choices=NAMED, default="async-uvloop")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in BARS]:
        parser.error(f"no such bar: {', '.join(unknown)}")
    gently()
    return asyncio.run(crowd(arguments.names or list(BARS), arguments.quick, NAMED[arguments.design]))


if __name__ == "__main__":
    sys.exit(main())
