"""--clean-urls: addresses without .html, and redirects that never leave the host (docs/pages.md; hazard C9)."""

from typing import Final

from pwb_legacy.compare.checks.rows import Expected, expect, get, head, row

from .error_pages import ROOT_PAGE, missing
from .site import RowSite

_NAVIGATION: Final = ("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Accept: text/html,*/*;q=0.8")

_ABOUT, _BOTH, _INDEX = (b"<!DOCTYPE html>\n<title>%s</title>\n" % name for name in (b"about", b"both", b"index"))


def _to(location: str) -> Expected:
    return expect(301, location=location, cache_control="no-cache")


_CLEAN_FILES: Final = {
    "index.html": _INDEX,
    "marker": b"MARKER",
    "404.html": ROOT_PAGE,
    "about.html": _ABOUT,
    "both.html": _BOTH,
    "both/index.html": _INDEX,
    "guide.html": _ABOUT,
    "guide/part.html": _BOTH,
    "sub/index.html": _INDEX,
    "sub/page.html": _ABOUT,
    "plain": b"plain",
    "plain.html": _ABOUT,
    "named.html/index.html": _INDEX,
    "x.html.html": _BOTH,
    "a b.html": _ABOUT,
    "a:b.html": _ABOUT,
    "über.html": _ABOUT,
    "\\evil.html": _ABOUT,
    "evil.example.html": _ABOUT,
    "t.txt": b"t",
    ".well-known.html": b"CANARY",
    ".env.html": b"CANARY",
    "..html": b"CANARY",
    "...html": b"CANARY",
}
CLEAN_URLS: Final = RowSite(
    _CLEAN_FILES,
    [
        row(
            "clean-a-page",
            get("/about"),
            expect(200, _ABOUT, content_type="text/html; charset=utf-8", vary="Accept-Encoding", etag=...),
        ),
        row("clean-a-page-head", head("/about"), expect(200, b"", content_length=str(len(_ABOUT)))),
        row("clean-a-page-with-a-query", get("/about?x=1"), expect(200, _ABOUT)),
        row("clean-a-page-304", get("/about", "If-None-Match: *"), expect(304, etag=...)),
        row("clean-a-page-206", get("/about", "Range: bytes=0-1"), expect(206, _ABOUT[:2])),
        row("clean-with-html", get("/about.html"), _to("/about")),
        row("clean-with-html-head", head("/about.html"), expect(301, b"", location="/about")),
        row(
            "clean-with-html-the-query-is-kept",
            (get("/about.html?a=1&b=2"), get("/about.html?c=3"), get("/about.html")),
            _to("/about?a=1&b=2"),
            _to("/about?c=3"),
            _to("/about"),
        ),
        row("clean-with-html-deep", get("/sub/page.html?q"), _to("/sub/page?q")),
        row("clean-with-html-304", get("/about.html", "If-None-Match: *"), _to("/about")),
        row(
            "clean-the-index",
            (get("/index.html"), get("/index.html?a=1"), get("/index"), get("/sub/index.html"), get("/sub/index")),
            _to("/"),
            _to("/?a=1"),
            _to("/"),
            _to("/sub/"),
            _to("/sub/"),
        ),
        row("clean-the-root", get("/"), expect(200, _INDEX)),
        row(
            "clean-a-directory",
            (get("/sub"), get("/sub?x"), get("/sub/")),
            _to("/sub/"),
            _to("/sub/?x"),
            expect(200, _INDEX),
        ),
        row(
            "clean-a-slash-too-much",
            (get("/about/"), get("/about/?x=1"), get("/guide/")),
            _to("/about"),
            _to("/about?x=1"),
            _to("/guide"),
        ),
        row(
            "clean-page-before-directory",
            (get("/both"), get("/both/"), get("/both.html"), get("/guide"), get("/guide/part")),
            expect(200, _BOTH),
            expect(200, _INDEX),
            _to("/both"),
            expect(200, _ABOUT),
            expect(200, _BOTH),
        ),
        row("clean-file-before-page", (get("/plain"), get("/plain.html")), expect(200, b"plain"), _to("/plain")),
        row(
            "clean-a-directory-that-ends-in-html",
            (get("/named.html"), get("/named.html/")),
            _to("/named.html/"),
            expect(200, _INDEX),
        ),
        row("clean-html-twice", (get("/x.html"), get("/x.html.html"), get("/x")), missing(), _to("/x.html"), missing()),
        row(
            "clean-what-is-missing",
            (get("/nope"), get("/nope.html"), get("/nope/"), get("/about.html/"), get("/about/x")),
            *[missing()] * 5,
        ),
        row(
            "clean-escapes",
            (get("/a%20b"), get("/a%20b.html"), get("/a:b.html"), get("/%C3%BCber.html"), get("/%61bout%2Ehtml")),
            expect(200, _ABOUT),
            _to("/a%20b"),
            _to("/a:b"),
            _to("/%C3%BCber"),
            _to("/about"),
        ),
        row("clean-other-types", get("/t"), missing()),
        row(
            "clean-hidden-names",
            (get("/.well-known"), get("/.env"), get("/.env.html"), get("/..html"), get("/.")),
            *[missing()] * 4,
            expect(200, _INDEX),
        ),
        row("clean-404-by-its-own-name", (get("/404"), get("/404.html")), expect(200, ROOT_PAGE), _to("/404")),
        row(
            "c9-clean-other-hosts",
            tuple(
                get(target)
                for target in (
                    "//about.html",
                    "//evil.example.html",
                    "///evil.example.html",
                    "/.//evil.example.html",
                    "/x/..//evil.example.html",
                    "//evil.example/",
                )
            ),
            _to("/about"),
            *[_to("/evil.example")] * 5,
        ),
        row(
            "c9-clean-backslash",
            (get("/\\evil.html"), get("/%5Cevil.html"), get("/%5cevil/"), get("//%5Cevil.html")),
            *[_to("/%5Cevil")] * 4,
        ),
        row(
            "c9-clean-encoded-slash",
            (get("/%2Fevil.html"), get("/%2F%2Fevil.html"), get("/%2fevil.example.html"), get("/sub%2Findex.html")),
            *[missing()] * 4,
        ),
        row("c9-clean-line-ends", get("/about.html?%0d%0aX:1"), _to("/about?%0d%0aX:1")),
        row("c9-clean-absolute-form", get("http://evil.example/about.html"), _to("/about")),
    ],
    ("--clean-urls",),
)

CLEAN_SPA: Final = RowSite(
    _CLEAN_FILES,
    [
        row(
            "clean-spa",
            (
                get("/about", *_NAVIGATION),
                get("/about.html", *_NAVIGATION),
                get("/about/", *_NAVIGATION),
                get("/route", *_NAVIGATION),
                get("/route"),
                get("/index", *_NAVIGATION),
            ),
            expect(200, _ABOUT, vary="Accept-Encoding"),
            expect(301, location="./about"),
            expect(301, location="../about"),
            expect(200, _INDEX, vary="Accept-Encoding, Accept, Sec-Fetch-Mode"),
            expect(404, ROOT_PAGE, vary="Accept, Sec-Fetch-Mode"),
            expect(301, location="./"),
        ),
        row(
            "clean-relative",
            (
                get("/sub/page.html?x=1"),
                get("/sub/index.html?x=1"),
                get("/a:b.html"),
                get("/evil.example/"),
                get("/index.html"),
            ),
            expect(301, location="./page?x=1"),
            expect(301, location="./?x=1"),
            expect(301, location="./a:b"),
            expect(301, location="../evil.example"),
            expect(301, location="./"),
        ),
    ],
    ("--clean-urls", "--spa", "--relative-redirects"),
)

_LISTED: Final = expect(200, content_type="text/html; charset=utf-8", vary="Accept, Accept-Encoding", x_robots_tag=...)
CLEAN_BROWSE: Final = RowSite(
    {**_CLEAN_FILES, "open/x.txt": b"x"},
    [
        row(
            "clean-browse",
            (get("/guide"), get("/guide/"), get("/open"), get("/open/"), get("/both/"), get("/about/")),
            expect(200, _ABOUT),
            _LISTED,
            expect(301, location="/open/"),
            _LISTED,
            expect(200, _INDEX),
            _to("/about"),
        ),
        row(
            "spa-browse",
            (get("/guide/", *_NAVIGATION), get("/open/", *_NAVIGATION), get("/route", *_NAVIGATION), get("/route/")),
            _LISTED,
            _LISTED,
            expect(200, _INDEX, vary="Accept-Encoding, Accept, Sec-Fetch-Mode"),
            expect(404, ROOT_PAGE),
        ),
    ],
    ("--clean-urls", "--spa", "--browse"),
)

SITES: Final = {"clean-urls": CLEAN_URLS, "clean-spa": CLEAN_SPA, "clean-browse": CLEAN_BROWSE}
