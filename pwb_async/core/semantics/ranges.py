"""Byte ranges (RFC 9110 14). Inside the code a range is start and length; first-pos and last-pos live only here.

What bounds their cost (hazard B12): a set of ranges is answered in parts as long as
  1. it has no more members than `--max-ranges`, and is not mostly commas;
  2. its ranges add up to no more than the whole, each byte counted as often as it is asked for (as Go and nginx do);
  3. the answer is at most 4 KiB longer than the whole, delimiters and part fields included (nginx since 1.29.5).
Beyond any of them the field is ignored and the whole is sent. RFC 9110 14.2 would allow to ignore overlaps and ranges
in another order, too; Go and nginx answer those in the client's order, and so do we: they cost no more than others.
"""

import re
from typing import Final, NamedTuple

from .messages import FieldList

_SPEC: Final = re.compile(rb"([0-9]++)-([0-9]*+)|-([0-9]++)")
"""Possessive, so that a long one that does not match is looked at once."""
_BEYOND_ANY_FILE: Final = 10**20
_OVERHEAD: Final = 4096
"""Bytes by which an answer in parts may be longer than the whole, so that small files can be had in parts, too."""


class ByteRange(NamedTuple):
    """`length` bytes from the byte at `start`; length is at least 1."""

    start: int
    length: int

    def content_range(self, size: int) -> bytes:
        """The value of Content-Range for a representation of `size` bytes."""
        return b"bytes %d-%d/%d" % (self.start, self.start + self.length - 1, size)


def parse_ranges(value: bytes, size: int, most: int) -> list[ByteRange] | None:
    """The satisfiable ranges of a Range field, in the client's order; [] if there are none: 416.

    None: the field is ignored and the whole is sent: another unit, no valid syntax, an empty representation, more
    than `most` ranges, or ranges that add up to more than the whole.
    """
    unit, _, specs = value.partition(b"=")
    if unit.lower() != b"bytes" or size == 0 or specs.count(b",") > 2 * most:
        return None
    found: list[ByteRange] = []
    members = total = 0
    for member in specs.split(b","):
        if not (spec := member.strip(b" \t")):
            continue
        members += 1
        bounds = _bounds(spec, size)
        if bounds is None or members > most:
            return None
        start, end = bounds
        if start < end:
            found.append(ByteRange(start, end - start))
            total += end - start
            if total > size:
                return None
    return found if members else None


def _bounds(spec: bytes, size: int) -> tuple[int, int] | None:
    """Where a range begins, and where it ends within `size` bytes: before that if it is not satisfiable. None: it is
    not valid."""
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
    if len(digits) < 20 or len(digits := digits.lstrip(b"0") or b"0") < 20:
        return int(digits)
    return _BEYOND_ANY_FILE


class Multipart(NamedTuple):
    """Content of type multipart/byteranges (RFC 9110 14.6), but for the bytes of the file."""

    media_type: bytes
    heads: list[bytes]
    """what stands before each part"""
    end: bytes
    """what stands behind the last one"""
    length: int
    """bytes of all the content, those of the file included"""


def multipart(ranges: list[ByteRange], size: int, mtime_ns: int, media: FieldList) -> Multipart | None:
    """The content for two or more ranges; None if it would be longer than the whole by too much. media: Content-Type,
    and Content-Encoding of a coded file: its parts are coded, and not what holds them together.

    The form is that of Apache and nginx to the byte, but for the boundary, since there are clients that know no other:
    zsync drops a line before each delimiter, so that the first one must have its CRLF, too, behind an empty preamble
    (RFC 2046 5.1.1), and wants Content-Range with one space. No file holds the boundary by accident: it names the
    nanosecond of the file's own last change and its size, in digits that need neither quotes nor escapes.
    """
    boundary = b"%016x%016x" % (mtime_ns & (1 << 64) - 1, size)
    about = b"".join(b"%s: %s\r\n" % field for field in media)
    end = b"\r\n--%s--\r\n" % boundary
    heads: list[bytes] = []
    length = len(end)
    for part in ranges:
        head = b"\r\n--%s\r\n%sContent-Range: %s\r\n\r\n" % (boundary, about, part.content_range(size))
        heads.append(head)
        length += len(head) + part.length
        if length > size + _OVERHEAD:
            return None
    return Multipart(b"multipart/byteranges; boundary=" + boundary, heads, end, length)
