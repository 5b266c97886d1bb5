"""What of a request decides its content coding, and which responses say so."""

import pytest

from pwb_async.core.semantics.codings import NO_CODING
from pwb_async.core.semantics.messages import FieldList, Request, Response
from pwb_async.core.site.coding_negotiation import CodingNegotiation
from pwb_async.core.site.compressible import is_compressible
from pwb_async.core.site.findings import OpenFile
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.media_types import MediaTypes
from pwb_async.core.site.site import Site
from tests.core.driver import CHANGED, NOW

from .rule_requests import request_of

BROWSER = b"Accept-Encoding: gzip, deflate, br, zstd"
RANGE = b"Range: bytes=0-1"
BOTH, NEIGHBOURS, ON_THE_FLY = (CodingNegotiation(*each) for each in ((True, True), (True, False), (False, True)))
COMPRESSIBLE = """
    text/html text/html;charset=utf-8 TEXT/CSS text/javascript text/x-anything application/json application/ld+json
    application/manifest+json application/xml application/xhtml+xml application/rss+xml application/problem+json
    application/openapi+yaml application/wasm image/svg+xml image/x-icon image/bmp font/ttf font/otf application/yaml
"""
COMPRESSED = """
    text/event-stream image/png image/jpeg font/woff font/woff2 application/pdf application/zip application/gzip
    application/octet-stream video/mp4 application/epub+zip multipart/byteranges
"""


@pytest.mark.parametrize("media", COMPRESSIBLE.split())
def test_types_that_are_worth_compressing(media: str) -> None:
    assert is_compressible(media.encode())


@pytest.mark.parametrize("media", COMPRESSED.split())
def test_types_that_are_not(media: str) -> None:
    assert not is_compressible(media.encode())


def lookup_of(negotiation: CodingNegotiation, target: str, *fields: bytes) -> Lookup:
    site = Site(negotiation=negotiation, error_pages=False)
    request = request_of(target, *fields)
    request.fields.variant = site.variant(request.fields) if site.variant else b""
    request = Request(request.method, request.target, request.fields, request.version)
    located = site.locate(request)
    assert isinstance(located, Lookup)
    return located


def test_a_site_without_codings_negotiates_nothing() -> None:
    assert Site(error_pages=False).variant is None
    lookup = lookup_of(CodingNegotiation(), "/a.js", BROWSER)
    assert (lookup.codings, lookup.compress, lookup.shared_key) == (NO_CODING, False, b"")
    assert Site(negotiation=BOTH, error_pages=False).variant == BOTH


def test_a_request_without_the_field_asks_for_no_coding() -> None:
    for target in ("/a.js", "/a.png"):
        lookup = lookup_of(BOTH, target)
        assert (lookup.codings, lookup.shared_key, lookup.candidates[0].compressible) == (NO_CODING, b"", False)
        assert lookup.request.cache_key == target[1:].encode()


@pytest.mark.parametrize("negotiation", [BOTH, NEIGHBOURS, ON_THE_FLY])
def test_a_compressible_file_has_one_key_for_each_set_of_codings(negotiation: CodingNegotiation) -> None:
    lookup = lookup_of(negotiation, "/a.js", BROWSER)
    assert lookup.codings.codings == (b"br", b"zstd", b"gzip")
    assert [each.compressible for each in lookup.candidates] == [True]
    assert lookup.compress is negotiation.compress
    assert (lookup.request.cache_key, lookup.shared_key) == (b"a.js\0br,zstd,gzip", b"")


def test_an_image_has_one_key() -> None:
    lookup = lookup_of(BOTH, "/a.png", BROWSER)
    assert (lookup.codings, lookup.compress) == (NO_CODING, False)
    assert (lookup.request.cache_key, lookup.shared_key) == (b"a.png\0br,zstd,gzip", b"a.png")


def test_indexes_are_judged_one_by_one() -> None:
    lookup = lookup_of(BOTH, "/sub/", BROWSER)
    assert [(each.path, each.compressible) for each in lookup.candidates] == [
        (b"sub/index.html", True),
        (b"sub", False),
    ]
    assert lookup.shared_key == b""


def test_nothing_is_compressed_for_a_request_with_range() -> None:
    lookup = lookup_of(BOTH, "/a.js", BROWSER, RANGE)
    assert (lookup.codings.codings, lookup.compress) == ((b"br", b"zstd", b"gzip"), False)
    assert lookup.request.cache_key == b"a.js\0br,zstd,gzipr"
    assert lookup_of(NEIGHBOURS, "/a.js", BROWSER, RANGE).request.cache_key == b"a.js\0br,zstd,gzip"
    plain = lookup_of(ON_THE_FLY, "/a.js", BROWSER, RANGE)
    assert (plain.codings, plain.compress, plain.request.cache_key) == (NO_CODING, False, b"a.js")


def test_a_file_whose_name_has_a_coding_gets_no_other() -> None:
    site = Site(negotiation=BOTH, types=MediaTypes(encoded=True))
    located = site.locate(request_of("/a.js.br", BROWSER))
    assert isinstance(located, Lookup)
    assert not located.candidates[0].compressible


def field_names(response: Response) -> dict[bytes, bytes]:
    return dict(response.fields)


def open_file(path: bytes, status: int = 200, coding: bytes = b"", compressed: bool = False) -> OpenFile:
    return OpenFile(
        path, 4, CHANGED * 10**9, NOW * 10**9, None, b"code", (1, 2), False, b"t", status=status, coding=coding, compressed=compressed
    )  # fmt: skip


@pytest.mark.parametrize(
    ("found", "fields", "status", "expected"),
    [
        (open_file(b"a.js"), (), 200, {b"Vary": b"Accept-Encoding", b"Content-Encoding": None}),
        (open_file(b"a.png"), (), 200, {b"Vary": None, b"Content-Encoding": None}),
        (open_file(b"a.js", coding=b"br"), (), 200, {b"Vary": b"Accept-Encoding", b"Content-Encoding": b"br"}),
        (open_file(b"a.js", coding=b"br"), (RANGE,), 206, {b"Vary": b"Accept-Encoding", b"Content-Encoding": b"br"}),
        (open_file(b"a.js", coding=b"br"), (b'If-None-Match: "t"',), 304, {b"Vary": b"Accept-Encoding", b"ETag": b'"t"', b"Content-Encoding": None}),
        (open_file(b"a.js", coding=b"br"), (RANGE, b"If-Range: Mon, 13 Nov 2023 22:13:20 GMT"), 200, {b"Content-Encoding": b"br"}),
        (open_file(b"a.js"), (RANGE, b"If-Range: Mon, 13 Nov 2023 22:13:20 GMT"), 206, {b"Content-Encoding": None}),
        (open_file(b"404.html", 404, b"br"), (), 404, {b"Vary": b"Accept-Encoding", b"Content-Encoding": b"br", b"ETag": None}),
        (open_file(b"a.js", coding=b"br", compressed=True), (), 200, {b"Content-Encoding": b"br", b"Accept-Ranges": None}),
        (open_file(b"a.js", coding=b"br", compressed=True), (RANGE,), 200, {b"Content-Encoding": b"br"}),
    ],
)  # fmt: skip
def test_the_fields_of_a_negotiated_response(
    found: OpenFile, fields: tuple[bytes, ...], status: int, expected: dict[bytes, bytes | None]
) -> None:
    site = Site(negotiation=BOTH, error_pages=False)
    lookup = site.locate(request_of("/a.js", BROWSER, *fields))
    assert isinstance(lookup, Lookup)
    response = site.reply(lookup, found)
    names = field_names(response)
    assert response.status == status
    assert {name: names.get(name) for name in expected} == expected


def test_a_site_without_codings_sends_no_vary() -> None:
    site = Site()
    lookup = site.locate(request_of("/a.js", BROWSER))
    assert isinstance(lookup, Lookup)
    assert b"Vary" not in field_names(site.reply(lookup, open_file(b"a.js")))


def test_the_fields_say_so() -> None:
    js: FieldList = ((b"Content-Type", b"text/javascript"),)
    assert BOTH.vary(js) == NEIGHBOURS.vary(js) == ON_THE_FLY.vary(js) == ((b"Vary", b"Accept-Encoding"),)
    assert CodingNegotiation().vary(js) == ()
