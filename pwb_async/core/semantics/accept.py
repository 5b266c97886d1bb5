"""Accept: which media types a client prefers (RFC 9110 12.5.1)."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from .fields import Fields

HTML: Final = b"text/html"
"""The media type of a page."""
_JSON: Final = b"application/json"
_PROBLEM: Final = b"application/problem+json"
_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9a-z-]+"
_MEMBER: Final = re.compile(rb"(" + _TOKEN + rb"/" + _TOKEN + rb")[ \t]*((?:;.*)?)", re.DOTALL)
_WEIGHT: Final = re.compile(rb"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
_CACHED: Final = 256
"""Values of Accept whose meaning is kept; browsers send a handful of them."""


class Accepted(NamedTuple):
    """What a value of Accept means."""

    weights: dict[bytes, float]
    """The weight of each media range, such as text/html, text/* or */*, without its parameters."""
    prefers_json: bool
    """Whether JSON is more welcome than HTML. If they are equally welcome, the one that is named is."""

    def names(self, media: bytes) -> bool:
        """Whether a media type is accepted by name."""
        return self.weights.get(media, 0.0) > 0


def accepted(fields: Fields) -> Accepted:
    """What a request accepts; nothing is named where the field is absent. A malformed member is ignored."""
    return _parse(fields.get(b"accept") or b"*/*")


@lru_cache(_CACHED)
def _parse(value: bytes) -> Accepted:
    weights: dict[bytes, float] = {}
    for item in value.lower().split(b","):
        if member := _MEMBER.fullmatch(item.strip(b" \t")):
            parameters = [parameter.strip(b" \t") for parameter in member[2].split(b";")]
            weight = next((each[2:] for each in parameters if each.startswith(b"q=")), b"1")
            if _WEIGHT.fullmatch(weight):
                weights[member[1]] = max(float(weight), weights.get(member[1], 0.0))
    json, html = max(_weight(weights, _JSON), weights.get(_PROBLEM, 0.0)), _weight(weights, HTML)
    is_named = any(weights.get(media, 0.0) > 0 for media in (_JSON, _PROBLEM))
    return Accepted(weights, json > html or (json == html and is_named and HTML not in weights))


def _weight(weights: dict[bytes, float], media: bytes) -> float:
    """The weight of a media type, by the range that is the most specific for it; 0 if it is not accepted."""
    for media_range in (media, media.partition(b"/")[0] + b"/*", b"*/*"):
        if media_range in weights:
            return weights[media_range]
    return 0.0
