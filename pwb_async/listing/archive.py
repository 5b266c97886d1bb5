"""A directory as a ZIP archive, which is made while it is sent.

Before the first byte, the directory is walked: which files there are and how large they are decides the length of the
archive. Memory is bounded by the number of entries; no file is read before its turn, and of each a piece at a time. A
file that has become shorter by then ends the transfer, as it would end that of the file itself.
Left out is what a listing leaves out, and links to directories, which could lead round in a circle.
"""

import errno
import io
import os
import stat
import time
from array import array
from collections.abc import Callable, Generator, Iterator
from threading import BoundedSemaphore, Lock
from typing import Final
from urllib.parse import quote_from_bytes
from zlib import crc32

from pwb_async.core.semantics.messages import NO_DEVICE
from pwb_async.core.site.findings import FORBIDDEN, Finding, OpenFile, Unavailable
from pwb_async.core.site.listing_query import MAX_ENTRIES
from pwb_async.storage.open_beneath import FILE_FLAGS
from pwb_async.storage.root import DiskRoot

from .directory import DirectoryReader
from .pace import Pace
from .packed import PackedStrings
from .page import NO_INDEX
from .zip_format import BLOCK, ZipEntry, block_head, central_header, descriptor, end_records, local_header

_TOP: Final = b"files"
"""The directory in an archive of the whole root, which has no name."""
_SECOND: Final = 1_000_000_000
_places: Final = BoundedSemaphore(16)
"""One for each archive that this process may send at the same time; each may take 15 MB of memory."""


class Archive:
    """An archive as a File that can only be read from its start to its end.

    It owns the root, and a place among the archives that may be sent at the same time. One thread at a time may read
    it; any thread may close it meanwhile.
    """

    device: Final = NO_DEVICE
    name: bytes
    """The name of the directory."""

    def __init__(self, root: DiskRoot, path: bytes) -> None:
        """The caller has acquired a place."""
        self._root = root
        self._prefix = path and path + b"/"
        self.name = path.rpartition(b"/")[2] or _TOP
        self._paths = PackedStrings()  # beneath the directory; that of a directory ends in a slash
        self._sizes, self._mtimes = array("Q"), array("q")
        self._end = self._directory_length = 0  # where the entries end, and the bytes of the directory behind them
        self._position = 0
        self._content = self._generate()
        self._piece = memoryview(b"")
        self._reading = Lock()
        self._closing = self._released = False

    def walk(self, is_hidden: Callable[[bytes], bool]) -> bool:
        """Find all entries; return False if there are too many. Raises OSError if the directory cannot be read."""
        pace = Pace()
        directories = [b""]
        while directories:
            below = directories.pop()
            try:
                with DirectoryReader(self._root, (self._prefix + below).rstrip(b"/"), is_hidden, pace) as directory:
                    self._add(below, 0, directory.mtime_ns)
                    names = directory.names(MAX_ENTRIES - len(self._paths), links=False)
                    if names.truncated:
                        return False
                    for file in directory.files(directory.in_order(names.files)):
                        self._add(below + os.fsencode(file.name), file.size, file.mtime_ns)
                    below_it = directory.in_order(names.directories, descending=True)
                    directories += [below + os.fsencode(name) + b"/" for name in below_it]
            except OSError:  # it was removed, or it may not be read
                if not below:
                    raise
                continue
        return True

    def _add(self, path: bytes, size: int, mtime_ns: int) -> None:
        mtime = mtime_ns // _SECOND
        self._paths.append(os.fsdecode(path))
        self._sizes.append(size)
        self._mtimes.append(mtime)
        entry = self._entry(path, size, mtime)
        self._directory_length += len(central_header(entry, 0, self._end))
        self._end += entry.length

    @property
    def length(self) -> int:
        """Bytes of the archive."""
        records = end_records(len(self._paths), self._end, self._directory_length)
        return self._end + self._directory_length + len(records)

    def _entry(self, path: bytes, size: int, mtime: int) -> ZipEntry:
        # A program on Windows would take a backslash for a slash.
        return ZipEntry((self.name + b"/" + path).replace(b"\\", b"_"), size, mtime)

    def _entries(self) -> Iterator[ZipEntry]:
        return map(self._entry, map(os.fsencode, self._paths), self._sizes, self._mtimes)

    def _generate(self) -> Generator[bytes, None, None]:
        """Yield the archive. Raises OSError."""
        checksums = array("L")
        for entry, path in zip(self._entries(), map(os.fsencode, self._paths), strict=True):
            yield local_header(entry)
            checksum = (yield from self._generate_content(path, entry.size)) if entry.size else 0
            yield descriptor(entry, checksum)
            checksums.append(checksum)
        offset = 0
        for entry, checksum in zip(self._entries(), checksums, strict=True):
            yield central_header(entry, checksum, offset)
            offset += entry.length
        yield end_records(len(self._paths), self._end, self._directory_length)

    def _generate_content(self, path: bytes, size: int) -> Generator[bytes, None, int]:
        """Yield the blocks of a file; return its checksum. What was appended to it meanwhile is left out."""
        file = self._root.open(self._prefix + path, FILE_FLAGS)
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise FileNotFoundError(errno.ENOENT, "a file of the archive was replaced")
        checksum = 0
        with file:
            for start in range(0, size, BLOCK):
                length = min(BLOCK, size - start)
                block = os.pread(file.fileno(), length, start)
                if len(block) < length:
                    raise OSError(errno.EIO, "a file of the archive has become shorter")
                checksum = crc32(block, checksum)
                yield block_head(length, start + length == size) + block
        return checksum

    def fileno(self) -> int:
        """Raise OSError: there is no descriptor from which the archive could be read."""
        raise io.UnsupportedOperation("an archive has no descriptor")

    def in_page_cache(self, start: int, length: int) -> bool:
        """False, since the files are."""
        return False

    def read_ahead(self, start: int, length: int, ahead: int) -> None:
        """Do nothing: the next files are not open."""

    def read_into(self, buffer: bytearray | memoryview, start: int) -> int:
        """Fill `buffer` with the next bytes. Raises OSError, also if `start` is not where the last call ended."""
        with self._reading:
            if self._closing:
                raise OSError(errno.EBADF, "the archive is closed")
            if start != self._position:
                raise OSError(errno.ESPIPE, "an archive can only be read from its start")
            filled = self._fill(memoryview(buffer))
        if self._closing:
            self._release()
        return filled

    def _fill(self, view: memoryview) -> int:
        pace = Pace()
        filled = 0
        while filled < len(view):
            pace.step()
            if not self._piece:
                piece = next(self._content, None)  # it may be empty, which is not the end
                if piece is None:
                    break
                self._piece = memoryview(piece)
            count = min(len(self._piece), len(view) - filled)
            view[filled : filled + count] = self._piece[:count]
            self._piece = self._piece[count:]
            filled += count
        self._position += filled
        return filled

    def close(self) -> None:
        """Close the files, and let another archive be sent. Further calls do nothing.

        If a thread is reading, which may wait for a disk, it does so when it has read; this call does not wait for it.
        """
        self._closing = True
        if not self._reading.locked():
            self._release()

    def _release(self) -> None:
        with self._reading:
            if self._released:
                return
            self._released = True
            try:
                self._content.close()
                self._root.close()
            finally:
                _places.release()

    def __del__(self) -> None:
        self.close()


def open_archive(root: DiskRoot, path: bytes, is_hidden: Callable[[bytes], bool]) -> Finding:
    """The archive of the directory at `path`; from now on it owns the root. Raises OSError."""
    if not _places.acquire(blocking=False):
        root.close()
        return Unavailable("too many archives are being sent")
    archive = Archive(root, path)
    try:
        if not archive.walk(is_hidden):
            archive.close()
            return FORBIDDEN
    except OSError:
        archive.close()
        raise
    name = archive.name + b".zip"
    fields = (
        (b"Content-Disposition", b"attachment; filename*=UTF-8''" + quote_from_bytes(name, "").encode()),
        *NO_INDEX,
    )
    return OpenFile(
        path, archive.length, 0, time.time_ns(), archive, generated=True, media_type=b"application/zip", fields=fields
    )
