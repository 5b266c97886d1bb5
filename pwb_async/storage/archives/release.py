"""One release of an archive: the file as it was opened, and the names that are in it."""

import errno
import os
from collections.abc import Generator, Sequence
from typing import Final, Protocol

from pwb_async.core.site.findings import NOT_FOUND, Finding
from pwb_async.core.site.validators import is_placeholder
from pwb_async.storage.etag import SECOND, content_tag, file_clock, is_racy
from pwb_async.storage.open_file import Descriptor, version_of
from pwb_async.storage.root import EntryStatus, FolderEntry
from pwb_async.storage.source_storage import StoredFile

from .index import ArchiveError, Index, Member
from .members import CompressedMember, StoredMember, open_member, read_whole
from .tar_reader import TarReader
from .zip_reader import DEFLATED, STORED, ZipReader

_LARGEST_RANGED: Final = 64 << 20
"""Bytes up to which ranges of a compressed member can be requested. All before a range has to be decompressed, which
takes 0.1 s for so many bytes of text."""


class Reader(Protocol):
    """An archive of one format."""

    index: Index

    def member(self, position: int) -> Member:
        """What the archive has of the file at a position. Raises OSError, ArchiveError."""


class Release:
    """An archive that is open: a Source, and a Root for listings. Its descriptor is closed with the last reference."""

    version: tuple[int, ...]
    """The version of the archive's file."""

    def __init__(self, path: bytes, etag: str) -> None:
        """Open an archive and read its names. etag: as for Disk. Raises OSError, ArchiveError."""
        self._file = Descriptor(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        status = os.fstat(self._file.fileno())
        self.version = version_of(status)
        self._changed_ns, self._mtime_ns = status.st_ctime_ns, status.st_mtime_ns
        self._etag = etag
        make = ZipReader if path.lower().endswith((b".zip", b".whl")) else TarReader
        self._reader: Reader = make(self._file.fileno())
        self.index = self._reader.index

    @property
    def descriptor(self) -> int:
        """The descriptor of the archive."""
        return self._file.fileno()

    def expect(self, paths: Sequence[bytes]) -> None:
        """Do nothing: all names are known."""

    def look_up(self, path: bytes) -> StoredFile | Finding:
        """The member at a path. Raises PermissionError for one that is encrypted, OSError for one that is damaged."""
        target = self.index.resolve(path)
        position = None if target is None else self.index.position(target)
        if position is None:
            return NOT_FOUND
        member = self._member(position)
        if member.encrypted:
            raise PermissionError(errno.EACCES, "it is encrypted")
        if member.method not in (STORED, DEFLATED):
            raise OSError(errno.EIO, f"it is compressed by method {member.method}, which is not supported")
        compressed = member.method == DEFLATED
        mtime_ns = min(member.mtime_ns, self._mtime_ns)
        return StoredFile(
            path,
            member.size,
            mtime_ns,
            (*self.version, position),
            self._tag(member, mtime_ns),
            settled=not is_racy(self._changed_ns, file_clock()),
            sequential=compressed and member.size > _LARGEST_RANGED,
            handle=member,
        )

    def is_directory(self, path: bytes) -> bool:
        target = self.index.resolve(path)
        return target is not None and self.index.is_directory(target)

    def read(self, file: StoredFile) -> bytes:
        return read_whole(self._file, file.handle)

    def open(self, file: StoredFile) -> StoredMember | CompressedMember:
        return open_member(self._file, file.handle)

    def open_folder(self, path: bytes) -> "ArchiveFolder":
        """Open the directory at a path. Raises NotADirectoryError."""
        target = self.index.resolve(path)
        if target is None or not self.index.is_directory(target):
            raise NotADirectoryError
        return ArchiveFolder(self, target)

    def read_file(self, path: bytes, max_bytes: int) -> bytes | None:
        """The content of a member; None if it has more than `max_bytes` or there is none. Raises OSError."""
        found = self.look_up(path)
        return self.read(found) if isinstance(found, StoredFile) and found.size <= max_bytes else None

    def close(self) -> None:
        """Do nothing: it is closed with the last reference."""

    def _member(self, position: int) -> Member:
        try:
            return self._reader.member(position)
        except ArchiveError:
            raise OSError(errno.EIO, "a member of the archive is damaged") from None

    def _tag(self, member: Member, mtime_ns: int) -> bytes | None:
        """The tag of a large member: with a checksum the same in every archive, otherwise that of this one's file.

        A digest, as that of a large file on a disk, which does not reveal what it is made of.
        """
        if self._etag == "content":
            return None
        if self._etag == "mtime":
            return None if is_placeholder(mtime_ns // SECOND) else b"%x-%x" % (mtime_ns, member.size)
        if member.checksum is not None:
            return content_tag(b"%d %d %d" % (mtime_ns, member.size, member.checksum))
        return content_tag(b" ".join(b"%d" % value for value in (*self.version, member.start)))


class ArchiveFolder:
    """A directory of an archive."""

    mtime_ns: Final = 0
    """Few archives have times of all their directories."""

    def __init__(self, release: Release, path: bytes) -> None:
        """path: without links."""
        self._release, self._path, self._prefix = release, path, path and path + b"/"

    def scan(self) -> Generator[FolderEntry, None, None]:
        """Yield the members and directories, without links that lead out of the archive or to nothing."""
        for name, is_directory, is_link in self._release.index.entries(self._path):
            if is_link:
                try:
                    is_directory = self._status(name).is_directory
                except OSError:
                    continue
            yield FolderEntry(os.fsdecode(name), is_directory, is_link)

    def status(self, name: str) -> EntryStatus:
        """What an entry is, or what a link leads to. Raises OSError."""
        return self._status(os.fsencode(name))

    def _status(self, name: bytes) -> EntryStatus:
        path = self._prefix + name
        try:
            found = self._release.look_up(path)
        except PermissionError:  # an encrypted one is listed, as is a file without the right to read it
            return EntryStatus(False, True, 0, self.mtime_ns)
        if isinstance(found, StoredFile):
            return EntryStatus(False, True, found.size, found.mtime_ns)
        if self._release.is_directory(path):
            return EntryStatus(True, False, 0, self.mtime_ns)
        raise FileNotFoundError(errno.ENOENT, "there is no such member")

    def close(self) -> None:
        """Do nothing: it needs no descriptor."""
