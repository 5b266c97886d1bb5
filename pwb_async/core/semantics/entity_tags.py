"""Entity tags and their comparison (RFC 9110 8.8.3). The tag of a file is made in pwb_async/storage."""

import re
from typing import Final, NamedTuple

from .grammar import ENTITY_TAG

_MEMBER: Final = re.compile(rb"[ \t,]*" + ENTITY_TAG.pattern + rb"[ \t]*(?=,|\Z)")
"""A member of a list of entity tags, with the commas and white space around it."""


class EntityTag(NamedTuple):
    """An entity tag."""

    opaque: bytes
    """The text between the quotes."""
    weak: bool
    """Whether representations with this tag may differ in their bytes."""

    def __bytes__(self) -> bytes:
        """The tag as it is sent."""
        return (b'W/"%s"' if self.weak else b'"%s"') % self.opaque

    def strongly_matches(self, other: "EntityTag") -> bool:
        """The result of the strong comparison (RFC 9110 8.8.3.2)."""
        return self.opaque == other.opaque and not self.weak and not other.weak

    def weakly_matches(self, other: "EntityTag") -> bool:
        """The result of the weak comparison (RFC 9110 8.8.3.2)."""
        return self.opaque == other.opaque


def parse_tags(value: bytes) -> list[EntityTag]:
    """The entity tags in the value of If-Match or If-None-Match, up to the first member that is invalid."""
    tags: list[EntityTag] = []
    position = 0
    while match := _MEMBER.match(value, position):
        tags.append(EntityTag(match[2], match[1] is not None))
        position = match.end()
    return tags
