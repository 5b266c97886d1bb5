"""Limits on a head (hazard B8): each at its limit, and one beyond, which test_limits.py also sends byte by byte."""

from pwb_legacy.compare.checks import essential_rows
from pwb_legacy.compare.checks.rows import Row, expect, row
from tests.conformance.tree import ALPHABET

_A = expect(200, ALPHABET)
LINE, FIELD, FIELDS, HEAD = 8190, 8190, 100, 32768


def line(length: int) -> bytes:
    """A request line of `length` bytes."""
    return b"GET /a.txt?%s HTTP/1.1\r\nHost: h\r\n\r\n" % (b"q" * (length - 20))


def field(length: int) -> bytes:
    """A field line of `length` bytes."""
    return b"GET /a.txt HTTP/1.1\r\nHost: h\r\nX: %s\r\n\r\n" % (b"v" * (length - 3))


def fields(count: int) -> bytes:
    return b"GET /a.txt HTTP/1.1\r\nHost: h\r\n%s\r\n" % (b"X: y\r\n" * (count - 1))


def size(length: int) -> bytes:
    """A head of `length` bytes, in lines that are not too long."""
    start = b"GET /a.txt HTTP/1.1\r\nHost: h\r\n" + b"X: %s\r\n" % (b"v" * 7995) * 4
    return start + b"Y: %s\r\n\r\n" % (b"v" * (length - len(start) - 7))


TOO_LONG = {
    "B8-line": (line(LINE + 1), expect(414)),
    "B8-field": (field(FIELD + 1), expect(431)),
    "B8-fields": (fields(FIELDS + 1), expect(431)),
    "B8-head": (size(HEAD + 1), expect(431)),
}
"""Requests one beyond a limit, by name."""

ROWS: list[Row] = [
    *essential_rows.LIMITS,
    row("B8-line-at-the-bound", line(LINE), _A),
    row("B8-field-at-the-bound", field(FIELD), _A),
    row("B8-fields-at-the-bound", fields(FIELDS), _A),
    row("B8-head-at-the-bound", size(HEAD), _A),
    *(row(f"{name}-too-long", request, response, ends=True) for name, (request, response) in TOO_LONG.items()),
    row("A13-field-of-200-kb", field(200_000), expect(431), ends=True),
]
