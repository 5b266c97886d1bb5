"""Cross-origin resource sharing: which scripts of other origins may read responses (Fetch Standard, 3.3).

Credentials are never allowed, and the origin "null" is never matched. Where single origins are named, every response
holds `Vary: Origin`, whether or not the origin of its request is one of them, since it depends on that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pwb_async.core.semantics.fields import Fields
from pwb_async.core.semantics.grammar import TOKEN
from pwb_async.core.semantics.messages import FieldList, Request

ANY: Final = b"*"
"""The origin that stands for all."""
_EXPOSED: Final = (
    b"Access-Control-Expose-Headers",
    b"Accept-Ranges, Content-Encoding, Content-Length, Content-Range, ETag, Last-Modified",
)
_METHODS: Final = (b"Access-Control-Allow-Methods", b"GET, HEAD")
_DEFAULT_HEADERS: Final = b"Range, If-Range, If-None-Match, If-Modified-Since, Content-Type"
_MAX_AGE: Final = (b"Access-Control-Max-Age", b"86400")


@dataclass(frozen=True, slots=True)
class OriginVariant:
    """The Variant of a site that allows some origins: the one of the request, if it is allowed."""

    origins: frozenset[bytes]

    def __call__(self, fields: Fields) -> bytes:
        """The origin that a response to these fields names; b"" for none."""
        origin = fields.get(b"origin")
        return origin if origin is not None and origin in self.origins else b""


class Cors:
    """The origins whose scripts may read responses.

    Args:
        origins: Origins as browsers send them, such as b"https://a.example"; ANY for all.
    """

    variant: OriginVariant | None
    """The function of the field section on which responses depend; None if they are the same for every origin."""

    def __init__(self, origins: Iterable[bytes]) -> None:
        named = frozenset(origins)
        self.variant = None if ANY in named else OriginVariant(named)

    def fields(self, fields: Fields | None) -> FieldList:
        """What is added to the response to any request; `fields` are those of the request, if it has some."""
        if self.variant is None:
            return ((b"Access-Control-Allow-Origin", ANY), _EXPOSED)
        origin = self.variant(fields) if fields is not None else b""
        return ((b"Access-Control-Allow-Origin", origin), _EXPOSED) if origin else ()

    def preflight(self, request: Request) -> FieldList:
        """What is added to the response to a preflight besides fields(); () if the origin is not allowed."""
        if not is_preflight(request) or not self.fields(request.fields):
            return ()
        asked = request.fields.get(b"access-control-request-headers") or b""
        names = [name.strip(b" \t") for name in asked.split(b",")]
        allowed = asked if all(map(TOKEN.fullmatch, names)) else _DEFAULT_HEADERS
        return (_METHODS, (b"Access-Control-Allow-Headers", allowed), _MAX_AGE)


def is_preflight(request: Request) -> bool:
    """Whether a browser asks if it may send a request. It does so without credentials."""
    fields = request.fields
    return (
        request.method == b"OPTIONS"
        and fields.get(b"origin") is not None
        and fields.get(b"access-control-request-method") is not None
    )
