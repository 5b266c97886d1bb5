"""Responses, parsed strictly: any form that PWB does not send fails here, in whichever test it occurs."""

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from pwb_legacy.compare.checks.rows import get, method_of

__all__ = ["Response", "content_length", "get", "method_of", "parse_head", "parse_responses"]

_STATUS_LINE: Final = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([A-Za-z ]+)")
_FIELD_LINE: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ([\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)")
_CONNECTION: Final = re.compile(rb"(?<=\r\n)Connection: (?:close|keep-alive)\r\n")
_DATE: Final = re.compile(rb"(?<=\r\nDate: )[^\r]*")


@dataclass(frozen=True, slots=True)
class Response:
    """A response as it was received. fields: with names in lower case, in their order. wire: all its bytes."""

    status: int
    reason: str
    fields: tuple[tuple[str, str], ...]
    content: bytes
    wire: bytes

    def __getitem__(self, name: str) -> str | None:
        """The value of a field, None if it is absent."""
        return dict(self.fields).get(name.lower())

    @property
    def without_date(self) -> bytes:
        """The whole response but for the value of its Date: all designs must send the same."""
        return _DATE.sub(b"*", self.wire, count=1)

    @property
    def without_date_and_connection(self) -> bytes:
        """`without_date` less the field Connection: a design that keeps no connection alive must send the same, too."""
        return _CONNECTION.sub(b"", self.without_date, count=1)

    @property
    def date(self) -> float:
        assert self["Date"] is not None
        return parsedate_to_datetime(self["Date"]).timestamp()


def parse_head(head: bytes) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    """Status, reason phrase and fields of a head, given without its empty line."""
    first, *lines = head.split(b"\r\n")
    status_line = _STATUS_LINE.fullmatch(first)
    assert status_line, f"no status line: {first[:100]!r}"
    fields = []
    for line in lines:
        field = _FIELD_LINE.fullmatch(line)
        assert field, f"no field line: {line[:100]!r}"
        fields.append((field[1].decode().lower(), field[2].decode()))
    names = [name for name, _ in fields]
    assert len(names) == len(set(names)), f"a field is repeated: {names}"
    return int(status_line[1]), status_line[2].decode(), tuple(fields)


def content_length(status: int, fields: tuple[tuple[str, str], ...], method: str) -> int:
    """The number of bytes of content that follow the head (RFC 9112 6.3)."""
    if method == "HEAD" or status in (204, 304):
        return 0
    return int(dict(fields)["content-length"])


def parse_responses(stream: bytes) -> list[Response]:
    """All responses in a stream that has ended. A response to HEAD is recognised by what follows its head."""
    responses = []
    at = 0
    while at < len(stream):
        end = stream.find(b"\r\n\r\n", at)
        assert end >= 0, f"the stream ends in the middle of a head: {stream[at : at + 200]!r}"
        status, reason, fields = parse_head(stream[at:end])
        start = end + 4
        bare = not stream[start:] or stream.startswith(b"HTTP/1.1 ", start)
        length = 0 if bare else content_length(status, fields, "GET")
        assert start + length <= len(stream), f"content of {length} bytes is cut off"
        responses.append(Response(status, reason, fields, stream[start : start + length], stream[at : start + length]))
        at = start + length
    return responses
