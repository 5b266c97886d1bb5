"""HPACK and requests against hpack, h2 and nghttp2: what each writes the others read, and they refuse the same blocks.

Every difference in what is accepted has its reason in a list here; a new one fails the tests.
"""

import hpack
import ngh2
import pytest
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.huffman_table import decode_huffman
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pwb_async.core.http1.limits import Limits
from pwb_async.core.http2 import huffman
from pwb_async.core.http2.frames import END_HEADERS, END_STREAM, HEADERS, PREFACE, SETTINGS, frame
from pwb_async.core.http2.hpack import INITIAL_TABLE, SIZE_UPDATE_0, decode, literal, status
from pwb_async.core.http2.requests import RequestReader
from pwb_async.core.semantics.messages import REASONS, FieldList

from .oracles import (
    NO_LIMITS,
    REFUSED,
    by_hpack,
    by_nghttp2,
    differences,
    frames_of,
    ours,
    request_differences,
)

property_test = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))

GET: FieldList = ((b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"h"), (b":path", b"/"))
NAMES = st.sampled_from((b"accept", b"cookie", b"x-a", b"x-b", b"user-agent", b"if-none-match")) | st.from_regex(
    rb"[a-z0-9!#$%&'*+.^_`|~-]{1,12}", fullmatch=True
).filter(lambda name: name not in (b"te", b"host"))
VALUES = st.sampled_from((b"", b"*/*", b"gzip, deflate", b"x" * 60)) | st.from_regex(
    rb"[!-~\x80-\xff]{1,30}", fullmatch=True
)
LISTS = st.lists(st.tuples(NAMES, VALUES), max_size=6).map(lambda fields: (*GET, *fields))
SIZES = st.none() | st.sampled_from((0, 33, 64, 100, 500, 4095, 4096))
BLOCKS = st.lists(st.tuples(SIZES, st.booleans(), LISTS), min_size=1, max_size=8)
"""The lists of a connection, each with a new size of the encoder's table before it, and whether it is Huffman coded."""


def encoded(blocks: list[tuple[int | None, bool, FieldList]]) -> list[bytes]:
    encoder = hpack.Encoder()
    result = []
    for size, coded, fields in blocks:
        if size is not None:
            encoder.header_table_size = size
        result.append(encoder.encode(fields, huffman=coded))
    return result


# What the others write


@given(BLOCKS)
@property_test
def test_what_hpack_writes_is_read(blocks: list[tuple[int | None, bool, FieldList]]) -> None:
    wires = encoded(blocks)
    assert ours(wires) == [fields for _, _, fields in blocks] == by_hpack(wires)
    assert by_nghttp2(wires) == ours(wires)


@given(BLOCKS)
@property_test
def test_the_table_is_that_of_hpack(blocks: list[tuple[int | None, bool, FieldList]]) -> None:
    decoder, table = hpack.Decoder(), INITIAL_TABLE
    for wire in encoded(blocks):
        decoder.decode(wire, raw=True)
        table = decode(table, wire, NO_LIMITS).table
        theirs = decoder.header_table
        assert table.entries == tuple((bytes(name), bytes(value)) for name, value in theirs.dynamic_entries)
        assert (table.size, table.max_size) == (theirs._current_size, theirs.maxsize)


@given(st.lists(LISTS, min_size=1, max_size=6), st.sampled_from((0, 100, 4096)))
@property_test
def test_what_nghttp2_writes_is_read(lists: list[FieldList], size: int) -> None:
    client = ngh2.Connection(ngh2.Role.CLIENT, ngh2.Configuration(max_deflate_dynamic_table_size=size))
    client.initiate_connection({})
    client.receive_data(frame(SETTINGS, 0, bytes(4)))
    for fields in lists:
        client.send_request(fields, end_stream=True)
    wires = [payload for kind, _, _, payload in frames_of(client.data_to_send()[len(PREFACE) :]) if kind == HEADERS]
    assert ours(wires) == lists


# What we write


@given(
    st.sampled_from(sorted(REASONS)),
    st.lists(st.tuples(NAMES, VALUES | st.binary(min_size=127, max_size=300)), max_size=6),
)
@property_test
def test_what_we_write_is_read(code: int, fields: list[tuple[bytes, bytes]]) -> None:
    block = status(code) + b"".join([literal(*field) for field in fields])
    expected = ((b":status", b"%d" % code), *fields)
    for table_size in (4096, 0):
        decoder = hpack.Decoder()
        decoder.max_allowed_table_size = table_size
        wire = block if table_size else SIZE_UPDATE_0 + block
        assert tuple((bytes(name), bytes(value)) for name, value in decoder.decode(wire, raw=True)) == expected
        assert not decoder.header_table.dynamic_entries


@given(
    st.sampled_from(sorted(REASONS)), st.lists(st.tuples(NAMES, VALUES), max_size=6), st.sampled_from((4096, 1024, 0))
)
@property_test
def test_nghttp2_reads_what_we_write(code: int, fields: list[tuple[bytes, bytes]], table_size: int) -> None:
    client = ngh2.Connection(ngh2.Role.CLIENT)
    client.initiate_connection({ngh2.Setting.HEADER_TABLE_SIZE: table_size})
    client.send_request(GET, end_stream=True)
    client.send_request(GET, end_stream=True)
    client.data_to_send()
    client.receive_data(frame(SETTINGS, 0, bytes(4)) + frame(SETTINGS, 1, bytes(4)))
    client.events()
    client.data_to_send()
    fields = [field for field in fields if field[0] != b"content-length"]
    block = status(code) + b"".join([literal(*field) for field in fields])
    start = SIZE_UPDATE_0 if table_size < 4096 else b""
    for stream, wire in ((1, start + block), (3, block)):
        client.receive_data(frame(HEADERS, END_HEADERS | END_STREAM, stream.to_bytes(4, "big"), wire))
        found = [event for event in client.events() if isinstance(event, ngh2.ResponseReceived)]
        assert [tuple(event.headers) for event in found] == [((b":status", b"%d" % code), *fields)]
    assert not list(frames_of(client.data_to_send()))


def test_nghttp2_wants_the_size_update_if_its_table_is_smaller() -> None:
    """The reason for SIZE_UPDATE_0."""
    client = ngh2.Connection(ngh2.Role.CLIENT)
    client.initiate_connection({ngh2.Setting.HEADER_TABLE_SIZE: 0})
    client.send_request(GET, end_stream=True)
    client.data_to_send()
    client.receive_data(frame(SETTINGS, 0, bytes(4)) + frame(SETTINGS, 1, bytes(4)))
    client.receive_data(frame(HEADERS, END_HEADERS | END_STREAM, b"\0\0\0\1", status(200)))
    assert not [event for event in client.events() if isinstance(event, ngh2.ResponseReceived)]


# Blocks that are changed

CHANGES = st.lists(
    st.tuples(
        st.integers(0, 10**6),
        st.sampled_from(("remove", "insert", "replace", "flip")),
        st.binary(min_size=1, max_size=3)
        | st.sampled_from(
            (
                *(b"\xff\xff\xff\xff", b"\x20", b"\x3f\xe1\x1f", b"\x3f\xe2\x1f", b"\x80", b"\x40\x00\x00", b"\x7f\x00", b"\xbe"),
                *(b"\xff\x80\x80\x80\x80\x00", b"\x3f\x80\x80\x80\x80\x00", b"\x0f\x80\x80\x80\x80\x00", b"\x3f\x80\x80\x80\x00"),
            )
        ),
    ),
    min_size=1,
    max_size=3,
)  # fmt: skip


def change(block: bytes, changes: list[tuple[int, str, bytes]]) -> bytes:
    data = bytearray(block)
    for place, how, octets in changes:
        at = place % (len(data) + 1)
        if how == "remove":
            del data[at : at + len(octets)]
        elif how == "flip" and at < len(data):
            data[at] ^= 1 << octets[0] % 8
        else:
            data[at : at + len(octets) * (how == "replace")] = octets
    return bytes(data)


def check_readings(blocks: list[bytes]) -> None:
    assert not [difference for difference in differences(blocks) if not difference.reviewed]


@given(BLOCKS, CHANGES, st.integers(0, 7))
@property_test
def test_changed_blocks_are_read_alike_or_refused_alike(
    blocks: list[tuple[int | None, bool, FieldList]], changes: list[tuple[int, str, bytes]], which: int
) -> None:
    wires = encoded(blocks)
    which %= len(wires)
    check_readings([*wires[:which], change(wires[which], changes), *wires[which + 1 :]])


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4))
@property_test
def test_any_bytes_are_read_alike_or_refused_alike(blocks: list[bytes]) -> None:
    check_readings(blocks)


@pytest.mark.parametrize(
    "block", [b"\x3f\x80\x80\x80\x80\x00\x82", b"\x82\x0f\x80\x80\x80\x80\x00\x01a", b"\x3f\x10\x20\x3f\x7f\x82"]
)
def test_the_reviewed_differences(block: bytes) -> None:
    assert ours([block]) == [REFUSED]
    assert by_hpack([block]) != [REFUSED]
    assert {difference.oracle for difference in differences([block])} == {"hpack", "nghttp2"}
    check_readings([block])


# Huffman coding

ENCODER = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)


@given(st.binary(max_size=200))
@property_test
def test_huffman_reads_what_hpack_writes(text: bytes) -> None:
    assert huffman.decode(ENCODER.encode(text)) == text


def test_huffman_reads_each_pair_of_octets() -> None:
    for first in range(256):
        text = b"".join([bytes((first, second)) for second in range(256)])
        assert huffman.decode(ENCODER.encode(text)) == text


@given(st.binary(max_size=24) | st.binary(max_size=8).map(lambda octets: ENCODER.encode(octets) + b"\xff"))
@property_test
def test_huffman_refuses_what_hpack_refuses(coded: bytes) -> None:
    try:
        theirs: bytes | None = decode_huffman(coded)
    except hpack.HPACKError:
        theirs = None
    try:
        found: bytes | None = huffman.decode(coded)
    except huffman.HuffmanError:
        found = None
    assert found == theirs


# Requests

PSEUDO = {
    b":method": (b"GET", b"HEAD", b"POST", b"OPTIONS", b"CONNECT", b"G T", b"", b"get"),
    b":scheme": (b"https", b"http", b"HTTP", b"ftp", b"", b"ht tp"),
    b":authority": (b"h", b"h:443", b"H", b"", b"u@h", b"a b", b"[::1]", b"h:99999"),
    b":path": (b"/", b"/a", b"*", b"", b"a", b"http://h/", b"/a b", b"/\xc3\xa9", b"/%zz", b"/a#b", b"/?q"),
}
OTHER: tuple[tuple[bytes, bytes], ...] = (
    *((b"accept", value) for value in (b"*/*", b"", b" x", b"x ", b"\tx", b"a\0", b"a\n", b"a\r", b"\xe9", b"\x01", b"\x7f")),
    *((b"host", value) for value in (b"h", b"other", b"H:443", b"")),
    *((b"te", value) for value in (b"trailers", b"gzip", b"Trailers", b"")),
    *((b"content-length", value) for value in (b"0", b"5", b"x", b"", b"-1")),
    *((name, b"x") for name in (b"connection", b"keep-alive", b"upgrade", b"proxy-connection", b"transfer-encoding")),
    *((name, b"x") for name in (b"Accept", b"", b"a b", b"a:b", b"\xe9", b":status", b":protocol", b"x(", b"a\0", b":", b"x_y")),
    *((b"cookie", b"a=b"), (b"expect", b"100-continue"), (b"priority", b"u=1"), *GET),
)  # fmt: skip


@st.composite
def candidates(draw: st.DrawFn) -> FieldList:
    """Lists that are requests, or nearly so."""
    fields = []
    for name, values in PSEUDO.items():
        if draw(st.integers(0, 15)):
            fields.append((name, draw(st.sampled_from(values)) if draw(st.integers(0, 3)) == 0 else values[0]))
    for field in draw(st.lists(st.sampled_from(OTHER), max_size=2)):
        at = draw(st.integers(0, len(fields))) if draw(st.booleans()) else len(fields)
        fields.insert(at, field)
    return tuple(fields)


@given(candidates())
@settings(property_test, max_examples=200)
def test_requests_are_read_alike_or_refused(fields: FieldList) -> None:
    """What is a request to PWB is the same one to the others; what is malformed to them gets no other answer than 400."""
    wire = b"".join([b"\0%c%b%c%b" % (len(name), name, len(value), value) for name, value in fields])
    found, _ = RequestReader(Limits()).read(INITIAL_TABLE, wire, True)
    assert not [difference for difference in request_differences(wire, found) if not difference.reviewed]
