"""The rows of the one suite as HTTP/2: the same requests, where they have a meaning there."""

import re
from typing import Final, NamedTuple

from pwb_legacy.compare.checks.rows import Row
from tests.conformance.rows import ROWS

_HEAD: Final = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e\x80-\xff]+) HTTP/1\.1\r\n((?:[^\r\n]+\r\n)*)\r\n"
)
_LINE: Final = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*((?:[!-~\x80-\xff]+(?:[ \t]+[!-~\x80-\xff]+)*)?)[ \t]*"
)
_OF_HTTP_1: Final = {b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"te"}
"""Fields about the connection, which HTTP/2 does not have (RFC 9113 8.2.2)."""


NOT_IN_HTTP2: Final = {
    "B8-head-at-the-bound": "HTTP/2 counts 32 bytes more for each field (RFC 9113 6.5.2)",
    "A13-field-of-200-kb": "a field block of more than 32 KiB ends the connection",
}
"""Rows whose requests get another response by HTTP/2, and why."""


class HTTP2Request(NamedTuple):
    """A request as HTTP/2 has it."""

    fields: list[tuple[bytes, bytes]]
    content: bytes | None


def as_http2(request: bytes) -> HTTP2Request | None:
    """The same request in HTTP/2; None if there is none, since it is about HTTP/1.1's own syntax and framing."""
    head = _HEAD.match(request)
    if head is None:
        return None
    method, target, section = head.groups()
    fields: list[tuple[bytes, bytes]] = []
    hosts = []
    for line in section.split(b"\r\n")[:-1]:
        field = _LINE.fullmatch(line)
        if field is None or field[1].lower() in _OF_HTTP_1:
            return None
        if field[1].lower() == b"host":
            hosts.append(field[2])
        else:
            fields.append((field[1].lower(), field[2]))
    lengths = [value for name, value in fields if name == b"content-length"]
    content = request[head.end() :]
    if len(hosts) != 1 or not hosts[0] or method == b"CONNECT" or target[:1] not in (b"/", b"*"):
        return None
    if lengths != [b"%d" % len(content)] if content else lengths:
        return None
    pseudo = [(b":method", method), (b":scheme", b"http"), (b":authority", hosts[0]), (b":path", target)]
    return HTTP2Request([*pseudo, *fields], content or None)


def rows_with_a_meaning() -> list[tuple[Row, list[HTTP2Request]]]:
    """The rows whose requests all can be sent by HTTP/2, with those."""
    found = []
    for row in ROWS:
        requests = [as_http2(request) for request in row.requests]
        if row.id in NOT_IN_HTTP2 or len(row.requests) != len(row.responses):
            continue
        if all(request is not None for request in requests):
            found.append((row, [request for request in requests if request is not None]))
    return found
