"""Rules about fields: which apply, in which order, and what none can do."""

import pytest

from pwb_async.config.headers_file import parse_headers
from pwb_async.core.semantics.messages import FieldList
from pwb_async.core.site.header_rules import HeaderRule, HeaderRules, add_vary, change_field, check_change
from pwb_async.core.site.variants import Reads

from .rule_requests import request_of

FILE = """
/*
  X-All: 1
  Cache-Control: max-age=60
/page
  X-All: 2
/s.css
  ! Cache-Control
  ! X-All
/blog/:slug
  X-Slug: is-:slug
/n/*
  X-Splat: s-:splat
  X-Literal: data:image :slug
"""
OWN: FieldList = ((b"Content-Type", b"text/html"), (b"Cache-Control", b"no-cache"))


def apply(text: str, target: str = "/", status: int = 200, own: FieldList = OWN, *fields: bytes) -> dict[str, str]:
    rules = HeaderRules(parse_headers("_headers", text.encode()).rules)
    result = rules.apply(status, own, request_of(target, *fields))
    assert len({name.lower() for name, _ in result if name != b"Set-Cookie"}) == len(
        [name for name, _ in result if name != b"Set-Cookie"]
    )
    return {name.decode(): value.decode() for name, value in result if (name, value) not in own}


@pytest.mark.parametrize(
    ("target", "fields"),
    [
        ("/page", {"Cache-Control": "max-age=60", "X-All": "2"}),
        ("/page/", {"Cache-Control": "max-age=60", "X-All": "2"}),
        ("/PAGE", {"Cache-Control": "max-age=60", "X-All": "1"}),
        ("/s.css", {}),
        ("/blog/hello", {"Cache-Control": "max-age=60", "X-All": "1", "X-Slug": "is-hello"}),
        (
            "/n/a/b",
            {
                "Cache-Control": "max-age=60",
                "X-All": "1",
                "X-Splat": "s-a/b",
                "X-Literal": "data:image :slug",
            },
        ),
        (
            "/n/%0d%0aX:%20%22;,'%7F",
            {
                "Cache-Control": "max-age=60",
                "X-All": "1",
                "X-Splat": "s-%0D%0AX:%20%22%3B%2C%27%7F",
                "X-Literal": "data:image :slug",
            },
        ),
    ],
)
def test_the_rules_of_a_path_apply_in_order(target: str, fields: dict[str, str]) -> None:
    assert apply(FILE, target) == fields


def test_all_that_is_removed_is_gone() -> None:
    rules = HeaderRules(parse_headers("_headers", FILE.encode()).rules)
    assert rules.apply(200, OWN, request_of("/s.css")) == ((b"Content-Type", b"text/html"),)


@pytest.mark.parametrize("status", [400, 404, 405, 416, 500, 503])
def test_no_rule_about_caching_touches_an_error(status: int) -> None:
    text = (
        "/*\nCache-Control: max-age=9\nExpires: 9\nPragma: x\nSurrogate-Control: x\nCDN-Cache-Control: x\n"
        "Netlify-CDN-Cache-Control: x\nX-A: 1\n/x\n! Cache-Control"
    )
    assert apply(text, "/x", status) == {"X-A": "1"}


@pytest.mark.parametrize(
    ("status", "sent"), [(200, True), (206, True), (204, False), (301, False), (304, False), (404, False)]
)
def test_fields_that_describe_a_file_are_only_where_one_is(status: int, sent: bool) -> None:
    text = "/*\nContent-Disposition: attachment\nContent-Language: de\nContent-Security-Policy: x"
    fields = apply(text, status=status)
    assert ("Content-Disposition" in fields, "Content-Language" in fields) == (sent, sent)
    assert fields["Content-Security-Policy"] == "x"


def test_link_and_vary_are_joined_and_cookies_stay_apart() -> None:
    text = "/*\nLink: <a>\nVary: Accept\nSet-Cookie: a=1\nSet-Cookie: b=2\n/x\nlink: <b>\nvary: accept, Origin\nSet-Cookie: c=3"
    rules = HeaderRules(parse_headers("_headers", text.encode()).rules)
    own = ((b"Vary", b"Accept-Encoding"),)
    assert rules.apply(200, own, request_of("/x")) == (
        (b"Set-Cookie", b"a=1"),
        (b"Set-Cookie", b"b=2"),
        (b"link", b"<a>, <b>"),
        (b"vary", b"Accept-Encoding, Accept, Origin"),
        (b"Set-Cookie", b"c=3"),
    )
    assert change_field(own, b"Set-Cookie", b"set-cookie", None) == own


def test_vary_holds_a_name_once() -> None:
    assert add_vary((), b"Origin") == ((b"Vary", b"Origin"),)
    assert add_vary(((b"vary", b"Accept, origin"),), b"Origin") == ((b"Vary", b"Accept, origin"),)


def test_the_same_name_in_one_block_is_joined() -> None:
    assert apply("/*\nX-A: 1\nx-a: 2\n! X-B\nX-B: 1\nX-B: 2") == {"X-A": "1, 2", "X-B": "1, 2"}


def test_hsts_is_sent_over_tls_only() -> None:
    rules = parse_headers("_headers", b"/*\nStrict-Transport-Security: max-age=1").rules
    assert HeaderRules(rules).apply(200, (), request_of("/")) == ()
    assert HeaderRules(rules, secure=True).apply(200, (), request_of("/")) == (
        (b"Strict-Transport-Security", b"max-age=1"),
    )


def test_the_last_media_type_counts() -> None:
    text = "/*\nX-B: 1\nContent-Type: text/plain\n/:ending/*\nContent-Type: text/x-:ending\n/y/*\nX-A: 1"
    rules = HeaderRules(parse_headers("_headers", text.encode()).rules)
    assert [rules.content_type(request_of(target)) for target in ("/", "/x/a")] == [b"text/plain", b"text/x-x"]
    assert HeaderRules(parse_headers("_headers", b"/a\nX-A: 1").rules).content_type(request_of("/a")) is None
    only_one = HeaderRules(parse_headers("_headers", b"/a\nContent-Type: a/b").rules)
    assert only_one.content_type(request_of("/b")) is None
    assert only_one.apply(200, OWN, request_of("/a")) == OWN, "the site asks for it before it makes the response"


def test_a_rule_without_a_pattern_is_for_every_response() -> None:
    rules = HeaderRules([HeaderRule("--header", None, ((b"X-A", (b"1",)), (b"Cache-Control", (b"no-store",))))])
    assert rules
    assert rules.apply(200, (), request_of("/")) == ((b"X-A", b"1"), (b"Cache-Control", b"no-store"))
    assert rules.apply(400, (), None) == ((b"X-A", b"1"),)
    assert rules.reads == {Reads()}
    assert not HeaderRules()


def test_a_block_may_be_for_one_host() -> None:
    text = "https://a.example/*\nX-A: 1"
    assert apply(text, "http://A.example:8080/x") == {"X-A": "1"}
    assert apply(text, "/x") == {}


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (b"X A", b"1", "is not the name"),
        (b"", b"1", "is not the name"),
        (b"Content-Length", b"1", "cannot be set"),
        (b"ETAG", b"1", "cannot be set"),
        (b"Server", None, "cannot be removed"),
        (b"Content-Type", None, "cannot be removed"),
        (b"Vary", None, "cannot be removed"),
        (b"Basic-Auth", b"a:b", "--htpasswd"),
        (b"X-A", b"", "has no value"),
        (b"X-A", "ü".encode(), "US-ASCII"),
        (b"X-A", b"a\x7f", "US-ASCII"),
        (b"X-A", b"a\nb", "US-ASCII"),
    ],
)
def test_what_no_rule_may_do_has_a_reason(name: bytes, value: bytes | None, reason: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        check_change(name, value)
    assert reason in str(caught.value)


def test_what_describes_a_file_is_for_files_alone() -> None:
    rules = HeaderRules(
        parse_headers("_headers", b"/*\n  Content-Disposition: inline\n  Content-Language: de\n  X-A: 1\n").rules
    )
    request = request_of("/")
    assert [name for name, _ in rules.apply(200, (), request)] == [b"Content-Disposition", b"Content-Language", b"X-A"]
    assert rules.apply(200, (), request, False) == ((b"X-A", b"1"),)


@pytest.mark.parametrize(
    ("text", "target", "forbidden"),
    [
        ("/*\n  Cache-Control: max-age=60, No-Transform\n", "/x", True),
        ("/a/*\n  Cache-Control: no-transform\n", "/x", False),
        ("/a/*\n  Cache-Control: no-transform\n", "/a/x", True),
        ("/*\n  Cache-Control: no-transform\n/a\n  Cache-Control: no-cache\n", "/a", False),
        ("/*\n  Cache-Control: no-transform\n/a\n  ! Cache-Control\n", "/a", False),
        ("/a\n  Cache-Control: no-cache\n/*\n  Cache-Control: no-transform\n", "/a", True),
        ("/:x\n  Cache-Control: :x\n", "/no-transform", False),
        ("/*\n  X-A: no-transform\n", "/x", False),
        ("/*\n  Cache-Control: private=no-transformer\n", "/x", False),
    ],
)
def test_no_transform(text: str, target: str, forbidden: bool) -> None:
    rules = HeaderRules(parse_headers("_headers", text.encode()).rules)
    assert rules.forbid_transforms(request_of(target)) == forbidden
