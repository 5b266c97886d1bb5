"""A behaviour as data: what is sent, and what must come back."""

import re
from types import EllipsisType
from typing import NamedTuple

from tests.conformance.wire import Response, get

__all__ = ["Expected", "Row", "expect", "get", "head", "row"]

ExpectedField = str | re.Pattern[str] | EllipsisType | None


class Expected(NamedTuple):
    """One answer. content: None if it does not matter. fields: a value, a pattern for it, ... for any value, None
    for a field that must not be there."""

    status: int
    content: bytes | None
    fields: dict[str, ExpectedField]

    def check(self, response: Response, keeps_alive: bool = True) -> None:
        assert response.status == self.status, response.wire[:300]
        for name, expected in self.fields.items():
            if name == "connection" and not keeps_alive:
                expected = "close"
            value = response[name]
            if isinstance(expected, re.Pattern):
                assert expected.fullmatch(value or ""), (name, value)
            elif isinstance(expected, EllipsisType):
                assert value is not None, name
            else:
                assert value == expected, name
        if self.content is not None:
            assert response.content == self.content


class Row(NamedTuple):
    """id: an RFC section or a hazard, and a few words. answers: fewer than requests if the connection ends.

    ends: the last answer is the connection's last one, whichever design answers.
    """

    id: str
    requests: tuple[bytes, ...]
    responses: tuple[Expected, ...]
    ends: bool


def row(name: str, requests: bytes | tuple[bytes, ...], *responses: Expected, ends: bool = False) -> Row:
    return Row(name, (requests,) if isinstance(requests, bytes) else requests, responses, ends)


def expect(status: int, content: bytes | None = None, /, **fields: ExpectedField) -> Expected:
    """`content_type=...` is the field Content-Type."""
    return Expected(status, content, {name.replace("_", "-"): value for name, value in fields.items()})


def head(target: str = "/a.txt", *fields: str) -> bytes:
    return get(target, *fields, method="HEAD")
