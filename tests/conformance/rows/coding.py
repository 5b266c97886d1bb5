"""Content codings: which of the coded neighbours of a file a client gets, or how it is compressed (RFC 9110 8.4, 12.5.3).

Each form has an entity tag of its own (hazard D10); a neighbour that cannot be right is never sent (D13).
"""

from pwb_async.storage.coders import encode
from pwb_legacy.compare.checks.rows import Expected, Row, expect, get, head, row
from tests.conformance.coded import IGNORED
from tests.conformance.tree import FILES, LAST_MODIFIED, entity_tag

_ENDINGS = {"br": b".br", "zstd": b".zst", "gzip": b".gz"}
_BROWSER = "Accept-Encoding: gzip, deflate, br, zstd"
_JS = "text/javascript; charset=utf-8"


def tag_of(path: str, coding: str = "") -> str:
    """The entity tag of a small file, or of its neighbour."""
    if not coding:
        return entity_tag(FILES[path[1:].encode()])
    return f'{entity_tag(FILES[path[1:].encode() + _ENDINGS[coding]])[:-1]}-{coding}"'


def coded(path: str, coding: str = "", media: str = _JS, empty: bool = False) -> Expected:
    """The response with a file, or with its neighbour; empty: to HEAD."""
    content = FILES[path[1:].encode() + _ENDINGS.get(coding, b"")]
    return expect(
        200,
        b"" if empty else content,
        content_type=media,
        content_encoding=coding or None,
        content_length=str(len(content)),
        last_modified=LAST_MODIFIED,
        etag=tag_of(path, coding),
        accept_ranges="bytes",
        cache_control="no-cache",
        vary="Accept-Encoding",
    )


TABLE = {
    "none": (None, ""),
    "empty": ("", ""),
    "identity": ("identity", ""),
    "gzip": ("gzip", "gzip"),
    "br": ("br", "br"),
    "zstd": ("zstd", "zstd"),
    "browser": ("gzip, deflate, br, zstd", "br"),
    "gzip-excluded": ("gzip;q=0", ""),
    "br-excluded": ("br;q=0, *", "zstd"),
    "any": ("*", "br"),
    "any-excluded": ("*;q=0", ""),
    "identity-excluded": ("identity;q=0", ""),
    "identity-excluded-gzip": ("identity;q=0, gzip", "gzip"),
    "by-weight": ("gzip;q=0.5, br;q=0.1", "gzip"),
    "upper-case": ("GZIP", "gzip"),
    "x-gzip": ("x-gzip", "gzip"),
    "excluded-with-decimals": ("gzip;q=0.000", ""),
    "upper-case-q": ("gzip;Q=0", ""),
    "spaces": ("gzip ; q=0", ""),
    "one-excluded": ("br;q=0.0, gzip;q=1.0", "gzip"),
    "deflate": ("deflate", ""),
    "deflate-only": ("deflate;q=1, gzip;q=0", ""),
    "identity-preferred": ("identity;q=1, gzip;q=0.5", ""),
    "all-but-gzip-excluded": ("*;q=0, gzip", "gzip"),
    "any-but-two": ("*;q=0.5, gzip;q=0, br;q=0", "zstd"),
    "weight-too-large": ("gzip;q=2", ""),
    "weight-huge": ("gzip;q=1e9", ""),
    "weight-no-number": ("gzip;q=abc", ""),
    "a-longer-name": ("notgzip", ""),
    "dictionaries": ("dcb, dcz", ""),
    "compress": ("compress", ""),
    "8-kib": ("gzip;q=0.1, " * 600 + "br", "br"),
    "a-thousand": (", ".join(f"x-{n}" for n in range(999)) + ", zstd", "zstd"),
}
"""Values of Accept-Encoding, and the coding of the response where all neighbours are there."""


def _accept(value: str | None) -> tuple[str, ...]:
    return () if value is None else (f"Accept-Encoding: {value}",)


_LEVELS = {"br": 5, "zstd": 3, "gzip": 6}
_HTML = "text/html; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"


def fly_tag(path: str, coding: str) -> str:
    """The entity tag of a file that is compressed when it is requested: it names the coding and the level."""
    return f'{entity_tag(FILES[path[1:].encode()])[:-1]}-{coding}{_LEVELS[coding]}"'


def fly(path: str, coding: str, media: str = _JS, empty: bool = False) -> Expected:
    """The response with a file that is compressed when it is requested."""
    content = encode(FILES[path[1:].encode()], coding.encode(), _LEVELS[coding])
    return expect(
        200,
        b"" if empty else content,
        content_type=media,
        content_encoding=coding,
        content_length=str(len(content)),
        last_modified=LAST_MODIFIED,
        etag=fly_tag(path, coding),
        accept_ranges=None,
        cache_control="no-cache",
        vary="Accept-Encoding",
    )


def plain(path: str, media: str = _JS, vary: str | None = "Accept-Encoding") -> Expected:
    """The response with a file as it is."""
    content = FILES[path[1:].encode()]
    return expect(200, content, content_type=media, content_encoding=None, content_length=str(len(content)), vary=vary)


_FLY = "/coded/fly.js"
_FLY_NOT_MODIFIED = expect(
    304, b"", etag=fly_tag(_FLY, "br"), cache_control="no-cache", vary="Accept-Encoding", content_encoding=None
)
_FLY_RANGE = expect(
    206,
    FILES[b"coded/fly.js"][2:10],
    content_encoding=None,
    content_range=f"bytes 2-9/{len(FILES[b'coded/fly.js'])}",
    etag=tag_of(_FLY),
    vary="Accept-Encoding",
    accept_ranges="bytes",
)
FLY_ROWS: list[Row] = [
    *(
        row(f"12.5.3-compressed-{name}", get(_FLY, *_accept(value)), fly(_FLY, coding) if coding else coded(_FLY))
        for name, (value, coding) in TABLE.items()
    ),
    row("9.3.2-compressed-head", head(_FLY, _BROWSER), fly(_FLY, "br", empty=True)),
    row("8.4-compressed-index", get("/coded/fly/", _BROWSER), fly("/coded/fly/index.html", "br", _HTML)),
    row("8.4-compressed-large", get("/coded/fly-long.txt", _BROWSER), fly("/coded/fly-long.txt", "br", _TEXT)),
    row("8.4-compressed-256", get("/coded/fly-256.js", _BROWSER), fly("/coded/fly-256.js", "br")),
    row("8.4-not-compressed-255", get("/coded/fly-255.js", _BROWSER), plain("/coded/fly-255.js")),
    row("8.4-not-smaller", get("/coded/fly-random.txt", _BROWSER), plain("/coded/fly-random.txt", _TEXT)),
    row("8.4-not-smaller-again", (get("/coded/fly-random.txt", _BROWSER),) * 2, *(plain("/coded/fly-random.txt", _TEXT),) * 2),
    row("8.4-not-smaller-large", get("/coded/fly-random-long.txt", _BROWSER), plain("/coded/fly-random-long.txt", _TEXT)),
    row("8.4-no-image", get("/coded/fly-image.png", _BROWSER), plain("/coded/fly-image.png", "image/png", None)),
    row("13.1.2-compressed", get(_FLY, _BROWSER, f"If-None-Match: {fly_tag(_FLY, 'br')}"), _FLY_NOT_MODIFIED),
    row("13.1.2-compressed-head", head(_FLY, _BROWSER, f"If-None-Match: {fly_tag(_FLY, 'br')}"), _FLY_NOT_MODIFIED),
    row("13.1.2-compressed-other-tag", get(_FLY, _BROWSER, f"If-None-Match: {tag_of(_FLY)}, {fly_tag(_FLY, 'gzip')}"), fly(_FLY, "br")),
    row("13.1.3-compressed", get(_FLY, _BROWSER, f"If-Modified-Since: {LAST_MODIFIED}"), _FLY_NOT_MODIFIED),
    row("13.1.1-compressed", get(_FLY, _BROWSER, f"If-Match: {fly_tag(_FLY, 'br')}"), fly(_FLY, "br")),
    row("13.1.1-compressed-other-tag", get(_FLY, _BROWSER, f"If-Match: {tag_of(_FLY)}"), expect(412)),
    row("14.2-range-of-what-would-be-compressed", get(_FLY, _BROWSER, "Range: bytes=2-9"), _FLY_RANGE),
    row("13.1.5-if-range-plain-tag", get(_FLY, _BROWSER, "Range: bytes=2-9", f"If-Range: {tag_of(_FLY)}"), _FLY_RANGE),
    row("13.1.5-if-range-compressed-tag", get(_FLY, _BROWSER, "Range: bytes=2-9", f"If-Range: {fly_tag(_FLY, 'br')}"), coded(_FLY)),
    row("14.2-range-after-compression", (get(_FLY, _BROWSER), get(_FLY, _BROWSER, "Range: bytes=2-9"), get(_FLY, _BROWSER)), fly(_FLY, "br"), _FLY_RANGE, fly(_FLY, "br")),
    row("12.5.3-compressed-only-what-is-preferred", get("/coded/long.txt", "Accept-Encoding: br"), fly("/coded/long.txt", "br", _TEXT)),
]  # fmt: skip

_APP = "/coded/app.js"
_BR = FILES[b"coded/app.js.br"]
_LONG_GZ = FILES[b"coded/long.txt.gz"]
_NOT_MODIFIED = expect(
    304, b"", etag=tag_of(_APP, "br"), cache_control="no-cache", vary="Accept-Encoding", content_encoding=None
)

ROWS: list[Row] = [
    *FLY_ROWS,
    *(row(f"12.5.3-{name}", get(_APP, *_accept(value)), coded(_APP, coding)) for name, (value, coding) in TABLE.items()),
    row("12.5.3-two-lines", get(_APP, "Accept-Encoding: gzip;q=0.5", "Accept-Encoding: br;q=0.4"), coded(_APP, "gzip")),
    row("12.5.3-head", head(_APP, _BROWSER), coded(_APP, "br", empty=True)),
    row("8.4-index", get("/coded/", _BROWSER), coded("/coded/index.html", "br", "text/html; charset=utf-8")),
    row("8.4-query", get("/coded/app.js?v=2", _BROWSER), coded(_APP, "br")),
    row("8.4-neighbour-two-seconds-older", get("/coded/two-seconds.js", _BROWSER), coded("/coded/two-seconds.js", "br")),
    row("8.4-neighbour-by-a-link", get("/coded/linked.js", _BROWSER), expect(200, FILES[b"coded/two-seconds.js.br"], content_encoding="br")),
    row("8.4-next-best-neighbour", get("/coded/good-or-bad.js", _BROWSER), coded("/coded/good-or-bad.js", "gzip")),
    *(
        row(f"8.4-not-{name.decode()}", get(f"/coded/{name.decode()}", _BROWSER), coded(f"/coded/{name.decode()}"))
        for name in IGNORED
        if name != b"image.png"
    ),
    row("8.4-larger-if-nothing-else-is-accepted", get("/coded/larger.js", "Accept-Encoding: gzip, identity;q=0"), expect(200, vary="Accept-Encoding")),
    row(
        "12.5.5-an-image-does-not-vary",
        get("/coded/image.png", _BROWSER),
        expect(200, FILES[b"coded/image.png"], content_encoding=None, vary=None, content_type="image/png"),
    ),
    row("8.4-neighbour-by-its-own-name", get("/coded/app.js.br", _BROWSER), expect(200, _BR, content_type="application/x-brotli", content_encoding=None, vary=None)),
    row("8.4-archive-by-its-own-name", get("/types/x.tar.gz", _BROWSER), expect(200, content_type="application/gzip", content_encoding=None, vary=None)),
    row("8.4-no-file-but-a-neighbour", get("/coded/only.js", _BROWSER), expect(404, vary="Accept", content_encoding=None)),
    row("12.5.5-not-found", get("/coded/missing.js", _BROWSER), expect(404, vary="Accept", content_encoding=None)),
    row("13.1.2-if-none-match-coded", get(_APP, _BROWSER, f"If-None-Match: {tag_of(_APP, 'br')}"), _NOT_MODIFIED),
    row("13.1.2-if-none-match-coded-list", get(_APP, _BROWSER, f"If-None-Match: {tag_of(_APP)}, {tag_of(_APP, 'br')}"), _NOT_MODIFIED),
    row("13.1.2-if-none-match-coded-head", head(_APP, _BROWSER, f"If-None-Match: W/{tag_of(_APP, 'br')}"), _NOT_MODIFIED),
    row("13.1.2-if-none-match-star-coded", get(_APP, _BROWSER, "If-None-Match: *"), _NOT_MODIFIED),
    row("13.1.2-tag-of-the-plain-file", get(_APP, _BROWSER, f"If-None-Match: {tag_of(_APP)}"), coded(_APP, "br")),
    row("13.1.2-tag-of-another-coding", get(_APP, "Accept-Encoding: gzip", f"If-None-Match: {tag_of(_APP, 'br')}"), coded(_APP, "gzip")),
    row("13.1.2-tag-of-a-coding-plain", get(_APP, f"If-None-Match: {tag_of(_APP, 'br')}"), coded(_APP)),
    row(
        "15.4.5-not-modified-plain",
        get(_APP, f"If-None-Match: {tag_of(_APP)}"),
        expect(304, b"", etag=tag_of(_APP), vary="Accept-Encoding", content_encoding=None),
    ),
    row("13.1.3-if-modified-since-coded", get(_APP, _BROWSER, f"If-Modified-Since: {LAST_MODIFIED}"), _NOT_MODIFIED),
    row("13.1.1-if-match-coded", get(_APP, _BROWSER, f"If-Match: {tag_of(_APP, 'br')}"), coded(_APP, "br")),
    row("13.1.1-if-match-plain", get(_APP, _BROWSER, f"If-Match: {tag_of(_APP)}"), expect(412)),
    row(
        "14.2-range-of-a-neighbour",
        get(_APP, _BROWSER, "Range: bytes=2-9"),
        expect(206, _BR[2:10], content_encoding="br", content_range=f"bytes 2-9/{len(_BR)}", content_type=_JS, etag=tag_of(_APP, "br"), last_modified=LAST_MODIFIED, vary="Accept-Encoding"),
    ),
    row("14.2-range-of-a-large-neighbour", get("/coded/long.txt", _BROWSER, "Range: bytes=-9"), expect(206, _LONG_GZ[-9:], content_encoding="gzip", vary="Accept-Encoding")),
    row("8.4-large-neighbour", get("/coded/long.txt", "Accept-Encoding: gzip"), expect(200, _LONG_GZ, content_encoding="gzip", content_type="text/plain; charset=utf-8", vary="Accept-Encoding", last_modified=LAST_MODIFIED)),
    row("15.5.17-range-beyond-a-neighbour", get(_APP, _BROWSER, f"Range: bytes={len(_BR)}-"), expect(416, content_range=f"bytes */{len(_BR)}")),
    row("13.1.5-if-range-coded", get(_APP, _BROWSER, "Range: bytes=0-0", f"If-Range: {tag_of(_APP, 'br')}"), expect(206, _BR[:1])),
    row("13.1.5-if-range-plain", get(_APP, _BROWSER, "Range: bytes=0-0", f"If-Range: {tag_of(_APP)}"), coded(_APP, "br")),
    row("13.1.5-if-range-date-of-a-neighbour", get(_APP, _BROWSER, "Range: bytes=0-0", f"If-Range: {LAST_MODIFIED}"), coded(_APP, "br")),
    row("8.4-pipelined", (get(_APP, _BROWSER), get(_APP), get(_APP, "Accept-Encoding: gzip"), get(_APP, _BROWSER)), coded(_APP, "br"), coded(_APP), coded(_APP, "gzip"), coded(_APP, "br")),
]  # fmt: skip
