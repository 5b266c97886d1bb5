"""Entity tags (RFC 9110 8.8.3): made from what the disk says of a file, and compared with what a client remembers."""

import re
from typing import Final, NamedTuple

from .grammar import ENTITY_TAG

_SEPARATOR: Final = re.compile(rb"[ \t]*(?:,[ \t]*)*")
_SECOND: Final = 1_000_000_000
_STILL_WARM: Final = 2 * _SECOND


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
    return EntityTag(b"%x-%x" % (mtime_ns, size), seen_ns - mtime_ns < _STILL_WARM)


def parse_tags(value: bytes) -> list[EntityTag]:
    """The list of If-Match and If-None-Match; what stands behind a member that is no entity tag is not read."""
    tags: list[EntityTag] = []
    at = _end(value, 0)
    while match := ENTITY_TAG.match(value, at):
        tags.append(EntityTag(match[2], match[1] is not None))
        at = _end(value, match.end())
        if b"," not in value[match.end() : at]:
            break
    return tags


def _end(value: bytes, at: int) -> int:
    match = _SEPARATOR.match(value, at)
    return match.end() if match else at
