"""Request targets: paths, refused ones, and redirects, which never leave the site (RFC 9112 3.2, hazards C1, C7, C9)."""

from dataclasses import replace
from pathlib import Path

import pytest

from pwb_async.core.semantics.target import Target, parse_target, valid_host
from tests.core.driver import ask, byte_by_byte, converse, get

LINES = [
    line.split(b" ", 1)
    for line in (Path(__file__).parents[1] / "corpus" / "targets.txt").read_bytes().splitlines()
    if not line.startswith(b"#")
]


def parsed(raw: bytes, method: bytes = b"GET") -> Target:
    target = parse_target(method, raw)
    assert isinstance(target, Target), target
    return target


def test_the_corpus_is_complete() -> None:
    assert len(LINES) > 200
    assert len({target for _, target in LINES}) == len(LINES)


@pytest.mark.parametrize(("status", "raw"), [pytest.param(int(s), t, id=ascii(t)[2:-1][:60]) for s, t in LINES])
def test_c1_corpus(status: int, raw: bytes) -> None:
    """Every target has its expected status and shows no hidden byte, however it is split, in absolute-form as well."""
    answer = ask(get(raw))
    assert answer.status == status
    assert b"CANARY" not in answer.wire
    assert converse(byte_by_byte(get(raw))).wire == answer.wire
    assert ask(get(b"http://h" + raw)).wire == answer.wire
    if status == 301:
        location = answer.field(b"location")
        assert location is not None
        assert location[:1] == b"/"
        assert location[1:2] not in (b"/", b"\\", b"")
        assert location.isascii()
        there = ask(get(location))
        assert there.status in ((200, 404) if raw.isascii() else (200, 404, 301))
        assert there.field(b"location") != location
    else:
        assert answer.field(b"location") is None


@pytest.mark.parametrize(
    ("raw", "segments", "folder", "query"),
    [
        pytest.param(b"/", (), True, None, id="3986-3.3-root"),
        pytest.param(b"/a", (b"a",), False, None, id="3986-3.3-file"),
        pytest.param(b"/a/b-1.2.html", (b"a", b"b-1.2.html"), False, None, id="3986-3.3-file-in-a-folder"),
        pytest.param(b"/a..b/c.", (b"a..b", b"c."), False, None, id="3986-5.2.4-dots-in-a-name"),
        pytest.param(b"/.a/..b/...", (b".a", b"..b", b"..."), False, None, id="3986-5.2.4-dots-before-a-name"),
        pytest.param(b"/a/", (b"a",), True, None, id="3986-3.3-folder"),
        pytest.param(b"/a/.", (b"a",), True, None, id="3986-5.2.4-dot-at-the-end"),
        pytest.param(b"/a/b/..", (b"a",), True, None, id="3986-5.2.4-dots-at-the-end"),
        pytest.param(b"/a/%2E%2e", (), True, None, id="3986-5.2.4-escaped-dots-at-the-end"),
        pytest.param(b"/a/../b", (b"b",), False, None, id="3986-5.2.4-dots"),
        pytest.param(b"//a///b//", (b"a", b"b"), True, None, id="C1-empty-segments"),
        pytest.param(b"/a?", (b"a",), False, b"", id="3986-3.4-empty-query"),
        pytest.param(b"/a?b/../c?d", (b"a",), False, b"b/../c?d", id="3986-3.4-query-is-left-alone"),
        pytest.param(b"/a%2Fb", (b"a/b",), False, None, id="3986-2.2-escaped-slash-is-no-slash"),
        pytest.param(b"/%25%32%65", (b"%2e",), False, None, id="3986-2.4-decoded-once"),
        pytest.param(b"/%FF%fe", (b"\xff\xfe",), False, None, id="C11-any-byte"),
        pytest.param(b"/a+b", (b"a+b",), False, None, id="3986-plus-is-no-space"),
        pytest.param(b"/a;b=1", (b"a;b=1",), False, None, id="3986-3.3-parameters-belong-to-the-name"),
        pytest.param(b"/a\\..\\b", (b"a\\..\\b",), False, None, id="C1-backslash-is-no-separator"),
    ],
)
def test_path(raw: bytes, segments: tuple[bytes, ...], folder: bool, query: bytes | None) -> None:
    target = parsed(raw)
    assert (target.segments, target.trailing_slash, target.query) == (segments, folder, query)
    assert not target.asterisk
    assert replace(parsed(b"http://h" + raw), authority=None) == target


@pytest.mark.parametrize(
    ("raw", "authority", "segments", "query"),
    [
        pytest.param(b"http://h", b"h", (), None, id="9112-3.2.2-no-path"),
        pytest.param(b"http://h?x", b"h", (), b"x", id="9112-3.2.2-no-path-but-query"),
        pytest.param(b"http://h?x/y", b"h", (), b"x/y", id="9112-3.2.2-slash-in-query"),
        pytest.param(b"HtTp://H:80/a", b"H:80", (b"a",), None, id="3986-3.1-scheme-in-any-case"),
        pytest.param(b"https://h/a", b"h", (b"a",), None, id="9110-4.2.2-https"),
        pytest.param(b"http://[::1]:8080/a", b"[::1]:8080", (b"a",), None, id="3986-3.2.2-ipv6"),
        pytest.param(b"http://h//a", b"h", (b"a",), None, id="3986-3.3-two-slashes"),
        pytest.param(b"/a", None, (b"a",), None, id="9112-3.2.1-origin-form-has-none"),
    ],
)
def test_absolute_form(raw: bytes, authority: bytes | None, segments: tuple[bytes, ...], query: bytes | None) -> None:
    target = parsed(raw)
    assert (target.authority, target.segments, target.query) == (authority, segments, query)


def test_9112_3_2_4_asterisk_form() -> None:
    assert parsed(b"*", b"OPTIONS") == Target(asterisk=True)
    assert parsed(b"http://h", b"OPTIONS") == Target(authority=b"h", asterisk=True)
    assert not parsed(b"http://h/", b"OPTIONS").asterisk
    for method in (b"GET", b"HEAD", b"CONNECT", b"options"):
        assert isinstance(parse_target(method, b"*"), str)


@pytest.mark.parametrize(
    ("target", "location"),
    [
        pytest.param(Target(), b"/", id="C9-the-root-is-one-slash"),
        pytest.param(Target((b"a",), False), b"/a/", id="C9-plain"),
        pytest.param(Target((b"a", b"b"), False, b"x=1&y"), b"/a/b/?x=1&y", id="C9-query-is-kept"),
        pytest.param(Target((b"a",), False, b""), b"/a/?", id="C9-empty-query-is-kept"),
        pytest.param(Target((b"\\evil",), False), b"/%5Cevil/", id="C9-backslash"),
        pytest.param(Target((b"/evil",), False), b"/%2Fevil/", id="C9-slash-in-a-name"),
        pytest.param(Target((b"a\r\nX: y",), False), b"/a%0D%0AX:%20y/", id="C10-line-end"),
        pytest.param(Target((b"\xff\x00\x7f\t",), False), b"/%FF%00%7F%09/", id="C10-any-byte"),
        pytest.param(Target((b"%2e",), False), b"/%252e/", id="C9-percent"),
        pytest.param(Target((b"-._~!$&'()*+,;=:@aZ09",), False), b"/-._~!$&'()*+,;=:@aZ09/", id="3986-3.3-pchar"),
        pytest.param(
            Target((b'a b"<>^`{|}[]?#',), False), b"/a%20b%22%3C%3E%5E%60%7B%7C%7D%5B%5D%3F%23/", id="3986-2.1"
        ),
    ],
)
def test_directory_location(target: Target, location: bytes) -> None:
    assert target.directory_location() == location
    assert replace(target, trailing_slash=True).location == location


@pytest.mark.parametrize(
    ("target", "location"),
    [
        pytest.param(Target((b"a",), False), b"./a/", id="3986-5.2-plain"),
        pytest.param(Target((b"a", b"b"), False, b"x=1&y"), b"./b/?x=1&y", id="3986-5.2-last-name-and-query"),
        pytest.param(Target((b"a", b"b:c"), False), b"./b:c/", id="3986-4.2-colon"),
        pytest.param(Target((b"javascript:alert(1)",), False), b"./javascript:alert(1)/", id="3986-4.2-scheme"),
        pytest.param(Target((b"\\evil",), False), b"./%5Cevil/", id="C9-backslash"),
        pytest.param(Target((b"evil.com", b"s\r\nX: y"), False), b"./s%0D%0AX:%20y/", id="C10-line-end"),
        pytest.param(Target(), b"./", id="3986-5.2-root"),
    ],
)
def test_directory_location_relative(target: Target, location: bytes) -> None:
    assert target.directory_location(relative=True) == location


@pytest.mark.parametrize(
    ("raw", "location"),
    [
        pytest.param("/fünke.txt", b"/f%C3%BCnke.txt", id="9112-3.2-path"),
        pytest.param("/grüße/", b"/gr%C3%BC%C3%9Fe/", id="9112-3.2-folder"),
        pytest.param("/a?q=ü", b"/a?q=%C3%BC", id="9112-3.2-query"),
        pytest.param("/a%20b%C3%A9é?%C3%A9é%20", b"/a%20b%C3%A9%C3%A9?%C3%A9%C3%A9%20", id="9112-3.2-escaped-once"),
        pytest.param("//evil.com/ü", b"/evil.com/%C3%BC", id="C9-two-slashes"),
        pytest.param("/\\evil/ü", b"/%5Cevil/%C3%BC", id="C9-backslash"),
        pytest.param("/ü/../x", b"/x", id="3986-5.2.4-dots"),
        pytest.param("/?ü", b"/?%C3%BC", id="9112-3.2-root"),
        pytest.param("/\N{GRINNING FACE}", b"/%F0%9F%98%80", id="9112-3.2-four-bytes"),
    ],
)
def test_9112_3_2_unescaped_text_is_redirected(raw: str, location: bytes) -> None:
    for method in (b"GET", b"HEAD"):
        for target in (parsed(raw.encode(), method), parsed(b"http://h" + raw.encode(), method)):
            assert target.unescaped
            assert target.location == location
            assert target.cache_key == b""
    assert not parsed(location).unescaped
    assert parsed(location).location == location


@pytest.mark.parametrize("method", [b"POST", b"OPTIONS", b"PUT", b"get", b"BREW"])
def test_9112_3_2_unescaped_text_is_redirected_for_get_and_head_only(method: bytes) -> None:
    assert isinstance(parse_target(method, "/ü".encode()), str)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"/\xfc", id="latin-1"),
        pytest.param(b"/a.txt?\xfc", id="latin-1-in-the-query"),
        pytest.param(b"/\xc3", id="cut-off"),
        pytest.param(b"/\xc0\xaf", id="overlong"),
        pytest.param(b"/\xed\xa0\x80", id="surrogate"),
        pytest.param(b"/\xf4\x90\x80\x80", id="beyond-unicode"),
        pytest.param(b"/%C3\xbc", id="half-escaped"),
        pytest.param(b"/\xc2\x80", id="control"),
        pytest.param(b"/?\xc2\x9f", id="control-in-the-query"),
    ],
)
def test_9112_3_2_unescaped_bytes_that_are_not_text_are_refused(raw: bytes) -> None:
    assert parse_target(b"GET", raw) == "the target holds a character that must be escaped"


@pytest.mark.parametrize("raw", ["http://hü/", "http://h:ü/", "http:/ü", "httpü://h/", "*ü", "ü"])
def test_9112_3_2_text_before_the_path_is_refused(raw: str) -> None:
    assert isinstance(parse_target(b"GET", raw.encode()), str)


VALID_HOSTS = (
    b"h H.example. h:80 h: h:0 h:65535 h:00080 127.0.0.1 127.0.0.1:80 999.999.999.999 a_b -a- xn--caf-dma %40 a%2Fb "
    b"[::1] [::1]:80 [::] [1:2:3:4:5:6:7:8] [::ffff:1.2.3.4] [FE80::A] [v1.x] [V1f.a:b] !$&'()*+,;= ~"
).split(b" ")
INVALID_HOSTS = (
    b"u@h u:p@h h/ h/x h?x h#x :80 : h:65536 h:99999 h:100000 h:-1 h:+1 h:0x50 h:8o h:80:80 %zz %4 h% [::1 ::1] "
    b"::1 [] [:] [:::] [::1::] [1:2:3:4:5:6:7:8:9] [1:2:3:4:5:6:7] [12345::] [g::] [::1.2.3] [::1.2.3.256] [1.2.3.4] "
    b"[::1%25eth0] [fe80::1%eth0] [::1]h [::1]80 [h] [v.x] [v1.] [vg.x] h[::1] <h> 'h'\" h\\ h` {h} h|h ^ "
    b"caf\xc3\xa9 \xff h\x00 h\x7f"
).split(b" ")


@pytest.mark.parametrize("host", VALID_HOSTS)
def test_b7_valid_host(host: bytes) -> None:
    assert valid_host(host)
    assert ask(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n").status == 200


@pytest.mark.parametrize("host", [*INVALID_HOSTS, b"", b"a b", b"h ,", b" ", b"[" + b":" * 8000 + b"]", b"\t"])
def test_b7_invalid_host(host: bytes) -> None:
    assert not valid_host(host)
    assert ask(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n").status == 400


@pytest.mark.parametrize("host", [host for host in INVALID_HOSTS if not {*host} & {*b"/?#\x00\x7f"}])
def test_b7_invalid_authority_of_an_absolute_form(host: bytes) -> None:
    assert ask(b"GET http://" + host + b"/ HTTP/1.1\r\nHost: h\r\n\r\n").status == 400
