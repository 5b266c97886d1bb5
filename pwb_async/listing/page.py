"""A listing as an HTML page, made by a template, and as JSON."""

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined, Template, TemplateError, TemplateSyntaxError

from pwb_async.core.semantics.messages import FieldList
from pwb_async.core.semantics.target import PATH_SAFE
from pwb_async.core.site.listing_query import MAX_ENTRIES, ListingQuery
from pwb_async.core.site.media_types import MediaTypes

from .directory import Entry, Page
from .pace import Pace
from .words import icon, machine_time, size_text

HTML: Final = b"text/html; charset=utf-8"
JSON: Final = b"application/json"
NO_INDEX: Final = ((b"X-Robots-Tag", b"noindex"),)
"""What keeps search engines from showing a listing."""
_SOURCE: Final = files(__package__).joinpath("listing.html").read_text("utf-8")
"""PWB's own template, read while the files of Python may still be read."""
_EMBEDDED: Final = re.compile(r"<(style|script)>(.*?)</\1>", re.DOTALL)


class Listing(NamedTuple):
    """A page of a directory, as a template gets it."""

    segments: tuple[bytes, ...]
    """The names in the path of the directory."""
    page: Page
    directories: int
    """Directories in it, on all pages."""
    files: int
    truncated: bool
    """Whether it has more than MAX_ENTRIES."""
    query: ListingQuery
    readme: str
    """README.md as safe HTML; "" for none."""
    home: int = 0
    """How many of the names lead to the outermost directory that is served (--prefix); above it there is nothing."""


class TemplateFailedError(Exception):
    """A template of the user's has raised an exception."""


class ListingPage:
    """The template of listings."""

    fields: FieldList
    """The fields of the HTML page beside its media type."""

    def __init__(self, types: MediaTypes, template: str | None = None, zip_downloads: bool = False) -> None:
        """template: the path of a template in place of PWB's own. Raises OSError, or TemplateError if it is none."""
        self._types, self._zip_downloads = types, zip_downloads
        self._is_own = template is None
        source = _SOURCE if template is None else Path(template).read_text("utf-8")
        environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
        self._template: Template = environment.from_string(source)
        # What a template of the user's embeds is not known, so it has no policy.
        policy = ((b"Content-Security-Policy", _policy(source)),) if template is None else ()
        self.fields = (*NO_INDEX, (b"Referrer-Policy", b"same-origin"), *policy)
        pace = Pace()
        example = Listing((b"a",), Page([Entry("b", False, 1, 0)], 1, 1), 0, 1, False, ListingQuery(), "")
        self._render(self._variables(example, pace), pace)

    def html(self, listing: Listing, pace: Pace) -> bytes:
        """The HTML page. Raises TemplateFailedError."""
        variables = self._variables(listing, pace)
        try:
            return self._render(variables, pace)
        except Exception as error:
            if self._is_own:
                raise
            raise TemplateFailedError(f"{type(error).__name__}: {error}") from error

    def _render(self, variables: dict[str, Any], pace: Pace) -> bytes:
        return "".join(_paced(self._template.generate(variables), pace)).encode(errors="replace")

    def _variables(self, listing: Listing, pace: Pace) -> dict[str, Any]:
        query, page = listing.query, listing.page
        below = listing.segments[listing.home :]
        sizes = sum(entry.size for entry in page.entries if not entry.is_directory)
        return {
            "path": _shown(b"/" + b"".join(segment + b"/" for segment in listing.segments)),
            "crumbs": [
                {"name": _shown(segment), "href": "../" * (len(below) - index - 1) or "./"}
                for index, segment in enumerate(below)
            ],
            "root": "../" * len(below) or "./",
            "entries": [self._row(entry) for entry in _paced(page.entries, pace)],
            "directories": listing.directories,
            "files": listing.files,
            "size": size_text(sizes) if page.pages == 1 else "",
            "truncated": MAX_ENTRIES if listing.truncated else 0,
            "page": page.number,
            "pages": page.pages,
            "page_links": [
                {"number": number, "href": query.link(page=number)} for number in _near(page.number, page.pages)
            ],
            "columns": [_column(query, name, title) for name, title in _COLUMNS],
            "zip": "?download=zip" if self._zip_downloads else "",
            "readme": listing.readme,
        }

    def _row(self, entry: Entry) -> dict[str, Any]:
        slash = "/" if entry.is_directory else ""
        time = machine_time(entry.mtime_ns) if entry.mtime_ns or not entry.is_directory else ""
        return {
            "name": _shown(os.fsencode(entry.name)) + slash,
            "href": reference(entry.name) + slash,
            "icon": "directory" if entry.is_directory else icon(self._types.fields(os.fsencode(entry.name))[0][1]),
            "is_directory": entry.is_directory,
            "bytes": entry.size,
            "size": "" if entry.is_directory else size_text(entry.size),
            "time": time,
            "time_text": time[:16].replace("T", " "),
        }


_COLUMNS: Final = (("name", "Name"), ("size", "Size"), ("time", "Modified"))


def to_json(listing: Listing, pace: Pace) -> bytes:
    """The listing as JSON. A name that is not UTF-8 has a "href" beside it, since it cannot be made from the name."""
    entries = ", ".join(
        [json.dumps(_json_entry(entry), ensure_ascii=False) for entry in _paced(listing.page.entries, pace)]
    )
    path = json.dumps(_shown(b"/" + b"".join(segment + b"/" for segment in listing.segments)), ensure_ascii=False)
    end = ', "truncated": true' if listing.truncated else ""
    page, pages = listing.page.number, listing.page.pages
    return f'{{"path": {path}, "entries": [{entries}], "page": {page}, "pages": {pages}{end}}}\n'.encode()


def _json_entry(entry: Entry) -> dict[str, Any]:
    name = os.fsencode(entry.name)
    found: dict[str, Any] = {"name": _shown(name), "type": "directory" if entry.is_directory else "file"}
    if not entry.is_directory:
        found |= {"size": entry.size, "modified": machine_time(entry.mtime_ns) or None}
    if found["name"].encode() != name:
        found["href"] = reference(entry.name) + ("/" if entry.is_directory else "")
    return found


def reference(name: str) -> str:
    """A relative reference to an entry (RFC 3986 4.2). A name with a colon would be read as a scheme."""
    quoted = quote(os.fsencode(name), PATH_SAFE)
    return f"./{quoted}" if ":" in quoted else quoted


def _shown(name: bytes) -> str:
    return name.decode(errors="replace")


def _column(query: ListingQuery, name: str, title: str) -> dict[str, str]:
    """The heading of a column: how it is sorted now, and a link that sorts by it, or turns the order round."""
    active = query.sort == name
    descending = not query.descending if active else name != "name"  # the largest and the newest first
    order = ("descending" if query.descending else "ascending") if active else ""
    return {"name": name, "title": title, "order": order, "href": query.link(sort=name, descending=descending, page=1)}


def _near(page: int, pages: int) -> list[int]:
    """The numbers of the pages to which a page has links: the first, the last, and those near it; [] if it is alone."""
    near = range(max(2, page - 2), min(pages, page + 3))
    return [1, *near, *([pages] if pages not in near else [])] if pages > 1 else []


def _policy(source: str) -> bytes:
    """A Content-Security-Policy that allows what the template embeds, images of this site, and nothing else."""
    hashes: dict[str, list[str]] = {"style": [], "script": []}
    for kind, text in _EMBEDDED.findall(source):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
    embedded = "".join(f"; {kind}-src {' '.join(each)}" for kind, each in hashes.items() if each)
    rest = "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    return f"default-src 'none'{embedded}; {rest}".encode()


def _paced(items: Iterable[Any], pace: Pace) -> Iterable[Any]:
    for item in items:
        pace.step()
        yield item


__all__ = ["HTML", "JSON", "NO_INDEX", "Listing", "ListingPage", "TemplateError", "TemplateSyntaxError", "to_json"]
