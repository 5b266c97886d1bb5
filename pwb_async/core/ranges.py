"""Byte ranges (RFC 9110 14). Inside the code a range is start and length; first-pos and last-pos live only here."""

import re
from typing import Final, NamedTuple

_SPEC: Final = re.compile(rb"(?:([0-9]+)-([0-9]*)|-([0-9]+))")
_BEYOND_ANY_FILE: Final = 10**20


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
    than `most` ranges, or ranges that add up to more than the whole (hazard B12).
    """
    unit, equals, specs = value.partition(b"=")
    if unit.lower() != b"bytes" or not equals or size == 0 or specs.count(b",") > 2 * most:
        return None
    matches = [_SPEC.fullmatch(spec.strip(b" \t")) for spec in specs.split(b",") if spec.strip(b" \t")]
    if not matches or len(matches) > most:
        return None
    found: list[ByteRange] = []
    for match in matches:
        if match is None:
            return None
        if match[3] is not None:
            start, end = max(0, size - _number(match[3])), size
        else:
            start, end = _number(match[1]), _number(match[2]) + 1 if match[2] else size
            if match[2] and end <= start:
                return None
        if start < min(end, size):
            found.append(ByteRange(start, min(end, size) - start))
    return None if sum(part.length for part in found) > size else found


def _number(digits: bytes) -> int:
    digits = digits.lstrip(b"0") or b"0"
    return int(digits) if len(digits) < 20 else _BEYOND_ANY_FILE


def part_heads(ranges: list[ByteRange], size: int, media_type: bytes, boundary: bytes) -> tuple[list[bytes], bytes]:
    """The bytes before each part of multipart/byteranges and those after the last (RFC 9110 14.6)."""
    heads = [
        b"%s--%s\r\nContent-Type: %s\r\nContent-Range: %s\r\n\r\n"
        % (b"\r\n" if number else b"", boundary, media_type, part.content_range(size))
        for number, part in enumerate(ranges)
    ]
    return heads, b"\r\n--%s--\r\n" % boundary
