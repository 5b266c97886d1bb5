"""Cache-Control: for how long a cache may send a response again without asking the site (RFC 9111 5.2.2).

A response is revalidated each time (no-cache), unless its file has another name as soon as its content changes: then it
is kept for a year, and not revalidated even when a page is reloaded (RFC 8246). No error is ever kept.
"""

from typing import Final, TypeAlias

from pwb_async.core.semantics.messages import FieldList

from .fingerprints import is_fingerprinted

CacheField: TypeAlias = tuple[bytes, bytes]
"""A field Cache-Control, by name and value."""

NO_CACHE: Final[CacheField] = (b"Cache-Control", b"no-cache")
"""For a response that may be stored, but is revalidated before each use."""
NO_STORE: Final[CacheField] = (b"Cache-Control", b"no-store")
"""For a failure of the server, which is expected to pass (hazard G4)."""
IMMUTABLE: Final[CacheField] = (b"Cache-Control", b"max-age=31536000, immutable")
"""For a file that never changes under its name. It is not `public`, since that would let a shared cache keep responses
to requests with credentials (RFC 9111 3.5)."""


class CachePolicy:
    """The policy of a site.

    Args:
        max_age: Seconds for which a response may be used again; None for none. Names with a fingerprint have a year.
        immutable: Whether names with a build tool's fingerprint are treated as what they are.
    """

    default: CacheField
    """The field of every response that is neither an error nor a file with a fingerprint."""

    def __init__(self, max_age: int | None = None, *, immutable: bool = True) -> None:
        self.default = NO_CACHE if max_age is None else (b"Cache-Control", b"max-age=%d" % max_age)
        self._immutable = immutable

    def of_file(self, path: bytes, target: bytes) -> CacheField:
        """The field of a response that represents a file, or of its 304.

        path: the file's, beneath the root. target: the path of the request, without its first slash. Where they differ,
        as by a rewrite, the target may lead to another file at any time, whatever the name of this one is.
        """
        return IMMUTABLE if self._immutable and path == target and is_fingerprinted(path) else self.default


def of_error(status: int) -> CacheField:
    """The field of an error response. No cache may store a 429 (RFC 6585 4)."""
    return NO_STORE if status >= 500 or status == 429 else NO_CACHE


def keep_private(fields: FieldList) -> FieldList:
    """The fields of a response that no shared cache may keep (RFC 9111 5.2.2.7), whatever a rule has set."""
    others = tuple(field for field in fields if field[0].lower() != b"cache-control")
    directives = [
        directive.strip(b" \t")
        for name, value in fields
        if name.lower() == b"cache-control"
        for directive in value.split(b",")
    ]
    kept = [each for each in directives if not each.lower().startswith((b"public", b"s-maxage", b"private"))]
    if b"no-store" not in map(bytes.lower, kept):
        kept.insert(0, b"private")
    return (*others, (b"Cache-Control", b", ".join(kept)))
