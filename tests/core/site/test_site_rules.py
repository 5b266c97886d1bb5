"""The responses of a site with rules: when each is asked, and which fields are added."""

from typing import Any

import pytest

from pwb_async.config.headers_file import parse_headers
from pwb_async.config.redirects_file import parse_redirects
from pwb_async.core.semantics.messages import Response
from pwb_async.core.site.added_fields import AddedFields
from pwb_async.core.site.cors import Cors
from pwb_async.core.site.findings import FORBIDDEN, Finding, Unavailable
from pwb_async.core.site.header_rules import HeaderRules
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.redirect_rules import RedirectRules
from pwb_async.core.site.security_fields import SecurityFields
from pwb_async.core.site.site import Site
from pwb_async.core.site.variants import CombinedVariant, HostVariant, combine
from tests.core.driver import ALPHABET, SITE, Answer, Driver, ask, get

from .rule_requests import request_of


def site_of(redirects: str = "", headers: str = "", **more: Any) -> Site:
    rules = HeaderRules(parse_headers("H", headers.encode()).rules)
    added = more.pop("added", AddedFields(rules=rules))
    parsed = RedirectRules(parse_redirects("R", redirects.encode()).rules)
    return Site(redirects=parsed, added_fields=added, error_pages=False, **more)


def answer(redirects: str, target: str, *fields: bytes, method: bytes = b"GET", headers: str = "") -> Answer:
    return ask(get(target.encode(), *fields, method=method), site=site_of(redirects, headers))


@pytest.mark.parametrize(
    ("rules", "target", "status", "content"),
    [
        ("/a.txt /x 302", "/a.txt", 200, ALPHABET),
        ("/a.txt /x 302!", "/a.txt", 302, None),
        ("/sub /x 302", "/sub", 301, None),  # the folder's own redirect
        ("/sub /x 302", "/sub/", 200, b"<h1>sub</h1>"),
        ("/sub /x 302!", "/sub", 302, None),
        ("/bare /x 302", "/bare/", 302, None),  # a folder without an index is no response of the site
        ("/bare /a.txt 200", "/bare/", 200, ALPHABET),
        ("/* /index.html 200", "/app/x", 200, b"<h1>front</h1>"),
        ("/* /index.html 200", "/app/x/", 200, b"<h1>front</h1>"),
        ("/* /index.html 200", "/a.txt", 200, ALPHABET),
        ("/* /index.html 200!", "/a.txt", 200, b"<h1>front</h1>"),
        ("/* / 200", "/x", 200, b"<h1>front</h1>"),
        ("/* /sub 200", "/x", 200, b"<h1>sub</h1>"),
        ("/* /sub/ 200", "/x", 200, b"<h1>sub</h1>"),
        ("/* /nothing 200", "/x", 404, None),
        ("/* /a.txt/ 200", "/x", 404, None),
        ("/a /b 200; /b /a.txt 200", "/a", 404, None),  # a destination is looked up once
        ("/* /index.html 404", "/x", 404, b"<h1>front</h1>"),
        ("/x /index.html 410", "/x", 410, b"<h1>front</h1>"),
        ("/x /nothing 410", "/x", 410, None),
        ("/x /nothing 410!", "/x/", 410, None),
        ("/e/* /:splat 200", "/e/.env", 404, None),
        ("/e/* /:splat 200", "/e/.git/config", 404, None),
        ("/e id=:x /:x 200", "/e?id=.env", 404, None),
        ("/e id=:x /:x 200!", "/e?id=.env", 404, None),
        ("/e id=:x /:x 200", "/e?id=_redirects", 404, None),
        ("/e/* /:splat 200", "/e/sub", 200, b"<h1>sub</h1>"),
        ("/* /x 302!", "/.env", 404, None),
        ("/* /x 302!", "/_headers", 404, None),
        ("/* /x 302!", "/_Redirects/", 404, None),
        ("/* /x 302!", "/a%2Fb", 404, None),
    ],
)
def test_when_a_rule_is_asked(rules: str, target: str, status: int, content: bytes | None) -> None:
    found = answer(rules.replace("; ", "\n"), target)
    assert found.status == status
    if content is not None:
        assert found.content == content


def test_a_redirect_has_the_body_of_any_other_and_is_revalidated() -> None:
    found = answer("/old /new 308", "/old?x=1")
    assert (found.field(b"location"), found.field(b"cache-control")) == (b"/new?x=1", b"no-cache")
    assert b"308 Permanent Redirect" in found.content
    assert answer("/old /new 308", "/old", method=b"HEAD").content == b""


@pytest.mark.parametrize("rule", ["/* /x 302!", "/* /index.html 200!"])
def test_rules_are_for_get_and_head(rule: str) -> None:
    assert [answer(rule, "/y", method=method).status for method in (b"POST", b"BREW", b"OPTIONS")] == [405, 501, 204]
    assert answer(rule, "/%FC").status == (302 if "302" in rule else 200)


def test_an_error_file_is_sent_whole() -> None:
    found = answer("/* /a.txt 404", "/x", b"Range: bytes=0-1", b"If-None-Match: *")
    assert (found.status, found.content) == (404, ALPHABET)
    assert [name for name, _ in found.fields if name not in (b"server", b"date")] == [
        b"content-type",
        b"content-length",
        b"cache-control",
        b"x-content-type-options",
    ]
    assert found.field(b"cache-control") == b"no-cache"
    assert answer("/* /a.txt 404", "/x", method=b"HEAD").field(b"content-length") == b"26"


def test_a_rewritten_file_has_the_conditions_and_ranges_of_the_file() -> None:
    tag = answer("", "/a.txt").field(b"etag") or b""
    assert answer("/x /a.txt 200", "/x", b"If-None-Match: " + tag).status == 304
    partial = answer("/x /a.txt 200", "/x", b"Range: bytes=1-2")
    assert (partial.status, partial.content) == (206, b"bc")


@pytest.mark.parametrize(("finding", "status"), [(FORBIDDEN, 403), (Unavailable("x"), 503)])
def test_what_cannot_be_read_is_not_redirected(finding: Finding, status: int) -> None:
    def disk(lookup: Lookup) -> Finding:
        return finding

    (found,) = Driver(site=site_of("/* /x 302"), disk=disk).send(get()).answers
    assert found.status == status


def test_a_lookup_that_depends_on_the_query_is_marked() -> None:
    site = site_of("/a.txt id=1 /x 302!")
    lookups = [site.locate(request_of(target)) for target in ("/a.txt", "/index.html")]
    assert [isinstance(lookup, Lookup) and lookup.cacheable for lookup in lookups] == [False, True]
    assert isinstance(site.locate(request_of("/a.txt?id=1")), Response)


HEADERS = "/*\nX-All: 1\nCache-Control: max-age=60\n/a.txt\nContent-Type: text/x-a\nContent-Language: en"


@pytest.mark.parametrize(
    ("target", "fields", "status", "cached"),
    [
        ("/a.txt", (), 200, True),
        ("/a.txt", (b"Range: bytes=0-1",), 206, True),
        ("/a.txt", (b"If-None-Match: *",), 304, True),
        ("/sub", (), 301, True),
        ("/old", (), 302, True),
        ("/a.txt", (b"Range: bytes=99-",), 416, False),
        ("/a.txt", (b'If-Match: "x"',), 412, False),
        ("/nope", (), 404, False),
        ("/x", (), 404, False),
        ("/a.txt", (b"Expect: x",), 417, False),
    ],
)
def test_fields_of_rules_on_each_status(target: str, fields: tuple[bytes, ...], status: int, cached: bool) -> None:
    found = answer("/old /new 302\n/x /a.txt 404", target, *fields, headers=HEADERS)
    assert (found.status, found.field(b"x-all")) == (status, b"1")
    assert (found.field(b"cache-control") == b"max-age=60") is cached
    described = status in (200, 206)
    assert (found.field(b"content-type") == b"text/x-a", found.field(b"content-language") == b"en") == (described,) * 2


def test_the_media_type_of_a_rule_is_that_of_each_part() -> None:
    found = answer("", "/a.txt", b"Range: bytes=0-0,2-2", headers=HEADERS)
    assert found.status == 206
    assert (found.field(b"content-type") or b"").startswith(b"multipart/byteranges")
    assert found.content.count(b"Content-Type: text/x-a") == 2


def test_an_invalid_request_gets_what_is_for_every_response() -> None:
    site = site_of(added=AddedFields(Cors([b"*"]), SecurityFields("basic")))
    found = ask(b"?\r\n\r\n", site=site)
    assert (found.status, found.field(b"access-control-allow-origin")) == (400, b"*")
    assert (found.field(b"content-security-policy") or b"").startswith(b"default-src 'none'; style-src")
    assert ask(get(b"/a.txt"), site=site).field(b"content-security-policy") is None
    assert (ask(get(b"/"), site=site).field(b"content-security-policy") or b"").startswith(b"frame-ancestors")


def test_a_response_is_finished_once_and_stays_as_it_was() -> None:
    request, refusal = request_of("/"), Response(403, ((b"Content-Length", b"0"),))
    assert SITE.finish(request, refusal) is refusal
    finished = site_of(headers="/*\nX-A: 1").finish(request, refusal)
    assert finished.fields == ((b"Content-Length", b"0"), (b"X-A", b"1"))
    assert refusal.fields == ((b"Content-Length", b"0"),)


def test_a_site_depends_on_what_its_rules_demand() -> None:
    assert site_of("/a /b 301", "/*\nX-A: 1").variant is None
    site = site_of("http://a.example/* /b 301", "http://b.example/*\nX-A: 1")
    assert site.variant is not None
    assert site.variant == site_of("http://b.example/x /y 301", "http://A.example/*\nX-A: 2").variant
    hosts = [site.variant(request_of("/").fields), *(site.variant(fields) for fields in map(_host, (b"A.example:80",)))]
    assert hosts == [b"", b"a.example"]
    cors = Cors([b"https://a.example"])
    assert site_of(added=AddedFields(cors)).variant == cors.variant
    both = combine(site.variant, None, cors.variant)
    assert both == CombinedVariant((site.variant, cors.variant)) if cors.variant else None
    assert both is not None
    assert both(request_of("/", b"Origin: https://a.example").fields) == b"\0https://a.example"
    assert isinstance(site.variant, HostVariant)


def _host(host: bytes) -> Any:
    from pwb_async.core.semantics.fields import Fields

    return Fields({b"host": [host]}, 0)


def test_a_target_with_a_host_of_its_own_has_another_cache_key() -> None:
    assert request_of("http://h/a").cache_key == request_of("/a").cache_key
    assert request_of("http://i/a").cache_key not in (request_of("/a").cache_key, request_of("http://j/a").cache_key)
