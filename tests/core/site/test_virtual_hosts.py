"""Several sites on one server (core/site/virtual_hosts.py); whole exchanges are in tests/conformance/rows/hosts.py."""

import pytest

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.fields import Fields
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.added_fields import AddedFields
from pwb_async.core.site.findings import NOT_FOUND
from pwb_async.core.site.header_rules import HeaderRule, HeaderRules
from pwb_async.core.site.lookup import NO_REQUEST, Lookup
from pwb_async.core.site.redirect_rules import RedirectRules, parse_rule
from pwb_async.core.site.site import Site
from pwb_async.core.site.virtual_hosts import HostTable, SiteVariant, VirtualHosts
from tests.core.driver import PARSER, get

HOSTS = ((b"a.example", b"[::1]"), (b"*.a.example", b"*.deep.b.example"), (b"*.b.example",))


@pytest.mark.parametrize(
    ("authority", "number"),
    [
        (None, 0),
        (b"", 0),
        (b"other", 0),
        (b"example", 0),
        (b"a.example", 1),
        (b"A.Example.:80", 1),
        (b"[0:0::1]:8080", 1),
        (b"[v1.x]", 0),
        (b"www.a.example", 2),
        (b"x.deep.b.example", 2),
        (b"deep.b.example", 3),
        (b"x.y.b.example", 3),
        (b"b.example", 0),
        (b"xb.example", 0),
        (b".b.example", 3),
    ],
)
def test_the_site_of_a_host(authority: bytes | None, number: int) -> None:
    assert HostTable(HOSTS, strict=False).number_of(authority) == number
    strict = HostTable(HOSTS, strict=True).number_of(authority)
    assert strict == (number or (-1 if authority else 0))


def fields_of(host: str) -> Fields:
    return Fields({b"host": [host.encode()]}, 0)


def test_the_key_of_the_cache_is_that_of_the_site() -> None:
    def site(*hosts: str) -> Site:
        rules = [parse_rule("R", f"https://{host}/*", "/x", 301, force=False) for host in hosts]
        return Site(redirects=RedirectRules(rules), error_pages=False)

    hosts = VirtualHosts([site("one"), site(), site("a.b.example"), site()], HostTable(HOSTS, strict=True))
    keys = [
        hosts.variant(fields_of(host)) for host in ("a.example", "x.a.example", "y.b.example", "a.b.example", "one")
    ]
    assert keys == [b"1", b"2\0", b"3", b"3", b"-1"]
    loose = VirtualHosts([site("one"), site(), site(), site()], HostTable(HOSTS, strict=False))
    assert [loose.variant(fields_of(host)) for host in ("one", "two")] == [b"0\0one", b"0\0"]
    assert loose.variant == SiteVariant(HostTable(HOSTS, strict=False), loose.variant.variants)
    assert loose.variant != hosts.variant


def marked(name: bytes) -> Site:
    rule = HeaderRule("H", None, ((b"X-Site", (name,)),))
    return Site(added_fields=AddedFields(rules=HeaderRules([rule])), error_pages=False)


@pytest.fixture
def hosts() -> VirtualHosts:
    return VirtualHosts([marked(b"0"), marked(b"1")], HostTable(((b"a.example",),), strict=True))


def site_of(response: Response) -> bytes:
    return dict(response.fields)[b"X-Site"]


def ask(target: str, host: str) -> Request:
    request = PARSER.parse(get(target.encode()).replace(b"Host: h", b"Host: " + host.encode())[:-2])
    assert isinstance(request, Request), request
    return request


def test_each_step_is_done_by_the_site_of_the_host(hosts: VirtualHosts) -> None:
    request = ask("/f", "a.example")
    located = hosts.locate(request)
    assert isinstance(located, Lookup)
    assert (located.site, located.cacheable) == (1, True)
    response = hosts.reply(located, NOT_FOUND)
    assert (response.status, site_of(response)) == (404, b"1")
    assert site_of(hosts.finish(request, Response(403, ()))) == b"1"
    assert site_of(hosts.refuse(BadRequest(400, "", fields=request.fields))) == b"1"
    assert site_of(hosts.refuse(BadRequest(400, ""))) == b"0"
    assert hosts.error(NO_REQUEST, 500).status == 500


def test_the_guard_is_that_of_the_site(hosts: VirtualHosts) -> None:
    refused = hosts.unavailable(ask("/f", "a.example"))
    assert (refused.status, site_of(refused)) == (503, b"1")
    guard = hosts.guard([None, lambda client, request: refused])
    assert guard("c", ask("/f", "a.example")) is refused
    assert guard("c", ask("http://a.example/f", "h")) is refused
    assert guard("c", ask("/f", "other")) is None


def test_strict_hosts_are_refused(hosts: VirtualHosts) -> None:
    request = ask("/f", "other")
    response = hosts.locate(request)
    assert isinstance(response, Response)
    assert (response.status, site_of(response)) == (421, b"0")
    assert site_of(hosts.finish(request, Response(403, ()))) == b"0"


def test_a_target_of_another_site_than_that_of_host_is_not_cached(hosts: VirtualHosts) -> None:
    for target, host, cacheable in (
        ("http://a.example/f", "other", False),
        ("http://A.example:80/f", "a.example", True),
        ("http://other/f", "a.example", None),
    ):
        located = hosts.locate(ask(target, host))
        if cacheable is None:
            assert isinstance(located, Response)
        else:
            assert isinstance(located, Lookup)
            assert (located.site, located.cacheable) == (1, cacheable)


def test_a_response_without_a_lookup_is_that_of_the_site(hosts: VirtualHosts) -> None:
    response = hosts.locate(ask("/.env", "a.example"))
    assert isinstance(response, Response)
    assert (response.status, site_of(response)) == (404, b"1")


def test_keys_of_authorities_and_of_variants_differ() -> None:
    one = ask("http://a/f", "b")
    other = ask("/f", "b")
    other.fields.variant = b"a"
    assert Request(b"GET", other.target, other.fields, (1, 1)).cache_key != one.cache_key
