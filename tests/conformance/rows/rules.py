"""Redirects, rewrites and fields by rule, on a site of their own (docs/rules.md; RFC 9110 15.4, hazard C9).

They follow the forms of Netlify and Cloudflare Pages; where these differ, the row shows what PWB does.
"""

from typing import Final

from pwb_legacy.compare.checks.rows import Expected, ExpectedField, Row, expect, get, head, row
from tests.conformance.tree import ALPHABET

_PAGE: Final = b"<!DOCTYPE html>\n<title>app</title>\n"
_MISSING: Final = b"<!DOCTYPE html>\n<title>404 file not found</title>\n"
_GONE: Final = b"<!DOCTYPE html>\n<title>410 Gone</title>\n"

REDIRECTS: Final = """
# FROM TO STATUS
/old /new 301   # a comment
/toq /new?y=1 301
/toh /new#f 301
/abs https://example.com/x 301
/news/* /blog/:splat 301
/pre* /s/:splat 301
/mid/*/end /m/:splat 301
/u/:id /p/:id/me 302
/d/:y/:m /a/:y-:m 303
/enc%20x /y 307
/q id=:id /art/:id 308
/r/* /:splat 301
/exist /new 302
/forced /new 302!
/forced-query id=1 /new 302!
/folder /new 302
/bare /new 302
/app/* /app/index.html 200
/rewrite-forced /a.txt 200!
/dots/* /:splat 200
/itself/* /itself/x 302!
/wrong/* /missing.html 404
/gone/* /gone.html 410
/gone-too /nothing.html 410
https://www.example.com/* https://example.com/:splat 301!
/loop-1 /loop-2 302
/loop-2 /loop-1 302
/turn-1 /turn-2 200
/turn-2 /turn-1 200
/endless/* /endless/x/:splat 302
"""
HEADERS: Final = """
/*
  X-All: 1
  Cache-Control: max-age=60
  Link: </s.css>; rel=preload
/page
  X-All: 2
  Link: </p.js>; rel=preload
/cookies
  Set-Cookie: a=1
  Set-Cookie: b=2
/s.css
  ! Cache-Control
  ! X-All
/blog/:slug
  X-Slug: is-:slug
/n/*
  X-Splat: s-:splat
/typed.bin
  Content-Type: text/x-typed
  Content-Disposition: attachment; filename="t.bin"
https://www.example.com/*
  X-Host: www
"""
FILES: Final[dict[str, bytes]] = {
    "_redirects": REDIRECTS.encode(),
    "_headers": HEADERS.encode(),
    "index.html": _PAGE,
    "a.txt": ALPHABET,
    "exist": b"a file",
    "forced": b"a file",
    "forced-query": b"a file",
    "folder/index.html": _PAGE,
    "bare/x.txt": b"x",
    "app/index.html": _PAGE,
    "app/real.txt": b"real",
    "missing.html": _MISSING,
    "gone.html": _GONE,
    "page": b"page",
    "s.css": b"p {}",
    "blog/hello": b"hello",
    "n/a/b": b"b",
    "typed.bin": ALPHABET,
    "large.bin": bytes(200_000),
    ".env": b"CANARY",
    "marker": b"MARKER",
}
"""The files of the site, with the rules in the root."""

_ALL: Final[dict[str, ExpectedField]] = {"x_all": "1"}


def _to(status: int, location: str) -> Expected:
    return expect(
        status, location=location, content_type="text/html; charset=utf-8", cache_control="max-age=60", **_ALL
    )


_NOT_FOUND: Final = expect(404, cache_control="no-cache", location=None, **_ALL)

ROWS: Final[list[Row]] = [
    row("rules-query-is-kept", get("/old?x=1"), _to(301, "/new?x=1")),
    row("rules-slash-at-the-end", get("/old/"), _to(301, "/new")),
    row("rules-case-matters", get("/OLD"), _NOT_FOUND),
    row("rules-redirect-head", head("/old"), expect(301, b"", location="/new")),
    row("rules-own-query-wins", get("/toq?a=1"), _to(301, "/new?y=1")),
    row("rules-fragment", get("/toh?a=1"), _to(301, "/new?a=1#f")),
    row("rules-other-host", get("/abs?a=1"), _to(301, "https://example.com/x?a=1")),
    row("rules-splat-of-nothing", (get("/news"), get("/news/")), _to(301, "/blog/"), _to(301, "/blog/")),
    row("rules-splat", get("/news/a/b?z=1"), _to(301, "/blog/a/b?z=1")),
    row("rules-splat-within-a-segment", (get("/prefix"), get("/pre")), _to(301, "/s/fix"), _to(301, "/s/")),
    row("rules-splat-in-the-middle", get("/mid/a/b/end"), _to(301, "/m/a/b")),
    row("rules-placeholder", (get("/u/7"), get("/u/7/")), _to(302, "/p/7/me"), _to(302, "/p/7/me")),
    row("rules-placeholder-is-one-segment", (get("/u/7/8"), get("/u/")), _NOT_FOUND, _NOT_FOUND),
    row("rules-two-placeholders", get("/d/2026/11"), _to(303, "/a/2026-11")),
    row("rules-source-is-decoded", get("/enc%20x"), _to(307, "/y")),
    row("rules-plus-is-no-space", get("/enc+x"), _NOT_FOUND),
    row(
        "rules-query-condition",
        (get("/q"), get("/q?id=5&o=1"), get("/q?o=1&id=5")),
        _NOT_FOUND,
        _to(308, "/art/5?o=1"),
        _to(308, "/art/5?o=1"),
    ),
    row("C9-rules-two-slashes-name-no-host", get("/r//evil.example/x"), _to(301, "/evil.example/x")),
    row("C9-rules-many-slashes-name-no-host", get("/r/////evil.example"), _to(301, "/evil.example")),
    row("C9-rules-escaped-slashes-name-no-host", get("/r/%2f%2fevil"), _NOT_FOUND),
    row("C9-rules-backslash-names-no-host", get("/r/%5cevil"), _to(301, "/%5Cevil")),
    row("C9-rules-two-backslashes-name-no-host", get("/r/%5c%5Cevil"), _to(301, "/%5C%5Cevil")),
    row("C9-rules-query-names-no-host", get("/q?id=//evil.example"), _to(308, "/art/evil.example")),
    row("C9-rules-dot-segments", get("/r/..//evil.example"), _NOT_FOUND),
    row("C10-rules-escaped-question-mark", get("/r/a%3fb"), _to(301, "/a%3Fb")),
    row("C10-rules-line-end-ends-no-field", get("/r/%0d%0aX:%20y"), _to(301, "/%0D%0AX:%20y")),
    row("rules-file-wins", get("/exist"), expect(200, b"a file", location=None)),
    row("rules-forced", get("/forced"), _to(302, "/new")),
    row(
        "rules-forced-by-query",
        (get("/forced-query"), get("/forced-query?id=1"), get("/forced-query?id=2"), get("/forced-query?id=1")),
        expect(200, b"a file"),
        _to(302, "/new?id=1"),
        expect(200, b"a file"),
        _to(302, "/new?id=1"),
    ),
    row("rules-folder-wins", (get("/folder"), get("/folder/")), _to(301, "/folder/"), expect(200, _PAGE)),
    row("rules-folder-without-index", (get("/bare"), get("/bare/")), _to(301, "/bare/"), _to(302, "/new")),
    row("rules-rewrite", get("/app/x/y?z=1"), expect(200, _PAGE, content_type="text/html; charset=utf-8")),
    row("rules-rewrite-of-nothing", (get("/app"), get("/app/")), _to(301, "/app/"), expect(200, _PAGE)),
    row(
        "rules-rewrite-file-wins", get("/app/real.txt"), expect(200, b"real", content_type="text/plain; charset=utf-8")
    ),
    row("rules-rewrite-head", head("/app/x"), expect(200, b"", content_length=str(len(_PAGE)))),
    row("rules-rewrite-range", get("/app/x", "Range: bytes=0-0"), expect(206, _PAGE[:1])),
    row("rules-rewrite-condition", get("/app/x", "If-None-Match: *"), expect(304, b"", **_ALL)),
    row("rules-rewrite-forced", get("/rewrite-forced"), expect(200, ALPHABET)),
    row("C7-rules-rewrite-to-a-dotfile", (get("/dots/.env"), get("/dots/%2eenv")), _NOT_FOUND, _NOT_FOUND),
    row(
        "C7-rules-rewrite-to-the-rules", (get("/dots/_headers"), get("/dots/a.txt")), _NOT_FOUND, expect(200, ALPHABET)
    ),
    row("rules-no-redirect-to-itself", (get("/itself/x"), get("/itself/y")), _NOT_FOUND, _to(302, "/itself/x")),
    row(
        "rules-404-with-a-file",
        get("/wrong/x", "If-None-Match: *", "Range: bytes=0-0"),
        expect(404, _MISSING, etag=None, accept_ranges=None, last_modified=None, cache_control="no-cache", **_ALL),
    ),
    row("rules-404-with-a-file-head", head("/wrong/x"), expect(404, b"", content_length=str(len(_MISSING)))),
    row("rules-410-with-a-file", get("/gone/x"), expect(410, _GONE, cache_control="no-cache")),
    row("rules-410-without-its-file", get("/gone-too"), expect(410, cache_control="no-cache", **_ALL)),
    row("rules-method", get("/old", method="POST"), expect(405, allow="GET, HEAD, OPTIONS", **_ALL)),
    row("rules-host", get("http://www.example.com/a.txt?x"), _to(301, "https://example.com/a.txt?x")),
    row(
        "rules-host-and-the-cache",
        (get("/a.txt"), get("http://WWW.example.com:8080/a.txt"), get("http://example.com/a.txt"), get("/a.txt")),
        expect(200, ALPHABET, x_host=None),
        expect(301, location="https://example.com/a.txt", x_host="www"),
        expect(200, ALPHABET, x_host=None),
        expect(200, ALPHABET, x_host=None),
    ),
    row(
        "rules-of-a-loop-are-asked-once",
        (get("/loop-1"), get("/loop-2"), get("/turn-1"), get("/endless/a"), get("/endless/x/a")),
        _to(302, "/loop-2"),
        _to(302, "/loop-1"),
        _NOT_FOUND,
        _to(302, "/endless/x/a"),
        _to(302, "/endless/x/x/a"),
    ),
    row("rules-files-are-not-served", (get("/_headers"), get("/_redirects")), _NOT_FOUND, _NOT_FOUND),
    row(
        "rules-files-are-not-served-by-another-name",
        (get("/_Headers/"), get("/./%5Fredirects")),
        _NOT_FOUND,
        _NOT_FOUND,
    ),
    row(
        "rules-later-field-replaces",
        (get("/page"), get("/page", "If-None-Match: *"), get("/page")),
        *[
            expect(
                status,
                content,
                x_all="2",
                link="</s.css>; rel=preload, </p.js>; rel=preload",
                cache_control="max-age=60",
            )
            for status, content in ((200, b"page"), (304, b""), (200, b"page"))
        ],
    ),
    row("rules-field-is-removed", get("/s.css"), expect(200, b"p {}", x_all=None, cache_control=None)),
    row("rules-field-on-404", get("/nope"), _NOT_FOUND),
    row("rules-field-case-matters", get("/PAGE"), _NOT_FOUND),
    row("rules-placeholder-in-a-value", get("/blog/hello"), expect(200, b"hello", x_slug="is-hello", x_all="1")),
    row("rules-splat-in-a-value", get("/n/a/b"), expect(200, b"b", x_splat="s-a/b")),
    row("C10-rules-value-is-escaped", get("/n/%0d%0aX:%20%22"), expect(404, x_splat="s-%0D%0AX:%20%22", x=None)),
    row(
        "rules-media-type",
        (get("/typed.bin"), get("/typed.bin", "Range: bytes=0-0"), get("/typed.bin", "Range: bytes=99-")),
        expect(200, ALPHABET, content_type="text/x-typed", content_disposition='attachment; filename="t.bin"'),
        expect(206, b"a", content_type="text/x-typed", content_disposition='attachment; filename="t.bin"'),
        expect(
            416, content_type="text/html; charset=utf-8", content_disposition=None, cache_control="no-cache", **_ALL
        ),
    ),
    row(
        "rules-large-file",
        head("/large.bin"),
        expect(200, b"", content_length="200000", cache_control="max-age=60", **_ALL),
    ),
    row("rules-invalid-request", b"?\r\n\r\n", expect(400, x_all=None), ends=True),
]
"""The rows; those of other modules are for a site without rules."""
