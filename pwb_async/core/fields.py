"""The field section of a request (RFC 9110 5, RFC 9112 5), checked and read once, with what it says about framing."""

from collections.abc import Mapping
from typing import Final

from .grammar import CONTROL, FIELD_LINE, LENGTH
from .limits import Fault, Limits
from .target import valid_host

CHUNKED: Final = -1
"""content_length of a request whose content comes in chunks."""

_NOT_PLAIN: Final = frozenset(
    (b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since", b"if-range", b"range")
    + (b"content-length", b"transfer-encoding", b"expect")
)


class Fields:
    """Values by lower-case name, and what every request is asked: host, framing, persistence, expectations.

    plain: nothing in this section can change the answer to a GET: no condition, range, content or expectation.
    """

    __slots__ = (
        "_values",
        "close",
        "content_length",
        "expects_continue",
        "host",
        "keep_alive",
        "plain",
        "unknown_expectation",
    )

    def __init__(self, values: Mapping[bytes, list[bytes]], content_length: int) -> None:
        self._values = values
        self.content_length = content_length
        self.host = self.get(b"host")
        options = self.members(b"connection")
        self.close = b"close" in options
        self.keep_alive = b"keep-alive" in options
        expectations = self.members(b"expect")
        self.expects_continue = b"100-continue" in expectations
        self.unknown_expectation = any(expectation != b"100-continue" for expectation in expectations)
        self.plain = _NOT_PLAIN.isdisjoint(values)

    def get(self, name: bytes) -> bytes | None:
        """The value of the field `name` (lower case), several lines of it joined by ", " (RFC 9110 5.3)."""
        values = self._values.get(name)
        return None if values is None else b", ".join(values)

    def members(self, name: bytes) -> list[bytes]:
        """The members of a list field, in lower case, empty ones left out (RFC 9110 5.6.1)."""
        value = self.get(name) or b""
        return [member for item in value.lower().split(b",") if (member := item.strip(b" \t"))]


def line_fault(line: bytes, room: int, too_long: int) -> Fault | None:
    """What is wrong with a line before one asks what it says: the first fault in the order of its bytes."""
    if CONTROL.search(line, 0, room):
        return Fault(400, "a control character, a bare CR or a bare LF in the head")
    if len(line) > room:
        return Fault(too_long, "a line, or the head, is too long")
    return None


def parse_fields(section: bytes, limits: Limits, taken: int = 0) -> Fields | Fault:
    """The field lines of `section`, each with its CRLF. taken: bytes of the head before the section."""
    values: dict[bytes, list[bytes]] = {}
    for number, line in enumerate(section.split(b"\r\n")[:-1], 1):
        if fault := line_fault(line, min(limits.field, limits.head - taken), 431):
            return fault
        if number > limits.fields:
            return Fault(431, "too many fields")
        match = FIELD_LINE.fullmatch(line)
        if match is None:
            return Fault(400, "a line of the head is no field")
        values.setdefault(match[1].lower(), []).append(match[2].strip(b" \t"))
        taken += len(line) + 2
    hosts = values.get(b"host", ())
    if len(hosts) > 1 or not all(map(valid_host, hosts)):
        return Fault(400, "Host is invalid or stands twice")
    content_length = _framing(values)
    return content_length if isinstance(content_length, Fault) else Fields(values, content_length)


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
        known = {b"", b"chunked"}.issuperset(names)
        return Fault(400 if known else 501, "a transfer coding other than chunked alone")
    if len(lengths) > 1 or not all(map(LENGTH.fullmatch, lengths)):
        return Fault(400, "Content-Length is invalid or stands twice")
    return int(lengths[0]) if lengths else 0
