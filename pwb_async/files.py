"""The disk as the event loop sees it: every blocking call is one hop to a thread, through aiofiles.

A hop costs 60 to 100 us, so a cold file costs one: `find` opens, asks and reads a small file in a single call.
Whoever goes away while a hop is under way is not cancelled: the file that comes back must still be closed (A12).
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import aiofiles.os

from .core.lookup import Finding, Lookup
from .core.messages import File

_THREADS: Final = 32
"""Calls that may wait for the disk at the same time; the next ones queue."""


class Files:
    """find: what a disk finds, blocking."""

    def __init__(self, find: Callable[[Lookup], Finding]) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "pwb-disk")
        self._find = partial(aiofiles.os.wrap(find), executor=self._threads)
        self._find_all = partial(aiofiles.os.wrap(lambda lookups: list(map(find, lookups))), executor=self._threads)
        self._pread = partial(aiofiles.os.wrap(os.pread), executor=self._threads)

    async def find(self, lookup: Lookup) -> Finding:
        finding: Finding = await self._find(lookup)
        return finding

    async def find_all(self, lookups: Sequence[Lookup]) -> list[Finding]:
        """Many lookups in one hop."""
        findings: list[Finding] = await self._find_all(lookups)
        return findings

    async def read(self, file: File, start: int, length: int) -> bytes:
        """At most `length` bytes from `start`; b"" behind the end. Raises OSError."""
        content: bytes = await self._pread(file.fileno(), length, start)
        return content

    def close(self) -> None:
        """Waits for no call: one that hangs on a dead disk must not hold the stop."""
        self._threads.shutdown(wait=False, cancel_futures=True)
