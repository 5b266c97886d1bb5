"""Media types: the same on every machine, with a charset for every text (RFC 9110 8.3)."""

import pytest

from pwb_async.core.semantics.grammar import MEDIA_TYPE
from pwb_async.core.site.media_types import _ENDINGS, _WELL_KNOWN, DEFAULT, STANDARD, MediaTypes, _rows

JSON = b"application/json"


def media_type(path: bytes, types: MediaTypes = STANDARD) -> bytes:
    """Return Content-Type, which must be the only field."""
    ((name, value),) = types.fields(path)
    assert name == b"Content-Type"
    return value


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
        (b"a.geojson", b"application/geo+json"),
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


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b".well-known/apple-app-site-association", JSON),
        (b"apple-app-site-association", JSON),
        (b"sub/apple-app-site-association", DEFAULT),
        (b".well-known/assetlinks.json", JSON),
        (b".well-known/matrix/client", JSON),
        (b".well-known/webauthn", JSON),
        (b".well-known/host-meta", b"application/xrd+xml"),
        (b".well-known/host-meta.json", JSON),
        (b".well-known/security.txt", b"text/plain; charset=utf-8"),
        (b".well-known/atproto-did", b"text/plain; charset=utf-8"),
        (b".well-known/acme-challenge/token", DEFAULT),  # RFC 8555 8.3
        (b".well-known/WebAuthn", DEFAULT),
        (b"well-known/webauthn", DEFAULT),
        (b"webauthn", DEFAULT),
        (b"sub.d/html", DEFAULT),
        (b"sub/a.html", b"text/html; charset=utf-8"),
    ],
)
def test_a_path_whose_type_is_registered(path: bytes, expected: bytes) -> None:
    assert media_type(path) == expected


@pytest.mark.parametrize("table", [_ENDINGS, _WELL_KNOWN])
def test_every_type_in_the_tables_is_valid_and_each_name_occurs_once(table: str) -> None:
    rows = list(_rows(table))
    names = [name for name, _ in rows]
    assert len(set(names)) == len(names) > 20
    for name, media in rows:
        assert MEDIA_TYPE.fullmatch(media), media
        assert media == media.lower()
        assert name == name.lower()


def test_only_text_has_a_charset() -> None:
    for ending, media in _rows(_ENDINGS):
        charset = b"; charset=utf-8" if media.startswith(b"text/") else b""
        assert media_type(b"a." + ending) == media + charset


@pytest.mark.parametrize(
    ("charset", "path", "expected"),
    [
        (b"euc-kr", b"a.html", b"text/html; charset=euc-kr"),
        (b"euc-kr", b"a.js", b"text/javascript; charset=euc-kr"),
        (b"euc-kr", b"a.json", JSON),
        (b"euc-kr", b"a.svg", b"image/svg+xml"),
        (b"euc-kr", b".well-known/atproto-did", b"text/plain; charset=euc-kr"),
        (b"euc-kr", b"a.own", b"TEXT/x-own ;\tCharset=big5"),
        (b"euc-kr", b"a.text", b"text/x-text;format=flowed; charset=euc-kr"),
        (b"", b"a.html", b"text/html"),
        (b"", b"a.css", b"text/css"),
        (b"", b"a.own", b"TEXT/x-own ;\tCharset=big5"),
        (b"", b"a.text", b"text/x-text;format=flowed"),
    ],
)
def test_charset(charset: bytes, path: bytes, expected: bytes) -> None:
    """The charset is added to text types without one (RFC 9110 8.3.2)."""
    rules = [("*.own", b"TEXT/x-own ;\tCharset=big5"), ("*.text", b"text/x-text;format=flowed")]
    assert media_type(path, MediaTypes(rules, charset)) == expected


RULES = [
    ("*.md", b"a/name"),
    ("old/*", b"a/path"),
    ("old/*.MD", b"a/both"),
    ("/README", b"a/root"),
    ("[xy]?.data", b"a/set"),
    ("gr\xf6\xdfe*", b"a/letters"),
    ("*/deep", b"a/deep"),
    ("\udcff", b"a/bytes"),
    (".well-known/webauthn", b"a/webauthn"),
    ("*.md", b"a/last"),
]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (b"a.md", b"a/last"),
        (b"old/a.md", b"a/last"),
        (b"old/a.txt", b"a/path"),
        (b"old/b/c", b"a/path"),
        (b"OLD/b", b"a/path"),
        (b"very/old/b", DEFAULT),
        (b"A.MD", b"a/last"),
        (b"README", b"a/root"),
        (b"readme", b"a/root"),
        (b"sub/README", DEFAULT),
        (b"sub/x1.data", b"a/set"),
        (b"z1.data", DEFAULT),
        (b"x.data", DEFAULT),
        ("sub/GRÖßE.txt".encode(), b"a/letters"),
        (b"x/deep", b"a/deep"),
        (b"x/y/deep", b"a/deep"),
        (b"deep", DEFAULT),
        (b"\xff", b"a/bytes"),
        (b"\xfe", DEFAULT),
        (b".well-known/webauthn", b"a/webauthn"),
        (b"a.md\nb", DEFAULT),
        (b"a.html", b"text/html; charset=utf-8"),
    ],
)
def test_the_last_glob_that_matches(path: bytes, expected: bytes) -> None:
    assert media_type(path, MediaTypes(RULES)) == expected


CODED = MediaTypes(
    [
        *(("*.special", b"a/special"), ("coded/*", b"a/coded"), ("*.packed", b"Application/ZIP ; v=1")),
        *(("*.own.gz", b"a/whole"), ("*.own", b"a/inner"), ("*.bare.js.*", b"a/bare"), ("LICENSE", b"text/plain")),
        *(("late/*.gz", b"a/early"), ("late/*", b"a/late"), ("*.blob", DEFAULT)),
    ],
    encoded=True,
)
ARCHIVES = b"zip whl gz tgz zst br bz2 xz 7z tar rar jar war ear epub apk usdz xpi crx msix".split()
JAVASCRIPT = b"text/javascript; charset=utf-8"


@pytest.mark.parametrize(
    ("path", "media", "coding"),
    [
        (b"x.js.br", JAVASCRIPT, b"br"),
        (b"x.js.gz", JAVASCRIPT, b"gzip"),
        (b"x.js.zst", JAVASCRIPT, b"zstd"),
        (b"sub/X.JS.BR", JAVASCRIPT, b"br"),
        (b"Build.data.br", DEFAULT, b"br"),
        (b"Build.symbols.json.br", JSON, b"br"),
        (b"Build.wasm.br", b"application/wasm", b"br"),
        (b"x.special.gz", b"a/special", b"gzip"),
        (b"coded/x.js.gz", b"a/coded", b"gzip"),
        (b"x.blob.gz", DEFAULT, b"gzip"),
        (b"LICENSE.gz", b"text/plain; charset=utf-8", b"gzip"),
        (b".well-known/webauthn.gz", JSON, b"gzip"),
        (b"late/x.js.gz", b"a/late", b"gzip"),
        (b"x.own.br", b"a/inner", b"br"),
        (b"x.own.gz", b"a/whole", b""),
        (b"x.bare.js.gz", b"a/bare", b""),
        (b"x.js.gz.br", b"application/x-brotli", b""),
        (b"x.js", JAVASCRIPT, b""),
        (b"x.br", b"application/x-brotli", b""),
        (b"x.y/z.br", b"application/x-brotli", b""),
        (b"Packages.gz", b"application/gzip", b""),
        (b"x.tar.gz", b"application/gzip", b""),
        (b"x.TAR.zst", b"application/zstd", b""),
        (b"x.tgz", b"application/gzip", b""),
        (b"v-1.2.gz", b"application/gzip", b""),
        (b"man.1.gz", b"application/gzip", b""),
        (b"dump-2026.11.30.gz", b"application/gzip", b""),
        (b"x.iso.zst", b"application/zstd", b""),
        (b"x.unheard-of.br", b"application/x-brotli", b""),
        (b"x.packed.gz", b"application/gzip", b""),
        *((b"x.%s.gz" % ending, b"application/gzip", b"") for ending in ARCHIVES),
        (b"x.js.xz", b"application/x-xz", b""),
        (b"x.js.brotli", DEFAULT, b""),
        (b"", DEFAULT, b""),
    ],
)
def test_coded_files(path: bytes, media: bytes, coding: bytes) -> None:
    """The type of a coded file is that of its decoded content (RFC 9110 8.4)."""
    expected = [(b"Content-Type", media)] + ([(b"Content-Encoding", coding)] if coding else [])
    assert list(CODED.fields(path)) == expected


def test_coded_files_are_not_special_without_the_option() -> None:
    assert media_type(b"x.js.br") == b"application/x-brotli"


def test_the_glob_that_decides_is_known() -> None:
    types = MediaTypes([("*.a", b"text/x-a"), ("x.*", b"text/x-x")])
    assert [types.glob_of(path) for path in (b"b.a", b"x.a", b"b.b")] == ["*.a", "x.*", None]
