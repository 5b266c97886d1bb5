"""An asyncio front end to blocking storage: each call is made in a thread, through aiofiles.

A thread hop costs 60 to 100 us, so a file that is not cached is opened, examined and read in one. The call is not
cancelled when the client disconnects: the file that it opens must still be closed (hazard A12).

A disk that stops answering holds up the threads, and soon every lookup (hazard E6). So each call has a timeout, which
includes its time in the queue, and only so many calls may wait. (One that has timed out no longer counts, though it
may still be in the queue.) Beyond either, the client gets 503, or the connection is aborted if the response has begun.
A result that arrives later is dropped, which closes its file. Revalidation for the cache has a thread of its own, and
no timeout.

The kernel reads ahead at once, in the thread that touches a file; on the loop that took 20 ms for 8 MiB. So it is
switched off for large files, and read_ahead() does it in a thread. Measurements: docs/decisions.md.
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
from pwb_async.core.site.lookup import Finding, Lookup, OpenFile, Storage, Unavailable

T = TypeVar("T")
_THREADS: Final = 32
"""Calls that may wait for the disk at the same time; further ones wait in the queue."""
_MAX_CALLS: Final = 4096
"""Calls that clients wait for, in the threads and in the queue."""


def start_threads(max_threads: int, name: str) -> ThreadPoolExecutor:
    """A pool whose first thread has been started. Raises RuntimeError if there can be none."""
    pool = ThreadPoolExecutor(max_threads, name)
    pool.submit(_start_thread)
    return pool


def _start_thread() -> None:
    """Do nothing: the pool starts a thread for its first call."""


class AsyncStorage:
    """Blocking storage as coroutines."""

    def __init__(self, disk: Storage, timeout: float = 10.0) -> None:
        """timeout: seconds for one call. Raises RuntimeError if no thread can be started."""
        self._threads = start_threads(_THREADS, "pwb-disk")
        self._revalidator = start_threads(1, "pwb-revalidate")
        self._calls = 0
        self._read_ahead = partial(aiofiles.os.wrap(_read_ahead), executor=self._threads)
        self._read = partial(aiofiles.os.wrap(_read), executor=self._threads)
        self.reconfigure(disk, timeout)

    def reconfigure(self, disk: Storage, timeout: float) -> None:
        """Use another disk, from the next call on."""
        self._timeout = timeout
        self._find = partial(aiofiles.os.wrap(partial(_find, disk)), executor=self._threads)
        self._revalidate = partial(aiofiles.os.wrap(disk.revalidate), executor=self._revalidator)

    async def find(self, lookup: Lookup) -> Finding:
        """Find what the disk has; Unavailable if it does not answer in time."""
        try:
            result: list[Finding] = await self._call(self._find, lookup)
        except TimeoutError as error:
            return Unavailable(error.strerror or "")
        return result.pop()

    async def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        """For each of the known files, whether it is unchanged; all in one thread hop."""
        unchanged: list[bool] = await self._revalidate(known)
        return unchanged

    async def run_in_background(self, function: Callable[..., T], *arguments: object) -> T:
        """Call a function that reads the disk, for which no client waits, in the thread of the revalidation."""
        return await asyncio.get_running_loop().run_in_executor(self._revalidator, function, *arguments)

    async def read_ahead(self, file: File, start: int, length: int, ahead: int) -> None:
        """Wait until `length` bytes of a file are in memory; the disk begins to read `ahead` more. Raises OSError."""
        await self._call(self._read_ahead, file, start, length, ahead)

    async def read(self, file: File, start: int, buffer: memoryview) -> int:
        """Fill `buffer` from the byte at `start`, as far as the file reaches; return how many. Raises OSError."""
        return await self._call(self._read, file, start, buffer)

    async def _call(self, function: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """Call a function in a thread. Raises TimeoutError, an OSError, if that takes too long or too many wait."""
        if self._calls >= _MAX_CALLS:
            raise TimeoutError(errno.ETIMEDOUT, "too many wait for the disk")
        self._calls += 1
        try:
            async with asyncio.timeout(self._timeout):
                return await function(*arguments)
        except TimeoutError:
            raise TimeoutError(errno.ETIMEDOUT, "the disk does not answer") from None
        except RuntimeError as error:  # no thread can be started
            raise TimeoutError(errno.EAGAIN, str(error)) from None
        finally:
            self._calls -= 1

    def close(self) -> None:
        """End the threads, without waiting for one that hangs on a dead disk."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._revalidator.shutdown(wait=False, cancel_futures=True)


def _find(disk: Storage, lookup: Lookup) -> list[Finding]:
    """Find what the disk has, as a list of one finding, which the caller removes.

    The executor's future keeps its result until it is garbage-collected. That is then an empty list, and not a file
    which stays open. For a large file, reading ahead is switched off.
    """
    finding = disk.find(lookup)
    if isinstance(finding, OpenFile) and finding.file is not None:
        with suppress(OSError):  # it is only a hint
            os.posix_fadvise(finding.file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
    return [finding]


def _read_ahead(file: File, start: int, length: int, ahead: int) -> None:
    file.read_ahead(start, length, ahead)


def _read(file: File, start: int, buffer: memoryview) -> int:
    with suppress(OSError):  # only a hint: here, in a thread, the kernel may read ahead
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
    return file.read_into(buffer, start)
