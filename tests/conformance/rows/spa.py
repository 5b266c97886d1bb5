"""--spa: which requests for what is missing get the page of the application (docs/pages.md; Fetch Metadata)."""

from typing import Final

from pwb_legacy.compare.checks.rows import Expected, expect, get, head, row

from .error_pages import ROOT_PAGE
from .site import RowSite

_NAVIGATION: Final = ("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Accept: text/html,*/*;q=0.8")
_JSON: Final = "Accept: application/json"
_HTML: Final = "Accept: text/html,application/xhtml+xml,*/*;q=0.8"


_APP: Final = b"<!DOCTYPE html>\n<title>app</title>\n"
_VARY: Final = "Accept, Sec-Fetch-Mode"
_VARY_WITH_DOT: Final = "Accept, Sec-Fetch-Mode, Sec-Fetch-Dest"


def _app(vary: str = _VARY) -> Expected:
    return expect(
        200,
        _APP,
        cache_control="no-cache",
        vary=f"Accept-Encoding, {vary}",
        content_type="text/html; charset=utf-8",
        etag=...,
    )


def _no_app(vary: str = _VARY) -> Expected:
    return expect(404, ROOT_PAGE, cache_control="no-cache", vary=vary, etag=None)


_SPA_FILES: Final = {
    "index.html": _APP,
    "marker": b"MARKER",
    "404.html": ROOT_PAGE,
    "app.js": b"js",
    "folder/x.txt": b"x",
    "sub/index.html": b"<!DOCTYPE html>\n<title>sub</title>\n",
    "_redirects": b"/old /new 302\n/gone/* /404.html 404\n/api/* /app.js 200\n/miss /no.html 200\n",
}
SPA: Final = RowSite(
    _SPA_FILES,
    [
        row("spa-navigation", get("/user/7", *_NAVIGATION), _app()),
        row(
            "spa-navigation-head",
            head("/user/7", *_NAVIGATION),
            expect(200, b"", content_length=str(len(_APP)), cache_control="no-cache", vary=f"Accept-Encoding, {_VARY}"),
        ),
        row("spa-navigation-with-a-query", get("/user/7?x=a.b", *_NAVIGATION), _app()),
        row("spa-navigation-by-accept-alone", get("/user/7", _HTML), _app()),
        row("spa-navigation-in-a-frame", get("/user/7", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"), _app()),
        row("spa-navigation-with-a-dot", get("/user/j.doe", *_NAVIGATION), _app(_VARY_WITH_DOT)),
        row(
            "spa-navigation-to-a-directory",
            (get("/user/7/", *_NAVIGATION), get("/v1.2/", _HTML), get("/folder/", *_NAVIGATION)),
            _app(),
            _app(),
            _app(),
        ),
        row(
            "spa-navigation-304",
            get("/user/7", *_NAVIGATION, "If-None-Match: *"),
            expect(304, cache_control="no-cache", vary=f"Accept-Encoding, {_VARY}"),
        ),
        row(
            "spa-navigation-has-ranges",
            get("/user/7", *_NAVIGATION, "Range: bytes=0-1"),
            expect(206, _APP[:2], vary=f"Accept-Encoding, {_VARY}", cache_control="no-cache"),
        ),
        row("spa-navigation-to-a-hidden-name", get("/.env", *_NAVIGATION), _app(_VARY_WITH_DOT)),
        row(
            "spa-an-asset-stays-404",
            (
                get("/chunk-1.js", _HTML),
                get("/chunk-1.js", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script", "Accept: */*"),
                get("/chunk-1.js"),
            ),
            *[_no_app(_VARY_WITH_DOT)] * 3,
        ),
        row(
            "spa-a-dot-in-a-frame",
            get("/user/j.doe", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe", _HTML),
            _no_app(_VARY_WITH_DOT),
        ),
        row(
            "spa-fetch-stays-404",
            (
                get("/user/7", "Sec-Fetch-Mode: cors", "Accept: */*"),
                get("/user/7", "Sec-Fetch-Mode: cors", _HTML),
                get("/user/7", "Sec-Fetch-Mode: Navigate", _HTML),
            ),
            *[_no_app()] * 3,
        ),
        row(
            "spa-what-names-no-html-stays-404",
            (
                get("/user/7"),
                get("/user/7", "Accept: */*"),
                get("/user/7", "Accept: text/*"),
                get("/user/7", "Accept: text/html;q=0"),
            ),
            *[_no_app()] * 4,
        ),
        row("spa-json", get("/api2/x", _JSON), expect(404, content_type="application/problem+json", vary=_VARY)),
        row(
            "spa-turns",
            (get("/u", *_NAVIGATION), get("/u"), get("/u", *_NAVIGATION), get("/u", _HTML), get("/u", _JSON)),
            _app(),
            _no_app(),
            _app(),
            _app(),
            expect(404, content_type="application/problem+json", vary=_VARY),
        ),
        row(
            "spa-a-file-is-itself",
            (get("/app.js", *_NAVIGATION), get("/app.js")),
            *[expect(200, b"js", vary="Accept-Encoding")] * 2,
        ),
        row(
            "spa-the-index-is-itself",
            (get("/", *_NAVIGATION), get("/"), get("/index.html", *_NAVIGATION)),
            *[expect(200, _APP, vary="Accept-Encoding")] * 2,
            expect(200, _APP),
        ),
        row("spa-another-index-is-itself", get("/sub/", *_NAVIGATION), expect(200, vary="Accept-Encoding")),
        row(
            "spa-a-directory-gets-its-slash",
            (get("/sub", *_NAVIGATION), get("/folder", *_NAVIGATION)),
            expect(301, location="/sub/"),
            expect(301, location="/folder/"),
        ),
        row(
            "spa-other-methods",
            (
                get("/user/7", *_NAVIGATION, method="DELETE"),
                get("/user/7", *_NAVIGATION, "Content-Length: 0", method="POST"),
            ),
            expect(405),
            expect(405),
        ),
        row(
            "spa-a-rule-comes-first",
            tuple(get(target, *_NAVIGATION) for target in ("/old", "/gone/x", "/api/x", "/miss")),
            expect(302, location="/new"),
            expect(404, ROOT_PAGE),
            expect(200, b"js"),
            expect(404, ROOT_PAGE, vary="Accept"),
        ),
    ],
    ("--spa",),
    "_redirects line 4: there is no file /no.html",
)

SPA_ALONE: Final = RowSite(
    {"index.html": _APP, "marker": b"MARKER"},
    [
        row(
            "spa-max-age-is-not-for-the-fallback",
            (get("/x", *_NAVIGATION), get("/")),
            _app(),
            expect(200, _APP, cache_control="max-age=60"),
        ),
        row(
            "spa-without-error-pages",
            (get("/x"), get("/x.js", _JSON)),
            expect(404, vary=_VARY, content_type="text/html; charset=utf-8"),
            expect(404, vary=_VARY_WITH_DOT, content_type="text/html; charset=utf-8"),
        ),
    ],
    ("--spa", "--no-error-pages", "--max-age", "60"),
)

SITES: Final = {"spa": SPA, "spa-alone": SPA_ALONE}
