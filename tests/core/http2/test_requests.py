"""The reader of requests: header lists become the requests that HTTP/1.1 has (RFC 9113 8)."""

import pytest

from pwb_async.core.events import BadRequest
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.http2.hpack import INITIAL_TABLE, HPACKError, Table, literal
from pwb_async.core.http2.requests import BLOCK, Malformed, RequestReader
from pwb_async.core.semantics.fields import CHUNKED, Fields
from pwb_async.core.semantics.messages import HTTP_2, Request

DEFAULTS = Limits()
GET = (b":method: GET", b":scheme: https", b":authority: h", b":path: /")


def block_of(*lines: bytes) -> bytes:
    """A block of literals; each line is a name, a colon with a space, and a value."""
    return b"".join([literal(line[: line.index(b": ", 1)], line[line.index(b": ", 1) + 2 :]) for line in lines])


def read(*lines: bytes, ended: bool = True, limits: Limits = DEFAULTS) -> Request | BadRequest | Malformed:
    return RequestReader(limits).read(INITIAL_TABLE, block_of(*lines), ended)[0]


def request(*lines: bytes, ended: bool = True) -> Request:
    found = read(*lines, ended=ended)
    assert isinstance(found, Request), found
    return found


def outcome(*lines: bytes, ended: bool = True, limits: Limits = DEFAULTS) -> int | str:
    """The status of the refusal, 200 for a request, or "malformed"."""
    found = read(*lines, ended=ended, limits=limits)
    return found.status if isinstance(found, BadRequest) else "malformed" if isinstance(found, Malformed) else 200


def changed(**pseudo: bytes | None) -> tuple[bytes, ...]:
    """The pseudo-fields of GET, some of them with another value, or left out."""
    values = {"method": b"GET", "scheme": b"https", "authority": b"h", "path": b"/", **pseudo}
    return tuple(b":%s: %s" % (name.encode(), value) for name, value in values.items() if value is not None)


def test_a_request_is_the_same_as_by_http_1_1() -> None:
    fields = (b"accept: */*", b"accept-encoding: gzip, br", b'if-none-match: "a"', b"range: bytes=0-4", b"empty: ")
    lines = (b":method: GET", b":scheme: https", b":authority: example.com:8443", b":path: /a%20b/c.html?q", *fields)
    head = b"\r\n".join((b"GET /a%20b/c.html?q HTTP/1.1", b"host: example.com:8443", *fields, b""))
    ours, theirs = request(*lines), RequestParser(Limits()).parse(head)
    assert isinstance(theirs, Request)
    assert (ours.method, ours.target, ours.cache_key, ours.plain) == (
        theirs.method,
        theirs.target,
        theirs.cache_key,
        theirs.plain,
    )
    for name in Fields.__slots__:
        assert getattr(ours.fields, name) == getattr(theirs.fields, name), name
    assert ours.persistent
    assert (ours.version, ours.request_line) == (HTTP_2, b"GET /a%20b/c.html?q HTTP/2.0")


def test_a_plain_request() -> None:
    found = request(*GET)
    assert found.plain
    assert (found.target.segments, found.fields.host, found.fields.content_length) == ((), b"h", 0)


# Pseudo-fields (RFC 9113 8.3)


@pytest.mark.parametrize(
    "lines",
    {
        "no method": changed(method=None),
        "no scheme": changed(scheme=None),
        "no path": changed(path=None),
        "an empty path": changed(path=b""),
        "nothing": (),
        "no pseudo-field": (b"host: h",),
        "a repeated method": (b":method: GET", *GET),
        "a repeated path": (*GET, b":path: /"),
        "a pseudo-field of responses": (*GET, b":status: 200"),
        "an unknown pseudo-field": (*GET, b":protocol: websocket"),
        "a colon alone": (*GET, b":: x"),
        "a pseudo-field behind a field": (*changed(path=None), b"accept: */*", b":path: /"),
        "CONNECT with a path": changed(method=b"CONNECT", scheme=None),
        "CONNECT with a scheme": changed(method=b"CONNECT", path=None),
        "CONNECT without authority": changed(method=b"CONNECT", path=None, scheme=None, authority=None),
        "CONNECT without authority, but a scheme": changed(method=b"CONNECT", path=None, authority=None),
        "extended CONNECT": (*changed(method=b"CONNECT"), b":protocol: websocket"),
    }.items(),
    ids=lambda case: case[0],
)
def test_other_pseudo_fields_are_malformed(lines: tuple[str, tuple[bytes, ...]]) -> None:
    assert outcome(*lines[1]) == "malformed"


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (changed(method=b"CONNECT", scheme=None, path=None), 400),
        (changed(method=b"G T"), 400),
        (changed(method=b""), 400),
        (changed(method=b"BREW"), 200),
        (changed(scheme=b"http"), 200),
        (changed(scheme=b"HTTPS"), 200),
        (changed(scheme=b"ftp"), 400),
        (changed(scheme=b""), 400),
        (changed(path=b"a"), 400),
        (changed(path=b"http://h/"), 400),
        (changed(path=b"*"), 400),
        (changed(path=b"*", method=b"OPTIONS"), 200),
        (changed(path=b"/a b"), 400),
        (changed(path=b"/a#b"), 400),
        (changed(path=b"/../a"), 400),
        (changed(path=b"/%zz"), 400),
        (changed(path=b"/\xc3\xa9"), 200),
        (changed(path=b"?q"), 400),
        (changed(authority=b""), 400),
        (changed(authority=b"user@h"), 400),
        (changed(authority=b"h:65536"), 400),
        (changed(authority=b"[::1]:443"), 200),
        (changed(authority=None), 400),
        ((*changed(authority=None), b"host: h"), 200),
        ((*changed(authority=None), b"host: h", b"host: h"), 400),
        ((*changed(authority=None), b"host: a b"), 400),
        ((*changed(authority=b"a b"), b"host: a b"), 400),
    ],
)
def test_values_of_pseudo_fields_by_the_rules_of_http_1_1(lines: tuple[bytes, ...], status: int) -> None:
    assert outcome(*lines) == status


@pytest.mark.parametrize(
    ("authority", "scheme", "host", "status"),
    [
        (b"h", b"https", b"h", 200),
        (b"h", b"https", b"H", 200),
        (b"h", b"https", b"h:443", 200),
        (b"H:443", b"HTTPS", b"h", 200),
        (b"h:80", b"http", b"h", 200),
        (b"h:80", b"https", b"h", 400),
        (b"h:8080", b"http", b"h:8080", 200),
        (b"h", b"http", b"other", 400),
        (b"h", b"http", b"h.", 400),
        (b"h", b"http", b"", 400),
    ],
)
def test_host_must_not_differ_from_the_authority(authority: bytes, scheme: bytes, host: bytes, status: int) -> None:
    """RFC 9113 8.3.1."""
    lines = (*changed(authority=authority, scheme=scheme), b"host: " + host)
    assert outcome(*lines) == status
    if status == 200:
        assert request(*lines).fields.host == authority


def test_two_hosts_beside_an_authority_are_refused() -> None:
    assert outcome(*GET, b"host: h", b"host: h") == 400


# Fields (RFC 9113 8.2)


@pytest.mark.parametrize(
    "line",
    [
        *(
            b"Accept: */*",
            b"aCcept: */*",
            b"a b: x",
            b"a\x7f: x",
            b"\xe9: x",
            b"a\r\n: x",
            b"a(: x",
            b"a\x00: x",
            b"a:b: x",
        ),
        *(b"a: \x00", b"a: x\rb", b"a: x\nb", b"a: x\nb: y", b"a: \x01", b"a: \x7f", b"a: x\n", b"a: \n"),
        *(b"a:  x", b"a: x ", b"a: \tx", b"a: x\t", b"a:  "),
        *(b"connection: close", b"connection: ", b"proxy-connection: x", b"keep-alive: 5", b"upgrade: h2c"),
        *(b"transfer-encoding: chunked", b"te: gzip", b"te: trailers, deflate", b"te: "),
        b":path: \n",
    ],
)
def test_a_field_that_must_not_occur_is_malformed(line: bytes) -> None:
    assert outcome(*GET, line) == "malformed"
    assert outcome(*GET, b"accept: */*", line, b"accept: */*") == "malformed"


def test_an_empty_name_is_malformed() -> None:
    found = RequestReader(Limits()).read(INITIAL_TABLE, block_of(*GET) + b"\x00\x00\x01x", True)[0]
    assert isinstance(found, Malformed)


@pytest.mark.parametrize(
    "line", [b"te: trailers", b"te: Trailers", b"a: x\ty z", b"a: \xe9", b"!#$%&'*+-.^_`|~09az: x", b"a: :", b"a: "]
)
def test_a_field_that_may_occur_is_accepted(line: bytes) -> None:
    assert outcome(*GET, line) == 200


def test_crumbs_of_a_cookie_are_joined() -> None:
    """RFC 9113 8.2.3."""
    assert request(*GET, b"cookie: a=b", b"accept: */*", b"cookie: c=d").fields.get(b"cookie") == b"a=b; c=d"


def test_fields_that_are_repeated_are_lists() -> None:
    assert request(*GET, b"accept: a", b"accept: b").fields.get(b"accept") == b"a, b"


# Content (RFC 9113 8.1.1)


@pytest.mark.parametrize(
    ("line", "ended", "expected"),
    [
        (None, True, 0),
        (None, False, CHUNKED),
        (b"content-length: 0", True, 0),
        (b"content-length: 0", False, 0),
        (b"content-length: 005", False, 5),
        (b"content-length: 5", True, "malformed"),
        (b"content-length: -5", False, 400),
        (b"content-length: x", True, 400),
    ],
)
def test_the_length_of_the_content(line: bytes | None, ended: bool, expected: int | str) -> None:
    lines = GET if line is None else (*GET, line)
    found = read(*lines, ended=ended)
    if isinstance(found, Request):
        assert found.fields.content_length == expected
        assert found.plain == (line is None and ended)
    else:
        assert outcome(*lines, ended=ended) == expected


def test_two_content_lengths_are_refused() -> None:
    assert outcome(*GET, b"content-length: 5", b"content-length: 5", ended=False) == 400


def test_a_request_that_expects_100_continue() -> None:
    assert request(*GET, b"expect: 100-continue", ended=False).expects_continue
    assert not request(*GET, b"expect: 100-continue").expects_continue


# Limits


def test_limits() -> None:
    limits = Limits(request_line=60, field=40, fields=4, head=400)
    for lines, status in (
        ((*GET, b"a: b", b"a: b", b"a: b"), 200),
        ((*GET, b"a: b", b"a: b", b"a: b", b"a: b"), 431),
        ((*changed(authority=None), b"host: h", b"a: b", b"a: b", b"a: b"), 200),
        ((*changed(authority=None), b"host: h", b"a: b", b"a: b", b"a: b", b"a: b"), 431),
        ((*GET, b"cookie: a=b", b"cookie: a=b", b"cookie: a=b", b"cookie: a=b"), 431),
        ((*GET, b"a: " + b"x" * 37), 200),
        ((*GET, b"a: " + b"x" * 38), 431),
        ((*GET, b"a: b", b"a: " + b"x" * 38), 431),
        ((*GET, b"cookie: " + b"x" * 16, b"cookie: " + b"x" * 15), 431),  # 33 bytes with "; "
        ((*GET, b"cookie: " + b"x" * 15, b"cookie: " + b"x" * 15), 200),
        ((*GET, b"a: " + b"x" * 400), 431),
        (changed(path=b"/" + b"a" * 46), 200),
        (changed(path=b"/" + b"a" * 47), 414),
        (changed(method=b"M" * 49), 200),
        (changed(method=b"M" * 59), 414),
        (changed(method=b"M" * 60), 501),
        (changed(path=b"/" + b"x" * 400), 414),  # it is not in the list, which it exceeds
        ((*changed(path=b"/" + b"x" * 60), b"a: b", b"a: b", b"a: b", b"a: b"), 414),
        ((b":method: CONNECT", b":authority: h", b"a: " + b"x" * 400), 431),
    ):
        assert outcome(*lines, limits=limits) == status, lines


def test_a_list_beyond_the_limits_is_refused_with_its_method() -> None:
    reader = RequestReader(Limits())
    bomb = block_of(b":method: HEAD") + b"\x86\x84\x41\x01h" + b"\x40\x01a\x00" + b"\xbe" * 300
    refused, table = reader.read(INITIAL_TABLE, bomb, True)
    assert isinstance(refused, BadRequest)
    assert (refused.status, refused.method, refused.first_line) == (431, b"HEAD", b"HEAD / HTTP/2.0")
    assert len(table.entries) == 2
    assert not reader.cache


def test_a_refusal_has_the_line_and_the_method() -> None:
    bad = read(*changed(method=b"HEAD", path=b"/%zz"))
    assert isinstance(bad, BadRequest)
    assert (bad.first_line, bad.method) == (b"HEAD /%zz HTTP/2.0", b"HEAD")
    without_host = read(*changed(authority=None))
    assert isinstance(without_host, BadRequest)
    assert without_host.fields is not None
    connect = read(*changed(method=b"CONNECT", scheme=None, path=None))
    assert isinstance(connect, BadRequest)
    assert connect.first_line == b"CONNECT h HTTP/2.0"


# What is remembered


def test_a_block_is_read_once_for_all_connections() -> None:
    reader = RequestReader(Limits())
    block = b"\x82\x87\x84\x41\x01h"
    first, table = reader.read(INITIAL_TABLE, block, True)
    assert reader.cache == {(INITIAL_TABLE, block): (first, table)}
    assert reader.cache[INITIAL_TABLE, block] == (first, table)
    second, after = reader.read(table, b"\x82\x87\x84\xbe", True)
    assert second is not first
    assert after is table


def test_a_cache_that_is_full_becomes_the_previous_one() -> None:
    reader = RequestReader(Limits())
    first = reader.read(INITIAL_TABLE, block_of(*GET), True)[0]
    for number in range(1024):
        reader.read(INITIAL_TABLE, block_of(*changed(path=b"/%d" % number)), True)
    assert len(reader.cache) == 1
    assert reader.read(INITIAL_TABLE, block_of(*GET), True)[0] is first
    assert (INITIAL_TABLE, block_of(*GET)) in reader.cache
    for number in range(2048):
        reader.read(INITIAL_TABLE, block_of(*changed(path=b"/%d" % number)), True)
    assert reader.read(INITIAL_TABLE, block_of(*GET), True)[0] is not first


@pytest.mark.parametrize(
    ("lines", "ended"),
    [
        (GET, False),
        ((*GET, b"a: " + b"x" * BLOCK), True),
        (changed(path=b"/%zz"), True),
        ((*GET, b"A: b"), True),
        ((*GET, *[b"a: b"] * 37), True),
    ],
    ids=["with content", "long", "refused", "malformed", "many fields"],
)
def test_other_blocks_are_not_remembered(lines: tuple[bytes, ...], ended: bool) -> None:
    reader = RequestReader(Limits())
    reader.read(INITIAL_TABLE, block_of(*lines), ended)
    assert not reader.cache


def test_a_short_block_of_a_large_list_is_not_remembered() -> None:
    """Else a kilobyte that a client sends once would keep 32 KiB here (the HTTP/2 bomb of 2026)."""
    reader = RequestReader(Limits())
    table = Table(((b"a", b"x" * 500),), 533)
    found, _ = reader.read(table, b"\x82\x87\x84\x41\x01h" + b"\xbf" * 10, True)
    assert isinstance(found, Request)
    assert not reader.cache


def test_requests_with_content_are_not_found_by_those_without() -> None:
    reader = RequestReader(Limits())
    block = block_of(*GET)
    reader.read(INITIAL_TABLE, block, True)
    found, _ = reader.read(INITIAL_TABLE, block, False)
    assert isinstance(found, Request)
    assert found.fields.content_length == CHUNKED


def test_variant_and_cache_key_are_set() -> None:
    reader = RequestReader(Limits(), lambda fields: fields.get(b"accept") or b"", lambda target: b"key")
    found, _ = reader.read(INITIAL_TABLE, block_of(*GET, b"accept: x"), True)
    assert isinstance(found, Request)
    assert (found.fields.variant, found.target.cache_key, found.cache_key) == (b"x", b"key", b"key\0x")


def test_a_block_that_cannot_be_decoded_raises() -> None:
    with pytest.raises(HPACKError):
        RequestReader(Limits()).read(INITIAL_TABLE, b"\x80", True)


# Trailers (RFC 9113 8.1)


@pytest.mark.parametrize(
    ("block", "valid"),
    [
        (b"", True),
        (block_of(b"digest: x"), True),
        (block_of(b":path: /"), False),
        (block_of(b"Digest: x"), False),
        (block_of(b"connection: x"), False),
        (block_of(b"content-length: 5"), False),
        (block_of(b"host: h"), False),
        (block_of(*[b"a: b"] * 103), True),
        (block_of(*[b"a: b"] * 104), False),
    ],
)
def test_trailers(block: bytes, valid: bool) -> None:
    found, table = RequestReader(Limits()).read_trailers(INITIAL_TABLE, block)
    assert (found is None) == valid
    assert table is INITIAL_TABLE


def test_the_table_goes_on_after_trailers() -> None:
    for block in (b"\x40\x01a\x01b", b"\x40\x01A\x01b"):
        _, table = RequestReader(Limits()).read_trailers(Table(), block)
        assert len(table.entries) == 1
