"""CORS and the fields of --security-headers and --cross-origin-isolated."""

import pytest

from pwb_async.core.events import BadRequest
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import FieldList, Request
from pwb_async.core.site.added_fields import AddedFields
from pwb_async.core.site.cors import Cors, OriginVariant, is_preflight
from pwb_async.core.site.header_rules import HeaderRule, HeaderRules
from pwb_async.core.site.security_fields import SecurityFields

from .rule_requests import request_of

HTML: FieldList = ((b"Content-Type", b"text/html; charset=utf-8"),)
EXPOSED = b"Accept-Ranges, Content-Encoding, Content-Length, Content-Range, ETag, Last-Modified"
PREFLIGHT = (b"Origin: https://a.example", b"Access-Control-Request-Method: GET")


def test_any_origin_gets_a_star_and_no_vary() -> None:
    cors = Cors([b"*", b"https://a.example"])
    assert cors.variant is None
    expected = ((b"Access-Control-Allow-Origin", b"*"), (b"Access-Control-Expose-Headers", EXPOSED))
    assert cors.fields(None) == cors.fields(request_of("/").fields) == expected


def test_a_named_origin_is_echoed_and_no_other() -> None:
    cors = Cors([b"https://a.example", b"http://b.example:8080"])
    assert cors.variant == OriginVariant(frozenset((b"https://a.example", b"http://b.example:8080")))
    for origin in (b"https://a.example", b"http://b.example:8080"):
        assert cors.fields(request_of("/", b"Origin: " + origin).fields)[0] == (b"Access-Control-Allow-Origin", origin)
    for origin in (b"null", b"http://a.example", b"https://a.example:444", b"https://a.example.evil", b"*", b""):
        assert cors.fields(request_of("/", b"Origin: " + origin).fields) == ()
    assert cors.fields(request_of("/").fields) == cors.fields(None) == ()


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ((), b"Range, If-Range, If-None-Match, If-Modified-Since, Content-Type"),
        ((b"Access-Control-Request-Headers: range, x-a",), b"range, x-a"),
        ((b"Access-Control-Request-Headers: a b",), b"Range, If-Range, If-None-Match, If-Modified-Since, Content-Type"),
    ],
)
def test_a_preflight(asked: tuple[bytes, ...], allowed: bytes) -> None:
    assert Cors([b"*"]).preflight(request_of("/", *PREFLIGHT, *asked, method=b"OPTIONS")) == (
        (b"Access-Control-Allow-Methods", b"GET, HEAD"),
        (b"Access-Control-Allow-Headers", allowed),
        (b"Access-Control-Max-Age", b"86400"),
    )


def test_what_is_no_preflight_or_not_allowed_gets_nothing_more() -> None:
    request = request_of("/", *PREFLIGHT, method=b"OPTIONS")
    assert is_preflight(request)
    assert Cors([b"https://b.example"]).preflight(request) == ()
    for fields, method in ((PREFLIGHT, b"GET"), (PREFLIGHT[:1], b"OPTIONS"), (PREFLIGHT[1:], b"OPTIONS")):
        request = request_of("/", *fields, method=method)
        assert not is_preflight(request)
        assert Cors([b"*"]).preflight(request) == ()


def test_security_fields_by_kind_of_file() -> None:
    fields = dict(SecurityFields("basic").apply(200, HTML))
    assert fields == {
        b"Content-Type": b"text/html; charset=utf-8",
        b"X-Content-Type-Options": b"nosniff",
        b"Referrer-Policy": b"strict-origin-when-cross-origin",
        b"Content-Security-Policy": b"frame-ancestors 'self'; base-uri 'self'; object-src 'none'",
        b"X-Frame-Options": b"SAMEORIGIN",
        b"Cross-Origin-Opener-Policy": b"same-origin-allow-popups",
    }
    pdf = dict(SecurityFields("basic").apply(200, ((b"Content-Type", b"application/pdf"),)))
    assert pdf[b"Content-Security-Policy"] == b"frame-ancestors 'self'"
    image = SecurityFields("basic").apply(200, ((b"content-type", b"image/png"),))
    assert [name for name, _ in image[1:]] == [b"X-Content-Type-Options", b"Referrer-Policy"]
    assert b"Content-Security-Policy" in dict(SecurityFields("basic").apply(304, ())), "it may be about a page"


def test_strict_allows_the_own_origin_only() -> None:
    fields = dict(SecurityFields("strict").apply(200, HTML))
    assert fields[b"Content-Security-Policy"].startswith(b"default-src 'self'; img-src 'self' data:; form-action")
    assert fields[b"Cross-Origin-Opener-Policy"] == b"same-origin"
    assert fields[b"Cross-Origin-Resource-Policy"] == b"same-origin"
    assert b"Permissions-Policy" in fields
    shared = dict(SecurityFields("strict", shared=True).apply(200, HTML))
    assert shared[b"Cross-Origin-Resource-Policy"] == b"cross-origin"


def test_isolation_needs_three_fields_on_every_file() -> None:
    three = {
        b"Cross-Origin-Opener-Policy": b"same-origin",
        b"Cross-Origin-Embedder-Policy": b"require-corp",
        b"Cross-Origin-Resource-Policy": b"same-origin",
    }
    assert dict(SecurityFields(None, isolated=True).apply(200, ())) == three
    assert three.items() <= dict(SecurityFields("basic", isolated=True).apply(200, HTML)).items()
    names = [name for name, _ in SecurityFields("basic", isolated=True).apply(200, HTML)]
    assert len(set(names)) == len(names)


def test_hsts_over_tls_only_where_asked_for_and_never_preload() -> None:
    assert b"Strict-Transport-Security" not in dict(SecurityFields("strict").apply(200, HTML))
    assert b"Strict-Transport-Security" not in dict(SecurityFields("basic", secure=True).apply(200, HTML))
    fields = dict(SecurityFields("strict", secure=True).apply(200, HTML))
    assert fields[b"Strict-Transport-Security"] == b"max-age=31536000"


def test_a_field_that_is_there_already_stays() -> None:
    own = (*HTML, (b"content-security-policy", b"x"))
    assert [value for name, value in SecurityFields("basic").apply(200, own) if name.lower() == own[1][0]] == [b"x"]
    assert SecurityFields("basic").own_page != ()
    assert SecurityFields(None, isolated=True).own_page == ()


def test_rules_have_the_last_word() -> None:
    rules = HeaderRules([HeaderRule("--header", None, ((b"Referrer-Policy", (b"no-referrer",)), (b"Vary", (b"X",))))])
    added = AddedFields(Cors([b"https://a.example"]), SecurityFields("basic"), rules)
    assert added
    fields = added.apply(request_of("/", b"Origin: https://a.example"), 200, HTML)
    assert dict(fields)[b"Referrer-Policy"] == b"no-referrer"
    assert dict(fields)[b"Vary"] == b"Origin, X"
    assert dict(fields)[b"Access-Control-Allow-Origin"] == b"https://a.example"
    assert added.own_page == SecurityFields("basic").own_page


def test_an_invalid_request_gets_what_does_not_depend_on_its_path() -> None:
    bad = BadRequest(400, "x", b"", b"", request_of("/", b"Origin: https://a.example").fields)
    named, every = AddedFields(Cors([b"https://a.example"])), AddedFields(Cors([b"*"]))
    assert dict(named.apply(bad, 400, ()))[b"Access-Control-Allow-Origin"] == b"https://a.example"
    assert named.apply(BadRequest(400, "x"), 400, ()) == ((b"Vary", b"Origin"),)
    assert dict(every.apply(BadRequest(400, "x"), 400, ()))[b"Access-Control-Allow-Origin"] == b"*"
    only_rules = AddedFields(rules=HeaderRules([HeaderRule("--header", None, ((b"X-A", (b"1",)),))]))
    assert only_rules.apply(BadRequest(400, "x"), 400, ()) == ((b"X-A", b"1"),)
    assert not AddedFields()
    assert AddedFields().own_page == ()


def test_what_is_added_over_tls_that_a_proxy_reports() -> None:
    fields = AddedFields(
        security=SecurityFields("strict"), over_tls=AddedFields(security=SecurityFields("strict", secure=True))
    )
    for line, secure in (
        (b"", False),
        (b"X-Forwarded-Proto: https\r\n", True),
        (b"X-Forwarded-Proto: http\r\n", False),
    ):
        request = RequestParser(Limits(), fields.variant).parse(b"GET / HTTP/1.1\r\nHost: h\r\n" + line)
        assert isinstance(request, Request)
        assert request.fields.variant == (b"https" if secure else b"")
        assert (b"Strict-Transport-Security" in dict(fields.apply(request, 200, ()))) is secure
    assert b"Strict-Transport-Security" not in dict(fields.apply(BadRequest(400, ""), 400, ()))
