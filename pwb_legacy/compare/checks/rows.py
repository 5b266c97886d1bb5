"""A behaviour as data: the requests of a client on one connection, and the responses that must come back.

The test suite of this repository is a table of such rows, and checks each of them exactly. The rows of
essential_rows.py hold for any server of the book; judge.py decides whether a server keeps them.
"""

import re
from collections.abc import Mapping
from types import EllipsisType
from typing import NamedTuple

from .findings import Finding

ExpectedField = str | re.Pattern[str] | EllipsisType | None


class Expected(NamedTuple):
    """The response to one request."""

    status: int
    content: bytes | None
    """None: any."""
    fields: Mapping[str, ExpectedField]
    """By name in lower case: a value, a pattern for it, `...` for any value, None for a field that must be absent."""
    also: tuple[int, ...] = ()
    """Other statuses by which a correct server may refuse the request, with fields and content of its own."""

    def mismatches(self, status: int, fields: Mapping[str, str], content: bytes) -> list[Finding]:
        """The differences between a response and what is expected."""
        if status in self.also:
            return []
        found = [] if status == self.status else [Finding("status", status, (self.status, *self.also))]
        for name, expected in self.fields.items():
            if not _matches(expected, fields.get(name)):
                found.append(_difference(name, fields.get(name), expected))
        if self.content is not None and content != self.content:
            found.append(Finding("content", content, self.content))
        return found


class Row(NamedTuple):
    """A behaviour of a server."""

    id: str
    """The section of an RFC or a code of docs/hazards.md, if one of them decides, and a few words."""
    requests: tuple[bytes, ...]
    responses: tuple[Expected, ...]
    """Fewer than the requests where the connection must end before all are answered."""
    ends: bool
    """Whether the last of these responses is the connection's last, in every design."""


def row(name: str, requests: bytes | tuple[bytes, ...], *responses: Expected, ends: bool = False) -> Row:
    """A row of one or several requests."""
    return Row(name, (requests,) if isinstance(requests, bytes) else requests, responses, ends)


def expect(
    status: int, content: bytes | None = None, /, *, also: tuple[int, ...] = (), **fields: ExpectedField
) -> Expected:
    """An expected response; the keyword argument `content_type` is the field Content-Type."""
    return Expected(status, content, {name.replace("_", "-"): value for name, value in fields.items()}, also)


def get(target: str = "/a.txt", *fields: str, method: str = "GET", version: str = "HTTP/1.1") -> bytes:
    """A request with a Host field, as bytes; each character of the arguments is one byte."""
    lines = [f"{method} {target} {version}", "Host: h", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def head(target: str = "/a.txt", *fields: str) -> bytes:
    """A HEAD request with a Host field, as bytes."""
    return get(target, *fields, method="HEAD")


def method_of(request: bytes) -> str:
    """The method of a request; empty lines may stand before it (RFC 9112 2.2)."""
    return request.lstrip(b"\r\n").partition(b" ")[0].decode("latin-1")


def _matches(expected: ExpectedField, value: str | None) -> bool:
    if isinstance(expected, re.Pattern):
        return expected.fullmatch(value or "") is not None
    return value is not None if isinstance(expected, EllipsisType) else value == expected


def _difference(name: str, value: str | None, expected: ExpectedField) -> Finding:
    if expected is None:
        return Finding("field-present", value, name=name)
    if value is None:
        return Finding("field-absent", name=name)
    return Finding("field", value, expected.pattern if isinstance(expected, re.Pattern) else expected, name)
