"""The parser of field sections (RFC 9112 5) and of the framing that they declare (RFC 9112 6)."""

import re
from collections.abc import Mapping
from typing import Final

from pwb_async.core.events import Fault
from pwb_async.core.semantics.fields import CHUNKED, FORBIDDEN_TRAILERS, Fields
from pwb_async.core.semantics.request_fields import host_fault, parse_content_length

from .grammar import CONTROL, FIELD_LINE
from .limits import Limits

_END_OF_HEAD: Final = len(b"\r\n\r\n")


def line_fault(line: bytes, max_length: int, status: int) -> Fault | None:
    """The first fault of a line, whatever its syntax: a control character, or its length.

    Only the order of the bytes decides which fault is reported, not how they were received. status: that of the
    response to a line of more than `max_length` bytes.
    """
    if CONTROL.search(line, 0, max_length):
        return Fault(400, "a control character, a bare CR or a bare LF")
    if len(line) > max_length:
        return Fault(status, "a line or the head is too long")
    return None


def _read_line(line: bytes, number: int, offset: int, limits: Limits) -> re.Match[bytes] | Fault:
    """Match a field line without its CRLF. number: counted from 1. offset: bytes of the head before the line."""
    if fault := line_fault(line, _max_length(offset, limits), 431):
        return fault
    if number > limits.fields:
        return Fault(431, "too many fields")
    return FIELD_LINE.fullmatch(line) or Fault(400, "invalid field line")


def _max_length(offset: int, limits: Limits) -> int:
    """The longest valid length of a line with `offset` bytes of the head before it."""
    return max(0, min(limits.field, limits.head - _END_OF_HEAD - offset))


def check_lines(section: bytes, offset: int, number: int, limits: Limits) -> tuple[int, int] | Fault:
    """Check the field lines of a section that is not complete, so that a fault is answered before the head's deadline.

    offset, number: the start of the first line that was not complete at the last check, and its number counted from 1.
    Return both for the next check.
    """
    while (end := section.find(b"\r\n", offset)) >= 0:
        match = _read_line(section[offset:end], number, offset, limits)
        if isinstance(match, Fault):
            return match
        offset, number = end + 2, number + 1
    rest = section[offset:].removesuffix(b"\r")
    return line_fault(rest, _max_length(offset, limits), 431) or (offset, number)


def parse_lines(section: bytes, limits: Limits, offset: int = 0) -> dict[bytes, list[bytes]] | Fault:
    """The values of a section's field lines by lower-case name.

    section: field lines, each with its CRLF. offset: bytes of the head before the section.
    """
    values: dict[bytes, list[bytes]] = {}
    for number, line in enumerate(section.split(b"\r\n")[:-1], 1):
        match = _read_line(line, number, offset, limits)
        if isinstance(match, Fault):
            return match
        values.setdefault(match[1].lower(), []).append(match[2].strip(b" \t"))
        offset += len(line) + 2
    return values


def parse_fields(section: bytes, limits: Limits, offset: int = 0) -> Fields | Fault:
    """The field section of a request, if Host and the framing are valid as well; arguments as parse_lines()."""
    values = parse_lines(section, limits, offset)
    if isinstance(values, Fault):
        return values
    if fault := host_fault(values):
        return Fault(400, fault)
    framing = _framing(values)
    return framing if isinstance(framing, Fault) else Fields(values, framing)


def trailer_fault(section: bytes, limits: Limits) -> Fault | None:
    """The fault of a trailer section, if it has one. Valid trailers are ignored (RFC 9110 6.5.1)."""
    values = parse_lines(section, limits)
    if isinstance(values, Fault):
        return values
    return None if FORBIDDEN_TRAILERS.isdisjoint(values) else Fault(400, "a trailer that would change the request")


def _framing(values: Mapping[bytes, list[bytes]]) -> int | Fault:
    """The length of the content, or CHUNKED (RFC 9112 6.3).

    Any framing that two implementations might read differently is a fault, since it allows request smuggling.
    """
    codings = values.get(b"transfer-encoding", ())
    if codings and b"content-length" in values:
        return Fault(400, "both Content-Length and Transfer-Encoding")
    if codings:
        names = [name.strip(b" \t").lower() for name in b",".join(codings).split(b",")]
        if names == [b"chunked"]:
            return CHUNKED
        if not any(names):
            return Fault(400, "Transfer-Encoding is empty")
        if b"chunked" in names[:-1] or {b"", b"chunked"}.issuperset(names):  # the latter: "chunked," or ",chunked"
            return Fault(400, "chunked is repeated or not the last transfer coding")
        return Fault(501, "a transfer coding other than chunked")
    length = parse_content_length(values)
    return Fault(400, length) if isinstance(length, str) else length or 0
