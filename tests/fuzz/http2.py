"""The targets of the fuzzer for HTTP/2: blocks of HPACK, and the requests that they are."""

from collections.abc import Callable
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http2.errors import HTTP2ConnectionError
from pwb_async.core.http2.hpack import (
    INITIAL_TABLE,
    TABLE_SIZE,
    Decoded,
    ListLimits,
    Table,
    decode,
    literal,
)
from pwb_async.core.http2.requests import Malformed, RequestReader
from pwb_async.core.semantics.grammar import TOKEN
from pwb_async.core.semantics.messages import REASONS, Request

NO_LIMITS: Final = ListLimits(10**9, 10**9)
LIMITS: Final = (ListLimits(103, 32 * 1024), ListLimits(5, 32 * 1024), ListLimits(103, 200), ListLimits(0, 0))
SMALL: Final = Limits(request_line=60, field=40, fields=6, head=400)

GET: Final = b"\x82\x87\x84\x41\x01h"
BLOCKS: Final = (
    GET,
    b"\x82\x87\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff\x04\x0e/a%20b/c.html?q",
    GET + b"\x50\x8d\x9b\xd9\xab\xfa\x52\x42\xcb\x40\xd2\x5f\xa5\x23\xb3\x58\x86\xa8\xeb\x10\x64\x9c\xbf",
    b"\x20" + GET + b"\x10\x08password\x06secret",
    b"\x20\x3f\xe1\x1f" + GET + b"\x7f\x00\x01x",
    GET + b"\x60\x03a=b\x60\x03c=d\x66\x01h\x0f\x0d\x010\x0f\x14\x0c100-continue",
    b"\x02\x07CONNECT\x41\x01h",
    b"\x02\x07OPTIONS\x87\x44\x01*\x41\x09[::1]:443",
    GET + b"\x40\x02te\x08trailers\x40\x08priority\x06u=1, i",
    GET + b"\x00\x0aconnection\x05close",
    GET + b"\x40\x01a\x7f\x81\x01" + b"x" * 256 + b"\xbe" * 20,
    GET + b"\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf\xbe\xbf",
)
"""Blocks that a client could send, and some with what a server has to refuse."""
WORDS: Final = (
    *(GET, b"\x82", b"\x83", b"\x84", b"\x86", b"\x87", b"\xbe", b"\xbf", b"\xc0", b"\x80", b"\x20", b"\x3f\xe1\x1f", b"\x3f\xe2\x1f"),
    *(b"\xff\x00", b"\xff\x80\x01", b"\xff\xff\xff\xff\x7f", b"\xff\x80\x80\x80\x80\x00", b"\x3f\x80\x80\x80\x80\x00", b"\x7f\x00"),
    *(b"\x40", b"\x00", b"\x10", b"\x41", b"\x01", b"\x0f\x00", b"\x1f\x10", b"\x41\x01h", b"\x04\x01/", b"\x04\x02/a", b"\x60\x03a=b"),
    *(b"\x82\x1c\x7f", b"\x81\xff", b"\x84\xff\xff\xff\xff", b"\x82\x1f\xff", b"\x81\x1f", b"\x40\x00\x00", b"\x00\x01A\x01x"),
    *(b"\x00\x02te\x04gzip", b"\x66\x01h", b"\x0f\x0d\x015", b"\x07:status\x03200", b"\x00\x01a\x01\x00", b"\x00\x01a\x02 x", b"\x07"),
)  # fmt: skip
"""Fields, indices, integers and strings, valid ones and others."""


def outcome(table: Table, block: bytes, limits: ListLimits) -> Decoded | None:
    """What decode() returns, if it has the properties that it must have; None if it refuses the block."""
    before = table.entries, table.size, table.max_size
    try:
        decoded = decode(table, block, limits)
    except HTTP2ConnectionError:
        return None
    finally:
        assert (table.entries, table.size, table.max_size) == before
    after = decoded.table
    assert after.size == sum(len(name) + len(value) + 32 for name, value in after.entries)
    assert after.size <= after.max_size <= TABLE_SIZE
    assert len(decoded.fields) <= limits.fields
    assert sum(len(name) + len(value) + 32 for name, value in decoded.fields) <= limits.size
    return decoded


def is_far_beyond(whole: Decoded, limits: ListLimits) -> bool:
    size = sum(len(name) + len(value) + 32 for name, value in whole.fields)
    return len(whole.fields) > 3 * limits.fields or size > 3 * limits.size


def hpack(data: bytes) -> None:
    """The decoder: blocks are decoded the same way each time, and limits change nothing but the number of fields."""
    table = INITIAL_TABLE
    for _ in range(2):
        whole = outcome(table, data, NO_LIMITS)
        for limits in LIMITS:
            limited = outcome(table, data, limits)
            assert whole is not None or limited is None
            if limited is None:
                assert whole is None or is_far_beyond(whole, limits)
            elif whole:
                assert limited.fields == whole.fields[: len(limited.fields)]
                assert limited.complete == (limited.fields == whole.fields)
                assert (limited.table.entries, limited.table.max_size) == (whole.table.entries, whole.table.max_size)
        if whole is None:
            return
        assert whole.complete
        copied = b"".join([literal(*field) for field in whole.fields])
        assert decode(INITIAL_TABLE, copied, NO_LIMITS) == (whole.fields, INITIAL_TABLE, True)
        table = whole.table


def header_list(data: bytes) -> None:
    """The reader of requests: what it remembers is what it would read, and what it reads is valid."""
    for limits in (Limits(), SMALL):
        reader, table = RequestReader(limits), INITIAL_TABLE
        for ended in (True, False, True):
            try:
                found, after = reader.read(table, data, ended)
            except HTTP2ConnectionError:
                break
            again, same = reader.read(table, data, ended)
            assert _described(again) == _described(found)
            assert same.entries == after.entries
            _check(found, ended, limits)
            trailers, end = reader.read_trailers(table, data)
            assert end.entries == after.entries
            assert trailers is not None or not isinstance(found, Request)
            table = after


def _described(found: Request | BadRequest | Malformed) -> object:
    if isinstance(found, Request):
        fields = found.fields
        return found.method, found.target, found.request_line, fields._values, fields.content_length, found.cache_key
    return found if isinstance(found, Malformed) else (found.status, found.detail, found.first_line, found.method)


def _check(found: Request | BadRequest | Malformed, ended: bool, limits: Limits) -> None:
    if isinstance(found, BadRequest):
        assert found.status in REASONS
        assert not found.method or TOKEN.fullmatch(found.method)
        assert len(found.first_line) <= limits.request_line
    elif isinstance(found, Request):
        assert TOKEN.fullmatch(found.method)
        assert found.fields.host
        assert not ended or found.fields.content_length == 0
        assert len(found.request_line) <= limits.request_line
        assert found.fields.size <= limits.head
        for name, values in found.fields._values.items():
            assert TOKEN.fullmatch(name)
            assert name == name.lower()
            for value in values:
                assert value == value.strip(b" \t")
                assert not set(value) & {0, 10, 13, 127}
                assert len(name) + len(value) + 2 <= limits.field


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {"hpack": hpack, "header_list": header_list}
