"""The disk: how a path of a request becomes a finding, and what an errno means.

It blocks, several threads can use it, and no request makes it raise.

find, step by step:
  1. opens the root anew, so that a release that was switched by renaming is seen at once, and every response is wholly
     from one release (hazard D6)
  2. opens the first of the lookup's candidates that exists, without ever leaving the root (C1, C2, C3)
     if that is an error, opens the nearest error page of the site, if there is one
  3. examines what it has opened (examiner.py)
"""

import errno
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import Final

from pwb_async.core.semantics.codings import NO_CODING, Acceptable
from pwb_async.core.site.findings import (
    DIRECTORY,
    FORBIDDEN,
    NOT_FOUND,
    Directory,
    Finding,
    OpenFile,
    Unavailable,
    same_version,
)
from pwb_async.core.site.lookup import Candidate, EntryKind, Lookup

from .candidates import find_first
from .errors import finding_of, name_of
from .etag import file_clock
from .examiner import SMALL, Examiner
from .open_beneath import DIRECTORY_FLAGS, FILE_FLAGS, Opener, close, find_opener
from .open_file import Descriptor, version_of
from .precompressed import ENDINGS, find_neighbours, unchanged
from .root import DiskRoot

_TRIES: Final = 4
"""Attempts to open a file when a signal or a change interrupts that."""


class Disk:
    """The Storage of the files beneath a root directory."""

    descriptors: Final = ()
    """None is open between two lookups."""

    def __init__(
        self,
        root: str | bytes,
        *,
        etag: str = "auto",
        precompressed: bool = False,
        hidden: Iterable[bytes] = (),
        small: int = SMALL,
        opener: Opener | None = None,
        clock: Callable[[], int] = file_clock,
    ) -> None:
        """The files beneath `root`. Raises OSError if it does not exist, is not a directory or may not be entered.

        etag: what the entity tags of large files are made of, a key of METADATA_TAGS. precompressed: whether coded
        neighbours are looked for. hidden: paths of files that, like their coded neighbours, do not exist for clients.
        small: the size, in bytes, up to which a file is read at once. opener: what opens a path beneath the root;
        by default the best that the system has. clock: the clock of the file system, in nanoseconds.
        """
        self._root = _absolute(os.fsencode(root))
        self._precompressed = precompressed
        self._hidden = frozenset((path + ending).lower() for path in hidden for ending in (b"", *ENDINGS.values()))
        self._examine = Examiner(etag, small, clock).examine
        try:
            fd = os.open(os.path.join(self._root, b"."), DIRECTORY_FLAGS)  # "." needs the right to enter
        except OSError as error:
            error.filename = os.fsdecode(self._root)
            raise
        self._opener = opener or find_opener(fd)
        close(fd)

    def find(self, lookup: Lookup) -> Finding:
        """The first of the lookup's candidates that exists now. The caller has to close the file of an OpenFile."""
        try:
            root = os.open(self._root, DIRECTORY_FLAGS)
        except OSError as error:
            # The root could be opened when the server began. So whatever the reason is, a release that is being
            # switched, a disk that is not mounted or a want of descriptors, it is expected to pass.
            return Unavailable(f"the root cannot be opened: {name_of(error)}")
        try:
            return self._find(root, lookup, True)
        finally:
            close(root)

    def hides(self, path: bytes) -> bool:
        """Whether a path beneath the root is that of a hidden file; case is ignored, as some file systems do."""
        return bool(self._hidden) and path.lower() in self._hidden

    def open_root(self) -> DiskRoot:
        """The root as it is now. Raises OSError."""
        return DiskRoot(os.open(self._root, DIRECTORY_FLAGS), self._open)

    def revalidate(self, known: Sequence[tuple[Lookup, OpenFile]]) -> list[bool]:
        """Whether each file that was found before would be found now, and in the same version.

        Each directory is opened once, so that a file costs one system call. Each call saved counts twice: it releases
        the interpreter lock, which the thread then has to wait for.
        """
        same = [False] * len(known)
        directories: dict[bytes, list[int]] = {}
        for index, (_, found) in enumerate(known):
            directories.setdefault(found.path.rpartition(b"/")[0] or b".", []).append(index)
        with suppress(OSError), closing(Descriptor(os.open(self._root, DIRECTORY_FLAGS))) as root:
            for path, indexes in directories.items():
                with (
                    suppress(OSError),
                    closing(Descriptor(self._open(root.fileno(), path, DIRECTORY_FLAGS))) as directory,
                ):
                    for index in indexes:
                        same[index] = self._is_same(root.fileno(), directory.fileno(), *known[index])
        return same

    def _is_same(self, root: int, directory: int, lookup: Lookup, found: OpenFile) -> bool:
        if not found.settled:
            return False
        if lookup.begins_with(found):  # else an earlier candidate may have appeared
            name = found.path.rpartition(b"/")[2]
            try:
                status = os.stat(name, dir_fd=directory, follow_symlinks=False)
            except OSError:
                return False
            # An empty file in /proc may have content by now, which only reading shows.
            if found.size and not stat.S_ISLNK(status.st_mode):
                if not (stat.S_ISREG(status.st_mode) and found.version == version_of(status)):
                    return False
                if not found.neighbours or unchanged(directory, name, lookup.codings, found.neighbours):
                    return True
        return same_version(found, self._find(root, lookup, not found.size))

    def _find(self, root: int, lookup: Lookup, read: bool) -> Finding:
        """The finding of find(); without `read` an OpenFile has neither content nor a file, only its status."""
        finding = self._find_first(root, lookup, read)
        for path in lookup.error_files(finding):
            if isinstance(page := self._find_entry(root, path, NO_CODING, read), OpenFile):
                return lookup.with_page(finding, page)
        return finding

    def _find_first(self, root: int, lookup: Lookup, read: bool) -> Finding:
        return find_first(lookup, partial(self._find_candidate, root), read)

    def _find_candidate(self, root: int, candidate: Candidate, codings: Acceptable, read: bool) -> Finding:
        path = candidate.path or b"."
        if b"\0" in path:  # ends a C string, so the system would open another file
            return NOT_FOUND
        if candidate.kind is EntryKind.DIRECTORY:
            return self._find_directory(root, path)
        negotiated = self._precompressed and candidate.compressible
        return self._find_entry(root, path, codings if negotiated else NO_CODING, read)

    def _find_entry(self, root: int, path: bytes, codings: Acceptable, read: bool) -> Finding:
        try:
            file = Descriptor(self._open(root, path, FILE_FLAGS))
        except PermissionError:  # a directory that cannot be read may still be entered
            found = self._find_directory(root, path)
            return found if isinstance(found, Directory) else FORBIDDEN
        except OSError as error:
            return finding_of(error)
        try:
            if codings.preferences:
                finding = self._negotiate(root, file, path, codings, read)
            else:
                finding = self._examine(file, path, read)
        except OSError as error:
            finding = finding_of(error)
        file.close()
        return finding

    def _negotiate(self, root: int, file: Descriptor, path: bytes, codings: Acceptable, read: bool) -> Finding:
        """What the open file is, or the best of its coded neighbours (precompressed.py) in its place."""
        original = self._examine(file, path, False)
        if not isinstance(original, OpenFile) or not original.size:
            return self._examine(file, path, read)
        coding, coded, versions, settled = find_neighbours(
            lambda neighbour: self._open(root, neighbour, FILE_FLAGS),
            lambda neighbour, name: self._examine(neighbour, name, True),
            path,
            original,
            codings,
            read=read,
        )
        if coded is not None:
            return original._replace(
                size=coded.size,
                file=coded.file,
                content=coded.content,
                tag=coded.tag and b"%s-%s" % (coded.tag, coding),
                coding=coding,
                neighbours=versions,
                settled=original.settled and settled,
            )
        found = self._examine(file, path, True) if read else original
        if not isinstance(found, OpenFile):
            return found
        return found._replace(neighbours=versions, settled=found.settled and settled)

    def _find_directory(self, root: int, path: bytes) -> Finding:
        try:
            close(self._open(root, path, DIRECTORY_FLAGS))
        except OSError as error:
            return finding_of(error)
        return DIRECTORY

    def _open(self, root: int, path: bytes, flags: int) -> int:
        if self.hides(path):
            raise FileNotFoundError(errno.ENOENT, "hidden")
        for _ in range(_TRIES - 1):
            try:
                return self._opener(root, path, flags)
            except (BlockingIOError, InterruptedError):
                pass
        return self._opener(root, path, flags)


def _absolute(path: bytes) -> bytes:
    if os.path.isabs(path):  # then it does not matter whether the current directory exists
        return path
    try:
        return os.path.join(os.getcwdb(), path)
    except FileNotFoundError as error:
        raise FileNotFoundError(error.errno, "the current directory was removed") from None
