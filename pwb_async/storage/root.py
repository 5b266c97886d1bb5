"""The root of a storage while it is open: all that is read beneath it is of one release (hazard D6)."""

import os
import stat
from collections.abc import Generator, Sequence
from typing import NamedTuple, Protocol

from pwb_async.core.site.lookup import Storage

from .open_beneath import FILE_FLAGS, Opener
from .open_file import Descriptor


class FolderEntry(NamedTuple):
    """An entry of a directory that may be served: a file, a directory, or a link to either beneath the root."""

    name: str
    """Bytes that are not UTF-8 are surrogates, as os.fsdecode() makes them."""
    is_directory: bool
    is_link: bool


class EntryStatus(NamedTuple):
    """What an entry is by now."""

    is_directory: bool
    is_file: bool
    size: int
    """Bytes of a file."""
    mtime_ns: int
    """The modification time, in nanoseconds since the epoch; 0 for a directory whose time is not known."""


class Folder(Protocol):
    """A directory that is open for reading."""

    @property
    def mtime_ns(self) -> int:
        """Its modification time, in nanoseconds since the epoch; 0 if it is not known."""

    def scan(self) -> Generator[FolderEntry, None, None]:
        """Yield the entries in any order, without those that are never served. Raises OSError."""

    def status(self, name: str) -> EntryStatus:
        """An entry, or what a link leads to. Raises OSError."""

    def close(self) -> None:
        """Close the directory."""


class Root(Protocol):
    """An open root."""

    def open_folder(self, path: bytes) -> Folder:
        """Open the directory at a path. Raises OSError; NotADirectoryError for anything else."""

    def read_file(self, path: bytes, max_bytes: int) -> bytes | None:
        """The content of a file; None if it has more than `max_bytes` or is no file. Raises OSError."""

    def close(self) -> None:
        """Close the root."""


class Listable(Storage, Protocol):
    """A storage with directories that can be read."""

    @property
    def descriptors(self) -> Sequence[int]:
        """The descriptors that are open between two lookups, so that a child process has to keep them."""

    def hides(self, path: bytes) -> bool:
        """Whether a path beneath the root is that of a file that does not exist for clients."""

    def open_root(self) -> Root:
        """The root as it is now. Raises OSError."""


class DiskRoot(Descriptor):
    """An open root directory."""

    __slots__ = ("_opener",)

    def __init__(self, fd: int, opener: Opener) -> None:
        super().__init__(fd)
        self._opener = opener

    def open(self, path: bytes, flags: int) -> Descriptor:
        """Open a path beneath the root. flags: FILE_FLAGS or DIRECTORY_FLAGS. Raises OSError."""
        return Descriptor(self._opener(self.fileno(), path, flags))

    def open_folder(self, path: bytes) -> "DiskFolder":
        return DiskFolder(self, path)

    def read_file(self, path: bytes, max_bytes: int) -> bytes | None:
        with self.open(path, FILE_FLAGS) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > max_bytes:
                return None
            return os.pread(file.fileno(), max_bytes, 0)


class DiskFolder:
    """A directory of a disk. Links that lead out of the root or to nothing are none of its entries."""

    mtime_ns: int

    def __init__(self, root: DiskRoot, path: bytes) -> None:
        """Open the directory at `path`. Raises OSError, NotADirectoryError for anything else."""
        self._root, self._prefix = root, path and path + b"/"
        self._directory = root.open(path or b".", FILE_FLAGS)
        status = os.fstat(self._directory.fileno())
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError
        self.mtime_ns = status.st_mtime_ns

    def scan(self) -> Generator[FolderEntry, None, None]:
        with os.scandir(self._directory.fileno()) as found:
            for entry in found:
                mode = self._mode(entry)
                if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
                    yield FolderEntry(entry.name, stat.S_ISDIR(mode), entry.is_symlink())

    def status(self, name: str) -> EntryStatus:
        status = self._status(name)
        mode = status.st_mode
        return EntryStatus(stat.S_ISDIR(mode), stat.S_ISREG(mode), status.st_size, status.st_mtime_ns)

    def close(self) -> None:
        self._directory.close()

    def _mode(self, entry: os.DirEntry[str]) -> int:
        """The kind of an entry, or of what a link leads to; 0 if that is not served."""
        try:
            if entry.is_symlink():
                return stat.S_IFMT(self._status(entry.name).st_mode)
            if entry.is_file(follow_symlinks=False):
                return stat.S_IFREG
            return stat.S_IFDIR if entry.is_dir(follow_symlinks=False) else 0
        except OSError:
            return 0

    def _status(self, name: str) -> os.stat_result:
        """The status of an entry, or of what a link leads to beneath the root. Raises OSError."""
        status = os.stat(name, dir_fd=self._directory.fileno(), follow_symlinks=False)
        if stat.S_ISLNK(status.st_mode):
            target = self._root.open(self._prefix + os.fsencode(name), FILE_FLAGS)
            status = os.fstat(target.fileno())
            target.close()
        return status
