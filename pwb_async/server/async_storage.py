"""An asyncio front end to blocking storage: each call is made in a thread (disk_threads.py).

The way to a thread and back costs more than finding a file, so a file that is not cached is opened, examined and read
in one call. It is a future: the protocol continues from a callback, and no task is needed. The call is not cancelled
when the client disconnects: the file that it opens must still be closed (hazard A12). What a task waits for (reading
large files, revalidation) is called through aiofiles, in the same threads.

A disk that stops answering holds up the threads, and soon every lookup (hazard E6). So each call has a timeout, and
only so many calls may wait. Beyond either, the client gets 503, or the connection is aborted if the response has begun.
A result that arrives later is dropped, which closes its file. Revalidation for the cache has threads of its own.

The kernel reads ahead at once, in the thread that touches a file; on the loop that took 20 ms for 8 MiB. So it is
switched off for large files, and read_ahead() does it in a thread. Measurements: docs/decisions.md.

A storage in an object store raises Deferred where it has to ask that: deferred_fetches.py does so, while no thread
waits.
"""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pwb_async.core.semantics.messages import File
from pwb_async.core.site.findings import Finding, OpenFile, Unavailable
from pwb_async.core.site.lookup import Lookup, Storage

from .disk_threads import DiskThreads

if TYPE_CHECKING:
    from .deferred_fetches import DeferredFetches

T = TypeVar("T")
_THREADS: Final = 32
"""Calls that may wait for the disk at the same time; further ones wait in the queue."""
_MAX_CALLS: Final = 4096
"""Calls that have not ended, in the threads and in the queue."""
_REVALIDATION_THREADS: Final = 4
"""More than one, so that a directory that hangs does not end the revalidation of all others."""


class AsyncStorage:
    """Blocking storage as futures and coroutines."""

    def __init__(self, disk: Storage, timeout: float = 10.0, *, defers: bool = False) -> None:
        """timeout: seconds for one call. defers: whether the disk may raise Deferred.

        Raises RuntimeError if no thread can be started.
        """
        self._fetches: DeferredFetches | None = None
        self._threads = DiskThreads("pwb-disk", _THREADS, _MAX_CALLS)
        self._revalidators = DiskThreads("pwb-revalidate", _REVALIDATION_THREADS, _REVALIDATION_THREADS)
        self._read_ahead = _awaitable(_read_ahead, self._threads)
        self._read = _awaitable(_read, self._threads)
        self.reconfigure(disk, timeout, defers=defers)

    @property
    def fetches(self) -> "DeferredFetches | None":
        """The fetches from object stores, for measuring them; None without a store."""
        return self._fetches

    @property
    def clients_threads(self) -> DiskThreads:
        """The threads for which clients wait, for measuring them."""
        return self._threads

    def reconfigure(self, disk: Storage, timeout: float, *, defers: bool = False) -> None:
        """Use another disk, from the next call on, and another timeout."""
        if defers:
            from .deferred_fetches import DeferredFetches  # most sites are on a disk

            self._fetches = self._fetches or DeferredFetches(timeout)
            self._fetches.timeout = timeout
        for threads in (self._threads, self._revalidators):
            threads.set_timeout(timeout)
        self._disk = disk
        self._revalidate = _awaitable(disk.revalidate, self._revalidators)

    def find(self, lookup: Lookup, shared: bool = False, known: OpenFile | None = None) -> asyncio.Future[Finding]:
        """Find what the disk has; Unavailable if it does not answer in time.

        shared: see OpenFile. known: what was found before; if it is unchanged, it is not read again, and returned.
        """
        function = partial(_find, self._disk, lookup, shared, known)
        if self._fetches is not None:
            return asyncio.get_running_loop().create_task(self._fetches.find(self._threads, function))
        return self._threads.call(function, Unavailable)

    async def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        """For each of the known files, whether it is unchanged; all in one call. Raises TimeoutError."""
        if self._fetches is not None:
            return await self._fetches.call(self._revalidators, partial(self._disk.revalidate, known))
        unchanged: list[bool] = await self._revalidate(known)
        return unchanged

    async def run_in_background(self, function: Callable[..., T], *arguments: object) -> T:
        """Call a function for which no client waits, in a thread of the revalidation. Raises TimeoutError."""
        if self._fetches is not None:
            return await self._fetches.call(self._revalidators, partial(function, *arguments))
        return await self._revalidators.submit(function, *arguments)

    async def read_ahead(self, file: File, start: int, length: int, ahead: int) -> None:
        """Wait until `length` bytes of a file are in memory; the disk begins to read `ahead` more. Raises OSError."""
        await self._read_ahead(file, start, length, ahead)

    async def read(self, file: File, start: int, buffer: memoryview) -> int:
        """Fill `buffer` from the byte at `start`, as far as the file reaches; return how many. Raises OSError."""
        if self._fetches is not None:
            return await self._fetches.call(self._threads, partial(_read, file, start, buffer))
        size: int = await self._read(file, start, buffer)
        return size

    @property
    def threads(self) -> list[threading.Thread]:
        """The threads that were started."""
        return [*self._threads.threads, *self._revalidators.threads]

    def close(self) -> None:
        """End the threads, without waiting for one that hangs on a dead disk."""
        if self._fetches is not None:
            self._fetches.close()
        self._threads.close()
        self._revalidators.close()


def _awaitable(function: Callable[..., Any], threads: DiskThreads) -> Callable[..., Awaitable[Any]]:
    """A coroutine function that calls `function` in a thread, made of it by aiofiles at its first call.

    aiofiles is imported late (late_imports.py).
    """
    wrapped: Callable[..., Awaitable[Any]] | None = None

    async def call(*arguments: object) -> Any:
        nonlocal wrapped
        if wrapped is None:
            import aiofiles.os

            wrapped = partial(aiofiles.os.wrap(function), executor=threads)
        return await wrapped(*arguments)

    return call


def _find(disk: Storage, lookup: Lookup, shared: bool, known: OpenFile | None) -> Finding:
    """Find what the disk has. For a large file, reading ahead is switched off."""
    if known is not None and disk.revalidate([(lookup, known)]) == [True]:
        return known
    finding = disk.find(lookup)
    if isinstance(finding, OpenFile) and finding.file is not None:
        with suppress(OSError):  # it is only a hint
            os.posix_fadvise(finding.file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        if shared:
            return finding._replace(shared=True)
    return finding


def _read_ahead(file: File, start: int, length: int, ahead: int) -> None:
    file.read_ahead(start, length, ahead)


def _read(file: File, start: int, buffer: memoryview) -> int:
    with suppress(OSError):  # only a hint: here, in a thread, the kernel may read ahead
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
    return file.read_into(buffer, start)
