"""The parser of field sections (RFC 9112 5) and of the framing that they declare (RFC 9112 6)."""

import re
from collections.abc import Mapping
from typing import Final

from pwb_async.core.events import Fault
from pwb_async.core.semantics.fields import CHUNKED, NEVER_TRAILERS, Fields
from pwb_async.core.semantics.grammar import LENGTH
from pwb_async.core.semantics.target import valid_host

from .grammar import CONTROL, FIELD_LINE
from .limits import Limits

_END_OF_HEAD: Final = len(b"\r\n\r\n")


def line_fault(line: bytes, room: int, too_long: int) -> Fault | None:
    """What is wrong with a line before one asks what it says: the first fault in the order of its bytes."""
    if CONTROL.search(line, 0, room):
        return Fault(400, "a control character, a bare CR or a bare LF")
    if len(line) > room:
        return Fault(too_long, "a line, or the head, is too long")
    return None


def _read_line(line: bytes, number: int, taken: int, limits: Limits) -> re.Match[bytes] | Fault:
    """A field line without its CRLF. number: counted from 1. taken: bytes of the head before it."""
    if fault := line_fault(line, _room(taken, limits), 431):
        return fault
    if number > limits.fields:
        return Fault(431, "too many fields")
    return FIELD_LINE.fullmatch(line) or Fault(400, "a line of the head is no field")


def _room(taken: int, limits: Limits) -> int:
    return max(0, min(limits.field, limits.head - _END_OF_HEAD - taken))


def check_lines(section: bytes, at: int, number: int, limits: Limits) -> tuple[int, int] | Fault:
    """Looks at field lines whose end is still to come, so that a fault is answered at once, not at the deadline.

    at, number: where the line stands that was not complete at the last look, and its number counted from 1; both
    are returned for the next look.
    """
    while (end := section.find(b"\r\n", at)) >= 0:
        match = _read_line(section[at:end], number, at, limits)
        if isinstance(match, Fault):
            return match
        at, number = end + 2, number + 1
    return line_fault(section[at:].removesuffix(b"\r"), _room(at, limits), 431) or (at, number)


def parse_lines(section: bytes, limits: Limits, taken: int = 0) -> dict[bytes, list[bytes]] | Fault:
    """The field lines of `section`, each with its CRLF, by lower-case name. taken: bytes of the head before it."""
    values: dict[bytes, list[bytes]] = {}
    for number, line in enumerate(section.split(b"\r\n")[:-1], 1):
        match = _read_line(line, number, taken, limits)
        if isinstance(match, Fault):
            return match
        values.setdefault(match[1].lower(), []).append(match[2].strip(b" \t"))
        taken += len(line) + 2
    return values


def parse_fields(section: bytes, limits: Limits, taken: int = 0) -> Fields | Fault:
    """The field section of a request: its lines, and together they must make sense."""
    values = parse_lines(section, limits, taken)
    if isinstance(values, Fault):
        return values
    hosts = values.get(b"host", ())
    if len(hosts) > 1 or not all(map(valid_host, hosts)):
        return Fault(400, "Host is invalid or stands twice")
    content_length = _framing(values)
    return content_length if isinstance(content_length, Fault) else Fields(values, content_length)


def trailer_fault(section: bytes, limits: Limits) -> Fault | None:
    """What is wrong with a trailer section; what is right with it is not used (RFC 9110 6.5.1)."""
    values = parse_lines(section, limits)
    if isinstance(values, Fault):
        return values
    return None if NEVER_TRAILERS.isdisjoint(values) else Fault(400, "a trailer that would change the request")


def _framing(values: Mapping[bytes, list[bytes]]) -> int | Fault:
    """The length of the content, RFC 9112 6.3; whatever two readers could understand differently is refused."""
    lengths = values.get(b"content-length", ())
    codings = values.get(b"transfer-encoding", ())
    if codings and lengths:
        return Fault(400, "Content-Length beside Transfer-Encoding")
    if codings:
        names = [name.strip(b" \t").lower() for name in b",".join(codings).split(b",")]
        if names == [b"chunked"]:
            return CHUNKED
        if b"chunked" in names[:-1] or {b"", b"chunked"}.issuperset(names):
            return Fault(400, "chunked is not the last transfer coding, or stands twice")
        return Fault(501, "a transfer coding other than chunked")
    if not lengths:
        return 0
    length = LENGTH.fullmatch(lengths[0])
    if length is None or len(lengths) > 1:
        return Fault(400, "Content-Length is invalid or stands twice")
    return int(length[1])
