"""The field Repr-Digest: a digest of the whole representation, for a client that asks for it (RFC 9530 3, 4).

It is sent with 200 and 206, where it lets a client check what it has put together of several ranges. Only what is in
memory and not long has one: to read or to digest more for it would hold up other responses.
"""

import re
from binascii import b2a_base64
from typing import Final

from pwb_async.core.semantics.messages import FieldList

LONGEST: Final = 112 * 1024
"""Bytes of content that has a digest; it takes 0.1 ms at most."""
_ALGORITHMS: Final = {b"sha-256": "sha256", b"sha-512": "sha512"}
"""The active algorithms of the IANA registry, with their names in hashlib, the preferred one first."""
_MEMBER: Final = re.compile(rb"[ \t]*([a-z*][a-z0-9_\-.*]*)=(-?[0-9]{1,15})[ \t]*")
"""A member of a Dictionary whose value is an Integer (RFC 9651 3.2), without parameters."""


def repr_digest(wanted: bytes, content: bytes) -> FieldList:
    """Repr-Digest of this content with the algorithm that a value of Want-Repr-Digest prefers; none if it has none, or
    if the content is too long.

    A value that is not valid is ignored as a whole (RFC 9651 4.2), as is one in which no preference is from 1 to 10.
    """
    if len(content) > LONGEST:
        return ()
    preferences: dict[bytes, int] = {}
    for member in wanted.split(b","):
        match = _MEMBER.fullmatch(member)
        if match is None:
            return ()
        preference = int(match[2])
        preferences[match[1]] = preference if preference <= 10 else 0
    name = max(_ALGORITHMS, key=lambda each: preferences.get(each, 0))
    if preferences.get(name, 0) < 1:
        return ()
    import hashlib  # imported here, because few clients ask

    digest = hashlib.new(_ALGORITHMS[name], content, usedforsecurity=False).digest()
    return ((b"Repr-Digest", b"%s=:%s:" % (name, b2a_base64(digest, newline=False))),)
