"""Servers whose system calls fail: strace -D, so that the server stays our own child, and the tracer its own."""

import shutil
import subprocess
from functools import cache

import pytest


@cache
def _works() -> bool:
    """Whether one process may trace another here: containers often forbid it."""
    if not shutil.which("strace"):
        return False
    done = subprocess.run(["strace", "-D", "-o", "/dev/null", "true"], capture_output=True, timeout=10, check=False)
    return done.returncode == 0


needs_strace = pytest.mark.skipif(not _works(), reason="strace is not installed, or may not trace here")


def strace(*options: str) -> tuple[str, ...]:
    """A wrapper for running(). The system calls in `options` only are slowed down."""
    return ("strace", "-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", *options)
