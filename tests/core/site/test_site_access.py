"""What a site does with access rules: which lookups may be cached, a file that is refused, and private responses."""

from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.semantics.networks import Networks
from pwb_async.core.site.access import AccessRule, AccessRules
from pwb_async.core.site.findings import NOT_FOUND, OpenFile, Refused
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.media_types import MediaTypes
from pwb_async.core.site.patterns import parse_pattern
from pwb_async.core.site.redirect_rules import RedirectRules, parse_rule
from pwb_async.core.site.site import Site
from pwb_async.core.site.virtual_hosts import HostTable, VirtualHosts

ACCESS = AccessRules(
    [
        AccessRule("", parse_pattern("/private"), "users"),
        AccessRule("", parse_pattern("/here"), "", Networks(("10.0.0.0/8",))),
        AccessRule("", parse_pattern("/not-there"), "", deny=Networks(("10.0.0.0/8",))),
    ]
)
SITE = Site(
    redirects=RedirectRules([parse_rule("", "/show/*", "/private/:splat", 200, False)]),
    access=ACCESS,
    error_pages=False,
)


def request(target: str) -> Request:
    parsed = RequestParser(Limits()).parse(f"GET {target} HTTP/1.1\r\nHost: h\r\n".encode())
    assert isinstance(parsed, Request)
    return parsed


def located(target: str) -> Lookup:
    lookup = SITE.locate(request(target), "192.0.2.1")
    assert isinstance(lookup, Lookup)
    return lookup


def cache_control(response: Response) -> bytes | None:
    return dict(response.fields).get(b"Cache-Control")


def test_only_what_may_have_more_rules_is_not_cached() -> None:
    for target, cacheable in ("/a", True), ("/private/a", True), ("/show/a", False), ("/here/", True):
        lookup = located(target)
        assert (lookup.cacheable, lookup.client) == (cacheable, "" if cacheable else "192.0.2.1"), target
    assert isinstance(SITE.locate(request("/private/.env")), Response)


def test_a_file_that_is_refused() -> None:
    response = SITE.reply(located("/show/a"), Refused(401, ((b"WWW-Authenticate", b"Basic"),)))
    assert response.status == 401
    assert (b"WWW-Authenticate", b"Basic") in response.fields


def test_responses_for_some_clients_are_private() -> None:
    for target, path, expected in (
        ("/a", b"a", b"no-cache"),
        ("/private/a", b"private/a", b"private, no-cache"),
        ("/show/a", b"private/a", b"private, no-cache"),
        ("/here/a", b"here/a", b"private, no-cache"),
        ("/not-there/a", b"not-there/a", b"no-cache"),
    ):
        found = OpenFile(path=path, size=1, mtime_ns=0, seen_ns=0, file=None, content=b"x")
        assert cache_control(SITE.reply(located(target), found)) == expected
    assert cache_control(SITE.reply(located("/private/a"), NOT_FOUND)) == b"private, no-cache"
    assert cache_control(SITE.reply(located("/show/a"), NOT_FOUND)) == b"no-cache"


def test_a_check_that_cannot_be_made() -> None:
    response = SITE.unavailable(request("/private/a"))
    assert (response.status, cache_control(response)) == (503, b"no-store")


def test_a_deep_path_costs_as_much_as_any_other() -> None:
    """Rules are not asked about each place where an error page may be, which would take a millisecond."""
    rules = AccessRules([AccessRule("", parse_pattern("/private"), "users")])
    lookup = Site(access=rules).locate(request("/a" * 16), "192.0.2.1")
    assert isinstance(lookup, Lookup)
    assert lookup.error_directory == (b"a",) * 15
    assert len(rules._by_path) == 1


def test_the_page_of_a_refusal() -> None:
    page = b"<!DOCTYPE html>\n<title>shut</title>\n"
    site = Site(types=MediaTypes(charset=b"x"))
    lookup = site.locate(request("/a"))
    assert isinstance(lookup, Lookup)
    response = site.reply(lookup, Refused(403, page=page))
    fields = dict(response.fields)
    assert (response.status, response.parts) == (403, (page,))
    assert fields[b"Content-Type"] == b"text/html; charset=x"
    assert (fields[b"Content-Length"], fields[b"Vary"]) == (b"%d" % len(page), b"Accept")
    assert site.error(request("/a"), 403).parts != (page,)
    hosts = VirtualHosts([site], HostTable((), strict=False))
    assert hosts.error(request("/a"), 403, page=page).parts == (page,)
