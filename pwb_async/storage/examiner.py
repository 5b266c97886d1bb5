"""What an open file is: its kind, its content if it is small, its version and its entity tag.

examine, step by step:
  1. examines what was opened, not what the name stands for by now: only a regular file is a file (hazard C5)
  2. reads a small file whole, and makes its entity tag of the content; leaves a large one open, and if it has just
     changed, waits some milliseconds until its times can be trusted
  3. reads a small file to its end if its size is not its length (in /proc the size is 0, in /sys 4096)
"""

import os
import stat
import time
from collections.abc import Callable
from typing import Final

from pwb_async.core.site.findings import DIRECTORY, NOT_FOUND, Finding, OpenFile, StorageError, Unavailable

from .etag import METADATA_TAGS, SECOND, WaitBudget, can_wait, content_tag, is_racy
from .open_file import Descriptor, LargeFile, version_of

SMALL: Final = 112 * 1024
"""The size, in bytes, up to which a file is read at once: a response from memory and one by sendfile(2) cost the same
CPU time here, 37 us (docs/decisions.md)."""
_TRIES: Final = 4
"""Attempts to examine a file that changes meanwhile."""
_PAUSES: Final = 10
_PAUSE: Final = 0.005
"""Seconds. All pauses together are longer than the slowest tick of a clock, even if a virtual machine misses some."""


class Examiner:
    """What examines open files.

    Args:
        etag: What the entity tags of large files are made of, a key of METADATA_TAGS.
        small: The size, in bytes, up to which a file is read at once.
        clock: The clock of the file system, in nanoseconds.
    """

    def __init__(self, etag: str, small: int, clock: Callable[[], int]) -> None:
        self._metadata_tag = METADATA_TAGS[etag]
        self._small = small
        self._clock = clock
        self._wait_budget = WaitBudget()

    def examine(self, file: Descriptor, path: bytes, read: bool) -> Finding:
        """What the open file is; with `read`, a small file is read until its content and its status agree."""
        changed = False
        for _ in range(_TRIES):
            seen = self._clock()  # before fstat, so that a change after fstat gets this time or a later one
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return DIRECTORY if stat.S_ISDIR(status.st_mode) else NOT_FOUND
            size = status.st_size
            if not read:
                return _regular(path, status, seen)
            if size > self._small:
                return self._large(file, path, status, seen)
            content = os.pread(file.fileno(), size + 1, 0)
            if len(content) == size:
                return _regular(path, status, seen, content_tag(content), content=content)
            if version_of(os.fstat(file.fileno())) == version_of(status):
                continue  # changed within one tick of the file system's clock, or its size is not its length
            changed = True
            if len(content) > size:  # it has grown since fstat; otherwise it was truncated
                content = content[:size]
                return _regular(path, status, seen, content_tag(content), content=content)
        if changed:
            return Unavailable("it changes while it is read")
        return self._generated(file, path, status, seen)

    def _generated(self, file: Descriptor, path: bytes, status: os.stat_result, seen: int) -> Finding:
        """A file whose size is not its length, with all of its content.

        It is read from the start in pieces that are as large as possible, because most files in /proc/sys give nothing
        more once a read was short.
        """
        content = bytearray()
        while piece := os.pread(file.fileno(), self._small + 1 - len(content), len(content)):
            content += piece
            if len(content) > self._small:
                return StorageError(f"its size is not its length, and it holds more than {self._small} bytes")
        held = bytes(content)
        return OpenFile(path, len(held), status.st_mtime_ns, seen, None, held, tag=content_tag(held), generated=True)

    def _large(self, file: Descriptor, path: bytes, status: os.stat_result, seen: int) -> OpenFile:
        tag = None
        if self._metadata_tag:
            status, seen = self._wait(file, path, status, seen)
            if not is_racy(status.st_ctime_ns, seen):
                tag = self._metadata_tag(status)
        return _regular(path, status, seen, tag, LargeFile(file.detach(), status.st_dev))

    def _wait(self, file: Descriptor, path: bytes, status: os.stat_result, seen: int) -> tuple[os.stat_result, int]:
        """The status of a large file and its moment, once the times can be trusted or waiting is of no use."""
        for _ in range(_PAUSES):
            ctime = status.st_ctime_ns
            if not (is_racy(ctime, seen) and can_wait(ctime) and self._wait_budget.allows(path, status, seen)):
                break
            time.sleep(_PAUSE)
            seen = self._clock()
            status = os.fstat(file.fileno())
        return status, seen


def _regular(
    path: bytes,
    status: os.stat_result,
    seen: int,
    tag: bytes | None = None,
    file: LargeFile | None = None,
    content: bytes | None = None,
) -> OpenFile:
    mtime, ctime = status.st_mtime_ns, status.st_ctime_ns
    if mtime > ctime:  # a program has set it to a time in the future
        mtime = ctime
    # Last-Modified has whole seconds, so a later change has another one only if the second of this one is over.
    settled = mtime // SECOND < seen // SECOND and not is_racy(ctime, seen)
    return OpenFile(path, status.st_size, mtime, seen, file, content, version_of(status), False, tag, settled)
