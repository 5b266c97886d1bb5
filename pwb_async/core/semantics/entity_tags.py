"""Entity tags (RFC 9110 8.8.3), and how they are compared. What the tag of a file is made of: etag.py."""

import re
from typing import Final, NamedTuple

from .grammar import ENTITY_TAG

_MEMBER: Final = re.compile(rb"[ \t,]*" + ENTITY_TAG.pattern + rb"[ \t]*(?=,|\Z)")


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


def parse_tags(value: bytes) -> list[EntityTag]:
    """The list of If-Match and If-None-Match; what stands behind a member that is no entity tag is not read."""
    tags: list[EntityTag] = []
    at = 0
    while match := _MEMBER.match(value, at):
        tags.append(EntityTag(match[2], match[1] is not None))
        at = match.end()
    return tags
