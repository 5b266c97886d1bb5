"""Large members of archives as files: one that is stored as it is, at any position; a compressed one from its start.

Neither closes the archive, whose descriptor is closed when no release and no member refers to it any more.
"""

import errno
import io
import os
import zlib
from threading import Lock
from typing import Final
from zlib import crc32, decompressobj

from pwb_async.core.semantics.messages import NO_DEVICE
from pwb_async.storage.open_file import Descriptor

from .index import Member
from .zip_reader import DEFLATED, STORED

_PIECE: Final = 64 * 1024
"""Bytes of an archive that are decompressed at once, and of what is skipped."""
_KEPT: Final = 32
"""Places of a compressed member at which reading can go on, about 100 KiB each: one for each response that reads it."""


class StoredMember:
    """A member whose bytes are in the archive as they are: a File of core/semantics/messages.py."""

    device: Final = NO_DEVICE

    def __init__(self, archive: Descriptor, member: Member) -> None:
        self._archive, self._start, self._size = archive, member.start, member.size

    def fileno(self) -> int:
        """Raise OSError: the descriptor is that of the archive."""
        raise io.UnsupportedOperation("a member of an archive has no descriptor")

    def read_into(self, buffer: bytearray | memoryview, start: int) -> int:
        """Fill `buffer` from the byte at `start`, and return how many bytes there were. Raises OSError."""
        view = memoryview(buffer)[: max(0, self._size - start)]
        return os.preadv(self._archive.fileno(), [view], self._start + start) if view else 0

    def in_page_cache(self, start: int, length: int) -> bool:
        """Whether the first and the last of these bytes are in memory."""
        byte, fd, first = bytearray(1), self._archive.fileno(), self._start + start
        try:
            return sum(os.preadv(fd, [byte], place, os.RWF_NOWAIT) for place in (first, first + length - 1)) == 2
        except OSError:
            return False

    def read_ahead(self, start: int, length: int, ahead: int) -> None:
        """Do nothing, since sendfile(2) does not send it."""

    def close(self) -> None:
        """Do nothing: others may read the archive."""


class CompressedMember:
    """A member that is decompressed while it is read: a File of core/semantics/messages.py.

    Several responses may read it, each from its start to its end, and several threads at the same time. To read
    elsewhere costs decompressing all before it. Its checksum is verified before the last bytes are given out.
    """

    device: Final = NO_DEVICE

    def __init__(self, archive: Descriptor, member: Member) -> None:
        self._archive, self._member = archive, member
        self._lock = Lock()
        self._inflaters: list[Inflater] = []

    def fileno(self) -> int:
        """Raise OSError: there is no descriptor of what is decompressed."""
        raise io.UnsupportedOperation("a member of an archive has no descriptor")

    def read_into(self, buffer: bytearray | memoryview, start: int) -> int:
        """Fill `buffer` from the byte at `start`, and return how many bytes there were. Raises OSError."""
        inflater = self._take(start)
        inflater.skip_to(start)
        filled = inflater.read_into(memoryview(buffer))
        with self._lock:
            self._inflaters = [*self._inflaters[1 - _KEPT :], inflater]
        return filled

    def _take(self, start: int) -> "Inflater":
        """What can go on nearest before a position."""
        with self._lock:
            before = [each for each in self._inflaters if each.position <= start]
            if not before:
                return Inflater(self._archive, self._member)
            nearest = max(before, key=lambda each: each.position)
            self._inflaters.remove(nearest)
            return nearest

    def in_page_cache(self, start: int, length: int) -> bool:
        """False: to decompress takes too long for an event loop."""
        return False

    def read_ahead(self, start: int, length: int, ahead: int) -> None:
        """Do nothing, since sendfile(2) does not send it."""

    def close(self) -> None:
        """Do nothing: others may read the archive."""


class Inflater:
    """A compressed member that is decompressed once, from start to end. It never has more bytes than a piece."""

    position: int
    """How many bytes have been decompressed."""

    def __init__(self, archive: Descriptor, member: Member) -> None:
        self.position = 0
        self._archive, self._member = archive, member
        self._decompressor = decompressobj(-15)
        self._compressed = b""
        self._next, self._end = member.start, member.start + member.length
        self._checksum = 0

    def skip_to(self, start: int) -> None:
        """Decompress up to a position. Raises OSError."""
        scratch = memoryview(bytearray(min(_PIECE, start - self.position)))
        while self.position < start and self.read_into(scratch[: start - self.position]):
            pass

    def read_into(self, buffer: memoryview) -> int:
        """Fill `buffer` with the next bytes, and return how many there were. Raises OSError."""
        wanted = min(len(buffer), self._member.size - self.position)
        filled = 0
        while filled < wanted and (piece := self._decompress(wanted - filled)):
            buffer[filled : filled + len(piece)] = piece
            filled += len(piece)
            self.position += len(piece)
            self._checksum = crc32(piece, self._checksum)
        if self.position == self._member.size:
            self._check_end()
        return filled

    def _decompress(self, most: int) -> bytes:
        """The next bytes; b"" at the end of what is compressed."""
        while not self._decompressor.eof:
            if not self._compressed and self._next < self._end:
                self._compressed = os.pread(self._archive.fileno(), min(_PIECE, self._end - self._next), self._next)
                self._next += len(self._compressed)
            given = self._compressed
            try:
                piece = self._decompressor.decompress(given, most)
            except zlib.error:
                raise OSError(errno.EIO, "a member of the archive is damaged") from None
            self._compressed = self._decompressor.unconsumed_tail
            if piece or not given:
                return piece
        return b""

    def _check_end(self) -> None:
        """Raise OSError unless the member ends here, and is what its archive has noted of it."""
        if self._decompress(1):
            raise OSError(errno.EIO, "a member of the archive is longer than its size")
        if self._checksum != self._member.checksum:
            raise OSError(errno.EIO, "a member of the archive does not have its checksum")


def read_whole(archive: Descriptor, member: Member) -> bytes:
    """The content of a small member. Raises OSError."""
    content = bytearray(member.size)
    if member.method == STORED:
        filled = StoredMember(archive, member).read_into(content, 0)
    else:
        filled = Inflater(archive, member).read_into(memoryview(content))
    if filled < member.size:
        raise OSError(errno.EIO, "a member of the archive is shorter than its size")
    if member.method == STORED and member.checksum not in (None, crc32(content)):
        raise OSError(errno.EIO, "a member of the archive does not have its checksum")
    return bytes(content)


def open_member(archive: Descriptor, member: Member) -> StoredMember | CompressedMember:
    """A large member as a file."""
    return (CompressedMember if member.method == DEFLATED else StoredMember)(archive, member)
