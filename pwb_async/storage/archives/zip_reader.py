"""ZIP archives (APPNOTE.TXT 6.3): their central directory, and where a member begins.

The sizes, times and methods are those of the central directory, as for most programs; of the header in front of a
member only its length is used. Bytes may stand before an archive, as in one that unpacks itself.
"""

import calendar
import os
import struct
import zlib
from struct import Struct
from typing import Any, Final, NamedTuple
from zlib import decompressobj

from .index import ArchiveError, Index, Member

STORED: Final = 0
DEFLATED: Final = 8
_END: Final = Struct("<4s4H2LH")
_END_64: Final = Struct("<4sQ2H2L4Q")
_LOCATOR_64: Final = Struct("<4sLQL")
_CENTRAL: Final = Struct("<4s6H3L5H2L")
_LOCAL: Final = Struct("<4s22x2H")
_LONGEST_COMMENT: Final = 65535
_MAX_DIRECTORY: Final = 512 << 20
"""Bytes of the longest central directory, which is read at once."""
_MAX_TARGET: Final = 4096
"""Bytes of the longest target of a symbolic link."""
_UNIX: Final = 3
_ENCRYPTED: Final = 1
_UTF_8: Final = 1 << 11
_FILE_TYPE: Final = 0o170000
_LINK: Final = 0o120000
_FILE_TYPES: Final = (0, 0o100000, 0o040000)
"""Types of what is served: unknown, file and directory."""
_FULL: Final = 0xFFFFFFFF
"""A size or offset that is in the extra field of ZIP64."""
_NO_DISK: Final = 0xFFFF
"""The number of a disk that is in the record of ZIP64."""
_SECOND: Final = 1_000_000_000


class _Header(NamedTuple):
    """An entry of the central directory, as struct central file header."""

    signature: bytes
    made_by: int
    needed: int
    flags: int
    method: int
    time: int
    date: int
    checksum: int
    length: int
    size: int
    name_length: int
    extra_length: int
    comment_length: int
    disk: int
    internal: int
    attributes: int
    offset: int

    @property
    def following(self) -> int:
        """Bytes of the fields behind it."""
        return self.name_length + self.extra_length + self.comment_length


class ZipReader:
    """A ZIP archive that is open. It does not close the file."""

    index: Index

    def __init__(self, fd: int) -> None:
        """Read the central directory. Raises OSError, ArchiveError."""
        self._fd = fd
        self._end = os.fstat(fd).st_size
        self.index = Index()
        start, length, self._before = self._find_directory()
        if length > _MAX_DIRECTORY:
            raise ArchiveError(f"has a central directory of more than {_MAX_DIRECTORY} bytes")
        self._read_directory(start, os.pread(fd, length, start))
        self.index.complete()

    def member(self, position: int) -> Member:
        """The member whose entry of the central directory is at a position. Raises OSError, ArchiveError."""
        header = _Header(*_unpack(_CENTRAL, os.pread(self._fd, _CENTRAL.size, position)))
        behind = position + _CENTRAL.size + header.name_length
        size, length, offset, mtime = _extra(header, os.pread(self._fd, header.extra_length, behind))
        local = self._before + offset
        if local > self._end:  # perhaps by more than a system call takes
            raise ArchiveError("has a member that begins behind its end")
        signature, name_length, extra_length = _unpack(_LOCAL, os.pread(self._fd, _LOCAL.size, local))
        start = local + _LOCAL.size + name_length + extra_length
        if signature != b"PK\3\4" or start + length > self._end or (header.method == STORED and size != length):
            raise ArchiveError("has a member whose bytes are not where its directory has them")
        return Member(
            size, mtime * _SECOND, start, length, header.method, header.checksum, header.flags & _ENCRYPTED != 0
        )

    def _find_directory(self) -> tuple[int, int, int]:
        """Where the central directory begins, its length, and the bytes that stand before the archive."""
        tail_start = max(0, self._end - _LONGEST_COMMENT - _END.size)
        tail = os.pread(self._fd, _LONGEST_COMMENT + _END.size, tail_start)
        place = tail.rfind(b"PK\5\6")
        if place < 0:
            raise ArchiveError("is no ZIP archive, or not all of it is there")
        _, disk, first_disk, _, _, length, offset, _ = _unpack(_END, tail[place:])
        if {disk, first_disk} - {0, _NO_DISK}:
            raise ArchiveError("is one of several parts of an archive")
        end = tail_start + place
        if (found := self._find_zip64(end)) is not None:
            end, length, offset = found
        before = end - length - offset
        if before < 0:
            raise ArchiveError("is no ZIP archive, or not all of it is there")
        return end - length, length, before

    def _find_zip64(self, end: int) -> tuple[int, int, int] | None:
        """The end, length and offset of the central directory by the records of ZIP64; None without them."""
        locator = os.pread(self._fd, _LOCATOR_64.size, max(0, end - _LOCATOR_64.size))
        if locator[:4] != b"PK\6\7" or len(locator) < _LOCATOR_64.size:
            return None
        place = end - _LOCATOR_64.size - _END_64.size
        record = os.pread(self._fd, _END_64.size, max(0, place))
        if record[:4] != b"PK\6\6":
            raise ArchiveError("has a record of ZIP64 that is not where it should be")
        *_, length, offset = _unpack(_END_64, record)
        return place, length, offset

    def _read_directory(self, start: int, directory: bytes) -> None:
        index, place = self.index, 0
        while place < len(directory):
            header = _Header(*_unpack(_CENTRAL, directory, place))
            if header.signature != b"PK\1\2":
                raise ArchiveError("has a central directory that is damaged")
            behind = place + _CENTRAL.size
            name = _name(directory[behind : behind + header.name_length], header.flags)
            file_type = header.attributes >> 16 & _FILE_TYPE if header.made_by >> 8 == _UNIX else 0
            if file_type == _LINK:
                self._add_link(name, start + place)
            elif file_type in _FILE_TYPES:
                index.add(name, start + place)
            else:
                index.leave_out(name)
            place = behind + header.following

    def _add_link(self, name: bytes, position: int) -> None:
        """Add a symbolic link, whose content is its target."""
        try:
            target = self._target(self.member(position))
        except (ArchiveError, OSError, zlib.error):
            target = b""
        if target:
            self.index.add_link(name, target)
        else:
            self.index.leave_out(name)

    def _target(self, member: Member) -> bytes:
        """The content of a symbolic link; b"" if it cannot be one."""
        if not 0 < member.size <= _MAX_TARGET or member.length > 2 * _MAX_TARGET or member.encrypted:
            return b""
        data = os.pread(self._fd, member.length, member.start)
        if member.method == DEFLATED:
            data = decompressobj(-15).decompress(data, _MAX_TARGET)
        return data if len(data) == member.size and member.method in (STORED, DEFLATED) else b""


def _unpack(form: Struct, data: bytes, start: int = 0) -> tuple[Any, ...]:
    try:
        return form.unpack_from(data, start)
    except struct.error:
        raise ArchiveError("is damaged, or not all of it is there") from None


def _name(raw: bytes, flags: int) -> bytes:
    """A name in UTF-8. Many programs write it without the flag for that; otherwise it is in the code page of DOS."""
    if flags & _UTF_8 or raw.isascii():
        return raw
    try:
        raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp437").encode()
    return raw


def _extra(header: _Header, extra: bytes) -> tuple[int, int, int, int]:
    """The size, the length in the archive, the offset and the modification time, by the header and its extra fields."""
    values = [header.size, header.length, header.offset]
    mtime = _dos_time(header)
    place = 0
    while place + 4 <= len(extra):
        kind = int.from_bytes(extra[place : place + 2], "little")
        length = int.from_bytes(extra[place + 2 : place + 4], "little")
        field = extra[place + 4 : place + 4 + length]
        if kind == 1:  # ZIP64: eight bytes for each value that has no room in the header
            for index, value in enumerate(values):
                if value == _FULL and len(field) >= 8:
                    values[index], field = int.from_bytes(field[:8], "little"), field[8:]
        elif kind == 0x5455 and len(field) >= 5 and field[0] & 1:  # the time of Unix, which DOS has by the local zone
            mtime = int.from_bytes(field[1:5], "little", signed=True)
        place += 4 + length
    return values[0], values[1], values[2], mtime


def _dos_time(header: _Header) -> int:
    """The time of DOS as if it were UTC, in seconds since the epoch; 0 if it is none."""
    day, month, year = header.date & 31, header.date >> 5 & 15, 1980 + (header.date >> 9)
    hour, minute, second = header.time >> 11, header.time >> 5 & 63, 2 * (header.time & 31)
    try:
        return calendar.timegm((year, month, day, hour, minute, second))
    except ValueError:
        return 0
