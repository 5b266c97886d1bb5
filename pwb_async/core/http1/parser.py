"""The parser of request heads (RFC 9112 2 to 5).

Parsing is pure and most heads are alike (a browser repeats its fields, a crawler its targets), so the request line
and the field section are each parsed through a bounded cache. With and without a cache the Request is the same.
"""

from functools import lru_cache
from typing import Final

from pwb_async.core.events import BadRequest, Fault
from pwb_async.core.semantics.fields import CHUNKED, Fields, Variant
from pwb_async.core.semantics.grammar import TOKEN
from pwb_async.core.semantics.messages import Request, RequestLine
from pwb_async.core.semantics.target import parse_target

from .field_lines import check_lines, line_fault, parse_fields
from .grammar import VERSION
from .limits import Limits

SEGMENT: Final = 1024
"""Bytes of data that at_once() looks at; longer data is not worth a place in its cache."""
_KNOWN: Final = 1024
"""Heads in `known`; so many again are remembered from before."""
_CACHED_LINE: Final = 512
_CACHED_SECTION: Final = 2048
"""Longer ones are read anew each time, so that a hostile client cannot fill the caches with its 8 KiB lines."""


def parse_request_line(line: bytes) -> RequestLine | Fault:
    """method SP request-target SP HTTP-version, exactly so (RFC 9112 3)."""
    method, _, rest = line.partition(b" ")
    raw_target, _, version = rest.partition(b" ")
    match = VERSION.fullmatch(version)
    if match is None or not TOKEN.fullmatch(method):
        return Fault(400, "the request line is not: method target HTTP/1.1")
    if match[1] != b"1":
        return Fault(505, "HTTP/1.0 and HTTP/1.1 are spoken here")
    target = parse_target(method, raw_target)
    if isinstance(target, str):
        return Fault(400, target)
    return RequestLine(line, method, target, min(int(match[2]), 1))


class RequestParser:
    """Reads request heads within `limits`; one serves all connections of a server.

    known: requests by the data that at_once() made them of. When it is full it becomes the second choice and an empty
    one takes its place, so who asks often enough stays. A dict costs less than lru_cache, which makes a tuple of each
    key and moves links about: 5 % of what a thousand files take outside the kernel.
    """

    def __init__(self, limits: Limits, variant: Variant | None = None) -> None:
        self.limits = limits
        self.variant = variant
        self._room = min(limits.request_line, limits.head - len(b"\r\n\r\n"))
        self._cached_head = min(_CACHED_LINE + _CACHED_SECTION, limits.head - len(b"\r\n"))
        self._parse_line_cached = lru_cache(1024)(self._parse_line)
        self._parse_fields_cached = lru_cache(512)(self._parse_fields)
        self.cache: dict[bytes, Request] = {}
        self._previous_cache: dict[bytes, Request] = {}

    def _parse_line(self, line: bytes) -> RequestLine | Fault:
        return self._line_fault(line) or parse_request_line(line)

    def _parse_fields(self, section: bytes, offset: int = 0) -> Fields | Fault:
        fields = parse_fields(section, self.limits, offset)
        if self.variant is not None and isinstance(fields, Fields):
            fields.variant = self.variant(fields)
        return fields

    def _line_fault(self, line: bytes) -> Fault | None:
        fault = line_fault(line, self._room, 414)
        if fault is not None and fault.status == 414 and TOKEN.fullmatch(line, 0, self._room):
            return Fault(501, "a method longer than any (RFC 9112 3)")
        return fault

    def parse_single(self, data: bytes) -> Request | None:
        """The request, if `data` is one sound head without content and nothing else, as data of a segment mostly is;
        the next time it is in `known`."""
        request = self._previous_cache.get(data)
        if request is None:
            if len(data) > SEGMENT or data.find(b"\r\n\r\n") != len(data) - 4 or data.startswith(b"\r\n"):
                return None
            event = self.parse(data[:-2])
            if not isinstance(event, Request) or event.fields.content_length:
                return None
            request = event
        if len(self.cache) >= _KNOWN:
            self._previous_cache, self.cache = self.cache, {}
        self.cache[data] = request
        return request

    def parse(self, head: bytes) -> Request | BadRequest:
        """The request whose whole head this is, up to and with the CRLF of its last line."""
        raw_line, _, section = head.partition(b"\r\n")
        line = self._parse_line_cached(raw_line) if len(raw_line) <= _CACHED_LINE else self._parse_line(raw_line)
        if isinstance(line, Fault):
            return self.refuse(line, head)
        if len(head) <= self._cached_head:
            fields = self._parse_fields_cached(section)
        else:
            fields = self._parse_fields(section, len(raw_line) + 2)
        if isinstance(fields, Fault):
            return BadRequest(*fields, line.raw, line.method)
        if line.minor == 0:
            if fields.content_length == CHUNKED:
                return BadRequest(400, "Transfer-Encoding in HTTP/1.0", line.raw, line.method, fields)
            return Request(line, fields, fields.keep_alive and not fields.close)
        if fields.host is None:
            return BadRequest(400, "HTTP/1.1 without Host", line.raw, line.method, fields)
        return Request(line, fields, not fields.close)

    def check_partial(self, head: bytes, at: int, lines: int) -> tuple[int, int] | Fault:
        """Looks at a head that is not complete, so that a fault is answered when it comes, not at the deadline.

        head: as much of it as there is. at, lines: what an earlier check returned, (0, 0) at first: where the line
        stands that was not complete then, and how many lines stand before it.
        """
        if lines == 0:
            end = head.find(b"\r\n")
            if end < 0:
                return self._line_fault(head.removesuffix(b"\r")) or (0, 0)
            line = self._parse_line(head[:end])
            if isinstance(line, Fault):
                return line
            at, lines = end + 2, 1
        return check_lines(head, at, lines, self.limits)

    def refuse(self, fault: Fault, head: bytes) -> BadRequest:
        """`fault` with what is known of the request line; head: as much of it as there is."""
        first_line = head.partition(b"\r\n")[0][: self.limits.request_line]
        method = first_line.partition(b" ")[0]
        return BadRequest(*fault, first_line, method if TOKEN.fullmatch(method) else b"")
