"""HPACK (RFC 7541): its own examples, and what it leaves to an implementation."""

import pytest

from pwb_async.core.http2 import huffman
from pwb_async.core.http2.errors import ErrorCode, HTTP2ConnectionError
from pwb_async.core.http2.hpack import (
    INITIAL_TABLE,
    SIZE_UPDATE_0,
    TABLE_SIZE,
    Decoded,
    HPACKError,
    ListLimits,
    Table,
    decode,
    literal,
    status,
)

LIMITS = ListLimits(fields=103, size=32 * 1024)


def decoded(block: bytes, table: Table = INITIAL_TABLE, limits: ListLimits = LIMITS) -> Decoded:
    return decode(table, block, limits)


GET = (b":method: GET", b":scheme: http", b":path: /", b":authority: www.example.com")
GET_FRESH = (*GET, b"cache-control: no-cache")
GET_CUSTOM = (
    b":method: GET",
    b":scheme: https",
    b":path: /index.html",
    b":authority: www.example.com",
    b"custom-key: custom-value",
)
FIRST = (
    b":status: 302",
    b"cache-control: private",
    b"date: Mon, 21 Oct 2013 20:13:21 GMT",
    b"location: https://www.example.com",
)
SECOND = (b":status: 307", *FIRST[1:])
THIRD = (
    *(
        b":status: 200",
        b"cache-control: private",
        b"date: Mon, 21 Oct 2013 20:13:22 GMT",
        FIRST[3],
        b"content-encoding: gzip",
    ),
    b"set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
)
EXAMPLES = {
    "C.2.1 literal with indexing": (4096, [("400a637573746f6d2d6b65790d637573746f6d2d686561646572", (b"custom-key: custom-header",), 55)]),
    "C.2.2 literal without indexing": (4096, [("040c2f73616d706c652f70617468", (b":path: /sample/path",), 0)]),
    "C.2.3 literal never indexed": (4096, [("100870617373776f726406736563726574", (b"password: secret",), 0)]),
    "C.2.4 indexed": (4096, [("82", (b":method: GET",), 0)]),
    "C.3 requests": (
        4096,
        [
            ("828684410f7777772e6578616d706c652e636f6d", GET, 57),
            ("828684be58086e6f2d6361636865", GET_FRESH, 110),
            ("828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565", GET_CUSTOM, 164),
        ],
    ),
    "C.4 requests with Huffman coding": (
        4096,
        [
            ("828684418cf1e3c2e5f23a6ba0ab90f4ff", GET, 57),
            ("828684be5886a8eb10649cbf", GET_FRESH, 110),
            ("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", GET_CUSTOM, 164),
        ],
    ),
    "C.5 responses": (
        256,
        [
            (
                "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54"
                "6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
                FIRST,
                222,
            ),
            ("4803333037c1c0bf", SECOND, 222),
            (
                "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d415344"
                "4a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
                THIRD,
                215,
            ),
        ],
    ),
    "C.6 responses with Huffman coding": (
        256,
        [
            (
                "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
                FIRST,
                222,
            ),
            ("4883640effc1c0bf", SECOND, 222),
            (
                "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960"
                "d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
                THIRD,
                215,
            ),
        ],
    ),
}  # fmt: skip
"""The examples of RFC 7541 appendix C: the size of the table, and for each block its fields and the table's size after it."""


@pytest.mark.parametrize(("max_size", "blocks"), EXAMPLES.values(), ids=EXAMPLES)
def test_the_examples_of_the_rfc(max_size: int, blocks: list[tuple[str, tuple[bytes, ...], int]]) -> None:
    table = Table(max_size=max_size)
    for block, lines, size in blocks:
        fields, table, complete = decoded(bytes.fromhex(block), table)
        assert tuple(b"%s: %s" % field for field in fields) == lines
        assert complete
        assert table.size == size == sum(len(name) + len(value) + 32 for name, value in table.entries)


def test_decoding_changes_no_table() -> None:
    block = bytes.fromhex("828684410f7777772e6578616d706c652e636f6d")
    first, second = decoded(block), decoded(block)
    assert first.fields == second.fields
    assert first.table.entries == second.table.entries == ((b":authority", b"www.example.com"),)
    assert INITIAL_TABLE.entries == ()


def test_a_block_that_adds_nothing_returns_the_same_table() -> None:
    table = decoded(b"\x41\x01h").table
    assert decoded(b"\x82\xbe", table).table is table


def test_the_static_table_comes_before_the_dynamic_one() -> None:
    table = Table(((b"new", b"1"), (b"old", b"2")), 72)
    assert decoded(b"\x81\xbd\xbe\xbf", table).fields == (
        (b":authority", b""),
        (b"www-authenticate", b""),
        (b"new", b"1"),
        (b"old", b"2"),
    )


# Sizes of the table (RFC 7541 4)


def test_the_oldest_entries_are_evicted() -> None:
    first = decoded(b"\x40\x01a\x011\x40\x01b\x011\x40\x01c\x011", Table(max_size=100)).table
    assert (first.entries, first.size) == (((b"c", b"1"), (b"b", b"1")), 68)
    second = decoded(b"\x40\x01d\x21" + b"x" * 33, first).table
    assert second.entries == ((b"d", b"x" * 33), (b"c", b"1"))
    assert len(first.entries) == 2


def test_a_field_larger_than_the_table_empties_it() -> None:
    table = decoded(b"\x40\x04long\x41" + b"x" * 65, Table(((b"a", b"1"),), 34, 100)).table
    assert (table.entries, table.size, table.max_size) == ((), 0, 100)


def test_a_field_whose_name_is_evicted_by_it_keeps_its_name() -> None:
    """RFC 7541 4.4."""
    fields, table, _ = decoded(b"\x7e\x01x", Table(((b"name", b"y" * 64),), 100, 100))
    assert fields == ((b"name", b"x"),)
    assert table.entries == ((b"name", b"x"),)


def test_a_size_update_evicts() -> None:
    table = Table(((b"new", b"1"), (b"old", b"2")), 72)
    assert decoded(b"\x3f\x19\x82", table).table.entries == ((b"new", b"1"),)  # 56 octets
    emptied = decoded(SIZE_UPDATE_0 + b"\x3f\xe1\x1f\x82", table)  # 0, then 4,096
    assert (emptied.table.entries, emptied.table.max_size) == ((), 4096)
    assert emptied.fields == ((b":method", b"GET"),)


@pytest.mark.parametrize(
    "block",
    [b"\x3f\xe2\x1f", b"\x82\x20", SIZE_UPDATE_0 + b"\x82" + SIZE_UPDATE_0, SIZE_UPDATE_0 * 3 + b"\x82"],
    ids=["more than 4,096", "behind a field", "again behind a field", "three"],
)
def test_other_size_updates_are_refused(block: bytes) -> None:
    with pytest.raises(HPACKError, match="size update"):
        decoded(block)


def test_a_size_update_behind_a_field_that_was_dropped_is_refused() -> None:
    with pytest.raises(HPACKError, match="size update"):
        decoded(b"\x82\x20", limits=ListLimits(1, 20))


# Blocks that cannot be decoded (RFC 7541 5 and 6)


@pytest.mark.parametrize(
    "block",
    {
        "index 0": b"\x80",
        "an index beyond the static table": b"\xbe",
        "a name beyond the static table": b"\x7e\x01x",
        "an index cut off": b"\xff",
        "a literal cut off behind its name's index": b"\x41",
        "a literal cut off behind its name": b"\x40\x01x",
        "a name cut off": b"\x40\x02x",
        "a value cut off": b"\x41\x05abc",
        "a length cut off": b"\x41\x7f\x80",
        "a size update cut off": b"\x3f",
    }.items(),
    ids=lambda case: case[0],
)
def test_a_block_that_is_cut_off_or_refers_to_nothing_is_refused(block: tuple[str, bytes]) -> None:
    with pytest.raises(HPACKError) as caught:
        decoded(block[1])
    assert caught.value.code is ErrorCode.COMPRESSION_ERROR


@pytest.mark.parametrize("start", [b"\xff", b"\x7f", b"\x3f", b"\x0f", b"\x1f", b"\x41\x7f", b"\x41\xff", b"\x00\x7f"])
@pytest.mark.parametrize(
    "integer",
    [b"\x80\x80\x80\x80\x00", b"\xff\xff\xff\xff\x7f", b"\xff" * 64 + b"\x00", b"\xff\xff\xff\x7f"],
    ids=["zeros", "2^35", "2^448", "2^28"],
)
def test_an_integer_beyond_all_sizes_is_refused(start: bytes, integer: bytes) -> None:
    """RFC 7541 5.1."""
    with pytest.raises(HPACKError):
        decoded(start + integer + b"\x01a" * 20)


def test_integers_may_be_longer_than_necessary() -> None:
    assert decoded(b"\xff\x80\x80\x80\x00", Table(((b"name", b"value"),) * 70, 41 * 70)).fields == (
        (b"name", b"value"),
    )


# Limits


def test_a_list_of_too_many_fields_is_decoded_to_its_end() -> None:
    """The table is the same as without limits."""
    block = b"\x82\x86\x41\x01h" + b"\xbe" * 200 + b"\x40\x01n\x01v"
    fields, table, complete = decoded(block)
    assert (len(fields), complete) == (103, False)
    assert fields[2] == fields[-1] == (b":authority", b"h")
    assert table.entries == ((b"n", b"v"), (b":authority", b"h"))
    assert decoded(block, limits=ListLimits(10**6, 10**6)).table.entries == table.entries


def test_a_list_that_is_too_large_keeps_its_first_fields() -> None:
    block = b"\x82" + b"\x40\x01n\x7f\xe1\x05" + b"x" * 864 + b"\xbe" * 100 + b"\x82"
    fields, _, complete = decoded(block)
    assert not complete
    assert fields[:2] == ((b":method", b"GET"), (b"n", b"x" * 864))
    assert len(fields) == 1 + (32 * 1024 - 42) // (1 + 864 + 32)


@pytest.mark.parametrize(
    "block",
    [b"\x82" * 413, b"\x40\x01n\x7f\xe1\x05" + b"x" * 864 + b"\xbe" * 146],
    ids=["fields", "octets"],
)
def test_a_list_four_times_as_large_as_the_limits_ends_the_connection(block: bytes) -> None:
    """So that no more time is lost with an HPACK bomb."""
    with pytest.raises(HTTP2ConnectionError) as caught:
        decoded(block)
    assert caught.value.code is ErrorCode.ENHANCE_YOUR_CALM
    assert not decoded(block[:-1]).complete


def test_a_list_may_be_as_large_as_the_limits() -> None:
    assert decoded(b"\x82\x86", limits=ListLimits(2, 2 * 32 + 10 + 11)).complete
    assert not decoded(b"\x82\x86", limits=ListLimits(2, 2 * 32 + 10 + 10)).complete
    assert not decoded(b"\x82\x86", limits=ListLimits(1, 1000)).complete


# Huffman coding (RFC 7541 5.2)


@pytest.mark.parametrize(
    "coded",
    {
        "padding of eight bits": b"\x1f\xff",
        "an octet of padding alone": b"\xff",
        "padding of zeros": b"\x18",
        "padding that begins with a zero": b"\x1d",
        "EOS": b"\xff\xff\xff\xff",
        "EOS behind a symbol": b"\x1f\xff\xff\xff\xfc",
        "a symbol that is cut off": b"\xff\xff\xe0",
    }.items(),
    ids=lambda case: case[0],
)
def test_a_string_that_is_not_validly_coded_is_refused(coded: tuple[str, bytes]) -> None:
    octets = coded[1]
    for _ in range(2):  # no error is remembered as something else
        with pytest.raises(HPACKError):
            decoded(b"\x41" + bytes((0x80 | len(octets),)) + octets)
        with pytest.raises(huffman.HuffmanError):
            huffman.decode(octets)


def test_a_string_may_end_in_no_to_seven_bits_of_padding() -> None:
    assert [huffman.decode(coded) for coded in (b"", b"\xf8", b"\x1f", b"\x00\x2e\x7f")] == [b"", b"&", b"a", b"00:"]


def test_a_long_coded_string_is_decoded_but_not_remembered() -> None:
    fields, _, _ = decoded(b"\x41\xff\x81\x03" + b"\x1c\x64\x84\x21" * 128)
    assert len(fields[0][1]) > 512


# What is sent


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (b"content-type", b"text/html", b"\x0f\x10\x09text/html"),
        (b"accept-charset", b"", b"\x0f\x00\x00"),
        (b":status", b"429", b"\x08\x03429"),
        (b"x-content-type-options", b"nosniff", b"\x00\x16x-content-type-options\x07nosniff"),
        (b"link", b"x" * 126, b"\x0f\x1e\x7e" + b"x" * 126),
        (b"link", b"x" * 127, b"\x0f\x1e\x7f\x00" + b"x" * 127),
        (b"link", b"x" * 1337, b"\x0f\x1e\x7f\xba\x09" + b"x" * 1337),
        (b"n" * 300, b"v", b"\x00\x7f\xad\x01" + b"n" * 300 + b"\x01v"),
    ],
)
def test_a_literal_is_never_indexed_by_the_peer(name: bytes, value: bytes, expected: bytes) -> None:
    assert literal(name, value) == expected
    fields, table, _ = decoded(expected)
    assert fields == ((name, value),)
    assert table is INITIAL_TABLE


def test_statuses() -> None:
    assert {code: status(code) for code in (200, 204, 206, 304, 400, 404, 500)} == {
        200: b"\x88",
        204: b"\x89",
        206: b"\x8a",
        304: b"\x8b",
        400: b"\x8c",
        404: b"\x8d",
        500: b"\x8e",
    }
    assert status(431) == b"\x08\x03431"
    assert decoded(status(503)).fields == ((b":status", b"503"),)
    assert TABLE_SIZE == 4096
