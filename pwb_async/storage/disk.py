"""Floor 1: the disk, and with beneath.py the only place that opens a file. Blocking, thread-safe, and no request makes
it raise.

What this file owns: how a request's path becomes a finding, and what an errno means.
find, the steps in order:
  1. open the root anew, so that a swapped release is seen at once and an answer is wholly of one (hazard D6)
  2. open the first of the lookup's candidates that exists, without ever leaving the root (C1, C2, C3)
  3. look at what was opened, not at its name: only a regular file is a file (C5)
  4. read a small file at once, and make its entity tag of what was read; hand a large one out open, and if it has just
     changed, and does not go on changing, wait some milliseconds until its times can be trusted
  5. where a small one holds more or less than the system says (/proc says 0, /sys 4096), read it to its end
"""

import errno
import os
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from typing import Final

from pwb_async.core.site.lookup import (
    DIRECTORY,
    FORBIDDEN,
    NOT_FOUND,
    UNAVAILABLE,
    Candidate,
    EntryKind,
    Finding,
    Lookup,
    OpenFile,
    StorageError,
    same_version,
)

from .etag import METADATA_TAGS, SECOND, WaitBudget, can_wait, content_tag, file_clock, is_racy
from .open_beneath import DIRECTORY_FLAGS, FILE_FLAGS, Opener, close, opener
from .open_file import Descriptor, LargeFile

SMALL: Final = 112 * 1024
"""Bytes, so large a file is still read at once. An answer from memory and one by sendfile(2) cost 16 and 24 us of CPU
at 32 KiB, 29 and 30 at 64, 33 and 33 at 100, 37 and 37 at 112, 45 and 37 at 120, 54 and 45 at 128 (16 kept connections
on loopback, medians of 5 interleaved rounds, uvloop 0.23, CPython 3.11): from there on the socket does not take it at
once, and the memory is better spent on other files."""
_TRIES: Final = 4
"""One, and three more when the disk changed under our hands."""
_PAUSES: Final = 10
_PAUSE: Final = 0.005
"""Seconds. All pauses together last longer than the slowest tick, even if a virtual machine misses some."""


class Disk:
    """The files beneath `root`. etag: how the entity tags of large files are made. small: bytes, so large a file is
    still read at once. beneath: how a path is opened, by default as the system can. clock: that of the file system.
    Raises OSError for a root that is not there, is no folder or may not be entered."""

    def __init__(
        self,
        root: str | bytes,
        *,
        etag: str = "auto",
        small: int = SMALL,
        beneath: Opener | None = None,
        clock: Callable[[], int] = file_clock,
    ) -> None:
        self._root = _absolute(os.fsencode(root))
        self._metadata_tag = METADATA_TAGS[etag]
        self._small = small
        self._clock = clock
        self._wait_budget = WaitBudget()
        try:
            number = os.open(os.path.join(self._root, b"."), DIRECTORY_FLAGS)  # `.` is found only where one may enter
        except OSError as error:
            error.filename = os.fsdecode(self._root)
            raise
        self._beneath = beneath or opener(number)
        close(number)

    def find(self, lookup: Lookup) -> Finding:
        """What is there, now. The OpenFile's file belongs to the caller."""
        try:
            root = os.open(self._root, DIRECTORY_FLAGS)
        except OSError:
            return UNAVAILABLE
        try:
            return self._find(root, lookup, True)
        finally:
            close(root)

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        """Of each file that was found before, whether it is still there, the same version.

        Folder by folder, so that a file costs one system call: after each the interpreter's lock is fought for.
        """
        same = [False] * len(known)
        folders: dict[bytes, list[int]] = {}
        for number, (_, found) in enumerate(known):
            folders.setdefault(found.path.rpartition(b"/")[0] or b".", []).append(number)
        with suppress(OSError), closing(Descriptor(os.open(self._root, DIRECTORY_FLAGS))) as root:
            for path, numbers in folders.items():
                with suppress(OSError), closing(Descriptor(self._open(root.fileno(), path, DIRECTORY_FLAGS))) as folder:
                    for number in numbers:
                        same[number] = self._is_same(root.fileno(), folder.fileno(), *known[number])
        return same

    def _is_same(self, root: int, folder: int, lookup: Lookup, found: OpenFile) -> bool:
        if not found.settled:
            return False
        if found.path == lookup.candidates[0].path:  # else an earlier candidate may have appeared
            try:
                status = os.stat(found.path.rpartition(b"/")[2], dir_fd=folder, follow_symlinks=False)
            except OSError:
                return False
            # A file in /proc that is empty may hold something now; only reading tells.
            if found.size and not stat.S_ISLNK(status.st_mode):
                return stat.S_ISREG(status.st_mode) and found.version == _version(status)
        return same_version(found, self._find(root, lookup, not found.size))

    def _find(self, root: int, lookup: Lookup, read: bool) -> Finding:
        for candidate in lookup.candidates:
            finding = self._candidate(root, candidate, read)
            if finding is NOT_FOUND or (finding is DIRECTORY and candidate.kind is EntryKind.FILE):
                continue
            if candidate.status != 200 and isinstance(finding, OpenFile):
                return finding._replace(status=candidate.status)
            return finding
        return NOT_FOUND

    def _candidate(self, root: int, candidate: Candidate, read: bool) -> Finding:
        path = candidate.path or b"."
        if b"\0" in path:  # a C string ends here; the system would open another file
            return NOT_FOUND
        return self._folder(root, path) if candidate.kind is EntryKind.DIRECTORY else self._entry(root, path, read)

    def _entry(self, root: int, path: bytes, read: bool) -> Finding:
        try:
            file = Descriptor(self._open(root, path, FILE_FLAGS))
        except PermissionError:  # a folder may be entered, even so
            return DIRECTORY if self._folder(root, path) is DIRECTORY else FORBIDDEN
        except OSError as error:
            return _finding(error)
        try:
            finding = self._examine(file, path, read)
        except OSError as error:
            finding = _finding(error)
        file.close()
        return finding

    def _examine(self, file: Descriptor, path: bytes, read: bool) -> Finding:
        changed = False
        for _ in range(_TRIES):
            seen = self._clock()  # before the status: what changes after this moment is stamped with it, or later
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
            if _version(os.fstat(file.fileno())) == _version(status):
                continue  # truncated twice in a tick of the file system's clock, or its size is not its length
            changed = True
            if len(content) > size:  # it has grown just now; else it was truncated
                content = content[:size]
                return _regular(path, status, seen, content_tag(content), content=content)
        return UNAVAILABLE if changed else self._generated(file, path, status, seen)

    def _generated(self, file: Descriptor, path: bytes, status: os.stat_result, seen: int) -> Finding:
        """A file whose size is not its length, with all that it holds. It is read anew, in pieces as large as can be:
        most of /proc/sys gives nothing to who goes on where a short read has stopped."""
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
        """The status of a large file and the moment of it, when its times can be trusted, or when waiting is no use."""
        for _ in range(_PAUSES):
            ctime = status.st_ctime_ns
            if not (is_racy(ctime, seen) and can_wait(ctime) and self._wait_budget.allows(path, status, seen)):
                break
            time.sleep(_PAUSE)
            seen = self._clock()
            status = os.fstat(file.fileno())
        return status, seen

    def _folder(self, root: int, path: bytes) -> Finding:
        try:
            close(self._open(root, path, DIRECTORY_FLAGS))
        except OSError as error:
            return _finding(error)
        return DIRECTORY

    def _open(self, root: int, path: bytes, flags: int) -> int:
        for _ in range(_TRIES - 1):
            try:
                return self._beneath(root, path, flags)
            except (BlockingIOError, InterruptedError):
                pass
        return self._beneath(root, path, flags)


def _absolute(path: bytes) -> bytes:
    if os.path.isabs(path):  # nor is the current folder needed then
        return path
    try:
        return os.path.join(os.getcwdb(), path)
    except FileNotFoundError as error:
        raise FileNotFoundError(error.errno, "the current folder is gone") from None


def _regular(
    path: bytes,
    status: os.stat_result,
    seen: int,
    tag: bytes | None = None,
    file: LargeFile | None = None,
    content: bytes | None = None,
) -> OpenFile:
    mtime, ctime = status.st_mtime_ns, status.st_ctime_ns
    if mtime > ctime:  # it was set to a time in the future
        mtime = ctime
    settled = mtime // SECOND < seen // SECOND and not is_racy(ctime, seen)
    return OpenFile(path, status.st_size, mtime, seen, file, content, _version(status), False, tag, settled)


def _version(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_ctime_ns, status.st_mtime_ns, status.st_size


def _finding(error: OSError) -> Finding:
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR | errno.EISDIR | errno.ENAMETOOLONG | errno.ELOOP | errno.EXDEV:
            return NOT_FOUND
        case errno.ENXIO | errno.ENODEV | errno.EILSEQ:  # a socket; a device without a driver; nothing's name here
            return NOT_FOUND
        case errno.EACCES | errno.EPERM:
            return FORBIDDEN
        case errno.EMFILE | errno.ENFILE | errno.ENOMEM | errno.EAGAIN | errno.EINTR:
            return UNAVAILABLE
    return StorageError(errno.errorcode.get(error.errno or 0, str(error)))
