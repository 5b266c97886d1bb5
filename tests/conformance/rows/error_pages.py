"""Errors: the nearest page of the site, JSON for clients that prefer it (docs/pages.md; RFC 9110 15.5, RFC 9457)."""

from typing import Final

from pwb_legacy.compare.checks.rows import Expected, ExpectedField, expect, get, head, row

from .site import RowSite

_JSON: Final = "Accept: application/json"
_HTML: Final = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"


def error_page(title: str) -> bytes:
    """The content of an error page."""
    return b"<!DOCTYPE html>\n<title>404 file not found: %s</title>\n" % title.encode()


ROOT_PAGE: Final = error_page("root")
"""The 404.html in the root."""
_SUB, _LARGE, _GONE = error_page("sub"), error_page("large") + bytes(200_000), error_page("410 Gone")
_PLAIN: Final[dict[str, ExpectedField]] = {
    "etag": None,
    "last_modified": None,
    "accept_ranges": None,
    "content_range": None,
    "cache_control": "no-cache",
    "vary": "Accept",
    "content_type": "text/html; charset=utf-8",
}


def missing(content: bytes | None = ROOT_PAGE) -> Expected:
    """A 404 with a page of the site."""
    return expect(404, content, content_length=None if content is None else str(len(content)), **_PLAIN)


_PROBLEM: Final = expect(
    404,
    b'{"type": "about:blank", "title": "Not Found", "status": 404}\n',
    content_type="application/problem+json",
    cache_control="no-cache",
    vary="Accept",
)
_BUILT_IN: Final = expect(404, content_type="text/html; charset=utf-8", cache_control="no-cache", vary="Accept")

ERRORS: Final = RowSite(
    {
        "index.html": b"<!DOCTYPE html>\n",
        "marker": b"MARKER",
        "a.txt": b"abc",
        "404.html": ROOT_PAGE,
        "410.html": _GONE,
        "sub/404.html": _SUB,
        "sub/index.html": b"<!DOCTYPE html>\n",
        "sub/a.txt": b"abc",
        "sub/deep/x.txt": b"x",
        "bare/x.txt": b"x",
        "large/404.html": _LARGE,
        "folder/404.html/x": b"x",
        ".hidden/404.html": error_page("hidden"),
        ".env": b"CANARY",
        "_redirects": b"/rule/* /nothing.html 404\n/gone /nothing.html 410\n/led /a.txt 302\n",
    },
    [
        row("404-page", get("/nope"), missing()),
        row("404-page-of-a-missing-script", get("/nope.js"), missing()),
        row("404-page-head", head("/nope"), expect(404, b"", content_length=str(len(ROOT_PAGE)), **_PLAIN)),
        row(
            "404-page-of-the-nearest-directory",
            (get("/sub/nope"), get("/sub/deep/nope")),
            missing(_SUB),
            missing(_SUB),
        ),
        row("404-page-beneath-what-is-missing", get("/sub/no/such/nope"), missing(_SUB)),
        row("404-page-beneath-a-file", get("/a.txt/nope"), missing()),
        row("404-page-of-a-directory-without-index", (get("/bare/"), get("/sub/deep/")), missing(), missing(_SUB)),
        row("404-page-is-large", get("/large/nope"), missing(_LARGE)),
        row("404-page-is-large-head", head("/large/nope"), expect(404, b"", content_length=str(len(_LARGE)), **_PLAIN)),
        row("404-page-is-a-directory", get("/folder/nope"), missing()),
        row("404-page-has-no-304", get("/nope", "If-None-Match: *"), missing()),
        row("404-page-has-no-412", get("/nope", 'If-Match: "x"'), missing()),
        row("404-page-has-no-ranges", get("/nope", "Range: bytes=0-1"), missing()),
        row("404-page-of-a-hidden-name", (get("/.env"), get("/.nope")), missing(), missing()),
        row(
            "404-page-in-a-hidden-directory",
            (get("/.hidden/x"), get("/.hidden/"), get("/.hidden/404.html")),
            missing(),
            missing(),
            missing(),
        ),
        row(
            "404-page-of-a-slash-in-a-name",
            (get("/x%2Fy"), get("/sub/x%2Fy"), get("/sub%2Fy")),
            missing(),
            missing(_SUB),
            missing(),
        ),
        row("404-page-of-the-files-of-rules", get("/_redirects"), missing()),
        row("404-page-where-a-rule-has-none", get("/rule/x"), missing()),
        row("404-page-by-the-status-of-a-rule", get("/gone"), expect(410, _GONE, **_PLAIN)),
        row("404-page-comes-after-a-redirect", get("/led"), expect(302, location="/a.txt", vary=None)),
        row(
            "404-page-by-its-own-name",
            get("/404.html"),
            expect(200, ROOT_PAGE, etag=..., vary="Accept-Encoding", cache_control="no-cache"),
        ),
        row(
            "404-page-is-the-same-for-each-of-them",
            (get("/.env"), get("/nope"), get("/rule/x"), get("/_headers"), get("/x%2Fy")),
            *[missing()] * 5,
        ),
        row("404-page-does-not-change-a-200", get("/a.txt"), expect(200, b"abc", vary="Accept-Encoding")),
        row("404-page-deep", get("/" + "a/" * 2000), missing()),
        row("9457-json", get("/nope", _JSON), _PROBLEM),
        row("9457-json-by-weight", get("/nope", "Accept: text/html;q=0.5, application/json"), _PROBLEM),
        row("9457-json-by-name", get("/nope", "Accept: application/json, text/plain, */*"), _PROBLEM),
        row(
            "9457-json-head",
            head("/nope", _JSON),
            expect(404, b"", content_type="application/problem+json", content_length="61"),
        ),
        row("9457-json-of-a-hidden-name", get("/.env", _JSON), _PROBLEM),
        row(
            "9457-html",
            (
                get("/nope", "Accept: */*"),
                get("/nope", _HTML),
                get("/nope", "Accept: application/json;q=0.9, text/html"),
            ),
            *[missing()] * 3,
        ),
        row(
            "9457-turns",
            (get("/nope"), get("/nope", _JSON), get("/nope"), get("/nope", _JSON)),
            missing(),
            _PROBLEM,
            missing(),
            _PROBLEM,
        ),
        row(
            "9457-json-405",
            get("/a.txt", _JSON, method="DELETE"),
            expect(
                405,
                b'{"type": "about:blank", "title": "Method Not Allowed", "status": 405}\n',
                allow="GET, HEAD, OPTIONS",
                content_type="application/problem+json",
                vary="Accept",
            ),
        ),
        row(
            "9457-json-416",
            get("/a.txt", _JSON, "Range: bytes=9-"),
            expect(416, content_type="application/problem+json", content_range="bytes */3"),
        ),
        row(
            "9457-json-412", get("/a.txt", _JSON, 'If-Match: "x"'), expect(412, content_type="application/problem+json")
        ),
        row(
            "9457-a-redirect-is-no-error",
            get("/sub", _JSON),
            expect(301, content_type="text/html; charset=utf-8", vary=None),
        ),
        row(
            "9457-no-field-of-a-bad-request",
            get("/%zz"),
            expect(400, content_type="text/html; charset=utf-8", vary="Accept"),
            ends=True,
        ),
        row("9457-accept-is-8-kib", get("/nope", "Accept: " + "a/b;q=0.1," * 800), missing()),
    ],
)

NO_ERROR_PAGES: Final = RowSite(
    ERRORS.files,
    [
        row(
            "no-error-pages",
            (get("/nope"), get("/nope", _JSON), get("/.env"), get("/gone")),
            *[expect(404, vary=None, content_type="text/html; charset=utf-8", cache_control="no-cache")] * 3,
            expect(410, vary=None),
        ),
    ],
    ("--no-error-pages",),
)

BUILT_IN: Final = RowSite(
    {"marker": b"MARKER", "a.txt": b"abc", "sub/x": b"x"},
    [
        row("404-built-in", (get("/nope"), get("/.env"), get("/sub/"), get("/sub/x%2Fy")), *[_BUILT_IN] * 4),
        row("404-built-in-json", (get("/nope", _JSON), get("/.env", _JSON)), _PROBLEM, _PROBLEM),
    ],
)

MOUNTED: Final = RowSite(
    {"marker": b"MARKER", "404.html": ROOT_PAGE, "410.html": _GONE, "_redirects": b"/docs/gone /nothing 410\n"},
    [
        row("404-page-of-a-mount", (get("/docs/nope"), get("/docs/api/nope")), missing(_SUB), missing(_SUB)),
        row("404-page-above-a-mount", (get("/nope"), get("/files/nope"), get("/files/.env")), *[missing()] * 3),
        row("410-page-above-a-mount", get("/docs/gone"), expect(410, _GONE, **_PLAIN)),
    ],
    ("--mount", "/docs/=docs", "--mount", "/docs/api=api", "--mount", "/files/=files"),
    beside={"docs/404.html": _SUB, "api/x": b"x", "files/x": b"x"},
)
SITES: Final = {
    "errors": ERRORS,
    "no-error-pages": NO_ERROR_PAGES,
    "built-in": BUILT_IN,
    "errors-mounted": MOUNTED,
}
