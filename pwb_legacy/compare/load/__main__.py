"""python -m pwb_legacy.compare.load: a JSON job on standard input, the result as a line of JSON on standard output.

Hostile clients first print a line when they are in place, and stay until a signal. SIGINT and SIGTERM end any job
early, and what was measured until then is printed all the same. Exit status 0: done; 1: it could not be
measured; 2: no job.
"""

import asyncio
import json
import resource
import signal
import sys
from typing import Any

import uvloop

from pwb_async.output.printing import printable

from .job import HOSTILE, LOADS, unpack


def main() -> None:
    """Read the job, run it, and print the result. Raises SystemExit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a descriptor for each client
    try:
        kind, options = unpack(json.load(sys.stdin))
    except ValueError as error:
        _fail(2, str(error))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C
    try:
        result = LOADS["wrk"](**options) if kind == "wrk" else uvloop.run(_work(kind, options))
    except (LookupError, OSError) as error:
        _fail(1, str(error))
    _tell(result.to_json())


async def _work(kind: str, options: dict[str, Any]) -> Any:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if kind in LOADS:
        return await LOADS[kind](**options, stop=stop)
    async with HOSTILE[kind](**options) as outcome:
        _tell(outcome.to_json())
        await stop.wait()
        return type(outcome).from_json(outcome.to_json())  # as it is now: when they leave, nothing is open


def _tell(result: dict[str, Any]) -> None:
    print(json.dumps(result), flush=True)


def _fail(status: int, why: str) -> None:
    print(printable(f"load: {why}"), file=sys.stderr)
    raise SystemExit(status)


if __name__ == "__main__":
    main()
