"""The load generator as a process of its own, which shares neither the interpreter with other work nor the core with
the server: run() for loads, hold() for hostile clients.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from .hostile_clients import Outcome
from .job import pack
from .result import Tally

_LATE: Final = 30.0
"""Seconds that a process has to end after a signal."""


def run(kind: str, *, core: int | None = None, **options: Any) -> Tally:
    """Run one load, pinned to `core`, until it is done. kind, options: its function and the arguments.

    Ctrl-C ends it early: what was measured until then is returned, as interrupted. Raises OSError when it fails, with
    its last words, and when it does not end.
    """
    with _started(kind, core, options) as process:
        try:
            output, errors = process.communicate()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=_LATE)
        return Tally.from_json(_result(process, output, errors))


@contextmanager
def hold(kind: str, *, core: int | None = None, **options: Any) -> Iterator[Outcome]:
    """Hold hostile clients until the block ends. The Outcome is that of the moment when all are in place; at the end
    the same object has what happened to them. Raises OSError."""
    with _started(kind, core, options) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdin = None
        if not (line := process.stdout.readline()):
            _result(process, *process.communicate(timeout=_LATE))
        outcome = Outcome.from_json(json.loads(line))
        yield outcome
        process.send_signal(signal.SIGTERM)
        last = Outcome.from_json(_result(process, *process.communicate(timeout=_LATE)))
        for name in Outcome.__slots__:
            setattr(outcome, name, getattr(last, name))


@contextmanager
def _started(kind: str, core: int | None, options: dict[str, Any]) -> "Iterator[subprocess.Popen[str]]":
    """A process with its job. It is killed at the end of the block, if it has not ended."""
    job = json.dumps(pack(kind, options))
    with subprocess.Popen(
        [sys.executable, "-m", "pwb_legacy.compare.load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is passed on by run()
    ) as process:
        try:
            if core is not None:
                os.sched_setaffinity(process.pid, {core})
            assert process.stdin is not None
            process.stdin.write(job)
            process.stdin.flush()
            yield process
        except subprocess.TimeoutExpired:
            raise OSError("the load generator does not end") from None
        finally:
            process.kill()


def _result(process: "subprocess.Popen[str]", output: str, errors: str) -> dict[str, Any]:
    if process.returncode or not output:
        raise OSError(errors.strip()[-500:] or "the load generator has ended without a message")
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result
