"""A program that starts and stops servers leaks nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.server import REPOSITORY, environment

from .two_hundred import MAX_BYTES, SERVERS, WARM_UP


@pytest.mark.parametrize("way", ["running", "asyncio", "uvloop"])
def test_200_servers_leave_nothing(way: str, tmp_path: Path) -> None:
    """Neither a descriptor, a thread, a task, a warning nor 1 MB of memory. The log goes to a pipe."""
    (tmp_path / "a.txt").write_text("text")
    # Threads have arenas of memory of their own otherwise, of which glibc keeps some that are free, in turn.
    env = {**environment(), "MALLOC_ARENA_MAX": "1"}
    words = [sys.executable, "-W", "error", "-m", "tests.embedding.two_hundred", way, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=REPOSITORY, env=env, timeout=60, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    *log, added = done.stdout.splitlines()
    assert int(added) < MAX_BYTES
    assert len(log) == SERVERS + WARM_UP
