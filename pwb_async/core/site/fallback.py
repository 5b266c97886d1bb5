"""The page of an application that has its routes in the browser: --spa.

A navigation to a path without a file gets the index of the root, with 200. Anything else that is missing stays 404: a
script that a browser gets as HTML breaks the application, and in a cache it stays broken.
"""

from dataclasses import replace
from typing import Final

from pwb_async.core.semantics.accept import HTML, accepted
from pwb_async.core.semantics.fields import Fields
from pwb_async.core.semantics.target import Target

from .lookup import Candidate, EntryKind, Lookup

_VARY: Final = b"Accept, Sec-Fetch-Mode"
_VARY_WITH_DOT: Final = _VARY + b", Sec-Fetch-Dest"


def navigation(fields: Fields) -> bytes:
    """Whether a request is a navigation, as a Variant: b"" if not, b"d" to a document of its own, otherwise b"n".

    It is one if Sec-Fetch-Mode is navigate, or if that field is absent, as over plain HTTP to another machine, and
    text/html is named in Accept.
    """
    mode = fields.get(b"sec-fetch-mode")
    if mode != b"navigate" and (mode is not None or not accepted(fields).names(HTML)):
        return b""
    return b"d" if fields.get(b"sec-fetch-dest") == b"document" else b"n"


def with_fallback(lookup: Lookup, indexes: tuple[bytes, ...], roots: tuple[bytes, ...] = (b"",)) -> Lookup:
    """A lookup that finds the page if there is nothing else and the request is a navigation.

    roots: the paths at which a site has its directories; the page is the index of the innermost one around the target.

    A name with a dot is that of a file, unless the browser is about to show a document. A rule that applies to what is
    missing is not overruled: its redirect, its file or its 404 is the response.
    """
    if lookup.rule is not None:
        return lookup
    request = lookup.request
    kind = navigation(request.fields)
    has_dot = not request.target.trailing_slash and b"." in request.target.segments[-1]
    own = {candidate.path for candidate in lookup.candidates}
    pages: tuple[bytes, ...] = ()
    if kind == b"d" or (kind and not has_dot):
        pages = tuple(page for page in _pages(request.target, indexes, roots) if page not in own)
    files = tuple([Candidate(page, EntryKind.FILE) for page in pages])
    if lookup.listing is None:
        lookup = lookup.with_files(files)
    else:  # a directory is listed, with an index or without
        lookup = replace(lookup, candidates=lookup.candidates + files)
    return replace(lookup, fallback=pages, vary=_VARY_WITH_DOT if has_dot else _VARY)


def _pages(target: Target, indexes: tuple[bytes, ...], roots: tuple[bytes, ...]) -> list[bytes]:
    path = b"/".join(target.segments) + b"/"
    around = [root for root in roots if not root or path.startswith(root + b"/")]
    return [root + b"/" + index if root else index for root in sorted(around, key=len)[-1:] for index in indexes]
