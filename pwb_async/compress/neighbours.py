"""The coded neighbours of the files beneath a root: which there should be, and how one is written or removed.

A file gets a neighbour for each coding if its media type is compressible, and if the neighbour is at least 5 % smaller.
One that the server would send is left as it is, whatever wrote it. One that the server would ignore, because it is
older than its file, damaged or of another size, is written anew, or removed where it is of no use. A file whose name
ends like a neighbour's but that stands alone, such as data.csv.gz without a data.csv, is not touched.

A neighbour is written under a hidden name first and then renamed, so that no client ever gets a part of it. It has the
times, the mode and, if this process may set them, the owners of its file.
"""

import errno
import os
import signal
import stat
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from enum import Enum
from typing import Final, NamedTuple

from pwb_async.core.site.compressible import is_compressible
from pwb_async.core.site.media_types import MediaTypes
from pwb_async.core.site.servable import is_servable
from pwb_async.storage.coders import BEST_LEVELS, encode
from pwb_async.storage.compression import LARGEST_SHARE
from pwb_async.storage.open_file import version_of
from pwb_async.storage.precompressed import ENDINGS, is_sendable

_NO_FOLLOW: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Outcome(Enum):
    """What was found of a neighbour, and done about it."""

    CURRENT = "current"
    """It is there, and the server sends it."""
    WRITTEN = "written"
    """It was missing or stale, and is there now; or, if files are only checked, would have to be written."""
    USELESS = "useless"
    """It would save less than 5 %, so there is none."""
    REMOVED = "removed"
    """It was stale, and saves too little to be written anew; if files are only checked, it would have to be removed."""


class Task(NamedTuple):
    """One neighbour that there may be."""

    path: bytes
    """The file, with the root."""
    size: int
    """Bytes of the file."""
    coding: bytes

    @property
    def neighbour(self) -> bytes:
        """The path of the neighbour."""
        return self.path + ENDINGS[self.coding]


class Result(NamedTuple):
    """What has become of a neighbour."""

    task: Task
    outcome: Outcome
    size: int
    """Bytes of the neighbour; 0 if there is none."""


def find_tasks(root: bytes, types: MediaTypes, codings: Sequence[bytes]) -> Iterator[Task]:
    """The neighbours that there may be beneath a root. Names that are not served, and symbolic links, are left out.

    Raises OSError if a directory cannot be read.
    """

    def fail(error: OSError) -> None:
        raise error

    for directory, subdirectories, names in os.walk(root, onerror=fail):
        segments = tuple(directory[len(root) :].split(b"/")[1:])
        subdirectories[:] = sorted(name for name in subdirectories if is_servable((*segments, name, b"x")))
        for name in sorted(names):
            path = os.path.join(directory, name)
            status = os.lstat(path)
            media = types.fields(b"/".join((*segments, name)))
            served = stat.S_ISREG(status.st_mode) and status.st_size and is_servable((*segments, name))
            if served and len(media) == 1 and is_compressible(media[0][1]):
                yield from (Task(path, status.st_size, coding) for coding in codings)


def process(task: Task, *, write: bool) -> Result:
    """Write, keep or remove a neighbour; without `write` only find out which. Raises OSError."""
    fd = os.open(task.path, _NO_FOLLOW)
    with open(fd, "rb") as file:
        status = os.fstat(fd)
        existing = _status(task.neighbour)
        if existing is not None and is_sendable(task.neighbour, task.coding, existing, status):
            return Result(task, Outcome.CURRENT, existing.st_size)
        content = file.read()
    coded = encode(content, task.coding, BEST_LEVELS[task.coding])
    if version_of(os.stat(task.path)) != version_of(status):
        raise OSError(errno.EAGAIN, "its file has changed meanwhile")
    if len(coded) > LARGEST_SHARE * len(content):
        if existing is None:
            return Result(task, Outcome.USELESS, 0)
        if write:
            os.unlink(task.neighbour)
        return Result(task, Outcome.REMOVED, 0)
    if write:
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM,))  # or a hidden file would be left
        try:
            _write(task.neighbour, coded, status)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    return Result(task, Outcome.WRITTEN, len(coded))


def _status(path: bytes) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _write(path: bytes, content: bytes, original: os.stat_result) -> None:
    """Write a neighbour with the times, the mode and the owners of its file; it appears as a whole."""
    directory, name = os.path.split(path)
    fd, temporary = tempfile.mkstemp(prefix=b"." + name[:200] + b".", dir=directory)
    try:
        with open(fd, "wb") as file:
            file.write(content)
            file.flush()
            if (original.st_uid, original.st_gid) != (os.geteuid(), os.getegid()):
                with suppress(PermissionError):
                    os.fchown(fd, original.st_uid, original.st_gid)
            os.fchmod(fd, stat.S_IMODE(original.st_mode) & 0o777)
            os.utime(fd, ns=(original.st_atime_ns, original.st_mtime_ns))
        os.rename(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
