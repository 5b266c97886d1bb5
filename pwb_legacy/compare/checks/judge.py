"""Judges the bytes that a server has sent in response to a row.

The client sends the requests of the row on one connection, ends its side of it, and reads to the end. `judge` splits
those bytes into responses as RFC 9112 6.3 prescribes and compares them with the row. It accepts what the RFCs leave to
a server: HTTP/1.0, any reason phrase, interim responses, chunked content, closing after any response that says so.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from .essential_rows import CANARY
from .findings import Finding
from .rows import Row, method_of

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [^\r\n]*)?")
_FIELD_LINE: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n\0]*?)[ \t]*")
_CHUNK_LINE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[^\r\n]*)?\r\n")
_LENGTH: Final = re.compile("[0-9]{1,18}")
_WITHOUT_CONTENT: Final = frozenset({204, 304})


class FramingError(ValueError):
    """Bytes that are no HTTP/1.x response, or only a part of one."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding = finding


class Response(NamedTuple):
    """A response as any client reads it."""

    status: int
    fields: Mapping[str, str]
    """By name in lower case; the values of a repeated field are joined by commas (RFC 9110 5.2)."""
    content: bytes
    closes: bool
    """Whether the response itself shows that it is the connection's last (RFC 9112 6.3 and 9.3)."""


def judge(row: Row, stream: bytes) -> list[Finding]:
    """What is wrong with the bytes that a server sent in response to a row; empty if nothing is.

    A server may close the connection after any response that says so; the row's later responses are then not required.
    """
    found = [Finding("outside")] if CANARY in stream else []
    try:
        responses = parse_responses(stream, [method_of(request) for request in row.requests])
    except FramingError as error:
        return [*found, error.finding]
    count, expected = len(responses), len(row.responses)
    if count > expected:
        found.append(Finding("too-many", count, expected))
    elif count < expected and not (responses and responses[-1].closes):
        found.append(Finding("too-few", count, expected))
    for number, (response, wanted) in enumerate(zip(responses, row.responses, strict=False), 1):
        differences = wanted.mismatches(response.status, response.fields, response.content)
        found += [each._replace(response=number if expected > 1 else 0) for each in differences]
    return found


def parse_responses(stream: bytes, methods: list[str]) -> list[Response]:
    """The final responses in a stream that has ended. methods: of the requests; more responses count as GET's.

    Raises FramingError.
    """
    responses: list[Response] = []
    offset = 0
    while offset < len(stream):
        method = methods[len(responses)] if len(responses) < len(methods) else "GET"
        response, offset = _parse_response(stream, offset, method)
        if response.status >= 200:
            responses.append(response)
    return responses


def _parse_response(stream: bytes, offset: int, method: str) -> tuple[Response, int]:
    """The response at `offset`, and the offset of its end."""
    end = stream.find(b"\r\n\r\n", offset)
    if end < 0:
        raise FramingError(Finding("head-cut-off", stream[offset:]))
    first, *lines = stream[offset:end].split(b"\r\n")
    if not (status_line := _STATUS_LINE.fullmatch(first)):
        raise FramingError(Finding("status-line", first))
    fields = _parse_fields(lines)
    status = int(status_line[2])
    options = [option.strip() for option in fields.get("connection", "").lower().split(",")]
    closes = "close" in options or (status_line[1] == b"0" and "keep-alive" not in options)
    if method == "HEAD" or status < 200 or status in _WITHOUT_CONTENT:
        return Response(status, fields, b"", closes), end + 4
    content, end = _read_content(stream, end + 4, fields)
    to_the_end = not fields.keys() & {"content-length", "transfer-encoding"}
    return Response(status, fields, content, closes or to_the_end), end


def _parse_fields(lines: list[bytes]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in lines:
        if not (field := _FIELD_LINE.fullmatch(line)):
            raise FramingError(Finding("field-line", line))
        name, value = field[1].decode().lower(), field[2].decode("latin-1")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields


def _read_content(stream: bytes, start: int, fields: Mapping[str, str]) -> tuple[bytes, int]:
    """The content behind a head, and the offset of its end; without a length it reaches to the end of the stream."""
    if fields.get("transfer-encoding", "").lower() == "chunked":
        return _read_chunks(stream, start)
    length = fields.get("content-length")
    if length is None:
        return stream[start:], len(stream)
    if not _LENGTH.fullmatch(length):
        raise FramingError(Finding("length", length[:60]))
    end = start + int(length)
    if end > len(stream):
        raise FramingError(Finding("cut-off", len(stream) - start, int(length)))
    return stream[start:end], end


def _read_chunks(stream: bytes, offset: int) -> tuple[bytes, int]:
    """Chunked content (RFC 9112 7.1), and the offset of its end."""
    chunks: list[bytes] = []
    while line := _CHUNK_LINE.match(stream, offset):
        start = line.end()
        end = start + int(line[1], 16)
        if end == start:
            end = stream.find(b"\r\n\r\n", start - 2)
            if end >= 0:
                return b"".join(chunks), end + 4
            break
        chunks.append(stream[start:end])
        if not stream.startswith(b"\r\n", end):
            break
        offset = end + 2
    raise FramingError(Finding("chunks"))
