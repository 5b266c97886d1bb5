"""The disk as the event loop sees it: every blocking call is one hop to a thread, through aiofiles.

A hop costs 60 to 100 us, so a cold file costs one: `find` opens, asks and reads a small file in a single call.
Whoever goes away while a hop is under way is not cancelled: the file that comes back must still be closed (A12).

A disk that does not answer holds the threads, and then everybody's lookups (hazard E6). So a call has a time to come
back in, counted with its time in the queue, and the queue has an end: beyond either it is 503, or the end of an answer
that has begun. What comes back after all is dropped, and a Descriptor that is dropped is closed. Looking again at what
is on the shelf has a thread of its own.

The kernel reads ahead for whoever touches a file, there and then. On the loop that was 20 ms for 8 MiB (/sys/block says
how much it is), every time a large file that was not in memory had come so far. So it is told not to, and load() reads
ahead in a thread: a file of 2 GiB that is not in memory goes out at 0.9 to 1.3 GiB/s, one client on loopback; without,
at 0.5 to 2.6 (nginx: 0.5 to 2.9), as this virtual machine's disk and memory happened to be.
"""

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

import aiofiles.os

from pwb_async.core.semantics.messages import File
from pwb_async.core.site.lookup import UNAVAILABLE, Finding, Lookup, OpenFile, Storage

T = TypeVar("T")
_THREADS: Final = 32
"""Calls that may wait for the disk at the same time; the next ones queue."""
_MOST: Final = 4096
"""Calls in the threads and in the queue."""


def start_threads(most: int, name: str) -> ThreadPoolExecutor:
    """A pool whose first thread is there. Raises RuntimeError if there can be none (hazard E4)."""
    pool = ThreadPoolExecutor(most, name)
    pool.submit(int)
    return pool


class AsyncStorage:
    """disk: blocking. patience: seconds for one call. Raises RuntimeError if there can be no threads."""

    def __init__(self, disk: Storage, timeout: float = 10.0) -> None:
        self._threads = start_threads(_THREADS, "pwb-disk")
        self._thread = start_threads(1, "pwb-look")
        self._under_way = 0
        self._read_ahead = partial(aiofiles.os.wrap(_read_ahead), executor=self._threads)
        self._read = partial(aiofiles.os.wrap(_read), executor=self._threads)
        self.reconfigure(disk, timeout)

    def reconfigure(self, disk: Storage, timeout: float) -> None:
        """Another disk, from the next call on."""
        self._timeout = timeout
        # The future of a thread's call keeps the result until the garbage is collected: what it keeps is an empty box.
        self._find = partial(aiofiles.os.wrap(lambda lookup: [_find(disk, lookup)]), executor=self._threads)
        self._look_again = partial(aiofiles.os.wrap(disk.revalidate), executor=self._thread)

    async def find(self, lookup: Lookup) -> Finding:
        try:
            box: list[Finding] = await self._in_time(self._find, lookup)
            return box.pop()
        except TimeoutError:
            return UNAVAILABLE

    async def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        """Of each, whether it is still the same; all in one hop."""
        same: list[bool] = await self._look_again(known)
        return same

    async def read_ahead(self, file: File, start: int, length: int, ahead: int) -> None:
        """Waits until bytes of a file are in memory; the disk begins to read those behind them. Raises OSError."""
        await self._in_time(self._read_ahead, file, start, length, ahead)

    async def read(self, file: File, start: int, buffer: memoryview) -> int:
        """Fills `buffer` from the byte at `start`, as far as the file reaches. Returns how many; raises OSError."""
        return await self._in_time(self._read, file, start, buffer)

    async def _in_time(self, call: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """Raises TimeoutError, an OSError, if the call does not come back, or if too many wait already."""
        if self._under_way >= _MOST:
            raise TimeoutError(errno.ETIMEDOUT, "too many wait for the disk")
        self._under_way += 1
        try:
            async with asyncio.timeout(self._timeout):
                return await call(*arguments)
        except TimeoutError:
            raise TimeoutError(errno.ETIMEDOUT, "the disk does not answer") from None
        except RuntimeError as error:  # no thread can be started (hazard E4)
            raise TimeoutError(errno.EAGAIN, str(error)) from None
        finally:
            self._under_way -= 1

    def close(self) -> None:
        """Waits for no call: one that hangs on a dead disk must not hold the stop."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._thread.shutdown(wait=False, cancel_futures=True)


def _find(disk: Storage, lookup: Lookup) -> Finding:
    """What the disk finds; of a large file nothing is read but what is asked for."""
    finding = disk.find(lookup)
    if isinstance(finding, OpenFile) and finding.file is not None:
        with suppress(OSError):  # it is only a hint
            os.posix_fadvise(finding.file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
    return finding


def _read_ahead(file: File, start: int, length: int, ahead: int) -> None:
    file.read_ahead(start, length, ahead)


def _read(file: File, start: int, buffer: memoryview) -> int:
    with suppress(OSError):  # it is only a hint
        os.posix_fadvise(
            file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL
        )  # a thread may wait while the kernel reads ahead
    return file.read_into(buffer, start)
