"""System calls of a server, counted by `strace -f` from outside, where it is installed and may trace.

Every call is recorded with its moment, so that only those count that were made while requests were answered, not those
for accepting and closing connections. futex is left out: a traced thread holds the interpreter's lock so long that the
other threads ask for it over and over, and those calls would be strace's.
"""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache
from tempfile import NamedTemporaryFile
from typing import Final

from .probes import tree

_CALL: Final = re.compile(r"^\d+ +(\d+\.\d+) \w+\(", re.MULTILINE)
"""The begin of a call: its process, its moment, its name."""
_TIMEOUT: Final = 5.0


class Count:
    """The number of system calls from start() on."""

    def __init__(self) -> None:
        self._began = 0.0
        self._moments: list[float] = []

    def start(self) -> None:
        """Begin to count."""
        self._began = time.time()

    def within(self, seconds: float) -> int:
        """How many there were in so many seconds; to be called after the block of counted()."""
        return sum(0 <= moment - self._began <= seconds for moment in self._moments)

    def read(self, text: str) -> None:
        """Take what strace has written."""
        self._moments = [float(found[1]) for found in _CALL.finditer(text)]


@cache
def can_trace() -> bool:
    """Whether one process may trace another that is not its child: containers often forbid it."""
    if not shutil.which("strace"):
        return False
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        words = ["timeout", "-s", "INT", "0.2", "strace", "-c", "-o", os.devnull, "-p", str(other.pid)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
        other.kill()
    return "attached" in done.stderr and "ptrace" not in done.stderr


@asynccontextmanager
async def counted(pid: int) -> AsyncIterator[Count]:
    """Count the system calls of a process tree, its future children included, during the block. They take many times
    as long meanwhile. Raises TimeoutError if strace does not begin or end."""
    count = Count()
    with NamedTemporaryFile("r") as summary:
        words = ["strace", "-f", "-ttt", "-e", "trace=!futex", "-s", "0", "-o", summary.name]
        for member in tree(pid):
            words += ["-p", str(member)]
        process = await asyncio.create_subprocess_exec(*words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            assert process.stderr is not None
            async with asyncio.timeout(_TIMEOUT):
                await process.stderr.readline()  # "strace: Process 1 attached"
            draining = asyncio.create_task(process.stderr.read())
            yield count
            with suppress(ProcessLookupError):  # it ends by itself with the last process that it traces
                process.send_signal(signal.SIGINT)
            async with asyncio.timeout(_TIMEOUT):
                await process.wait()
                await draining
            count.read(summary.read())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
