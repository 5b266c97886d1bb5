"""The closed loop by wrk, which is written in C: an independent check, and more load than one core can send in Python.

A response with a status below 400 counts as right. The asks are sent in the same order as by closed(). After a
measurement wrk adds latencies for what it thinks that a stall has hidden, so its percentiles are not those of closed().
"""

import json
import math
import os
import random
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from .clients import TIMEOUT
from .messages import Address, Ask, requests
from .result import Tally

_SCRIPT: Final = Path(__file__).with_name("wrk.lua")
_LATE: Final = 30.0
"""Seconds after which a wrk that does not end is ended."""


def wrk(
    address: Address,
    asks: Sequence[Ask],
    connections: int,
    seconds: float,
    *,
    keep_alive: bool = True,
    seed: int = 0,
    timeout: float = TIMEOUT,
) -> Tally:
    """Do what closed() does; wrk has whole seconds only, so both times are rounded up. Raises LookupError where wrk
    is not installed, OSError with its output when it fails."""
    if not (program := shutil.which("wrk")):
        raise LookupError("wrk is not installed")
    shuffled = requests(address, asks, keep_alive)
    random.Random(seed).shuffle(shuffled)  # noqa: S311  not for secrets
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    whole = math.ceil(seconds)
    before = _spent()
    with tempfile.NamedTemporaryFile() as heads:
        heads.write(b"".join(request.wire for request in shuffled))
        heads.flush()
        words = [program, "-t1", f"-c{connections}", f"-d{whole}s", "--timeout", f"{math.ceil(timeout)}s"]
        words += ["-s", os.fspath(_SCRIPT), f"http://{host}:{address[1]}/", "--", heads.name]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:  # noqa: S603
            output, interrupted = _output(process, whole + _LATE)
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if process.returncode or not lines:
        raise OSError(f"wrk fails: {output.strip()[-200:]}")
    tally = _tally(json.loads(lines[-1]))
    tally.cpu = _spent() - before
    tally.interrupted = interrupted
    return tally


def _output(process: "subprocess.Popen[str]", within: float) -> tuple[str, bool]:
    """Its output, and whether Ctrl-C has ended it: then wrk prints what it has."""
    try:
        return process.communicate(timeout=within)[0], False
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        return process.communicate(timeout=within)[0], True
    except subprocess.TimeoutExpired:
        process.kill()
        raise OSError("wrk does not end") from None


def _tally(told: dict[str, Any]) -> Tally:
    """The result as wrk reports it, which counts a response with a wrong status among the requests, too."""
    tally = Tally(bytes=told["bytes"], seconds=told["microseconds"] / 1e6)
    for reason, times in told["errors"].items():
        if times:
            tally.failures += times
            tally.reasons[f"wrk: {reason}"] = times
    tally.requests = told["requests"] - told["errors"]["status from 400 on"]
    tally.in_time = tally.requests
    for microseconds, times in told["latencies"]:
        tally.record(microseconds, times)
    return tally


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
