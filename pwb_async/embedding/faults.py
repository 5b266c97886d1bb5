"""Faults that are injected into responses, for tests of clients."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from os import fsdecode
from typing import Final

from pwb_async.core.semantics.grammar import TOKEN
from pwb_async.core.semantics.messages import FieldList, Request, Response
from pwb_async.core.site.error_pages import content_response
from pwb_async.core.site.header_rules import change_field

_PLAIN: Final[FieldList] = ((b"Content-Type", b"text/plain; charset=utf-8"),)
_WITHOUT_CONTENT: Final = (204, 304)
"""Status codes of responses that end with their fields (RFC 9112 6.3)."""
_VALUE: Final = re.compile(r"[\t -~\x80-\xff]*")
"""The characters of a field's value (RFC 9110 5.5)."""
_FRAMING: Final = ("connection", "content-length", "transfer-encoding")
"""Fields that describe the message, which are made with it."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """What becomes of the responses to some requests. Several of these things can be combined."""

    path: str = "*"
    """The glob that the decoded paths of the requests match, such as /data/*.json."""
    delay: float = 0.0
    """Seconds after which the response begins."""
    status: int | None = None
    """The status code of a response in place of the site's; None for that of the site."""
    fields: dict[str, str] = field(default_factory=dict)
    """Further fields of that response, such as {"Retry-After": "1"}, or others in place of its own."""
    content: str | bytes | None = None
    """The content of that response; None for a short text."""
    truncate: int | None = None
    """Bytes of content after which the connection ends, although the response promises more; None for no such end."""
    reset: bool = False
    """Whether the connection is reset: after `truncate` bytes of content, else before the response begins."""
    times: int | None = None
    """How many more requests it concerns; None for any number."""
    hits: int = 0
    """How many requests it has concerned."""

    def __post_init__(self) -> None:
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError(f"status {self.status} is not one of a whole response, from 200 to 599")
        for name in ("delay", "truncate", "times"):
            if (getattr(self, name) or 0) < 0:
                raise ValueError(f"{name} is less than 0")
        if (self.fields or self.content is not None) and self.status is None:
            raise ValueError("fields and content are those of a response with a status of its own")
        if not (self.delay or self.cuts or self.status is not None):
            raise ValueError("a fault that changes nothing: give it a delay, a status, truncate or reset")
        if not self.path.startswith(("/", "*", "?", "[")):
            raise ValueError(
                f"path {self.path!r} matches no request, since paths begin with /: use {'/' + self.path!r}"
            )
        for name, value in self.fields.items():
            _check_field(name, value)

    @property
    def cuts(self) -> bool:
        """Whether the response ends before its end."""
        return self.reset or self.truncate is not None

    def concerns(self, path: str) -> bool:
        """Whether the next request for this path gets the fault."""
        return self.times != 0 and fnmatchcase(path, self.path)

    def count(self) -> None:
        """Count a request that gets the fault."""
        self.hits += 1
        if self.times is not None:
            self.times -= 1

    def response(self, request: Request, status: int) -> Response:
        """The response with the status of the fault."""
        content = f"injected: {status}\n" if self.content is None else self.content
        page = content.encode() if isinstance(content, str) else content
        empty = status in _WITHOUT_CONTENT
        response = Response(status, ()) if empty else content_response(status, request.method, _PLAIN, page, ())
        fields = response.fields
        for name, value in self.fields.items():
            fields = change_field(fields, name.encode(), name.lower().encode(), value.encode("latin-1"))
        return replace(response, fields=fields)


def _check_field(name: str, value: str) -> None:
    if not TOKEN.fullmatch(name.encode()):
        raise ValueError(f"{name!r} is not the name of a field")
    if name.lower() in _FRAMING:
        raise ValueError(f"{name} describes the message, and is made with it")
    if not _VALUE.fullmatch(value):
        raise ValueError(f"{value!r} is not the value of a field")


def take_fault(faults: Iterable[Fault], request: Request) -> Fault | None:
    """Count and return the first of the faults that concerns a request; None if there is none."""
    path = path_of(request)
    fault = next((fault for fault in tuple(faults) if fault.concerns(path)), None)
    if fault is not None:
        fault.count()
    return fault


def path_of(request: Request) -> str:
    """The decoded path of a request. Bytes that are not UTF-8 are surrogates, as in os.fsdecode()."""
    target = request.target
    if target.asterisk:
        return "*"
    path = "/" + "/".join(map(fsdecode, target.segments))
    return path + "/" if target.trailing_slash and target.segments else path
