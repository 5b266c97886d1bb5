"""The two heads of an exchange: a request's is read here, a response's is written.

Reading is pure and most heads are alike (a browser repeats its fields, a crawler its targets), so the request line
and the field section are each read through a bounded cache. The cached and the uncached way give the same Request.
"""

from functools import lru_cache
from typing import Final

from .dates import format_date
from .fields import CHUNKED, Fields, line_fault, parse_fields
from .grammar import CONTROL, FIELD_LINE, TOKEN, VERSION
from .limits import Fault, Limits
from .messages import REASONS, BadRequest, FieldList, Request, RequestLine
from .target import parse_target

_CACHED_LINE: Final = 512
_CACHED_SECTION: Final = 2048
"""Longer ones are read anew each time, so that a hostile client cannot fill the caches with its 8 KiB lines."""


def parse_request_line(line: bytes) -> RequestLine | Fault:
    """method SP request-target SP HTTP-version, exactly so (RFC 9112 3)."""
    method, _, rest = line.partition(b" ")
    raw_target, _, version = rest.partition(b" ")
    match = VERSION.fullmatch(version)
    if match is None or match[1] == b"0" or not TOKEN.fullmatch(method):
        return Fault(400, "the request line is not: method target HTTP/1.1")
    if match[1] != b"1":
        return Fault(505, "HTTP/1.0 and HTTP/1.1 are spoken here")
    target = parse_target(method, raw_target)
    if isinstance(target, str):
        return Fault(400, target)
    return RequestLine(line, method, target, min(int(match[2]), 1))


class HeadReader:
    """Reads request heads within `limits`; one serves all connections of a server."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._cached_line = min(_CACHED_LINE, limits.request_line)
        self._cached_head = min(_CACHED_LINE + _CACHED_SECTION, limits.head)
        self._request_line = lru_cache(1024)(parse_request_line)
        self._fields = lru_cache(512)(self._parse_fields)

    def _parse_fields(self, section: bytes) -> Fields | Fault:
        return parse_fields(section, self.limits)

    def read(self, head: bytes) -> Request | BadRequest:
        """The request whose whole head this is, up to and with the CRLF of its last line."""
        raw_line, _, section = head.partition(b"\r\n")
        if len(raw_line) <= self._cached_line:
            line = self._request_line(raw_line)
        else:
            line = line_fault(raw_line, self.limits.request_line, 414) or parse_request_line(raw_line)
        if isinstance(line, Fault):
            return self._bad(line, head)
        if len(head) <= self._cached_head:
            fields = self._fields(section)
        else:
            fields = parse_fields(section, self.limits, len(raw_line) + 2)
        if isinstance(fields, Fault):
            return BadRequest(*fields, line.raw, line.method)
        if line.minor == 0:
            if fields.content_length == CHUNKED:
                return BadRequest(400, "Transfer-Encoding in HTTP/1.0", line.raw, line.method, fields)
            return Request(line, fields, fields.keep_alive and not fields.close)
        if fields.host is None:
            return BadRequest(400, "HTTP/1.1 without Host", line.raw, line.method, fields)
        return Request(line, fields, not fields.close)

    def check(self, data: bytes, at: int, lines: int) -> tuple[int, int] | BadRequest:
        """Looks at a head that is not complete, so that a fault is answered when it comes, not at the deadline.

        data: the head so far. at, lines: what an earlier check returned, (0, 0) at first: where the first line
        stands that was not complete then, and how many lines stand before it.
        """
        while True:
            room = self.limits.request_line if lines == 0 else self.limits.field
            room = min(room, self.limits.head - at)
            end = data.find(b"\r\n", at)
            line = data[at:] if end < 0 else data[at:end]
            fault = line_fault(line.removesuffix(b"\r") if end < 0 else line, room, 431 if lines else 414)
            if fault is None and end < 0:
                return at, lines
            if fault is None:
                fault = self._line_of_its_own(line, lines)
            if fault is not None:
                return self._bad(fault, data)
            at, lines = end + 2, lines + 1

    def _line_of_its_own(self, line: bytes, lines: int) -> Fault | None:
        if lines == 0:
            result = parse_request_line(line)
            return result if isinstance(result, Fault) else None
        if lines > self.limits.fields:
            return Fault(431, "too many fields")
        return Fault(400, "a line of the head is no field") if FIELD_LINE.fullmatch(line) is None else None

    def _bad(self, fault: Fault, head: bytes) -> BadRequest:
        first_line = head.partition(b"\r\n")[0][: self.limits.request_line]
        line = parse_request_line(first_line)
        return BadRequest(*fault, first_line, line.method if isinstance(line, RequestLine) else b"")


@lru_cache(64)
def prefix(status: int, server: bytes, second: int) -> bytes:
    """What is the same for every answer of a second: status line, Server and Date."""
    return b"HTTP/1.1 %d %s\r\nServer: %s\r\nDate: %s\r\n" % (status, REASONS[status], server, format_date(second))


def write_fields(fields: FieldList) -> bytes:
    """Field lines. Raises ValueError for a control character: nothing can smuggle a line in (hazard C10)."""
    for name, value in fields:
        if not TOKEN.fullmatch(name) or CONTROL.search(value) or b"\r" in value or b"\n" in value:
            raise ValueError(f"no field: {name!r}: {value!r}")
    return b"".join([b"%s: %s\r\n" % field for field in fields])
