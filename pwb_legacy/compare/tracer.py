"""System calls of a server, counted by `strace -c -f` from outside, where there is one and it may trace."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from tempfile import NamedTemporaryFile
from typing import Final

from .probes import tree

_TOTAL: Final = re.compile(r"^ *\S+ +\S+ +\S+ +(\d+)(?: +\d+)? +total$", re.MULTILINE)
_PATIENCE: Final = 5.0


class Count:
    """calls: how many, once they have been counted; None: they could not be."""

    calls: int | None = None


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
    """Counts the calls of a tree, its future children's too, within the block. They take several times as long. Raises
    TimeoutError if strace does not begin or end."""
    count = Count()
    with NamedTemporaryFile("r") as summary:
        words = ["strace", "-c", "-f", "-o", summary.name]
        for member in tree(pid):
            words += ["-p", str(member)]
        process = await asyncio.create_subprocess_exec(*words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            assert process.stderr is not None
            async with asyncio.timeout(_PATIENCE):
                await process.stderr.readline()  # "strace: Process 1 attached"
            draining = asyncio.create_task(process.stderr.read())
            yield count
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(_PATIENCE):
                await process.wait()
                await draining
            if found := _TOTAL.search(summary.read()):
                count.calls = int(found[1])
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
