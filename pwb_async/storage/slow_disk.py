"""A storage that delays another one: --delay-disk, which shows what a slow disk does to each design.

It sleeps in the thread that calls it, which is the thread that a slow disk would block. Three operations are delayed: a
lookup, which reads a small file as well; the revalidation of a file; and reading a part of a large file. The part that
was read last counts as in memory, so that sending it is not delayed again: a design that reads ahead in a thread, and
then lets the kernel send, waits in that thread alone, as it would with a slow disk.
"""

import os
from collections.abc import Sequence
from fnmatch import fnmatchcase
from random import Random
from time import sleep  # bound here: with --mode gevent this module is imported before gevent patches time
from typing import Final

from pwb_async.config.parsers import Delay
from pwb_async.core.semantics.messages import File
from pwb_async.core.site.findings import Finding, OpenFile
from pwb_async.core.site.lookup import Lookup, Storage

_random: Final = Random(20)  # noqa: S311  # a fixed seed, so that every run has the same delays
os.register_at_fork(before=lambda: _random.seed(_random.random()))  # otherwise all children would draw the same delays


class SlowDisk:
    """A Storage that delays the calls to another one."""

    def __init__(self, disk: Storage, delays: Sequence[Delay]) -> None:
        """The last of the `delays` whose glob matches the path of the request applies."""
        self._disk = disk
        self._delays = tuple(reversed(delays))

    def find(self, lookup: Lookup) -> Finding:
        delay = self._delay(lookup)
        if delay is None:
            return self._disk.find(lookup)
        _wait(delay)
        finding = self._disk.find(lookup)
        if isinstance(finding, OpenFile) and finding.file is not None:
            return finding._replace(file=SlowFile(finding.file, delay))
        return finding

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        for lookup, _ in known:
            if (delay := self._delay(lookup)) is not None:
                _wait(delay)
        return self._disk.revalidate(known)

    def _delay(self, lookup: Lookup) -> Delay | None:
        path = "/" + os.fsdecode(lookup.path)
        return next((delay for delay in self._delays if fnmatchcase(path, delay.glob)), None)


class SlowFile:
    """A File that delays reading another one. Closing it closes the other one."""

    __slots__ = ("_delay", "_file", "_last_read", "device")

    def __init__(self, file: File, delay: Delay) -> None:
        self._file = file
        self.device = file.device
        self._delay = delay
        self._last_read = range(0)

    def fileno(self) -> int:
        return self._file.fileno()

    def close(self) -> None:
        self._file.close()

    def read_into(self, buffer: bytearray | memoryview, start: int) -> int:
        self._read(start, len(buffer))
        return self._file.read_into(buffer, start)

    def read_ahead(self, start: int, length: int, ahead: int) -> None:
        self._read(start, length)
        self._file.read_ahead(start, length, ahead)

    def _read(self, start: int, length: int) -> None:
        if not self.in_page_cache(start, length):
            _wait(self._delay)
            self._last_read = range(start, start + length)

    def in_page_cache(self, start: int, length: int) -> bool:
        return start in self._last_read and start + length <= self._last_read.stop


def _wait(delay: Delay) -> None:
    sleep(delay.seconds + _random.uniform(-delay.jitter, delay.jitter))
