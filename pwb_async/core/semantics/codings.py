"""Content codings: which of them a client accepts (RFC 9110 12.5.3), and which one a response gets."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from .fields import Fields

CODINGS: Final = (b"br", b"zstd", b"gzip")
"""The codings that PWB sends (RFC 7932, 8878, 1952), the one that is usually the smallest first."""

_ALIASES: Final = {b"x-gzip": b"gzip"}
"""Other names of codings (RFC 9110 8.4.1.3)."""
_MEMBER: Final = re.compile(
    rb"""([!#$%&'*+.^_`|~0-9a-z-]+) (?: [ \t]*;[ \t]* q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?) )?""", re.VERBOSE
)
_CACHED: Final = 256
"""Values of Accept-Encoding whose meaning is kept; browsers send a handful of them."""


class Acceptable(NamedTuple):
    """The codings that a client accepts. Equal values lead to equal responses."""

    preferences: tuple[tuple[bytes, ...], ...] = ()
    """Codings that are no less welcome than the content as it is: groups of equal weight, the highest first."""
    identity: bool = True
    """Whether it accepts the content as it is, without a coding."""

    @property
    def codings(self) -> tuple[bytes, ...]:
        """All codings of `preferences`."""
        return tuple(coding for group in self.preferences for coding in group)

    @property
    def key(self) -> bytes:
        """The value as bytes: b"" for a client that accepts no coding."""
        groups = b";".join(b",".join(group) for group in self.preferences)
        return groups if self.identity or not groups else groups + b"!"

    def best(self, sizes: Mapping[bytes, int], identity_size: int) -> bytes:
        """The coding to send: of those with the highest weight the smallest, in bytes; b"" for none.

        What is not smaller than the content as it is, is only sent to clients that do not accept that.
        """
        for group in self.preferences:
            size, coding = min(((sizes[coding], coding) for coding in group if coding in sizes), default=(0, b""))
            if coding and (size < identity_size or not self.identity):
                return coding
        return b""


NO_CODING: Final = Acceptable()
"""What a client without Accept-Encoding accepts, as far as PWB is concerned: the content as it is."""


def acceptable(fields: Fields) -> Acceptable:
    """The codings that a request accepts.

    A malformed member is ignored. A client that excludes everything is treated as one without the field, as RFC 9110
    12.4.1 allows: content that it may not like is of more use to it than 406.
    """
    value = fields.get(b"accept-encoding")
    return NO_CODING if value is None else _parse(value)


@lru_cache(_CACHED)
def _parse(value: bytes) -> Acceptable:
    weights: dict[bytes, float] = {}
    for item in value.lower().split(b","):
        if member := _MEMBER.fullmatch(item.strip(b" \t")):
            coding = _ALIASES.get(member[1], member[1])
            weight = float(member[2] or 1)
            weights[coding] = max(weight, weights.get(coding, 0.0))
    any_other = weights.get(b"*", 0.0)
    identity = weights.get(b"identity", weights.get(b"*"))
    groups: dict[float, list[bytes]] = {}
    for coding in CODINGS:
        weight = weights.get(coding, any_other)
        if weight > 0 and weight >= (identity or 0):
            groups.setdefault(weight, []).append(coding)
    preferences = tuple(tuple(groups[weight]) for weight in sorted(groups, reverse=True))
    return Acceptable(preferences, identity != 0) if preferences else NO_CODING
