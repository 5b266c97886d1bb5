"""Floor 1: another find, with the same findings, that takes longer: --delay-disk, to see what a slow disk does to a
design. It sleeps in the thread that calls, as one does whom the disk keeps waiting.

A call that goes to the disk is delayed: a look-up, a small file's content included; a look at one that is known; a
piece of a large file. What has just been read of a large file is in memory, and costs nothing: so whoever reads ahead
in a thread, and then has the kernel send it, waits as long as with a real disk, and where he does with a real disk.
"""

import os
from collections.abc import Sequence
from fnmatch import fnmatchcase
from random import Random
from time import sleep  # of the moment of the import: --mode gevent takes care to come before its patch
from typing import Final

from pwb_async.config.option_types import Delay
from pwb_async.core.semantics.messages import File
from pwb_async.core.site.lookup import Finding, Lookup, OpenFile, Storage

_chance: Final = Random(20)  # noqa: S311  # the same delays in each run
os.register_at_fork(before=lambda: _chance.seed(_chance.random()))  # or all children would draw the same


class SlowDisk:
    """A disk behind delays, of which the last that fits a request's path counts."""

    def __init__(self, disk: Storage, delays: Sequence[Delay]) -> None:
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
    """An open file behind a delay. Whoever opened the file closes it by this."""

    __slots__ = ("_delay", "_file", "_known", "device")

    def __init__(self, file: File, delay: Delay) -> None:
        self._file = file
        self.device = file.device
        self._delay = delay
        self._known = range(0)

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
            self._known = range(start, start + length)

    def in_page_cache(self, start: int, length: int) -> bool:
        return start in self._known and start + length <= self._known.stop


def _wait(delay: Delay) -> None:
    sleep(delay.seconds + _chance.uniform(-delay.jitter, delay.jitter))
