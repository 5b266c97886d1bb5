"""Many clients at once, and greedy or hostile ones: figures for time and memory, each with its bar.

    python -m tests.stress.crowd [NAME ...] [--quick] [--design async-uvloop]      no name: all of them

    half-sent      5,000 heads that never end: response times of others, memory of each, all closed at the deadline
    idle           5,000 connections between two requests: memory of each
    never-read     200 clients that never read a 3 GiB file: memory, response times of others, closed at the deadline (A4)
    endless-heads  64 MB of head in every shape: how much is read, how much memory (B8)
    resets         10,000 resets after the first 4 KiB (A11)
    pipeline       100,000 requests at once without reading; then all responses in order (A14)
    fast-reader    8 GiB to one client at full speed: response times of others (A15)
    burst          2,000 connects at once (F6)
    http2-attacks  each attack of tests/http2/attacks.py: response times of others, memory
    gone           10,000 clients that vanish while their file is being opened, slowly (A12; requires strace)

Response times of others are measured by tests.stress.response_times, by turns on a server with the crowd and on one without.
The bar is for the ratio of the two 99th percentiles. The short form judges no times: it makes too few requests, and machines
of CI are shared. Memory is PSS, of all processes of the server. The limit of descriptors is raised to 20,000 where that is
allowed; with fewer the crowd is smaller, and a line reports it.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from tests.conformance.designs import Design

from .harness import NAMED, Report, raise_descriptor_limit, sigterm_as_interrupt, temporary_folders
from .heads import endless
from .http2 import http2_attacks
from .rushing import burst, fast_reader, pipeline
from .testbed import TestBed
from .vanishing import gone, resets
from .waiting import half_sent, idle, never_read

BARS: Final[dict[str, Callable[[TestBed], Awaitable[None]]]] = {
    "half-sent": half_sent,
    "idle": idle,
    "never-read": never_read,
    "endless-heads": endless,
    "resets": resets,
    "pipeline": pipeline,
    "fast-reader": fast_reader,
    "burst": burst,
    "http2-attacks": http2_attacks,
    "gone": gone,
}


async def crowd(names: Sequence[str], quick: bool, design: Design) -> int:
    report = Report()
    limit = raise_descriptor_limit()
    report.write(f"{design.name}, {'quick' if quick else 'full'}, {os.cpu_count()} processors, {limit:,} descriptors")
    with temporary_folders() as (root, log_dir):
        testbed = TestBed(report, design, root, log_dir, quick)
        for name in names:
            report.write(f"{name}:")
            try:
                await BARS[name](testbed)
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
    sigterm_as_interrupt()
    return asyncio.run(crowd(arguments.names or list(BARS), arguments.quick, NAMED[arguments.design]))


if __name__ == "__main__":
    sys.exit(main())
