"""Requests without TLS to a server that has TLS."""

import pytest

from pwb_async.core.events import BadRequest
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.acme_challenges import is_challenge
from pwb_async.core.site.added_fields import AddedFields
from pwb_async.core.site.findings import NOT_FOUND
from pwb_async.core.site.header_rules import HeaderRule, HeaderRules
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.maintenance import Maintenance
from pwb_async.core.site.plain_http import PlainHTTP, Ports
from pwb_async.core.site.site import Site
from pwb_async.core.site.virtual_hosts import HostTable, VirtualHosts

STRICT = HeaderRule("--header", None, ((b"Strict-Transport-Security", (b"max-age=1",)), (b"X-Own", (b"1",))))
SITE = Site(added_fields=AddedFields(rules=HeaderRules((STRICT,), secure=True)))
ON_THE_TLS_PORT = PlainHTTP(SITE)


def request(target: str = "/a?b", *lines: str, method: str = "GET", host: str | None = "example.com") -> Request:
    fields = (*([] if host is None else [f"Host: {host}"]), *lines)
    version = "HTTP/1.0" if host is None else "HTTP/1.1"
    parsed = RequestParser(Limits()).parse(
        f"{method} {target} {version}\r\n".encode() + "".join(f"{line}\r\n" for line in fields).encode()
    )
    assert isinstance(parsed, Request)
    return parsed


def location(site: PlainHTTP, made: Request) -> bytes | None:
    response = site.locate(made)
    assert isinstance(response, Response)
    fields = dict(response.fields)
    assert fields[b"X-Own"] == b"1"
    assert b"Strict-Transport-Security" not in fields, "RFC 6797 7.2"
    assert (response.status == 301) is (b"Location" in fields)
    assert response.status in (301, 400)
    return fields.get(b"Location")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_redirect_on_the_port_with_tls_names_the_same_port(method: str) -> None:
    assert location(ON_THE_TLS_PORT, request(method=method, host="h:8443")) == b"https://h:8443/a?b"
    assert location(ON_THE_TLS_PORT, request("/%2e%2e%2fx/ä", method=method, host="h")) == b"https://h/..%2Fx/%C3%A4"
    assert location(ON_THE_TLS_PORT, request("http://other:1/x", method=method)) == b"https://other:1/x"


@pytest.mark.parametrize(
    "made",
    [request(method="POST"), request("*", method="OPTIONS"), request(host=None)],
    ids=["POST", "OPTIONS", "no-host"],
)
def test_what_cannot_be_redirected_is_400(made: Request) -> None:
    assert location(ON_THE_TLS_PORT, made) is None
    assert location(PlainHTTP(SITE, Ports(80, 443)), made) is None


@pytest.mark.parametrize(
    ("ports", "host", "expected"),
    [
        (Ports(80, 443), "h", b"h"),
        (Ports(80, 443), "h:80", b"h"),
        (Ports(80, 443), "h:", b"h"),
        (Ports(80, 8443), "h", b"h:8443"),
        (Ports(8080, 8443), "h:8080", b"h:8443"),
        (Ports(8080, 443), "h:8080", b"h"),
        (Ports(8080, 8443), "h", b"h"),  # both ports are mapped, such as in a container
        (Ports(8080, 8443), "h:8000", b"h"),
        (Ports(80, 8443), "[::1]", b"[::1]:8443"),
        (Ports(8080, 8443), "[::1]:8080", b"[::1]:8443"),
    ],
)
def test_the_port_of_https(ports: Ports, host: str, expected: bytes) -> None:
    assert location(PlainHTTP(SITE, ports), request("/", host=host)) == b"https://" + expected + b"/"


def test_the_challenges_of_acme_are_spared_beside_the_port_with_tls_only() -> None:
    challenge = request("/.well-known/acme-challenge/token")
    beside = PlainHTTP(SITE, Ports(80, 443))
    lookup = beside.locate(challenge)
    assert isinstance(lookup, Lookup)
    missing = beside.reply(lookup, NOT_FOUND)
    assert missing.status == 404
    assert b"Strict-Transport-Security" not in dict(missing.fields)
    assert location(ON_THE_TLS_PORT, challenge) == b"https://example.com/.well-known/acme-challenge/token"
    refused = beside.locate(request("/.well-known/acme-challenge/token", method="POST"))
    assert isinstance(refused, Response)
    assert refused.status == 405


@pytest.mark.parametrize(
    ("made", "exempt"),
    [
        (request("/.well-known/acme-challenge/A-z_9?q"), True),
        (request("/.well-known/acme-challenge/token", method="HEAD"), True),
        (request("/.well-known/acme-challenge/token", method="OPTIONS"), False),
        (request("/.well-known/acme-challenge/token/"), False),
        (request("/.well-known/acme-challenge/.token"), False),
        (request("/.well-known/acme-challenge/a/token"), False),
        (request("/.well-known/other/token"), False),
        (request("/"), False),
    ],
)
def test_what_is_a_challenge(made: Request, exempt: bool) -> None:
    assert is_challenge(made) is exempt


def test_a_challenge_is_beneath_the_root_and_no_rule_applies_to_it() -> None:
    sites = VirtualHosts([SITE, Maintenance(SITE)], HostTable(((b"h",),), strict=False))
    beside = sites.with_sites(lambda number, site: PlainHTTP(site, Ports(80, 443), b"p/q" if number else b""))
    for host, path in (("example.com", b""), ("h", b"p/q/")):
        lookup = beside.locate(request("/.well-known/acme-challenge/token", host=host))
        assert isinstance(lookup, Lookup)
        assert [each.path for each in lookup.candidates] == [path + b".well-known/acme-challenge/token"]
        assert lookup.exempt
        assert beside.reply(lookup, NOT_FOUND).status == 404


def test_no_other_response_has_strict_transport_security() -> None:
    responses = (
        ON_THE_TLS_PORT.refuse(BadRequest(400, "")),
        ON_THE_TLS_PORT.unavailable(request()),
        ON_THE_TLS_PORT.finish(request(), ON_THE_TLS_PORT.error(request(), 403)),
    )
    assert [response.status for response in responses] == [400, 503, 403]
    for response in responses:
        assert dict(response.fields)[b"X-Own"] == b"1"
        assert b"Strict-Transport-Security" not in dict(response.fields)
