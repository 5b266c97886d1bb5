"""Content-Type: the same on every machine, a charset on every text (RFC 9110 8.3)."""

import pytest

from pwb_async.core.grammar import TOKEN
from pwb_async.core.media_types import _TYPES, DEFAULT, media_type


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"index.html", b"text/html; charset=utf-8"),
        (b"a.HTM", b"text/html; charset=utf-8"),
        (b"style.css", b"text/css; charset=utf-8"),
        (b"app.js", b"text/javascript; charset=utf-8"),
        (b"app.mjs", b"text/javascript; charset=utf-8"),
        (b"a.txt", b"text/plain; charset=utf-8"),
        (b"a.md", b"text/markdown; charset=utf-8"),
        (b"a.csv", b"text/csv; charset=utf-8"),
        (b"a.json", b"application/json"),
        (b"app.js.map", b"application/json"),
        (b"site.webmanifest", b"application/manifest+json"),
        (b"a.svg", b"image/svg+xml"),
        (b"a.png", b"image/png"),
        (b"a.jpg", b"image/jpeg"),
        (b"a.JPEG", b"image/jpeg"),
        (b"a.webp", b"image/webp"),
        (b"a.avif", b"image/avif"),
        (b"favicon.ico", b"image/x-icon"),
        (b"a.woff2", b"font/woff2"),
        (b"a.wasm", b"application/wasm"),
        (b"a.pdf", b"application/pdf"),
        (b"a.mp4", b"video/mp4"),
        (b"a.webm", b"video/webm"),
        (b"a.mp3", b"audio/mpeg"),
        (b"a.wav", b"audio/wav"),
        (b"a.tar.gz", b"application/gzip"),
        (b"a.zip", b"application/zip"),
        (b"a.jar", b"application/java-archive"),
        (b"feed.xml", b"application/xml"),  # the file says its encoding itself
        (b"a.svgz", DEFAULT),  # it would need Content-Encoding: gzip
        (b"LICENSE", DEFAULT),
        (b"html", DEFAULT),
        (b"a.", DEFAULT),
        (b"", DEFAULT),
        (b"a.unknown", DEFAULT),
        (b"a.\xff", DEFAULT),
        (b"a.html ", DEFAULT),
        (b"a.html/x", DEFAULT),
        (b"\xff.html", b"text/html; charset=utf-8"),
    ],
)
def test_media_type(name: bytes, expected: bytes) -> None:
    assert media_type(name) == expected


def test_every_type_of_the_table_is_well_formed_and_every_text_has_its_charset() -> None:
    assert len(_TYPES) > 100
    for ending, value in _TYPES.items():
        kind, _, charset = value.partition(b"; ")
        main, _, sub = kind.partition(b"/")
        assert TOKEN.fullmatch(main), ending
        assert TOKEN.fullmatch(sub), ending
        assert charset == (b"charset=utf-8" if main == b"text" else b"")
        assert ending == ending.lower()
