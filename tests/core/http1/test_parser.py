"""The parser of request heads: the attributes of a Request, the limits to the byte (hazard B8), invalid heads."""

import pytest

from pwb_async.core.events import BadRequest
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.http1.serializer import serialize_fields
from pwb_async.core.semantics.fields import CHUNKED, Fields
from pwb_async.core.semantics.messages import HTTP_1_1, Request
from tests.core.driver import PARSER, ask, byte_by_byte, converse, cuts, get


def read(head: bytes) -> Request:
    request = PARSER.parse(head)
    assert isinstance(request, Request), request
    return request


@pytest.mark.parametrize(
    ("version", "connection", "persistent"),
    [
        pytest.param(b"HTTP/1.1", None, True, id="9112-9.3-http11"),
        pytest.param(b"HTTP/1.1", b"close", False, id="9112-9.3-http11-close"),
        pytest.param(b"HTTP/1.1", b"close, keep-alive", False, id="9112-9.3-http11-close-wins"),
        pytest.param(b"HTTP/1.1", b"keep-alive", True, id="9112-9.3-http11-keep-alive"),
        pytest.param(b"HTTP/1.1", b"Upgrade", True, id="9112-9.3-http11-upgrade"),
        pytest.param(b"HTTP/1.0", None, False, id="9112-9.3-http10"),
        pytest.param(b"HTTP/1.0", b"Keep-Alive", True, id="9112-9.3-http10-keep-alive"),
        pytest.param(b"HTTP/1.0", b"keep-alive, close", False, id="9112-9.3-http10-close-wins"),
    ],
)
def test_persistence(version: bytes, connection: bytes | None, persistent: bool) -> None:
    fields = [] if connection is None else [b"Connection: " + connection]
    request = ask(get(b"/", *fields, version=version)).request
    assert request.persistent is persistent
    assert request.version == (1, int(version[-1:]))


def test_9110_2_5_a_later_minor_version_is_read_as_http11() -> None:
    assert ask(get(version=b"HTTP/1.7")).request.version == HTTP_1_1


def test_the_names_of_the_fields_are_in_order() -> None:
    request = ask(get(b"/", b"X-B: 1", b"X-A: 2", b"x-b: 3")).request
    assert list(request.fields) == [b"host", b"x-b", b"x-a"]


def test_9110_5_3_lines_of_a_list_field_are_joined_in_order() -> None:
    fields = read(get(b"/", b"X: a", b"Y: b", b"x:c", b"X: ")[:-2]).fields
    assert fields.get(b"x") == b"a, c, "
    assert fields.get(b"y") == b"b"
    assert fields.get(b"z") is None


@pytest.mark.parametrize(
    ("value", "members"),
    [
        pytest.param(b"a,b", [b"a", b"b"], id="9110-5.6.1-plain"),
        pytest.param(b" a ,\tB\t, ", [b"a", b"b"], id="9110-5.6.1-white-space-and-case"),
        pytest.param(b",,a,,", [b"a"], id="9110-5.6.1.2-empty-members"),
        pytest.param(b"", [], id="9110-5.6.1-empty"),
    ],
)
def test_list_members(value: bytes, members: list[bytes]) -> None:
    assert read(get(b"/", b"X: " + value)[:-2]).fields.members(b"x") == members


@pytest.mark.parametrize(
    ("field", "length"),
    [
        pytest.param(b"X: y", 0, id="9112-6.3-none"),
        pytest.param(b"Content-Length: 0", 0, id="9112-6.3-zero"),
        pytest.param(b"Content-Length: 0042", 42, id="9110-8.6-leading-zeros"),
        pytest.param(b"Content-Length: 9223372036854775808", 2**63, id="9110-8.6-19-digits"),
        pytest.param(b"Transfer-Encoding: Chunked", CHUNKED, id="9112-6.3-chunked"),
    ],
)
def test_content_length(field: bytes, length: int) -> None:
    assert read(get(b"/", field)[:-2]).fields.content_length == length


@pytest.mark.parametrize(
    ("field", "plain"),
    [
        (b"Accept: */*", True),
        (b"Connection: close", True),
        (b"If-Match: *", False),
        (b"IF-NONE-MATCH: *", False),
        (b"If-Modified-Since: x", False),
        (b"If-Unmodified-Since: x", False),
        (b"If-Range: x", False),
        (b"Range: x", False),
        (b"Content-Length: 0", False),
        (b"Transfer-Encoding: chunked", False),
        (b"Expect: x", False),
    ],
)
def test_plain_fields_cannot_change_the_response(field: bytes, plain: bool) -> None:
    assert read(get(b"/", field)[:-2]).fields.plain is plain
    assert read(get(b"/", field)[:-2]).plain is plain
    assert not read(get(b"/", field, method=b"HEAD")[:-2]).plain


def line_of(length: int) -> bytes:
    """Return a request line of `length` bytes, without its CRLF."""
    return b"GET /" + b"a" * (length - len(b"GET / HTTP/1.1")) + b" HTTP/1.1"


def head_of(length: int) -> bytes:
    """Return a whole head of `length` bytes, with field lines of at most 8,190."""
    head = b"GET / HTTP/1.1\r\nHost: h\r\n"
    while (left := length - len(head) - 2) > 0:
        size = min(left, 8192) if left - min(left, 8192) not in range(1, 6) else left - 6
        head += b"X: " + b"y" * (size - 5) + b"\r\n"
    assert len(head) + 2 == length
    return head + b"\r\n"


AT_BOUNDS = [
    pytest.param(line_of(8190) + b"\r\nHost: h\r\n\r\n", [404], id="B8-request-line-8190"),
    pytest.param(line_of(8191) + b"\r\nHost: h\r\n\r\n", [414], id="B8-request-line-8191"),
    pytest.param(line_of(8191) + b"\r\n\0", [414], id="B8-request-line-8191-before-control"),
    pytest.param(b"GET /\0" + b"a" * 9000, [400], id="B8-control-before-request-line-8191"),
    pytest.param(b"GET /" + b"a" * 8185 + b"\0", [414], id="B8-control-as-byte-8191"),
    pytest.param(b"GET /" + b"a" * 8184 + b"\0", [400], id="B8-control-as-byte-8190"),
    pytest.param(b"GET /" + b"a" * 8184 + b"\rX", [400], id="B8-bare-cr-as-byte-8190"),
    pytest.param(b"GET /" + b"a" * 8185 + b"\rX", [414], id="B8-bare-cr-as-byte-8191"),
    pytest.param(b"M" * 8190, [], id="9112-3-method-8190-waits"),
    pytest.param(b"M" * 8191, [501], id="9112-3-method-8191"),
    pytest.param(b"M" * 8189 + b" /", [414], id="B8-target-begins-in-time"),
    pytest.param(get(b"/", b"X:" + b"y" * 8188), [200], id="B8-field-8190"),
    pytest.param(get(b"/", b"X:" + b"y" * 8189), [431], id="B8-field-8191"),
    pytest.param(get(b"/", b"X" * 8189 + b":"), [200], id="B8-name-8189"),
    pytest.param(get(b"/", b"X" * 8190 + b":"), [431], id="B8-name-8190"),
    pytest.param(get(b"/", *[b"X: y"] * 99), [200], id="B8-fields-100"),
    pytest.param(get(b"/", *[b"X: y"] * 100), [431], id="B8-fields-101"),
    pytest.param(get(b"/", *[b"X: y"] * 99, b"bad"), [431], id="B8-fields-101-before-what-it-is"),
    pytest.param(get(b"/", *[b"X: y"] * 98, b"bad", b"X: y"), [400], id="B8-fields-100-is-bad"),
    pytest.param(head_of(32768), [200], id="B8-head-32768"),
    pytest.param(head_of(32769), [431], id="B8-head-32769"),
    pytest.param(head_of(32770), [431], id="B8-head-32770"),
    pytest.param(head_of(32771), [431], id="B8-head-32771"),
    pytest.param(head_of(32772), [431], id="B8-head-32772"),
    pytest.param(head_of(32780), [431], id="B8-head-32780"),
]


@pytest.mark.parametrize(("wire", "statuses"), AT_BOUNDS)
@pytest.mark.parametrize("size", [10**6, 1460, 7], ids=["whole", "segments", "sevens"])
def test_limits_of_a_head(wire: bytes, statuses: list[int], size: int) -> None:
    chunks = [wire[at : at + size] for at in range(0, len(wire), size)]
    assert converse(chunks).statuses == statuses


@pytest.mark.parametrize(("length", "statuses"), [(32768, [200]), (32769, [431])])
def test_b8_a_head_byte_by_byte(length: int, statuses: list[int]) -> None:
    assert converse(byte_by_byte(head_of(length))).statuses == statuses


SMALL = Limits(request_line=64, field=40, fields=3, head=100, blank_lines=1)
"""Limits so small that every split of every head around them can be tried."""


@pytest.mark.parametrize("line", [14, 20, 38, 62, 63, 64, 65, 66])
@pytest.mark.parametrize("field", [3, 38, 39, 40, 41])
def test_small_limits_however_the_head_is_split_b8(line: int, field: int) -> None:
    for more in (b"", b"Y:" + b"z" * (76 - line), b"Y:" + b"z" * (100 - line - field)):
        wire = line_of(line) + b"\r\nHost:h\r\nX:" + b"y" * (field - 2) + b"\r\n" + more + b"\r\n" * (2 if more else 1)
        whole = converse([wire], SMALL)
        head = wire.partition(b"\r\n\r\n")[0]
        fits = line <= 64 and field <= 40 and len(more) <= 40 and len(head) + 4 <= 100
        assert whole.statuses == ([404 if line > 14 else 200] if fits else [414 if line > 64 else 431])
        for how, chunks in cuts(wire):
            conversation = converse(chunks, SMALL)
            assert (conversation.wire, conversation.is_open) == (whole.wire, whole.is_open), how


def test_the_limit_of_a_head_applies_to_the_request_line_as_well() -> None:
    limits = Limits(request_line=8190, head=50)
    for wire in (line_of(46) + b"\r\nH", line_of(47) + b"\r\nH"):
        status = [431] if len(wire) == 49 else [414]
        assert converse([wire], limits).statuses == status
        assert converse(byte_by_byte(wire), limits).statuses == status


def test_cached_and_uncached_heads_give_equal_requests() -> None:
    """Short heads are cached and long ones are not, which makes no difference to the result."""
    for pad in (0, 600, 3000, 8000):
        filler = b"X: " + b"y" * pad
        for line in (b"/a.txt", b"/a.txt?" + b"q" * pad):
            for _ in range(2):
                answer = ask(get(line, filler, b"Range: bytes=1-2", b"Connection: close"))
                assert (answer.status, answer.content) == (206, b"bc")
                assert answer.request.fields.get(b"x") == b"y" * pad
                assert answer.field(b"connection") == b"close"


def test_only_short_heads_are_cached_b8() -> None:
    parser = RequestParser(Limits())
    first, again = (parser.parse(get()[:-2]) for _ in range(2))
    assert isinstance(first, Request)
    assert isinstance(again, Request)
    assert first.fields is again.fields
    assert first.target is again.target
    long = get(b"/" + b"a" * 600, b"X: " + b"y" * 3000)[:-2]
    first, again = (parser.parse(long) for _ in range(2))
    assert isinstance(first, Request)
    assert isinstance(again, Request)
    assert first.fields is not again.fields
    assert first.target is not again.target


@pytest.mark.parametrize(
    ("wire", "line", "method"),
    [
        pytest.param(b"HEAD / HTTP/1.1\r\nHost: a b\r\n\r\n", b"HEAD / HTTP/1.1", b"HEAD", id="field-is-bad"),
        pytest.param(b"HEAD / HTTP/1.1\r\n\r\n", b"HEAD / HTTP/1.1", b"HEAD", id="host-missing"),
        pytest.param(b"HEAD / HTTP/1.1\r\nbad\r\n", b"HEAD / HTTP/1.1", b"HEAD", id="before-the-head-ends"),
        pytest.param(
            b"HEAD / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", b"HEAD / HTTP/1.0", b"HEAD", id="http10"
        ),
        pytest.param(b"HEAD / HTTP/2.0\r\n", b"HEAD / HTTP/2.0", b"HEAD", id="version-is-bad"),
        pytest.param(b"HEAD /../x HTTP/1.1\r\n", b"HEAD /../x HTTP/1.1", b"HEAD", id="9110-9.3.2-target-is-bad"),
        pytest.param(b"GE\x01", b"GE\x01", b"", id="line-is-cut-off"),
        pytest.param(b"GET /" + b"a" * 9000, b"GET /" + b"a" * 8185, b"GET", id="line-is-long"),
    ],
)
def test_first_line_and_method_of_a_bad_request(wire: bytes, line: bytes, method: bytes) -> None:
    answer = ask(wire)
    assert answer.bad.first_line == line
    assert answer.bad.method == method
    assert (answer.content == b"") is (method == b"HEAD")


def test_fields_of_a_bad_request_are_kept_if_they_are_valid() -> None:
    bad = ask(b"GET / HTTP/1.1\r\nUser-Agent: x\r\n\r\n").bad
    assert isinstance(bad, BadRequest)
    assert bad.fields is not None
    assert bad.fields.get(b"user-agent") == b"x"


@pytest.mark.parametrize("byte", [byte for byte in range(256) if byte < 32 or byte == 127])
def test_c10_the_serializer_rejects_control_characters_except_tab(byte: int) -> None:
    for value in (bytes([byte]), b"a" + bytes([byte]), bytes([byte]) + b"a", b"a" + bytes([byte]) + b"b"):
        if byte == 9:
            assert serialize_fields(((b"X", value),)) == b"X: " + value + b"\r\n"
        else:
            with pytest.raises(ValueError, match="invalid field"):
                serialize_fields(((b"X", value),))


@pytest.mark.parametrize("name", [b"", b"a b", b"a:", b"a\r\nb", b"\xff", b"a\0"])
def test_c10_the_serializer_rejects_names_that_are_not_tokens(name: bytes) -> None:
    with pytest.raises(ValueError, match="invalid field"):
        serialize_fields(((b"Ok", b"fine"), (name, b"x")))


def test_parse_single_returns_the_same_request_and_its_cache_is_bounded() -> None:
    parser = RequestParser(Limits())
    often = get(b"/often")
    first = parser.parse_single(often)
    assert first is not None
    again = parser.parse(often[:-2])
    assert isinstance(again, Request)
    assert (again.request_line, again.fields) == (first.request_line, first.fields)
    for number in range(10_000):
        assert (parser.cache.get(often) or parser.parse_single(often)) is first
        assert parser.parse_single(get(b"/%d" % number)) is not None
        assert len(parser.cache) <= 1024
    for number in range(10_000, 13_000):
        parser.parse_single(get(b"/%d" % number))
    assert parser.parse_single(often) is not first


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(get()[:-1], id="no-end"),
        pytest.param(get() + get(), id="two"),
        pytest.param(b"\r\n" + get(), id="blank-line"),
        pytest.param(get(b"/", b"Content-Length: 1"), id="content"),
        pytest.param(get(b"/", b"Transfer-Encoding: chunked"), id="chunks"),
        pytest.param(get(b"/ /"), id="bad"),
        pytest.param(get(b"/", b"A: " + b"a" * 1024), id="long"),
    ],
)
def test_parse_single_accepts_exactly_one_valid_head(data: bytes) -> None:
    parser = RequestParser(Limits())
    assert parser.parse_single(data) is None
    assert not parser.cache


def test_9110_12_5_5_the_variant_is_computed_once_for_a_field_section_and_part_of_the_cache_key() -> None:
    sections: list[bytes | None] = []

    def variant(fields: Fields) -> bytes:
        sections.append(fields.get(b"accept-encoding"))
        return b"br" if b"br" in fields.members(b"accept-encoding") else b""

    reader = RequestParser(Limits(), variant)
    keys = []
    for target in (b"/a", b"/b", b"/%2F"):
        for coding in (b"br", b"BR, gzip", b"gzip"):
            request = reader.parse(get(target, b"Accept-Encoding: " + coding)[:-2])
            assert isinstance(request, Request)
            keys.append(request.cache_key)
    assert keys == [b"a\0br", b"a\0br", b"a", b"b\0br", b"b\0br", b"b", b"", b"", b""]
    assert sections == [b"br", b"BR, gzip", b"gzip"]
    long = reader.parse(get(b"/a", b"Accept-Encoding: br", b"X: " + b"x" * 4000)[:-2])
    assert isinstance(long, Request)
    assert long.cache_key == b"a\0br"
    assert long.without_key().cache_key == long.without_key().target.cache_key == b""
    assert long.without_key().target.segments == (b"a",)
