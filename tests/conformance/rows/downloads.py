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
_OF_DIRECTORIES: Final[list[Row]] = [
    row(
        "6266-4-a-file-of-a-listing",
        get("/d/a.txt"),
        expect(200, b"a", content_disposition='attachment; filename="a.txt"', content_language="de"),
    ),
    row("6266-4-an-index", get("/d/sub/"), expect(200, content_disposition="attachment", content_language="de")),
    *(
        row(
            f"6266-4-{name}",
            get(f"/d/{query}"),
            expect(200, content_type=media, content_disposition=disposition, content_language=None, x_own="1"),
        )
        for name, query, media, disposition in (
            ("no-listing", "", "text/html; charset=utf-8", None),
            ("no-listing-in-json", "?format=json", "application/json", None),
            ("an-archive-has-its-own", "?download=zip", "application/zip", "attachment; filename*=UTF-8''d.zip"),
        )
    ),
]
SITES: Final = {
    "downloads": RowSite(_FILES, ROWS),
    "directories": RowSite(
        {
            "_headers": b"""/d/*
  Content-Disposition: attachment; filename=":splat"
  Content-Language: de
  X-Own: 1
""",
            "d/a.txt": b"a",
            "d/sub/index.html": b"<!DOCTYPE html>\n<title>page</title>\n",
            "marker": b"MARKER",
        },
        _OF_DIRECTORIES,
        ("--browse", "--zip-downloads"),
    ),
    "types": RowSite(
        _FILES,
        OPTIONS,
        (
            *("--charset", "off", "--type", "*.pdf=application/x-a", "--type", "*.pdf=application/x-b"),
            "--type=*.geo=a/b",
        ),
    ),
}
