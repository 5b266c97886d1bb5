"""The load of the works over HTTP/2: h2load of nghttp2."""

import re
from pathlib import Path

from .verify import UnableError
from .works import Plan

_LOG = "h2load.log"


def h2load(port: int, plan: Plan, connections: int, streams: int, seconds: int, scratch: Path) -> list[str]:
    """The command of a load with so many requests at a time on each connection, in the order of the plan."""
    targets = [plan.requests[index].split(b" ", 2)[1].decode() for index in plan.order]
    uris, log = scratch / "uris", scratch / _LOG
    uris.write_text("".join(f"https://127.0.0.1:{port}{target}\n" for target in targets))
    log.unlink(missing_ok=True)
    words = ["h2load", "-t1", f"-c{connections}", f"-m{streams}", f"--duration={seconds}", "--warm-up-time=0"]
    return [*words, f"--log-file={log}", f"--input-file={uris}"]


def read_h2load(output: str, scratch: Path) -> dict[str, object]:
    """What replay.lua reports of wrk, from the output of h2load and from its log of all requests."""
    counts = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx", output)
    failed = re.search(r"(\d+) failed, (\d+) errored, (\d+) timeout", output)
    size = re.search(r"traffic: .*\((\d+)\) data", output)
    finished = re.search(r"finished in ([\d.]+)(us|ms|s)", output)
    if not (counts and failed and size and finished):
        raise UnableError(f"h2load failed: {' '.join(output.split())[-200:]}")
    unit = {"us": 1.0, "ms": 1e3, "s": 1e6}[finished[2]]
    log = scratch / _LOG
    times = sorted(int(line.split()[2]) for line in log.read_text().splitlines()) if log.exists() else []
    percentile = [times[int(len(times) * share)] if times else 0 for share in (0.5, 0.99)]
    return {
        "requests": int(counts[1]) + int(counts[2]),
        "bytes": int(size[1]),
        "microseconds": float(finished[1]) * unit,
        "p50_us": percentile[0],
        "p99_us": percentile[1],
        "errors": {"failed": int(failed[1]) + int(failed[3])},
    }
