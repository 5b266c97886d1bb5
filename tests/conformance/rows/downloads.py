"""Fields about one file by rule: how it is saved, what to load with it, its media type and charset (docs/rules.md)."""

from typing import Final

from pwb_legacy.compare.checks.rows import Row, expect, get, head, row
from tests.conformance.tree import ALPHABET

from .site import RowSite

_HEADERS: Final = """
/saved/*
  Content-Disposition: attachment; filename="pwb-:splat"
/named.pdf
  Content-Disposition: attachment; filename="Übersicht 1.pdf"
/page.html
  Link: </s.css>; rel=preload; as=style
  Link: </f.woff2>; rel=preload; as=font; crossorigin
/data.geo
  Content-Type: application/geo+json
/old.txt
  Content-Type: text/plain; charset=euc-kr
"""
_FILES: Final = {
    "_headers": _HEADERS.encode(),
    "saved/a.bin": ALPHABET,
    "saved/ü;.bin": b"u",
    "named.pdf": ALPHABET,
    "page.html": b"<!DOCTYPE html>\n<title>page</title>\n",
    "data.geo": b"{}",
    "old.txt": b"old",
    "plain.txt": b"plain",
    "code.svg": b"<svg/>",
    "marker": b"MARKER",
}
_SAVED: Final = 'attachment; filename="pwb-a.bin"'
_LINK: Final = "</s.css>; rel=preload; as=style, </f.woff2>; rel=preload; as=font; crossorigin"

ROWS: Final[list[Row]] = [
    row("6266-4-a-file", get("/saved/a.bin"), expect(200, ALPHABET, content_disposition=_SAVED)),
    row("6266-4-head", head("/saved/a.bin"), expect(200, b"", content_disposition=_SAVED)),
    row("6266-4-206", get("/saved/a.bin", "Range: bytes=0-1"), expect(206, b"ab", content_disposition=_SAVED)),
    row("6266-4-304", get("/saved/a.bin", "If-None-Match: *"), expect(304, content_disposition=None)),
    row("6266-4-404", get("/saved/nope"), expect(404, content_disposition=None)),
    row(
        "6266-4-3-a-name-beyond-us-ascii",
        get("/named.pdf"),
        expect(
            200,
            content_disposition="attachment; filename=\"Ubersicht 1.pdf\"; filename*=UTF-8''%C3%9Cbersicht%201.pdf",
        ),
    ),
    row(
        "C10-6266-4-3-what-is-filled-in",
        get("/saved/%C3%BC;.bin"),
        expect(200, content_disposition="attachment; filename=\"pwb-u;.bin\"; filename*=UTF-8''pwb-%C3%BC%3B.bin"),
    ),
    row("8288-3-preload", get("/page.html"), expect(200, link=_LINK)),
    row("8288-3-preload-head", head("/page.html"), expect(200, b"", link=_LINK)),
    row("9110-8-3-a-type-by-rule", get("/data.geo"), expect(200, b"{}", content_type="application/geo+json")),
    row(
        "9110-8-3-2-a-charset-by-rule", get("/old.txt"), expect(200, b"old", content_type="text/plain; charset=euc-kr")
    ),
    row("9110-8-3-2-a-charset", get("/plain.txt"), expect(200, content_type="text/plain; charset=utf-8")),
    row("9110-8-3-2-no-charset-of-xml", get("/code.svg"), expect(200, content_type="image/svg+xml")),
]
OPTIONS: Final[list[Row]] = [
    row("9110-8-3-2-no-charset", get("/plain.txt"), expect(200, content_type="text/plain")),
    row("9110-8-3-type-by-option", get("/named.pdf"), expect(200, content_type="application/x-b")),
    row("9110-8-3-type-of-the-rule-wins", get("/data.geo"), expect(200, content_type="application/geo+json")),
]
SITES: Final = {
    "downloads": RowSite(_FILES, ROWS),
    "types": RowSite(
        _FILES,
        OPTIONS,
        (
            *("--charset", "off", "--type", "*.pdf=application/x-a", "--type", "*.pdf=application/x-b"),
            "--type=*.geo=a/b",
        ),
    ),
}
