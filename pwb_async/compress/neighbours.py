"""The coded neighbours of the files beneath a root: which there should be, and how one is written or removed.

A file gets a neighbour for each coding if its media type is compressible, and if the neighbour is at least 5 % smaller.
One that the server would send and that decodes to the file is left as it is, whatever wrote it. One that is older than
its file, damaged or of other content is stale: it is written anew, or removed where it is of no use. An orphan, such as
data.csv.gz without a data.csv, may be a file of its own: it is only removed on request.

A neighbour is written under a hidden name first and then renamed, so that no client ever gets a part of it; a process
that is killed meanwhile leaves the hidden file, which is not served. A neighbour has the times, the mode and, if this
process may set them, the owners of its file.
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

from pwb_async.config.toml_file import CONFIG_NAME
from pwb_async.core.site.compressible import is_compressible
from pwb_async.core.site.media_types import MediaTypes
from pwb_async.core.site.servable import is_servable
from pwb_async.storage.coders import BEST_LEVELS, decodes_to, encode
from pwb_async.storage.compression import LARGEST_SHARE
from pwb_async.storage.open_file import version_of
from pwb_async.storage.precompressed import ENDINGS, is_sendable

_NO_FOLLOW: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Outcome(Enum):
    """What was found of a neighbour, and done about it."""

    CURRENT = "current"
    """It is there, the server sends it, and it decodes to its file."""
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
    for directory, segments, names in _walk(root):
        for name in sorted(names):
            size = _size(os.path.join(directory, name)) if _is_worth_it((*segments, name), types) else 0
            if size:
                yield from (Task(os.path.join(directory, name), size, coding) for coding in codings)


def find_orphans(root: bytes, types: MediaTypes, codings: Sequence[bytes]) -> Iterator[bytes]:
    """The paths of files beneath a root that would be neighbours, if there were the file without the suffix.

    Raises OSError if a directory cannot be read.
    """
    for directory, segments, names in _walk(root):
        for coding in codings:
            for name in sorted(name for name in names if name.endswith(ENDINGS[coding])):
                original, path = name.removesuffix(ENDINGS[coding]), os.path.join(directory, name)
                if os.path.lexists(os.path.join(directory, original)) or _size(path) is None:
                    continue
                if _is_worth_it((*segments, original), types):
                    yield path


def _walk(root: bytes) -> Iterator[tuple[bytes, tuple[bytes, ...], set[bytes]]]:
    """Each directory that is served, the segments of its path beneath the root, and the names of files in it."""

    def fail(error: OSError) -> None:
        if error.filename == root or not isinstance(error, FileNotFoundError):  # one that was removed has no files
            raise error

    for directory, subdirectories, names in os.walk(root, onerror=fail):
        segments = tuple(directory[len(root) :].split(b"/")[1:])
        subdirectories[:] = sorted(name for name in subdirectories if is_servable((*segments, name, b"x")))
        yield directory, segments, set(names)


def _is_worth_it(segments: tuple[bytes, ...], types: MediaTypes) -> bool:
    """Whether a file of this path is served, and of a media type that is compressible."""
    media = types.fields(b"/".join(segments))
    served = is_servable(segments) and segments != (os.fsencode(CONFIG_NAME),)
    return served and len(media) == 1 and is_compressible(media[0][1])


def _size(path: bytes) -> int | None:
    """Bytes of a regular file; None for anything else, and for one that was removed."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def process(task: Task, *, write: bool) -> Result:
    """Write, keep or remove a neighbour; without `write` only find out which. Raises OSError."""
    fd = os.open(task.path, _NO_FOLLOW)
    with open(fd, "rb") as file:
        status = os.fstat(fd)
        existing = _status(task.neighbour)
        content = file.read()
    if existing is not None and is_sendable(task.neighbour, task.coding, existing, status):
        with open(task.neighbour, "rb") as neighbour:
            if decodes_to(neighbour.read(), task.coding, content):
                return Result(task, Outcome.CURRENT, existing.st_size)
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
