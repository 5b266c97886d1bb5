"""Tar archives (POSIX pax, ustar, and GNU's): their headers, and where a member begins.

A tar file has no directory, so all headers are read once, each at its place; the content between them is skipped. The
position of a member is that of its first header, as names and sizes may be in headers before the one with its content.
"""

import os
from collections.abc import Iterator
from typing import Final, NamedTuple
from zlib import adler32

from .index import ArchiveError, Index, Member

BLOCK: Final = 512
_MAX_EXTENSION: Final = 1 << 20
"""Bytes of the longest header with a long name or attributes."""
_READ: Final = 16 * BLOCK
"""Bytes read at once: the header, and often the next ones, behind files that are small."""
_SECOND: Final = 1_000_000_000
_MODULUS: Final = 65521
"""What the sums of Adler-32 are taken modulo."""
_SPACES: Final = adler32(b" " * 8)
_FILES: Final = b"0\x007"
"""Types of files; 7 is a contiguous one, which is a file to all systems."""
_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL = b"L", b"K", b"x", b"g"
_COMPRESSED: Final = {b"\x1f\x8b": "gzip", b"BZ": "bzip2", b"\xfd7": "xz", b"\x28\xb5": "zstd"}


class _Entry(NamedTuple):
    """A member, with what its extension headers have of it."""

    position: int
    name: bytes
    kind: bytes
    target: bytes
    size: int
    start: int
    header: bytes
    attributes: dict[bytes, bytes]
    """Those of pax, which override the header."""


class TarReader:
    """A tar archive that is open. It does not close the file."""

    index: Index

    def __init__(self, fd: int) -> None:
        """Read all headers. Raises OSError, ArchiveError."""
        self._fd = fd
        self._end = os.fstat(fd).st_size
        self._read_from, self._read = 0, b""
        self.index = Index()
        for entry in self._entries(0):
            self._add(entry)
        self._read = b""
        self.index.complete()

    def member(self, position: int) -> Member:
        """The member whose headers begin at a position. Raises OSError, ArchiveError."""
        reader = object.__new__(TarReader)  # another one, since several threads may look up members
        reader._fd, reader._end, reader._read_from, reader._read = self._fd, self._end, 0, b""
        entry = next(reader._entries(position), None)
        if entry is None:
            raise ArchiveError("is damaged, or not all of it is there")
        return Member(entry.size, _mtime_ns(entry.attributes, entry.header), entry.start, entry.size, 0)

    def _add(self, entry: _Entry) -> None:
        index = self.index
        if entry.kind == b"S" or (entry.attributes and any(key.startswith(b"GNU.sparse") for key in entry.attributes)):
            index.leave_out(entry.name)
        elif entry.kind in _FILES and not entry.name.endswith(b"/"):
            index.add(entry.name, entry.position)
        elif entry.kind == b"5" or entry.kind in _FILES:
            index.add(entry.name.rstrip(b"/") + b"/", entry.position)
        elif entry.kind == b"2":
            index.add_link(entry.name, entry.target)
        elif entry.kind == b"1":
            index.add_hard_link(entry.name, entry.target)
        else:
            index.leave_out(entry.name)

    def _entries(self, position: int) -> Iterator[_Entry]:
        """Yield the members from a position on. Raises OSError, ArchiveError."""
        first, long_name, long_link, attributes = position, b"", b"", dict[bytes, bytes]()
        while header := self._header(position):
            kind = header[156:157]
            size = _number(header[124:136])
            start = position + BLOCK
            if kind in (_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL):
                content = self._extension(start, size)
                if kind == _LONG_NAME:
                    long_name = content.rstrip(b"\0")
                elif kind == _LONG_LINK:
                    long_link = content.rstrip(b"\0")
                elif kind == _PAX:
                    attributes = dict(_records(content))
            else:
                name = attributes.get(b"path") or long_name or _header_name(header)
                target = attributes.get(b"linkpath") or long_link or _text(header[157:257]) if kind in b"12" else b""
                size = 0 if kind in b"123456" else _attribute(attributes, b"size", size)
                if size < 0 or start + size > self._end:
                    raise ArchiveError("is damaged, or not all of it is there")
                yield _Entry(first, name, kind, target, size, start, header, attributes)
                long_name, long_link, attributes = b"", b"", {}
                if kind == b"S":
                    start = self._behind_sparse(header, start)
            position = start + -(-size // BLOCK) * BLOCK
            if kind not in (_LONG_NAME, _LONG_LINK, _PAX):
                first = position

    def _header(self, position: int) -> bytes:
        """The header at a position; b"" at the end of the archive. Raises OSError, ArchiveError."""
        header = self._block(position)
        if header[:1] in b"\0" and not header.strip(b"\0"):
            if len(header) < BLOCK and not position:
                raise ArchiveError("is no tar archive")
            return b""
        coding = None if position else _COMPRESSED.get(header[:2])
        if coding is not None:
            raise ArchiveError(f"is compressed with {coding}, which has no random access: decompress it first")
        if len(header) < BLOCK or _number(header[148:156]) % _MODULUS != _checksum(header):
            raise ArchiveError("is damaged, or not all of it is there" if position else "is no tar archive")
        return header

    def _block(self, position: int) -> bytes:
        offset = position - self._read_from
        if not 0 <= offset <= len(self._read) - BLOCK:
            self._read_from, self._read, offset = position, os.pread(self._fd, _READ, position), 0
        return self._read[offset : offset + BLOCK]

    def _extension(self, start: int, size: int) -> bytes:
        if not 0 <= size <= _MAX_EXTENSION:
            raise ArchiveError(f"has a header of more than {_MAX_EXTENSION} bytes")
        offset = start - self._read_from
        is_read = 0 <= offset <= len(self._read) - size
        return self._read[offset : offset + size] if is_read else os.pread(self._fd, size, start)

    def _behind_sparse(self, header: bytes, start: int) -> int:
        """Where the content of a sparse file of GNU begins, behind the blocks of its map."""
        extended = header[482]
        while extended:
            block = self._block(start)
            extended = block[504] if len(block) == BLOCK else 0
            start += BLOCK
        return start


def _checksum(header: bytes) -> int:
    """The sum of all bytes, where those of the checksum itself count as spaces; modulo that of Adler-32.

    Its lower half is one more than the sum of bytes, a tenth as expensive as sum().
    """
    return ((adler32(header[156:], adler32(header[:148], _SPACES)) & 0xFFFF) - 1) % _MODULUS


def _number(field: bytes) -> int:
    """A number in octal digits, or of GNU in bytes; -1 if it is none."""
    try:
        return int(field.rstrip(b" \0"), 8)
    except ValueError:  # it is none, or one of GNU
        pass
    if field[:1] in (b"\x80", b"\xff"):
        value = int.from_bytes(field[1:], "big")
        return value - (1 << 8 * (len(field) - 1)) if field[:1] == b"\xff" else value
    digits = field.strip(b" \0")
    try:
        return int(digits, 8) if digits else 0
    except ValueError:
        return -1


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _header_name(header: bytes) -> bytes:
    name = _text(header[:100])
    is_posix = header[257:263] == b"ustar\0"  # GNU's has times in place of the prefix
    prefix = _text(header[345:500]) if is_posix else b""
    return prefix + b"/" + name if prefix else name


def _records(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the records of a pax header: a length in digits, a space, a key, "=" and a value, and a line feed."""
    while content:
        digits, _, _ = content.partition(b" ")
        length = int(digits) if digits.isdigit() and len(digits) < 8 else 0
        if not len(digits) < length <= len(content):
            raise ArchiveError("has a pax header that is damaged")
        key, equals, value = content[len(digits) + 1 : length - 1].partition(b"=")
        if equals:
            yield key, value
        content = content[length:]


def _attribute(attributes: dict[bytes, bytes], key: bytes, otherwise: int) -> int:
    value = attributes.get(key)
    return int(value) if value is not None and value.isdigit() and len(value) < 20 else otherwise


def _mtime_ns(attributes: dict[bytes, bytes], header: bytes) -> int:
    seconds, _, fraction = attributes.get(b"mtime", b"").partition(b".")
    if seconds.removeprefix(b"-").isdigit() and len(seconds) < 14:
        whole = int(seconds) * _SECOND
        nanoseconds = int(fraction[:9].ljust(9, b"0")) if fraction[:9].isdigit() else 0
        return whole - nanoseconds if seconds.startswith(b"-") else whole + nanoseconds
    return _number(header[136:148]) * _SECOND
