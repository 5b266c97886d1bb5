"""The records of a ZIP archive (APPNOTE.TXT of PKWARE, 6.3.10), which is written from its start to its end.

Content is stored, not compressed, so that the length of the whole archive is known before a file is read. It stands in
the uncompressed blocks of DEFLATE (RFC 1951 3.2.4): programs that read an archive as it arrives, such as Java's
ZipInputStream, find the end of those, but not of content of the method "stored" whose checksum follows it.
ZIP64 is used where a number needs it, so that older programs can read most archives.
"""

import struct
from datetime import UTC, datetime
from typing import Final, NamedTuple

BLOCK: Final = 65535
"""Bytes of the longest uncompressed block."""
_BLOCK_HEAD: Final = struct.Struct("<BHH")
_32_BITS: Final = 0xFFFFFFFF
_16_BITS: Final = 0xFFFF
_MADE_BY: Final = 3 << 8 | 45
"""Unix, whose modes the archive has, and version 4.5."""
_VERSION: Final = 20
_VERSION_64: Final = 45
_HAS_DESCRIPTOR: Final = 1 << 3
_IS_UTF8: Final = 1 << 11
_STORED, _DEFLATED = 0, 8
_FILE_MODE: Final = 0o100644 << 16
_DIRECTORY_MODE: Final = 0o040755 << 16 | 0x10
_FIRST_DATE: Final = 315_532_800
"""1980-01-01, before which ZIP has no dates."""
_LAST_DATE: Final = 4_354_819_198
"""The last second of the year 2107, after which it has none."""
_LAST_TIMESTAMP: Final = (1 << 31) - 1


class ZipEntry(NamedTuple):
    """A file or directory in an archive."""

    name: bytes
    """Its path; that of a directory ends in a slash."""
    size: int
    """Bytes of a file."""
    mtime: int
    """The modification time, in seconds since the epoch."""

    @property
    def packed_size(self) -> int:
        """Bytes of its content in the archive."""
        return self.size + _BLOCK_HEAD.size * -(-self.size // BLOCK)

    @property
    def is_large(self) -> bool:
        """Whether its sizes need 64 bits."""
        return self.packed_size >= _32_BITS

    @property
    def length(self) -> int:
        """Bytes of the entry: its header, its content, and what follows that."""
        return len(local_header(self)) + self.packed_size + len(descriptor(self, 0))


def block_head(length: int, last: bool) -> bytes:
    """What stands before an uncompressed block of at most BLOCK bytes."""
    return _BLOCK_HEAD.pack(last, length, length ^ _16_BITS)


def local_header(entry: ZipEntry) -> bytes:
    """What stands before the content of an entry (4.3.7)."""
    extra = _timestamp(entry)
    size = 0
    if entry.is_large:
        extra, size = struct.pack("<HHQQ", 1, 16, 0, 0) + extra, _32_BITS
    head = struct.pack(
        "<4s5H3I2H", b"PK\3\4", *_properties(entry), *_dos_time(entry.mtime), 0, size, size, len(entry.name), len(extra)
    )
    return head + entry.name + extra


def descriptor(entry: ZipEntry, crc: int) -> bytes:
    """What follows the content of an entry, if it has any (4.3.9)."""
    if not entry.size:
        return b""
    return struct.pack("<4sIQQ" if entry.is_large else "<4s3I", b"PK\7\10", crc, entry.packed_size, entry.size)


def central_header(entry: ZipEntry, crc: int, offset: int) -> bytes:
    """The entry of the directory at the end of the archive (4.3.12). offset: where the local header is."""
    packed, size, large = entry.packed_size, entry.size, b""
    if entry.is_large:
        large += struct.pack("<QQ", size, packed)
        packed = size = _32_BITS
    if offset >= _32_BITS:
        large += struct.pack("<Q", offset)
        offset = _32_BITS
    extra = (struct.pack("<HH", 1, len(large)) + large if large else b"") + _timestamp(entry)
    head = struct.pack(
        "<4s6H3I5H2I",
        b"PK\1\2",
        _MADE_BY,
        *_properties(entry),
        *_dos_time(entry.mtime),
        crc,
        packed,
        size,
        len(entry.name),
        len(extra),
        0,
        0,
        0,
        _DIRECTORY_MODE if entry.name.endswith(b"/") else _FILE_MODE,
        offset,
    )
    return head + entry.name + extra


def end_records(count: int, offset: int, length: int) -> bytes:
    """The end of the archive (4.3.14 to 4.3.16). offset, length: the place and the bytes of its directory."""
    records = b""
    if count >= _16_BITS or offset >= _32_BITS or length >= _32_BITS:
        end = offset + length
        records = struct.pack(
            "<4sQ2H2I4Q", b"PK\6\6", 44, _MADE_BY, _VERSION_64, 0, 0, count, count, length, offset
        ) + struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
    count, length, offset = min(count, _16_BITS), min(length, _32_BITS), min(offset, _32_BITS)
    return records + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, length, offset, 0)


def _properties(entry: ZipEntry) -> tuple[int, int, int]:
    """The version that is needed, flags, and the method of an entry."""
    flags = _IS_UTF8 if _is_utf8(entry.name) else 0
    version = _VERSION_64 if entry.is_large else _VERSION
    return (version, flags | _HAS_DESCRIPTOR, _DEFLATED) if entry.size else (version, flags, _STORED)


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _dos_time(mtime: int) -> tuple[int, int]:
    """A time as MS-DOS writes it, in UTC as there is no zone."""
    time = datetime.fromtimestamp(min(max(mtime, _FIRST_DATE), _LAST_DATE), UTC)
    return time.hour << 11 | time.minute << 5 | time.second // 2, time.year - 1980 << 9 | time.month << 5 | time.day


def _timestamp(entry: ZipEntry) -> bytes:
    """The time in seconds since the epoch, as far as 32 bits reach (Info-ZIP's field "UT")."""
    return struct.pack("<HHBi", 0x5455, 5, 1, entry.mtime) if 0 <= entry.mtime <= _LAST_TIMESTAMP else b""
