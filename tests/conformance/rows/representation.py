"""The fields that describe a file: Content-Type, Content-Length, validators, caching (RFC 9110 8)."""

import re

from pwb_legacy.compare.checks import essential_rows
from pwb_legacy.compare.checks.rows import expect, get, head, row
from tests.conformance.tree import ALPHABET, FILES, LAST_MODIFIED, ODD, entity_tag

_TYPES = {
    "/types/x.html": "text/html; charset=utf-8",
    "/types/X.HTML": "text/html; charset=utf-8",
    "/types/x.css": "text/css; charset=utf-8",
    "/types/x.js": "text/javascript; charset=utf-8",
    "/types/x.mjs": "text/javascript; charset=utf-8",
    "/types/x.json": "application/json",
    "/types/x.svg": "image/svg+xml",
    "/types/x.png": "image/png",
    "/types/x.woff2": "font/woff2",
    "/types/x.wasm": "application/wasm",
    "/types/x.mp4": "video/mp4",
    "/types/x.pdf": "application/pdf",
    "/types/x.map": "application/json",
    "/types/x.geojson": "application/geo+json",
    "/types/x.jsonld": "application/ld+json",
    "/types/x.webmanifest": "application/manifest+json",
    "/types/x.cjs": "text/javascript; charset=utf-8",
    "/types/x.m3u8": "application/vnd.apple.mpegurl",
    "/types/x.m4s": "video/iso.segment",
    "/types/x.mpd": "application/dash+xml",
    "/types/x.vtt": "text/vtt; charset=utf-8",
    "/types/x.opus": "audio/ogg",
    "/types/x.jxl": "image/jxl",
    "/types/x.avif": "image/avif",
    "/types/x.webp": "image/webp",
    "/types/x.heic": "image/heic",
    "/types/x.heif": "image/heif",
    "/types/x.glb": "model/gltf-binary",
    "/types/x.gltf": "model/gltf+json",
    "/types/x.usdz": "model/vnd.usdz+zip",
    "/types/x.ktx2": "image/ktx2",
    "/types/x.pmtiles": "application/vnd.pmtiles",
    "/types/x.parquet": "application/vnd.apache.parquet",
    "/types/x.ics": "text/calendar; charset=utf-8",
    "/types/x.vcf": "text/vcard; charset=utf-8",
    "/types/x.epub": "application/epub+zip",
    "/types/x.zst": "application/zstd",
    "/types/x.br": "application/x-brotli",
    "/types/x.js.br": "application/x-brotli",
    "/types/x.data.gz": "application/gzip",
    "/.well-known/apple-app-site-association": "application/json",
    "/.well-known/assetlinks.json": "application/json",
    "/.well-known/matrix/client": "application/json",
    "/apple-app-site-association": "application/json",
    "/types/x.unheard-of": "application/octet-stream",
    "/types/none": "application/octet-stream",
    "/types/trailing.": "application/octet-stream",
    "/a.txt": "text/plain; charset=utf-8",
}

ROWS = [
    *essential_rows.REPRESENTATION,
    row(
        "9110-8-all-fields-of-a-file",
        get("/a.txt"),
        expect(
            200,
            ALPHABET,
            server="PWB",
            content_type="text/plain; charset=utf-8",
            content_length="26",
            last_modified=LAST_MODIFIED,
            etag='"db7ca44e84843d67ebe162220154e1e6"',  # the digest of its content
            accept_ranges="bytes",
            cache_control="no-cache",
            x_content_type_options="nosniff",
            connection=None,
            transfer_encoding=None,
            content_encoding=None,
            vary="Accept-Encoding",
        ),
    ),
    *(
        row(f"9110-8.3{target.replace('/', '-')}", head(target), expect(200, content_type=kind))
        for target, kind in _TYPES.items()
    ),
    row("9110-8.3-gzip-is-a-file-like-any-other", head("/types/x.tar.gz"), expect(200, content_encoding=None)),
    row(
        "9110-8-an-error-speaks-of-itself-and-not-of-a-file",
        get("/missing"),
        expect(404, content_type="text/html; charset=utf-8", etag=None, last_modified=None, accept_ranges=None),
    ),
    *(
        row(name, get(f"/{file}"), expect(200, ODD, last_modified=modified, etag=entity_tag(ODD)))
        for name, file, modified in (
            ("D12-mtime-in-the-future", "time-2099", ...),
            ("D12-mtime-before-the-epoch", "time-1960", None),
            ("D12-mtime-in-the-year-10000", "time-year-10000", ...),
            ("D7-mtime-0-is-no-date", "time-0", None),
            ("D7-mtime-1-is-no-date", "time-1", None),
            ("D7-mtime-2-is-a-time", "time-2", "Thu, 01 Jan 1970 00:00:02 GMT"),
            ("D7-mtime-of-npm-is-no-date", "time-npm", None),
            ("D7-mtime-of-zip-is-no-date", "time-zip", None),
        )
    ),
    row("9110-9.3.2-head-has-the-tag-of-get", head("/1k.bin"), expect(200, b"", etag=entity_tag(FILES[b"1k.bin"]))),
    row(
        "9110-8.8.3-a-large-file-has-a-strong-tag",
        head("/30m.bin"),
        expect(200, b"", etag=re.compile('"[0-9a-f]{32}"')),
    ),
]
