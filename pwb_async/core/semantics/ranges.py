"""Byte ranges and the content of multipart/byteranges (RFC 9110 14).

Their cost is bounded (hazard B12). A set of ranges is answered in parts if
  1. it has at most `--max-ranges` members, and at most twice as many commas;
  2. its ranges together are no longer than the file; a byte in two ranges counts twice (as in Go and nginx);
  3. the content of the response is at most 4 KiB longer than the file (as in nginx since 1.29.5).
Otherwise Range is ignored and the whole file is sent. RFC 9110 14.2 also allows a server to ignore ranges that overlap
or are out of order; PWB, like Go and nginx, sends them in the client's order, because they cost no more than others.
"""

import re
from typing import Final, NamedTuple

from .messages import FieldList

_SPEC: Final = re.compile(rb"([0-9]++)-([0-9]*+)|-([0-9]++)")
"""A range or a suffix range. The quantifiers are possessive, so that a long member that does not match is read once."""
_BEYOND_ANY_FILE: Final = 10**20
"""A position that stands for all that are larger, because converting thousands of digits would be slow."""
_OVERHEAD: Final = 4096
"""Bytes by which the content may be longer than the file, so that small files can be sent in parts as well."""


class ByteRange(NamedTuple):
    """A satisfiable range of bytes."""

    start: int
    """The position of the first byte."""
    length: int
    """Bytes, at least 1."""

    def content_range(self, size: int) -> bytes:
        """The value of Content-Range for a representation of `size` bytes."""
        return b"bytes %d-%d/%d" % (self.start, self.start + self.length - 1, size)


def parse_ranges(value: bytes, size: int, max_ranges: int) -> list[ByteRange] | None:
    """The satisfiable ranges in a value of Range, in the client's order; [] if there are none, which means 416.

    It is None if Range is to be ignored: its unit is not "bytes", its syntax is invalid, the representation is empty,
    or it breaks one of the first two bounds above. size: bytes of the representation.
    """
    unit, _, specs = value.partition(b"=")
    if unit.lower() != b"bytes" or size == 0 or specs.count(b",") > 2 * max_ranges:
        return None
    found: list[ByteRange] = []
    members = total = 0
    for member in specs.split(b","):
        if not (spec := member.strip(b" \t")):
            continue
        members += 1
        bounds = _bounds(spec, size)
        if bounds is None or members > max_ranges:
            return None
        start, end = bounds
        if start < end:
            found.append(ByteRange(start, end - start))
            total += end - start
            if total > size:
                return None
    return found if members else None


def _bounds(spec: bytes, size: int) -> tuple[int, int] | None:
    """The start and end of a range, where end <= start means not satisfiable; None if it is invalid."""
    match = _SPEC.fullmatch(spec)
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        return max(0, size - _number(suffix)), size
    start = _number(first)
    end = _number(last) + 1 if last else _BEYOND_ANY_FILE + 1
    return (start, min(end, size)) if start < end else None


def _number(digits: bytes) -> int:
    """The number, or _BEYOND_ANY_FILE if it has 20 digits or more."""
    if len(digits) < 20 or len(digits := digits.lstrip(b"0") or b"0") < 20:
        return int(digits)
    return _BEYOND_ANY_FILE


class Multipart(NamedTuple):
    """Content of type multipart/byteranges (RFC 9110 14.6), without the bytes of the file."""

    media_type: bytes
    """The value of Content-Type, with the boundary."""
    heads: list[bytes]
    """The delimiter and the fields before each part."""
    end: bytes
    """The last delimiter, behind the last part."""
    length: int
    """Bytes of the whole content, those of the file included."""


def multipart(ranges: list[ByteRange], size: int, mtime_ns: int, media: FieldList) -> Multipart | None:
    """The content for two or more ranges; None if it would exceed the size of the file by too much.

    size: bytes of the file. mtime_ns: its last change, in nanoseconds since the epoch. media: the fields of each part:
    Content-Type, and Content-Encoding if the file is coded, because the coding applies to the part alone.

    Except for the boundary, the form is the same as that of Apache and nginx to the byte, because some clients read no
    other: zsync drops a line before each delimiter, so the first delimiter needs a CRLF before it as well, behind an
    empty preamble (RFC 2046 5.1.1), and Content-Range must have exactly one space. The boundary consists of the file's
    modification time and size in hexadecimal digits, so that it does not occur in the file by accident.
    """
    boundary = b"%016x%016x" % (mtime_ns & (1 << 64) - 1, size)
    part_fields = b"".join(b"%s: %s\r\n" % field for field in media)
    end = b"\r\n--%s--\r\n" % boundary
    heads: list[bytes] = []
    length = len(end)
    for part in ranges:
        head = b"\r\n--%s\r\n%sContent-Range: %s\r\n\r\n" % (boundary, part_fields, part.content_range(size))
        heads.append(head)
        length += len(head) + part.length
        if length > size + _OVERHEAD:
            return None
    return Multipart(b"multipart/byteranges; boundary=" + boundary, heads, end, length)
