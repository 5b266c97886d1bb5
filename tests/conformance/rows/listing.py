"""Directories that are listed, and archives of them, on a site of its own (docs/listing.md)."""

import json
import re
from typing import Final

from pwb_legacy.compare.checks.rows import Row, expect, get, head, row
from tests.conformance.tree import CANARY, entity_tag

from .site import RowSite

_PAGE: Final = b"<!DOCTYPE html>\n<title>index</title>\n"
FILES: Final[dict[str, bytes]] = {
    "marker": b"MARKER",
    "a.txt": b"a" * 1536,
    "b.html": b"<p>",
    "file10.txt": b"ten",
    "file2.txt": b"two!",
    "File3.txt": b"x",
    "sub/x.txt": b"x",
    "sub/deep/y.txt": b"yy",
    "with-index/index.html": _PAGE,
    "with-index/x.txt": b"x",
    "odd/<img src=x onerror=alert(1)>.txt": b"1",
    "odd/a:b": b"22",
    "odd/que?ry & hash#.txt": b"333",
    "odd/javascript:alert(1)": b"4",
    ".hidden": CANARY,
    ".git/config": CANARY,
    "sub/.env": CANARY,
    "_redirects": b"/gone/ /a.txt 301\n/ruled/ /a.txt 301\n",
    "_headers": b"/odd/*\n  ! X-Robots-Tag\n",
    "ruled/x.txt": b"x",
    "readme/README.md": b"# Read *me*\n\n<script>alert(1)</script><b onclick=x>bold</b>\n\n![far](https://e.x/y.png)\n",
    "readme/a.txt": b"",
}
_TIME: Final = "2020-09-13T12:26:40Z"


def _file(name: str, size: int) -> dict[str, object]:
    return {"name": name, "type": "file", "size": size, "modified": _TIME}


def _directory(name: str) -> dict[str, object]:
    return {"name": name, "type": "directory"}


def _json(path: str, *entries: dict[str, object]) -> bytes:
    listing = {"path": path, "entries": entries, "page": 1, "pages": 1}
    return json.dumps(listing, ensure_ascii=False).encode() + b"\n"


_FILES: Final = [
    _file("a.txt", 1536),
    _file("b.html", 3),
    _file("file2.txt", 4),
    _file("File3.txt", 1),
    _file("file10.txt", 3),
    _file("marker", 6),
]
_NAMES: Final = ("odd", "readme", "ruled", "sub", "with-index")
_DIRECTORIES: Final = [_directory(name) for name in _NAMES]
_ROOT: Final = _json("/", *_DIRECTORIES, *_FILES)
_BY_SIZE: Final = sorted(_FILES, key=lambda file: (file["size"], str(file["name"]).casefold()))
_SUB: Final = _json("/sub/", _directory("deep"), _file("x.txt", 1))
_JSON: Final = "Accept: application/json"
_HTML_FIELDS: Final = {
    "content_type": "text/html; charset=utf-8",
    "cache_control": "no-cache",
    "vary": "Accept, Accept-Encoding",
    "x_robots_tag": "noindex",
    "referrer_policy": "same-origin",
    "last_modified": None,
    "set_cookie": None,
    "etag": re.compile('"[0-9a-f]{32}"'),
    "content_security_policy": re.compile(
        "default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
}
_JSON_FIELDS: Final = {**_HTML_FIELDS, "content_type": "application/json", "content_security_policy": None}
_JSON_FIELDS["referrer_policy"] = None

ROWS: Final[list[Row]] = [
    row("listing-html", get("/sub/"), expect(200, **_HTML_FIELDS)),
    row("listing-html-head", head("/sub/"), expect(200, b"", **_HTML_FIELDS)),
    row(
        "listing-json-by-accept",
        get("/", _JSON),
        expect(200, _ROOT, **{**_JSON_FIELDS, "etag": entity_tag(_ROOT)}),
    ),
    row("listing-json-by-query", get("/sub/?format=json"), expect(200, _SUB, **_JSON_FIELDS)),
    row("listing-html-by-query", get("/sub/?format=html", _JSON), expect(200, **_HTML_FIELDS)),
    row("listing-json-head", head("/sub/", _JSON), expect(200, b"", content_length=str(len(_SUB)))),
    *(
        row(f"9110-12.5.1-html-{name}", get("/sub/", f"Accept: {accept}"), expect(200, **_HTML_FIELDS))
        for name, accept in {
            "of-a-browser": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "has-more-weight": "text/html, application/json;q=0.1",
            "wins-a-tie": "application/json, text/html",
            "for-anything": "*/*",
        }.items()
    ),
    row("9110-12.5.1-json-has-more-weight", get("/sub/", "Accept: text/html;q=0.5, application/json"), expect(200, _SUB)),
    row("listing-of-an-empty-query", get("/sub/?"), expect(200, **_HTML_FIELDS)),
    row("listing-by-name-descending", get("/?order=desc", _JSON), expect(200, _json("/", *_DIRECTORIES[::-1], *_FILES[::-1]))),
    row("listing-by-size", get("/?sort=size&format=json"), expect(200, _json("/", *_DIRECTORIES, *_BY_SIZE))),
    row(
        "listing-by-size-descending",
        get("/?sort=size&order=desc&format=json"),
        expect(200, _json("/", *_DIRECTORIES, *_BY_SIZE[::-1])),
    ),
    row("listing-by-time", get("/sub/?sort=time&format=json"), expect(200, _SUB)),
    *(
        row(f"listing-ignores-{name}", get(f"/sub/?{query}&format=json"), expect(200, _SUB))
        for name, query in {
            "an-unknown-sort": "sort=owner",
            "an-unknown-order": "order=up",
            "a-word-as-page": "page=x",
            "page-0": "page=0",
            "a-negative-page": "page=-1",
            "a-page-beyond-the-last": "page=99999999999999999999",
            "an-unknown-name": "C=M&O=D",
            "escapes": "sort=%73ize",
            "download-without-the-option": "download=zip",
            "the-second-value": "page=1&page=7",
        }.items()
    ),
    row(
        "9110-13.1.2-a-listing-is-revalidated",
        get("/sub/", _JSON, f"If-None-Match: {entity_tag(_SUB)}"),
        expect(304, b"", etag=entity_tag(_SUB), vary="Accept, Accept-Encoding", cache_control="no-cache"),
    ),
    row(
        "9110-15.4.5-a-304-has-the-policy-of-the-page",
        get("/sub/", "If-None-Match: *"),
        expect(304, b"", content_security_policy=_HTML_FIELDS["content_security_policy"], x_robots_tag="noindex"),
    ),
    row(
        "9110-13.1.2-html-has-another-tag",
        get("/sub/", f"If-None-Match: {entity_tag(_SUB)}"),
        expect(200, **_HTML_FIELDS),
    ),
    row("9110-8.4-gzip", get("/sub/", "Accept-Encoding: gzip"), expect(200, content_encoding="gzip", vary="Accept, Accept-Encoding")),
    row("9110-13.1.1-if-match", get("/sub/", 'If-Match: "x"'), expect(412)),
    row("9110-14-a-range-of-a-listing", get("/sub/", _JSON, "Range: bytes=0-8"), expect(206, _SUB[:9])),
    row("9110-15.5.6-post", get("/sub/", method="POST"), expect(405, allow="GET, HEAD, OPTIONS")),
    row("9110-15.4.2-the-slash-keeps-the-query", get("/sub?format=json"), expect(301, location="/sub/?format=json")),
    row("an-index-is-not-replaced", get("/with-index/?format=json"), expect(200, _PAGE, x_robots_tag=None)),
    row("nothing-is-not-listed", get("/nothing/", _JSON), expect(404)),
    row("a-file-is-not-listed", get("/a.txt/", _JSON), expect(404)),
    row("c7-a-hidden-directory-is-not-listed", get("/.git/", _JSON), expect(404)),
    row("a-rule-is-preferred-to-a-listing", get("/ruled/"), expect(301, location="/a.txt")),
    row("a-rule-takes-a-field-away", get("/odd/"), expect(200, x_robots_tag=None)),
    row(
        "c14-odd-names",
        get("/odd/?format=json"),
        expect(
            200,
            _json(
                "/odd/",
                _file("<img src=x onerror=alert(1)>.txt", 1),
                _file("a:b", 2),
                _file("javascript:alert(1)", 4 - 3),
                _file("que?ry & hash#.txt", 3),
            ),
        ),
    ),
]  # fmt: skip

SITES: Final = {"listing": RowSite(FILES, ROWS, ("--browse",))}
