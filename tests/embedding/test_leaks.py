"""A program that starts and stops servers leaks nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.server import REPOSITORY, environment

from .two_hundred import MAX_BYTES, SERVERS, WARM_UP


def test_200_servers_on_threads_leave_nothing(tmp_path: Path) -> None:
    check("running", tmp_path)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_200_servers_in_one_loop_leave_nothing(loop: str, tmp_path: Path) -> None:
    check(loop, tmp_path)


def check(way: str, tmp_path: Path) -> None:
    """Assert that they leave neither a descriptor, a thread, a task, a warning nor 1 MB of memory. The log goes to a pipe."""
    (tmp_path / "a.txt").write_text("text")
    # Threads have arenas of memory of their own otherwise, of which glibc keeps some that are free, in turn.
    env = {**environment(), "MALLOC_ARENA_MAX": "1"}
    words = [sys.executable, "-W", "error", "-m", "tests.embedding.two_hundred", way, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=REPOSITORY, env=env, timeout=60, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    *log, added = done.stdout.splitlines()
    rounds = [int(each) for each in added.split()]
    assert rounds[-1] < MAX_BYTES
    assert len(log) == WARM_UP + SERVERS * len(rounds)
