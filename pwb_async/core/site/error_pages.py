"""The error pages of PWB, as HTML and as JSON.

They contain nothing that a client sent, so that no script can be injected (hazard G2).
"""

from functools import lru_cache
from typing import Final

from pwb_async.core.semantics.messages import REASONS, FieldList, Response

NO_SNIFF: Final = (b"X-Content-Type-Options", b"nosniff")
"""The field that keeps browsers from guessing another media type."""
_HTML: Final = (b"Content-Type", b"text/html; charset=utf-8")
_PROBLEM: Final = (b"Content-Type", b"application/problem+json")

_TITLES: Final = {404: b"404 file not found"}
"""Titles that are not the reason phrase: these are quoted from the book."""

_PAGE: Final = b"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>%s</title>
<style>body { font: 1.1rem system-ui, sans-serif; margin: 20vh 1rem; text-align: center }</style>
</head>
<body>
<main>
<h1>%s</h1>
</main>
</body>
</html>
"""


@lru_cache(64)
def status_page(status: int) -> bytes:
    """A small HTML page for a status code."""
    title = _TITLES.get(status) or b"%d %s" % (status, REASONS[status])
    return _PAGE % (title, title)


@lru_cache(64)
def problem_details(status: int) -> bytes:
    """The same for a program: no more than the status tells (RFC 9457 4.2.1)."""
    return b'{"type": "about:blank", "title": "%s", "status": %d}\n' % (REASONS[status], status)


def page_response(status: int, method: bytes, fields: FieldList, *, json: bool = False) -> Response:
    """A response with such a page, which HEAD leaves out, and with more fields."""
    media_type, page = (_PROBLEM, problem_details(status)) if json else (_HTML, status_page(status))
    return content_response(status, method, (media_type,), page, fields)


def content_response(status: int, method: bytes, media: FieldList, page: bytes, fields: FieldList) -> Response:
    """A response with a page, described by `media`, and with more fields."""
    length = (b"Content-Length", b"%d" % len(page))
    return Response(status, (*media, length, NO_SNIFF, *fields), () if method == b"HEAD" else (page,))
