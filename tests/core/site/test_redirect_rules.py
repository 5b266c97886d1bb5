"""Redirects and rewrites by rule: where each leads, and that none leads to another host (hazard C9)."""

import re
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwb_async.config.redirects_file import parse_redirects
from pwb_async.core.semantics.fields import Fields
from pwb_async.core.semantics.messages import Request
from pwb_async.core.site.redirect_rules import Redirect, RedirectRules, Rewrite, parse_rule
from pwb_async.core.site.variants import Reads, rules_variant
from tests.core.driver import PARSER, get

from .rule_requests import request_of


def rules_of(text: str) -> RedirectRules:
    return RedirectRules(parse_redirects("_redirects", text.encode()).rules)


def lead(text: str, target: str, *fields: bytes) -> str | None:
    """Where the rules lead a request: a Location, or a status and the path of a file."""
    rules, request = rules_of(text), request_of(target, *fields)
    answer = rules.forced(request) or rules.otherwise(request)
    if isinstance(answer, Redirect):
        return f"{answer.status} {answer.location.decode()}"
    if isinstance(answer, Rewrite):
        slash = "/" if answer.trailing_slash and answer.segments else ""
        return f"{answer.status} /{b'/'.join(answer.segments).decode()}{slash}"
    return None


@pytest.mark.parametrize(
    ("rule", "target", "there"),
    [
        ("/old /new 301", "/old?x=1", "301 /new?x=1"),
        ("/old /new 301", "/old/", "301 /new"),
        ("/old /new 301", "/old?", "301 /new"),
        ("/old /new 301", "/OLD", None),
        ("/old /new", "/old", "302 /new"),
        ("/toq /new?y=1 301", "/toq?a=1", "301 /new?y=1"),
        ("/toq /new? 301", "/toq?a=1", "301 /new?"),
        ("/toh /new#f 301", "/toh?a=1", "301 /new?a=1#f"),
        ("/toqh /new?y=1#f 308", "/toqh?a=1", "308 /new?y=1#f"),
        ("/abs https://example.com/x 301", "/abs?a=1", "301 https://example.com/x?a=1"),
        ("/abs HTTPS://example.com 301", "/abs", "301 https://example.com/"),
        ("/abs/* https://example.com/:splat 301", "/abs//x/", "301 https://example.com/x/"),
        ("/news/* /blog/:splat 301", "/news", "301 /blog/"),
        ("/news/* /blog/:splat 301", "/news/", "301 /blog/"),
        ("/news/* /blog/:splat 301", "/news/a/b?z=1", "301 /blog/a/b?z=1"),
        ("/news/* /blog/:splat 301", "/news/a/b/", "301 /blog/a/b/"),
        ("/pre* /s/:splat 301", "/prefix", "301 /s/fix"),
        ("/pre* /s/:splat 301", "/pre", "301 /s/"),
        ("/pre* /s/:splat 301", "/pre/a", "301 /s/a"),
        ("/mid/*/end /m/:splat 301", "/mid/a/b/end", "301 /m/a/b"),
        ("/u/:id /p/:id/me 302", "/u/7", "302 /p/7/me"),
        ("/u/:id /p/:id/me 302", "/u/7/", "302 /p/7/me"),
        ("/u/:id /p/:id/me 302", "/u/7/8", None),
        ("/u/:id /p/:id/me 302", "/u/", None),
        ("/d/:y/:m /a/:y-:m 301", "/d/2026/11", "301 /a/2026-11"),
        ("/enc%20x /y 301", "/enc%20x", "301 /y"),
        ("/enc%20x /y 301", "/enc+x", None),
        ("/x /grüße?ü#ü 301", "/x", "301 /gr%C3%BC%C3%9Fe?%C3%BC#%C3%BC"),
        ("/x /a%20b%2Fc\\d 301", "/x", "301 /a%20b%2Fc%5Cd"),
        ("/q id=:id /art/:id 301", "/q", None),
        ("/q id=:id /art/:id 301", "/q?id=5&o=1", "301 /art/5?o=1"),
        ("/q id=:id /art/:id 301", "/q?o=1&id=5", "301 /art/5?o=1"),
        ("/q id=:id /art/:id 301", "/q?id=5", "301 /art/5"),
        ("/q id=:id /art 301", "/q?id=5", "301 /art?id=5"),
        ("/q id=:id /art/:id 301", "/q?id=a%2fb+c%3f", "301 /art/a/b%20c%3F"),
        ("/q id=:id /:id 301", "/q?id=//evil", "301 /evil"),
        ("/q a=1 b=:b /:b 301", "/q?a=1&b=2", "301 /2?a=1"),
        ("/q a=1 b=:b /:b 301", "/q?a=2&b=2", None),
        ("/q a%20b=c+d /x 301", "/q?a+b=c%20d&e", "301 /x?a+b=c%20d&e"),
        ("/q q=:q /s?find=:q#:q 301", "/q?q=a%26b%3D%23%25", "301 /s?find=a%26b%3D%23%25#a%26b%3D%23%25"),
        ("/r/* /:splat 301", "/r//evil.example/x", "301 /evil.example/x"),
        ("/r/* /:splat 301", "/r/%5cevil", "301 /%5Cevil"),
        ("/r/* /:splat 301", "/r/%5c%5cevil/", "301 /%5C%5Cevil/"),
        ("/r/* /:splat 301", "/r/a%3fb", "301 /a%3Fb"),
        ("/r/* /:splat 301", "/r/a%23f", "301 /a%23f"),
        ("/r/* /:splat 301", "/r/%0d%0aX", "301 /%0D%0AX"),
        ("/r/* /:splat 301", "/r/%25%35%63evil", "301 /%255cevil"),
        ("/r/* /:splat 301", "/r", "301 /"),
        ("/* /index.html 200", "/app/x", "200 /index.html"),
        ("/* /404.html 404", "/x", "404 /404.html"),
        ("/x /gone 410", "/x", "410 /gone"),
        ("/x/* /y/:splat 200", "/x/a%20b/", "200 /y/a b/"),
        ("/x/* /:splat 200", "/x", "200 /"),
        ("/x/:a /:a:a/y 200", "/x/.", None),  # the request is for /x/
        ("/a id=:x /b/:x/c 200", "/a?id=..", None),
        ("/a id=:x /b/:x/c 200", "/a?id=%2e", None),
        ("/a /1 301\n/a /2 301", "/a", "301 /1"),
        ("/* /1 301\n/a /2 301", "/a", "301 /1"),
        ("/* /1 301\n/a /2 301!", "/a", "301 /2"),
        ("/* /x 301\n/x /y 301", "/x", "301 /y"),  # the first would lead it to itself
        ("/* /x 301!", "/x/", None),
        ("/* /x?y=1 301!", "/x", "301 /x?y=1"),
        ("/* /x?y=1 301!", "/x?y=1", None),
        ("/* https://h/:splat 301!", "/a", None),
        ("/* https://h/:splat 301!", "http://www.h/a", "301 https://h/a"),
        ("https://www.h/* https://h/:splat 301!", "http://WWW.h:80/a?b", "301 https://h/a?b"),
        ("https://www.h/* https://h/:splat 301!", "/a", None),
    ],
)
def test_where_a_rule_leads(rule: str, target: str, there: str | None) -> None:
    assert lead(rule, target) == there


@pytest.mark.parametrize(
    ("source", "destination", "status", "reason"),
    [
        ("/a", "b", 301, 'begins with "/" or "http(s)://"'),
        ("/a", "//evil.example", 301, "would name another host"),
        ("/a", "/\\evil.example", 301, "would name another host"),
        ("/a", "/%zz", 301, "hexadecimal"),
        ("/a/*", "/b/*", 301, '":splat"'),
        ("/a/:x", "/b/:y", 301, '":y" is not in the source'),
        ("/a", "/b/:splat", 301, '":splat" is not in the source'),
        ("/a", "/b?x=urn:isbn", 301, '":isbn" is not in the source'),
        ("/a/:x", "https://:x.example/", 301, "placeholder in the host"),
        ("/a", "https://u@h/", 301, "neither a user nor a password"),
        ("/a", "https://h:99999/", 301, "is not a host"),
        ("/self/*", "/self/:splat", 301, "leads to itself"),
        ("/loop", "/loop", 302, "leads to itself"),
        ("/loop", "/loop/?x=1", 302, "leads to itself"),
        ("/l%6Fop", "/loop", 302, "leads to itself"),
        ("http://h/*", "https://h/:splat", 301, "neither the scheme"),
        ("/a", "https://api.example/", 200, "does not proxy"),
        ("/a", "https://api.example/", 404, "does not proxy"),
        ("/a", "/b/../c", 200, "no file has such a path"),
        ("/a", "/b%2Fc", 200, "no file has such a path"),
        ("/a", "/b%00", 200, "no file has such a path"),
        ("/a", "/_headers", 200, "reserved"),
        ("/a", "/%5Fredirects", 404, "reserved"),
    ],
)
def test_what_is_no_rule_has_a_reason(source: str, destination: str, status: int, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_rule("x", source, destination, status, False)
    assert reason in str(caught.value)


def test_a_name_counts_once_in_path_and_query() -> None:
    with pytest.raises(ValueError, match="there twice"):
        parse_rule("x", "/a/:x", "/b/:x", 301, False, (("id", ":x"),))
    with pytest.raises(ValueError, match="there twice"):
        parse_rule("x", "/a", "/b/:x", 301, False, (("id", ":x"), ("k", ":x")))


@pytest.mark.parametrize(
    ("source", "destination"),
    [
        ("http://a.h/*", "https://b.h/:splat"),
        ("/*", "https://h/:splat"),
        ("/a/:x/:y", "/a/:y/:x"),
        ("/a/*", "/a/b/:splat"),
    ],
)
def test_what_leads_elsewhere_is_a_rule(source: str, destination: str) -> None:
    parse_rule("x", source, destination, 301, False)


def test_only_paths_with_a_condition_on_the_query_depend_on_it() -> None:
    rules = rules_of("/q id=1 /a 301\n/q/x /b 301\n/p/* id=:x /c 200!")
    assert [rules.depend_on_query(request_of(target)) for target in ("/q", "/q?id=1", "/q/x", "/p/a/b")] == [
        True,
        True,
        False,
        True,
    ]
    assert rules
    assert not RedirectRules()
    assert not RedirectRules().depend_on_query(request_of("/q"))
    assert RedirectRules().forced(request_of("/")) is None
    assert RedirectRules().otherwise(request_of("/")) is None


def test_what_rules_read_of_a_request() -> None:
    reads = rules_of("http://a/* /x 301\nhttp://b/* /x 301!\n/c /d 301\n/e /f 301").reads
    assert sorted(each.host.pattern if each.host else b"" for each in reads) == [b"", b"a", b"b"]
    assert rules_of("/c /d?e 301\n/c /d?e 200").reads == {Reads(query=True), Reads()}


TEXT = st.text(st.sampled_from("/\\.:@?#%;x\r\n\0\x7fé "), max_size=12)
RULES = "/r/* /:splat 301\n/p/:a/:b /:a:b 301\n/q q=:q /:q 302\n/s* /:splat?x=:splat#:splat 307\n/t/* /t/./:splat 301"


@given(st.sampled_from(["/r/", "/p/", "/q?q=", "/s", "/t/"]), TEXT, st.booleans())
def test_no_redirect_leads_to_another_host_c9(start: str, text: str, escaped: bool) -> None:
    from urllib.parse import quote

    target = start + (quote(text, safe="") if escaped else text)
    request = PARSER.parse(get(target.encode())[:-2])
    if not isinstance(request, Request) or any(b"/" in name for name in request.target.segments):
        return
    answer = rules_of(RULES).otherwise(request)
    if answer is not None:
        assert isinstance(answer, Redirect)
        location = answer.location.decode()
        assert re.fullmatch(r"/(?![/\\])[!-~]*", location)
        assert "\\" not in location.partition("?")[0]
        assert urlsplit(urljoin("http://h/", location)).netloc == "h"


def test_responses_depend_on_the_authority_that_a_redirect_leads_to() -> None:
    """A request that names it is at its destination already."""
    rules = RedirectRules([parse_rule("here", "/*", "https://WWW.example:81/:splat", 301, True)])
    assert rules.reads == {Reads(authority=b"www.example:81")}
    variant = rules_variant(rules.reads)
    assert variant is not None
    keys = [variant(Fields({b"host": [host]}, 0)) for host in (b"www.EXAMPLE:81", b"www.example", b"example")]
    assert keys == [b"www.example:81", b"", b""]
    assert variant(Fields({}, 0)) == b""
    assert rules_variant(()) is None
