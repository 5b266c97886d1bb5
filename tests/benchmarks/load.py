"""What the laboratory's load generator can do: ``python -m tests.benchmarks.load``, about half a minute.

It asks the C floor, which is cheaper than any server, so that nothing but the generator (and the kernel) is the limit.
In interleaved rounds wrk asks the same. Kept connections, then a connection for each request; a 1 KiB answer, 64
connections, the floor on one core and the generator on another. Exit status 1 if the best round of kept connections
is below the bar: noise can only make a round slower.
"""

import argparse
import os
import shutil
import tempfile
from pathlib import Path

from pwb_legacy.compare.load import Ask, Tally, run

from .commands import Setting, floor
from .process import Server, free_port, started
from .works import ExpectedResponse, Plan

BAR = 40_000  # requests per second
CONNECTIONS = 64
BODY = b"x" * 1024


def measure(name: str, rounds: int, seconds: float, scratch: Path) -> float:
    """Print each round of one work; return the best of the own generator, in requests per second."""
    kept = name == "kept"
    request = b"GET / HTTP/1.1\r\nHost: h\r\n%s\r\n" % (b"" if kept else b"Connection: close\r\n")
    plan = Plan((request,), (ExpectedResponse(200, BODY),))
    cores = sorted(os.sched_getaffinity(0))
    folder = scratch / name
    folder.mkdir()
    setting = Setting(folder, free_port(), folder, None, True, plan)
    best = 0.0
    with started(floor(setting), setting.port, request, cores[0], folder / "output") as server:
        for _ in range(rounds):
            for kind in ("closed", "wrk") if shutil.which("wrk") else ("closed",):
                before = server.cpu_seconds()
                tally = run(
                    kind,
                    core=cores[-1],
                    address=("127.0.0.1", server.port),
                    asks=[Ask(b"/")],
                    connections=CONNECTIONS,
                    seconds=seconds,
                    keep_alive=kept,
                )
                report(f"{name:6}{kind:7}", tally, server, before)
                if kind == "closed":
                    best = max(best, tally.rate)
    print(f"{name:6}best   {best:9,.0f} a second", flush=True)
    return best


def report(title: str, tally: Tally, server: Server, before: float) -> None:
    """One line of figures."""
    busy = (server.cpu_seconds() - before) / tally.seconds
    limit = "the generator" if tally.limited_by_load(busy) else ""
    print(
        f"{title}{tally.rate:9,.0f} a second, p50 {tally.percentile(50):.2f} ms, p99 {tally.percentile(99):.2f} ms, "
        f"{tally.failures} failures, {tally.cpu / max(tally.requests, 1) * 1e6:.1f} us each; busy: generator "
        f"{tally.busy:.0%}, floor {busy:.0%}  {limit}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.benchmarks.load", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=2, help="of a round")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        best = measure("kept", arguments.rounds, arguments.seconds, Path(scratch))
        measure("short", arguments.rounds, arguments.seconds, Path(scratch))
    raise SystemExit(0 if best >= BAR else f"{best:,.0f} a second is below the bar of {BAR:,}")


if __name__ == "__main__":
    main()
