"""Several roots, and a root beneath a path prefix, each on a site of its own (docs/sites.md)."""

from typing import Final

from pwb_legacy.compare.checks.rows import Row, expect, get, head, row
from tests.conformance.tree import ALPHABET

from .site import RowSite

_PAGE: Final = b"<!DOCTYPE html>\n<title>404 file not found</title>\n"
_LARGE: Final = bytes(200_000)
_ROOT: Final = {
    "index.html": _PAGE,
    "marker": b"MARKER",
    "a.txt": b"of the root",
    "docs/hidden.txt": b"CANARY",
    "_headers": b"/*\nX-Root: 1\nX-Both: root\n/docs/b.txt\nX-Deep: 1\n",
    "_redirects": b"/old /new 301\n/docs/twice /root 302\n/to-docs /docs/b.txt 200\n",
}
_DOCS: Final = {
    "docs-build/index.html": _PAGE,
    "docs-build/b.txt": ALPHABET,
    "docs-build/large.bin": _LARGE,
    "docs-build/sub/index.html": _PAGE,
    "docs-build/sub/.env": b"CANARY",
    "docs-build/api/hidden.txt": b"CANARY",
    "docs-build/_headers": b"/*\nX-Docs: 1\nX-Both: docs\n/b.txt\nX-File: b\n",
    "docs-build/_redirects": b"/old /b.txt 301\n/twice /own 302\n/n/:x /sub/:x 302\n",
}

_MOUNTED: Final[list[Row]] = [
    row(
        "mount-a-file", get("/docs/b.txt"), expect(200, ALPHABET, x_docs="1", content_type="text/plain; charset=utf-8")
    ),
    row("mount-a-file-head", head("/docs/b.txt"), expect(200, b"", content_length="26")),
    row("mount-a-large-file", get("/docs/large.bin"), expect(200, _LARGE)),
    row("mount-a-range", get("/docs/b.txt", "Range: bytes=1-2"), expect(206, b"bc")),
    row("mount-304", get("/docs/b.txt", "If-None-Match: *"), expect(304)),
    row("mount-the-index", get("/docs/"), expect(200, _PAGE)),
    row("mount-without-its-slash", get("/docs?x=1"), expect(301, location="/docs/?x=1")),
    row("mount-a-directory-without-its-slash", get("/docs/sub"), expect(301, location="/docs/sub/")),
    row("mount-hides-the-folder-of-the-root", get("/docs/hidden.txt"), expect(404)),
    row(
        "mount-the-root-stays", (get("/a.txt"), get("/")), expect(200, b"of the root", x_docs=None), expect(200, _PAGE)
    ),
    row("mount-a-longer-name-is-of-the-root", get("/docs2/b.txt"), expect(404)),
    row("mount-in-a-mount", get("/docs/api/x.txt"), expect(200, b"api")),
    row("mount-in-a-mount-hides-the-folder", get("/docs/api/hidden.txt"), expect(404)),
    row("mount-a-path-of-two-names", get("/my%20files/deep/y.txt"), expect(200, b"deep")),
    row("mount-above-a-path-of-two-names", get("/my%20files/"), expect(404)),
    row("C1-mount-dots-lead-to-the-root", get("/docs/../a.txt"), expect(200, b"of the root")),
    row("C1-mount-escaped-slash", get("/docs/..%2fa.txt"), expect(404)),
    row("C7-mount-dotfiles", get("/docs/sub/.env"), expect(404)),
    row("mount-files-of-rules", (get("/docs/_headers"), get("/docs/_REDIRECTS"), get("/_headers")), *[expect(404)] * 3),
    row("mount-rules-of-the-root-reach-a-mount", get("/docs/b.txt"), expect(200, x_root="1", x_deep="1")),
    row("mount-rules-of-the-mount-come-later", get("/docs/b.txt"), expect(200, x_both="docs", x_file="b")),
    row("mount-rules-of-the-mount-end-there", get("/b.txt"), expect(404, x_docs=None, x_file=None, x_both="root")),
    row("mount-a-redirect-beneath", get("/docs/old"), expect(301, location="/docs/b.txt")),
    row("mount-a-redirect-of-the-root", get("/old"), expect(301, location="/new")),
    row("mount-its-own-redirect-is-first", get("/docs/twice"), expect(302, location="/docs/own")),
    row("mount-a-placeholder", get("/docs/n/7"), expect(302, location="/docs/sub/7")),
    row("mount-a-rewrite-of-the-root-into-a-mount", get("/to-docs"), expect(200, ALPHABET)),
]
_PREFIXED: Final[list[Row]] = [
    row("prefix-a-file", get("/site/a.txt"), expect(200, b"of the root", x_root="1")),
    row("prefix-the-index", get("/site/"), expect(200, _PAGE)),
    row("prefix-without-its-slash", get("/site"), expect(301, location="/site/")),
    row("prefix-outside-of-it", (get("/a.txt"), get("/"), get("/sites/a.txt")), *[expect(404)] * 3),
    row("prefix-a-rule", get("/site/old"), expect(301, location="/site/new")),
    row("prefix-a-rule-outside-of-it", get("/old"), expect(404, x_root=None)),
    row("prefix-a-rewrite", get("/site/to-docs"), expect(404)),
    row("prefix-another-root-outside-of-it", get("/docs/b.txt"), expect(200, ALPHABET)),
    row("prefix-twice", get("/site/site/a.txt"), expect(404)),
]
_LISTING: Final = (
    b'{"path": "/docs/sub/", "entries": [{"name": "x.txt", "type": "file", "size": 1, '
    b'"modified": "2020-09-13T12:26:40Z"}], "page": 1, "pages": 1}\n'
)
_LISTED: Final[list[Row]] = [
    row("mount-a-listing", get("/docs/sub/?format=json"), expect(200, _LISTING, content_type="application/json")),
    row("mount-a-listing-without-its-slash", get("/docs/sub"), expect(301, location="/docs/sub/")),
    row("mount-a-listing-of-nothing", get("/docs/nope/"), expect(404)),
]
_MAINTAINED: Final = b"<!DOCTYPE html>\n<title>503 Service Unavailable</title>\n"
_LAST: Final = "Connection: close"
_IN_MAINTENANCE: Final[list[Row]] = [
    row("prefix-maintenance", get("/site/a.txt", _LAST), expect(503, _MAINTAINED, retry_after="60"), ends=True),
    row("prefix-maintenance-outside-of-it", get("/a.txt", _LAST), expect(503, _MAINTAINED), ends=True),
]
_NEAREST: Final = b"<!DOCTYPE html>\n<title>404 file not found</title> of docs\n"
_NAVIGATION: Final = "Sec-Fetch-Mode: navigate"
_APP: Final[list[Row]] = [
    row("prefix-spa", get("/site/a/b", _NAVIGATION), expect(200, _PAGE)),
    row("prefix-spa-outside-of-it", get("/a/b", _NAVIGATION), expect(404)),
    row("mount-spa", get("/site/docs/a/b", _NAVIGATION), expect(200, b"docs")),
    row("mount-spa-of-a-longer-name", get("/site/docs2/a", _NAVIGATION), expect(200, _PAGE)),
    row("mount-spa-an-asset", get("/site/docs/a.js"), expect(404, _NEAREST)),
]
SITES: Final = {
    "mounts": RowSite(
        _ROOT,
        _MOUNTED,
        ("--mount", "/docs/=docs-build", "--mount", "/docs/api=api", "--mount", "/my%20files/deep/=deep"),
        beside={
            **_DOCS,
            "api/x.txt": b"api",
            "deep/y.txt": b"deep",
        },
        allowed_errors="X-Both|it is never reached",
    ),
    "prefix": RowSite(
        _ROOT,
        _PREFIXED,
        ("--prefix", "/site", "--mount", "/=other", "--mount", "/docs/=docs-build"),
        beside={**_DOCS, "other/marker": b"MARKER"},
        allowed_errors="X-Both|it is never reached|outside of the prefix|there is no file /site/docs/b.txt",
    ),
    "mounted-listing": RowSite(
        {"marker": b"MARKER"},
        _LISTED,
        ("--browse", "--mount", "/docs/=docs"),
        beside={"docs/sub/x.txt": b"x", "docs/_headers": b"# no rules"},
    ),
    "prefix-maintenance": RowSite({"503.html": _MAINTAINED}, _IN_MAINTENANCE, ("--maintenance", "--prefix", "/site/")),
    "mounted-apps": RowSite(
        {"index.html": _PAGE},
        _APP,
        ("--spa", "--prefix", "/site/", "--mount", "/site/docs/=docs", "--mount", "/=other"),
        beside={"docs/index.html": b"docs", "docs/404.html": _NEAREST, "other/marker": b"MARKER"},
    ),
}
