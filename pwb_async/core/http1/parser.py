"""The parser of request heads (RFC 9112 2 to 5).

Parsing is a pure function, and heads repeat: a browser sends the same fields with every request, a crawler the same
targets. So request lines and field sections are cached apart, and whole requests once more. The caches are bounded and
change no result.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

from pwb_async.core.events import BadRequest, Fault
from pwb_async.core.semantics.fields import CHUNKED, Fields, Variant
from pwb_async.core.semantics.grammar import TOKEN
from pwb_async.core.semantics.messages import HTTP_1_0, HTTP_1_1, Request, Version
from pwb_async.core.semantics.target import Target, TargetKey, parse_target

from .field_lines import check_lines, line_fault, parse_fields
from .grammar import VERSION
from .limits import Limits

SEGMENT: Final = 1024
"""The longest request in bytes that is cached as a whole."""
_CACHE_SIZE: Final = 1024
"""The number of whole requests in a cache before it becomes the previous one."""
_CACHED_LINE: Final = 512
"""The longest request line in bytes that is cached, so that long lines of a hostile client do not fill the cache."""
_CACHED_SECTION: Final = 2048
"""The longest field section in bytes that is cached, for the same reason."""


class RequestLine(NamedTuple):
    """A valid request line (RFC 9112 3)."""

    raw: bytes
    """The line as received, without its CRLF."""
    method: bytes
    """The method, case-sensitive."""
    target: Target
    """The target, parsed."""
    version: Version
    """HTTP_1_0, or HTTP_1_1 for all later minor versions (RFC 9110 2.5)"""


def parse_request_line(line: bytes) -> RequestLine | Fault:
    """Parse a request line without its CRLF; its parts must be separated by exactly one space (RFC 9112 3)."""
    method, _, rest = line.partition(b" ")
    raw_target, _, version = rest.partition(b" ")
    match = VERSION.fullmatch(version)
    if match is None or not TOKEN.fullmatch(method):
        return Fault(400, "invalid request line")
    if match[1] != b"1":
        return Fault(505, "not HTTP/1.0 or HTTP/1.1")
    target = parse_target(method, raw_target)
    if isinstance(target, str):
        return Fault(400, target)
    return RequestLine(line, method, target, HTTP_1_0 if match[2] == b"0" else HTTP_1_1)


class RequestParser:
    """A parser of request heads, which all connections of a server share."""

    limits: Limits
    """The limits beyond which a head is refused."""
    variant: Variant | None
    """The function that sets Fields.variant; None where nothing is negotiated."""
    target_key: TargetKey | None
    """The function that gives the cache key of a target, where that is not Target.cache_key."""
    cache: dict[bytes, Request]
    """The requests that parse_single() returned, by their bytes.

    When it is full it becomes the previous cache and is replaced by an empty one; a request that is found in the
    previous cache moves to the new one. A dict costs less than lru_cache, which builds a tuple of every key and keeps a
    linked list: 5 % of the time outside the kernel for a thousand files.
    """

    def __init__(self, limits: Limits, variant: Variant | None = None, target_key: TargetKey | None = None) -> None:
        self.limits = limits
        self.variant = variant
        self.target_key = target_key
        self._max_line = min(limits.request_line, limits.head - len(b"\r\n\r\n"))
        self._cached_head = min(_CACHED_LINE + _CACHED_SECTION, limits.head - len(b"\r\n"))
        self._parse_line_cached = lru_cache(1024)(self._parse_line)
        self._parse_fields_cached = lru_cache(512)(self._parse_fields)
        self.cache: dict[bytes, Request] = {}
        self._previous_cache: dict[bytes, Request] = {}

    def _parse_line(self, line: bytes) -> RequestLine | Fault:
        parsed = self._line_fault(line) or parse_request_line(line)
        if self.target_key is not None and isinstance(parsed, RequestLine):
            return parsed._replace(target=replace(parsed.target, cache_key=self.target_key(parsed.target)))
        return parsed

    def _parse_fields(self, section: bytes, offset: int = 0) -> Fields | Fault:
        fields = parse_fields(section, self.limits, offset)
        if self.variant is not None and isinstance(fields, Fields):
            fields.variant = self.variant(fields)
        return fields

    def _line_fault(self, line: bytes) -> Fault | None:
        fault = line_fault(line, self._max_line, 414)
        if fault is not None and fault.status == 414 and TOKEN.fullmatch(line, 0, self._max_line):
            return Fault(501, "a method longer than any that is implemented")  # RFC 9112 3
        return fault

    def parse_single(self, data: bytes) -> Request | None:
        """Parse and cache `data` if it is exactly one valid head without content; return None if it is anything else.

        Callers look into `cache` first.
        """
        request = self._previous_cache.get(data)
        if request is None:
            if len(data) > SEGMENT or data.find(b"\r\n\r\n") != len(data) - 4 or data.startswith(b"\r\n"):
                return None
            event = self.parse(data[:-2])
            if not isinstance(event, Request) or event.fields.content_length:
                return None
            request = event
        if len(self.cache) >= _CACHE_SIZE:
            self._previous_cache, self.cache = self.cache, {}
        self.cache[data] = request
        return request

    def parse(self, head: bytes) -> Request | BadRequest:
        """Parse a whole head, up to the CRLF of its last line and without the empty line behind it."""
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
        if line.version == HTTP_1_0:
            if fields.content_length == CHUNKED:
                return BadRequest(400, "Transfer-Encoding in HTTP/1.0", line.raw, line.method, fields)
            persistent = fields.keep_alive and not fields.close
        else:
            if fields.host is None:
                return BadRequest(400, "HTTP/1.1 without Host", line.raw, line.method, fields)
            persistent = not fields.close
        return Request(line.method, line.target, fields, line.version, persistent, line.raw)

    def check_partial(self, head: bytes, offset: int, lines: int) -> tuple[int, int] | Fault:
        """Check a head that is not complete, so that a fault is answered before the deadline.

        head: the bytes received so far. offset, lines: what the last check of this head returned, (0, 0) for the first:
        the start of the line that was not complete, and the number of lines before it.
        """
        if lines == 0:
            end = head.find(b"\r\n")
            if end < 0:
                return self._line_fault(head.removesuffix(b"\r")) or (0, 0)
            line = self._parse_line(head[:end])
            if isinstance(line, Fault):
                return line
            offset, lines = end + 2, 1
        return check_lines(head, offset, lines, self.limits)

    def refuse(self, fault: Fault, head: bytes) -> BadRequest:
        """The event for a fault, with the request line as far as it was received. head: the bytes so far."""
        first_line = head.partition(b"\r\n")[0][: self.limits.request_line]
        method = first_line.partition(b" ")[0]
        return BadRequest(*fault, first_line, method if TOKEN.fullmatch(method) else b"")
