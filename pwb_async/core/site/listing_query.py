"""The query of a directory listing: how it is sorted, which page of it, and in which form.

A value that means nothing has no effect, as links with all kinds of queries are in the wild.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

SORTS: Final = ("name", "size", "time")
"""What entries can be sorted by."""
PAGE_SIZE: Final = 1000
"""Entries on a page."""
MAX_ENTRIES: Final = 100_000
"""Entries of a directory that are listed; the others are left out, and the listing states that."""
MAX_PAGES: Final = MAX_ENTRIES // PAGE_SIZE
"""The highest number of a page."""


@dataclass(frozen=True, slots=True)
class ListingQuery:
    """What of a directory is asked for."""

    sort: str = "name"
    """One of SORTS. Directories stand before files, whatever the order."""
    descending: bool = False
    page: int = 1
    """The number of the page, from 1 to MAX_PAGES; one beyond the last is the last."""
    json: bool = False
    """Whether the listing is JSON, not an HTML page."""
    archive: bool = False
    """Whether a ZIP archive of the directory is asked for instead of a listing."""

    def link(self, **changes: Any) -> str:
        """A relative reference to the HTML page of this listing with some attributes changed."""
        query = replace(self, **changes)
        parts = []
        if query.sort != "name" or query.descending:
            parts += [f"sort={query.sort}", f"order={'desc' if query.descending else 'asc'}"]
        if query.page > 1:
            parts.append(f"page={query.page}")
        return "?" + "&".join(parts) if parts else "./"


def parse_listing_query(query: bytes | None) -> dict[str, Any]:
    """The attributes of a ListingQuery that a query sets; of several values for one name, the first that fits."""
    found: dict[str, Any] = {}
    for pair in (query or b"").split(b"&"):
        name, _, value = pair.partition(b"=")
        for attribute, parsed in _parse(name, value.decode("latin-1")).items():
            found.setdefault(attribute, parsed)
    return found


def _parse(name: bytes, value: str) -> dict[str, Any]:
    if name == b"sort" and value in SORTS:
        return {"sort": value}
    if name == b"order" and value in ("asc", "desc"):
        return {"descending": value == "desc"}
    if name == b"page" and value.isascii() and value.isdigit():
        return {"page": min(max(int(value[-9:]), 1), MAX_PAGES)}
    if name == b"format" and value in ("html", "json"):
        return {"json": value == "json"}
    if name == b"download" and value == "zip":
        return {"archive": True}
    return {}
