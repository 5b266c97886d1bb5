"""Entity tags (RFC 9110 8.8.3): made from what the disk says of a file, and compared with what a client remembers."""

import re
from typing import Final, NamedTuple

from .grammar import ENTITY_TAG

_MEMBER: Final = re.compile(rb"[ \t,]*" + ENTITY_TAG.pattern + rb"[ \t]*(?=,|\Z)")
_SECOND: Final = 1_000_000_000
STILL_WARM: Final = 2 * _SECOND
"""Nanoseconds after a change in which the next one could carry the same time."""


class EntityTag(NamedTuple):
    """opaque: between the quotes. weak: equal in meaning only, not byte by byte."""

    opaque: bytes
    weak: bool

    def __bytes__(self) -> bytes:
        return (b'W/"%s"' if self.weak else b'"%s"') % self.opaque

    def strongly_matches(self, other: "EntityTag") -> bool:
        return self.opaque == other.opaque and not self.weak and not other.weak

    def weakly_matches(self, other: "EntityTag") -> bool:
        return self.opaque == other.opaque


def tag_of_file(size: int, mtime_ns: int, seen_ns: int) -> EntityTag | None:
    """Weak while the file is so new that it may change again unseen, None where its time says nothing (hazard D7).

    size in bytes; mtime_ns, seen_ns: nanoseconds since the epoch, last change and the moment of looking.
    """
    if mtime_ns <= _SECOND:
        return None
    return EntityTag(b"%x-%x" % (mtime_ns, size), seen_ns - mtime_ns < STILL_WARM)


def parse_tags(value: bytes) -> list[EntityTag]:
    """The list of If-Match and If-None-Match; what stands behind a member that is no entity tag is not read."""
    tags: list[EntityTag] = []
    at = 0
    while match := _MEMBER.match(value, at):
        tags.append(EntityTag(match[2], match[1] is not None))
        at = match.end()
    return tags
