"""Faults that are injected into responses, for tests of clients."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from os import fsdecode
from typing import Final

from pwb_async.core.semantics.messages import FieldList, Request, Response
from pwb_async.core.site.error_pages import content_response

_PLAIN: Final[FieldList] = ((b"Content-Type", b"text/plain; charset=utf-8"),)
_WITHOUT_CONTENT: Final = (204, 304)
"""Status codes of responses that end with their fields (RFC 9112 6.3)."""


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
    """Further fields of that response, such as {"Retry-After": "1"}."""
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
        if self.fields and self.status is None:
            raise ValueError("fields are those of a response with a status of its own")

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
        fields = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in self.fields.items())
        if status in _WITHOUT_CONTENT:
            return Response(status, fields)
        return content_response(status, request.method, _PLAIN, b"injected: %d\n" % status, fields)


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
