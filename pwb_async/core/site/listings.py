"""Listings of directories without an index: when there is one, and what of a request decides which one.

The storage makes it, as content (pwb_async/listing). It is HTML or JSON, as Accept or the query demands.
"""

from dataclasses import dataclass, replace
from typing import Final

from pwb_async.core.semantics.accept import accepted
from pwb_async.core.semantics.messages import FieldList, Request
from pwb_async.core.semantics.target import Target

from .cache_policy import NO_CACHE
from .listing_query import ListingQuery, parse_listing_query
from .lookup import Lookup

LISTING_MEDIA: Final[FieldList] = ((b"Content-Type", b"text/html; charset=utf-8"),)
"""The media type of a listing, before it is known whether it is JSON; both may be compressed."""


@dataclass(frozen=True, slots=True)
class Browsing:
    """How a site lists directories."""

    zip_downloads: bool = False
    """Whether a directory can be downloaded as a ZIP archive."""

    def apply(self, lookup: Lookup) -> Lookup:
        """A lookup that asks for the listing if it finds a directory without an index."""
        query = self._query(lookup.request)
        return (
            lookup
            if query is None
            else replace(lookup, listing=query, cacheable=lookup.cacheable and not query.archive)
        )

    def _query(self, request: Request) -> ListingQuery | None:
        if not request.target.trailing_slash:  # then a directory is redirected
            return None
        found = parse_listing_query(request.target.query)
        found.setdefault("json", accepted(request.fields).prefers_json)
        return ListingQuery(**{**found, "archive": self.zip_downloads and "archive" in found})


def listing_key(target: Target) -> bytes:
    """The TargetKey of sites with listings: the key of the path, and what the query means for a listing."""
    if not target.trailing_slash or target.query is None or not target.cache_key:
        return target.cache_key
    found = parse_listing_query(target.query)
    parts = [f"{name}={found[name]}".encode() for name in sorted(found)]
    # No path holds a NUL, so the key of a path never begins with one.
    return b"\0%s\0%s" % (b"&".join(parts), target.cache_key) if parts else target.cache_key


def listing_caching(vary: FieldList) -> FieldList:
    """What caches need of a listing, which is always revalidated. vary: the field Vary of a file of its media type."""
    return (NO_CACHE, (b"Vary", b", ".join([b"Accept", *(value for _, value in vary)])))
