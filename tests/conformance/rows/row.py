"""A behaviour as data: what is sent, and what must come back."""

import re
from types import EllipsisType
from typing import NamedTuple

from tests.conformance.wire import Answer, get

__all__ = ["Row", "Says", "get", "head", "row", "says"]

Expected = str | re.Pattern[str] | EllipsisType | None


class Says(NamedTuple):
    """One answer. content: None if it does not matter. fields: a value, a pattern for it, ... for any value, None
    for a field that must not be there."""

    status: int
    content: bytes | None
    fields: dict[str, Expected]

    def check(self, answer: Answer, keeps_alive: bool = True) -> None:
        assert answer.status == self.status, answer.wire[:300]
        for name, expected in self.fields.items():
            if name == "connection" and not keeps_alive:
                expected = "close"
            value = answer[name]
            if isinstance(expected, re.Pattern):
                assert expected.fullmatch(value or ""), (name, value)
            elif isinstance(expected, EllipsisType):
                assert value is not None, name
            else:
                assert value == expected, name
        if self.content is not None:
            assert answer.content == self.content


class Row(NamedTuple):
    """id: an RFC section or a hazard, and a few words. answers: fewer than requests if the connection ends.

    ends: the last answer is the connection's last one, whichever design answers.
    """

    id: str
    requests: tuple[bytes, ...]
    answers: tuple[Says, ...]
    ends: bool


def row(name: str, requests: bytes | tuple[bytes, ...], *answers: Says, ends: bool = False) -> Row:
    return Row(name, (requests,) if isinstance(requests, bytes) else requests, answers, ends)


def says(status: int, content: bytes | None = None, /, **fields: Expected) -> Says:
    """`content_type=...` is the field Content-Type."""
    return Says(status, content, {name.replace("_", "-"): value for name, value in fields.items()})


def head(target: str = "/a.txt", *fields: str) -> bytes:
    return get(target, *fields, method="HEAD")
