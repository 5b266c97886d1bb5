"""How long responses may be kept, on a site of its own (docs/pages.md; RFC 9111 5.2.2, RFC 8246)."""

from typing import Final

from pwb_legacy.compare.checks.rows import Row, expect, get, head, row
from tests.conformance.coded import SCRIPT, gz
from tests.conformance.tree import ALPHABET

from .site import RowSite

YEAR: Final = "max-age=31536000, immutable"
_PAGE: Final = b"<!DOCTYPE html>\n<title>404 file not found</title>\n"
FILES: Final[dict[str, bytes]] = {
    "index.html": _PAGE,
    "marker": b"MARKER",
    "app.js": b"plain",
    "assets/index-BhRYpqRf.js": ALPHABET,
    "assets/index-BhRYpqRf.js.map": ALPHABET,
    "assets/index-BhRYpqRf.html": _PAGE,
    "assets/pic.ff81d05f.png": bytes(200_000),
    "_nuxt/builds/latest.json": b"{}",
    "_nuxt/entry.js": b"entry",
    "_redirects": b"/latest.js /assets/index-BhRYpqRf.js 200\n/assets/gone-AbCdEf12.js /index.html 404\n",
    "_headers": b"/assets/rule-*\nCache-Control: max-age=31536000, immutable\n",
}
_NAMED: Final = "/assets/index-BhRYpqRf.js"

ROWS: Final[list[Row]] = [
    row("9111-5-2-2-a-plain-name-is-revalidated", get("/app.js"), expect(200, b"plain", cache_control="no-cache")),
    row("9111-5-2-2-a-page-is-revalidated", get("/"), expect(200, _PAGE, cache_control="no-cache")),
    row("8246-a-fingerprint", get(_NAMED), expect(200, ALPHABET, cache_control=YEAR)),
    row("8246-a-fingerprint-head", head(_NAMED), expect(200, b"", cache_control=YEAR)),
    row("8246-a-fingerprint-with-a-query", get(_NAMED + "?v=1"), expect(200, ALPHABET, cache_control=YEAR)),
    row("8246-a-fingerprint-escaped", get("/%61ssets/index%2DBhRYpqRf.js"), expect(200, ALPHABET, cache_control=YEAR)),
    row("8246-a-source-map", get(_NAMED + ".map"), expect(200, ALPHABET, cache_control=YEAR)),
    row("8246-a-large-file", get("/assets/pic.ff81d05f.png"), expect(200, cache_control=YEAR)),
    row("8246-206", get(_NAMED, "Range: bytes=0-1"), expect(206, b"ab", cache_control=YEAR)),
    row("8246-206-multipart", get(_NAMED, "Range: bytes=0-1,5-6"), expect(206, cache_control=YEAR)),
    row("8246-304", get(_NAMED, "If-None-Match: *"), expect(304, cache_control=YEAR)),
    row("8246-412-is-an-error", get(_NAMED, 'If-Match: "x"'), expect(412, cache_control="no-cache")),
    row("8246-416-is-an-error", get(_NAMED, "Range: bytes=99-"), expect(416, cache_control="no-cache")),
    row("8246-404-is-an-error", get("/assets/index-AbCdEf12.js"), expect(404, cache_control="no-cache")),
    row("8246-404-whatever-a-rule-says", get("/assets/rule-AbCdEf12.js"), expect(404, cache_control="no-cache")),
    row("8246-404-by-a-rule", get("/assets/gone-AbCdEf12.js"), expect(404, _PAGE, cache_control="no-cache")),
    row(
        "8246-a-document-is-never-one", get("/assets/index-BhRYpqRf.html"), expect(200, _PAGE, cache_control="no-cache")
    ),
    row("8246-a-rewrite-may-lead-elsewhere", get("/latest.js"), expect(200, ALPHABET, cache_control="no-cache")),
    row("8246-a-folder-of-a-framework", get("/_nuxt/entry.js"), expect(200, b"entry", cache_control=YEAR)),
    row("8246-what-changes-in-place", get("/_nuxt/builds/latest.json"), expect(200, b"{}", cache_control="no-cache")),
    row("8246-405", get(_NAMED, method="DELETE"), expect(405, cache_control="no-cache")),
    row("8246-501", get(_NAMED, method="BREW"), expect(501, cache_control="no-store")),
]

MAX_AGE_ROWS: Final[list[Row]] = [
    row("9111-5-2-2-max-age-of-a-plain-name", get("/app.js"), expect(200, b"plain", cache_control="max-age=60")),
    row("9111-5-2-2-max-age-leaves-a-fingerprint", get(_NAMED), expect(200, ALPHABET, cache_control=YEAR)),
    row("9111-5-2-2-max-age-is-not-for-an-error", get("/nope.js"), expect(404, cache_control="no-cache")),
]
NOT_IMMUTABLE_ROWS: Final[list[Row]] = [
    row("8246-no-immutable", get(_NAMED), expect(200, ALPHABET, cache_control="no-cache")),
]
_ANY: Final = "Accept-Encoding: gzip, br"
_NO_TRANSFORM: Final = "max-age=60, no-transform"
NO_TRANSFORM_ROWS: Final[list[Row]] = [
    row(
        f"9110-7-7-{name}",
        get(path, _ANY),
        expect(200, content, content_encoding=coding, cache_control=caching, vary="Accept-Encoding"),
    )
    for name, path, content, coding, caching in (
        ("no-transform", "/kept/a.js", SCRIPT, None, _NO_TRANSFORM),
        ("no-transform-a-file-with-a-neighbour", "/kept/b.js", gz(SCRIPT), "gzip", _NO_TRANSFORM),
        ("a-later-rule-decides", "/kept/c.js", None, "br", "max-age=1"),
        ("a-later-rule-takes-it-away", "/kept/d.js", None, "br", None),
        ("no-rule", "/a.js", None, "br", "no-cache"),
    )
]

SITES: Final[dict[str, RowSite]] = {
    "caching": RowSite(FILES, ROWS),
    "max-age": RowSite(FILES, MAX_AGE_ROWS, ("--max-age", "60")),
    "no-immutable": RowSite(FILES, NOT_IMMUTABLE_ROWS, ("--no-immutable",)),
    "no-transform": RowSite(
        {
            "marker": b"MARKER",
            "_headers": f"""/kept/*
  Cache-Control: {_NO_TRANSFORM}
/kept/c.js
  Cache-Control: max-age=1
/kept/d.js
  ! Cache-Control
""".encode(),
            "a.js": SCRIPT,
            **{f"kept/{name}.js": SCRIPT for name in "abcd"},
            "kept/b.js.gz": gz(SCRIPT),
        },
        NO_TRANSFORM_ROWS,
        allowed_errors="Cache-Control replaces that",
    ),
}
