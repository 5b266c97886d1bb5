"""Sequences of frames that RFC 9113 has an outcome for, by its sections: rows for test_rfc9113.py.

The preface and empty SETTINGS come before the frames of each row, unless it begins with them itself.
"""

from typing import Final, NamedTuple

from pwb_async.core.http2 import frames
from pwb_async.core.http2.errors import ErrorCode
from pwb_async.core.http2.frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HAS_PRIORITY,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    frame,
)
from pwb_async.core.http2.hpack import literal

WHOLE: Final = END_HEADERS | END_STREAM
GET: Final = b"\x82\x86\x84\x41\x01h"
POST: Final = b"\x83\x86\x84\x41\x01h"
BEGIN: Final = PREFACE + frame(SETTINGS, 0, bytes(4))


class Outcome(NamedTuple):
    """What the peer gets for a row."""

    connection: frozenset[ErrorCode] = frozenset()
    """The codes of a GOAWAY, one of which it must have."""
    stream: int = 0
    """The stream that must be reset; 0 for none."""
    codes: frozenset[ErrorCode] = frozenset()
    """The codes of its RST_STREAM, one of which it must have."""
    served: tuple[int, ...] = ()
    """The streams whose requests are answered, unless the connection ends."""


class Row(NamedTuple):
    """A sequence of frames and its outcome."""

    section: str
    words: str
    wire: bytes
    outcome: Outcome
    waiting: bool = False
    """Whether the responses do not come before the end of the sequence."""


def goaway(*codes: ErrorCode) -> Outcome:
    return Outcome(connection=frozenset(codes))


def reset(stream: int, *codes: ErrorCode) -> Outcome:
    return Outcome(stream=stream, codes=frozenset(codes))


def either(stream: int, *codes: ErrorCode) -> Outcome:
    """An error of the stream, or of the connection with the same code, as RFC 9113 5.4 allows."""
    return Outcome(frozenset(codes), stream, frozenset(codes))


def served(*streams: int) -> Outcome:
    return Outcome(served=streams)


def on(stream: int, kind: int, flags: int = 0, payload: bytes = b"") -> bytes:
    return frame(kind, flags, stream.to_bytes(4, "big"), payload)


def get(stream: int, *fields: tuple[bytes, bytes], start: bytes = GET, flags: int = WHOLE) -> bytes:
    """A request; with other flags its content, or the rest of its block, follows."""
    return on(stream, HEADERS, flags, start + b"".join([b"\0%c%b%c%b" % (len(n), n, len(v), v) for n, v in fields]))


def post(stream: int, *fields: tuple[bytes, bytes]) -> bytes:
    return get(stream, *fields, start=POST, flags=END_HEADERS)


def pseudo(*fields: tuple[bytes, bytes]) -> bytes:
    return on(1, HEADERS, WHOLE, b"".join([literal(*field) for field in fields]))


def setting(*values: tuple[int, int]) -> bytes:
    return frames.settings(values)


def update(stream: int, increment: int) -> bytes:
    return on(stream, WINDOW_UPDATE, 0, increment.to_bytes(4, "big"))


PROTOCOL: Final = ErrorCode.PROTOCOL_ERROR
SIZE: Final = ErrorCode.FRAME_SIZE_ERROR
CLOSED: Final = ErrorCode.STREAM_CLOSED
FLOW: Final = ErrorCode.FLOW_CONTROL_ERROR
PING_8: Final = on(0, PING, 0, b"12345678")
PRIORITY_5: Final = b"\0\0\0\0\x10"
CANCEL: Final = b"\0\0\0\x08"
DATA_5: Final = (b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"h")
METHOD, SCHEME, PATH, AUTHORITY = DATA_5

ROWS: Final = (
    # 3.4 Preface
    Row("3.4", "no preface", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", goaway(PROTOCOL)),
    Row("3.4", "a preface with an error at its end", PREFACE[:-1] + b"\r" + setting(), goaway(PROTOCOL)),
    Row("3.4", "a request before SETTINGS", PREFACE + get(1), goaway(PROTOCOL)),
    Row("3.4", "PING before SETTINGS", PREFACE + PING_8, goaway(PROTOCOL)),
    # 4.1 Frame format
    Row("4.1", "a type that does not exist", on(0, 0xEF, 0xFF, b"x" * 9) + get(1), served(1)),
    Row("4.1", "a type that does not exist, on a stream that is idle", on(7, 0xEF, 0, b"x") + get(1), served(1)),
    Row("4.1", "flags that are not defined", on(0, PING, 0xFE, b"12345678") + get(1, flags=WHOLE | 0x12), served(1)),
    Row("4.1", "the reserved bit", on(0x80000000, PING, 0, b"12345678") + get(0x80000001), served(1)),
    # 4.2 Frame size
    Row("4.2", "DATA as long as a frame may be", post(1) + on(1, DATA, END_STREAM, b"x" * 16384), served(1)),
    Row("4.2", "DATA that is longer", post(1) + on(1, DATA, END_STREAM, b"x" * 16385), either(1, SIZE)),
    Row("4.2", "HEADERS that are longer", on(1, HEADERS, WHOLE, GET + b"\x82" * 16384), goaway(SIZE)),
    Row("4.2", "SETTINGS that are longer", on(0, SETTINGS, 0, bytes(16386)), goaway(SIZE)),
    Row("4.2", "an unknown frame that is longer", on(0, 0xEF, 0, bytes(16385)), goaway(SIZE)),
    # 4.3 Field blocks
    Row("4.3", "a block that refers to nothing", on(1, HEADERS, WHOLE, b"\xbe"), goaway(ErrorCode.COMPRESSION_ERROR)),
    Row("4.3", "a block that is cut off", on(1, HEADERS, WHOLE, GET + b"\x40\x05a"), goaway(ErrorCode.COMPRESSION_ERROR)),
    Row("4.3", "a larger table than was agreed", on(1, HEADERS, WHOLE, b"\x3f\xe2\x1f" + GET), goaway(ErrorCode.COMPRESSION_ERROR)),
    Row("4.3", "trailers that cannot be decoded", post(1) + on(1, HEADERS, WHOLE, b"\x80"), goaway(ErrorCode.COMPRESSION_ERROR)),
    Row("4.3", "PRIORITY within a block", get(1, flags=END_STREAM) + on(1, PRIORITY, 0, PRIORITY_5), goaway(PROTOCOL)),
    Row("4.3", "HEADERS of another stream within a block", get(1, flags=END_STREAM) + get(3), goaway(PROTOCOL)),
    Row("4.3", "an unknown frame within a block", get(1, flags=END_STREAM) + on(0, 0xEF), goaway(PROTOCOL)),
    Row("4.3", "a table goes on after a malformed request", get(1, start=GET + b"\x40\x01A\x01b") + get(3, start=b"\x82\x86\x84\xbf"), reset(1, PROTOCOL)._replace(served=(3,))),
    # 5.1 Stream states
    Row("5.1", "DATA on an idle stream", on(1, DATA, 0, b"x"), goaway(PROTOCOL)),
    Row("5.1", "RST_STREAM on an idle stream", on(1, RST_STREAM, 0, CANCEL), goaway(PROTOCOL)),
    Row("5.1", "WINDOW_UPDATE on an idle stream", update(1, 100), goaway(PROTOCOL)),
    Row("5.1", "CONTINUATION on an idle stream", on(1, CONTINUATION, END_HEADERS, GET), goaway(PROTOCOL)),
    Row("5.1", "PRIORITY on an idle stream", on(1, PRIORITY, 0, PRIORITY_5) + get(3), served(3)),
    Row("5.1", "a request on a stream that had PRIORITY", on(3, PRIORITY, 0, PRIORITY_5) + get(1), served(1)),
    Row("5.1", "DATA on a half-closed stream", get(1) + on(1, DATA, END_STREAM, b"x"), either(1, CLOSED), True),
    Row("5.1", "HEADERS on a half-closed stream", get(1) + get(1), either(1, CLOSED, PROTOCOL), True),
    Row("5.1", "CONTINUATION on a half-closed stream", get(1) + on(1, CONTINUATION, END_HEADERS, GET), either(1, CLOSED, PROTOCOL), True),
    Row("5.1", "WINDOW_UPDATE and PRIORITY on a half-closed stream", get(1) + update(1, 9) + on(1, PRIORITY, 0, PRIORITY_5), served(1), True),
    Row("5.1", "DATA on a stream that was reset", post(1) + on(1, RST_STREAM, 0, CANCEL) + on(1, DATA, 0, b"x"), either(1, CLOSED), True),
    Row("5.1", "HEADERS on a stream that was reset", post(1) + on(1, RST_STREAM, 0, CANCEL) + get(1), either(1, CLOSED, PROTOCOL), True),
    Row("5.1", "DATA on a closed stream", get(1) + on(1, DATA, 0, b"x"), either(1, CLOSED)),
    Row("5.1", "HEADERS on a closed stream", get(1) + get(1), either(1, CLOSED, PROTOCOL)),
    Row("5.1", "WINDOW_UPDATE on a closed stream", get(1) + update(1, 9) + get(3), served(1, 3)),
    Row("5.1", "RST_STREAM and PRIORITY on a closed stream", get(1) + on(1, PRIORITY, 0, PRIORITY_5) + get(3), served(1, 3)),
    # 5.1.1 Stream identifiers
    Row("5.1.1", "an even identifier", get(2), goaway(PROTOCOL)),
    Row("5.1.1", "a lower identifier than the last", get(5) + get(3), goaway(PROTOCOL, CLOSED)),
    Row("5.1.1", "identifiers may be left out", get(1) + get(9) + get(0x7FFFFFFF), served(1, 9, 0x7FFFFFFF)),
    # 5.1.2 Concurrency: test_only_so_many_streams
    # 5.3.2 Deprecated priorities
    Row("5.3.2", "HEADERS with a priority", on(1, HEADERS, WHOLE | HAS_PRIORITY, PRIORITY_5 + GET), served(1)),
    Row("5.3.2", "HEADERS that end within a priority", on(1, HEADERS, WHOLE | HAS_PRIORITY, b"\0\0\0"), goaway(SIZE, PROTOCOL)),
    # 5.5 Extensions
    Row("5.5", "an unknown setting", setting((0xFF, 1), (0xFFFF, 2**32 - 1)) + get(1), served(1)),
    # 6.1 DATA
    Row("6.1", "DATA on stream 0", on(0, DATA, 0, b"x"), goaway(PROTOCOL)),
    Row("6.1", "padding", post(1) + on(1, DATA, END_STREAM | PADDED, b"\x03xyz\0\0\0"), served(1)),
    Row("6.1", "padding alone", post(1) + on(1, DATA, END_STREAM | PADDED, b"\x03\0\0\0"), served(1)),
    Row("6.1", "padding as long as the payload", post(1) + on(1, DATA, END_STREAM | PADDED, b"\x04\0\0\0"), goaway(PROTOCOL)),
    Row("6.1", "padding without its length", post(1) + on(1, DATA, END_STREAM | PADDED), goaway(PROTOCOL, SIZE)),
    # 6.2 HEADERS
    Row("6.2", "HEADERS on stream 0", get(0), goaway(PROTOCOL)),
    Row("6.2", "padding", on(1, HEADERS, WHOLE | PADDED, b"\x02" + GET + b"\0\0"), served(1)),
    Row("6.2", "padding and a priority", on(1, HEADERS, WHOLE | PADDED | HAS_PRIORITY, b"\x02" + PRIORITY_5 + GET + b"\0\0"), served(1)),
    Row("6.2", "padding as long as the payload", on(1, HEADERS, WHOLE | PADDED, b"\x07" + GET), goaway(PROTOCOL)),
    Row("6.2", "padding beyond the payload", on(1, HEADERS, WHOLE | PADDED, b"\xff" + GET), goaway(PROTOCOL)),
    # 6.3 PRIORITY
    Row("6.3", "PRIORITY on stream 0", on(0, PRIORITY, 0, PRIORITY_5), goaway(PROTOCOL)),
    Row("6.3", "PRIORITY of another size", get(1) + on(1, PRIORITY, 0, b"\0\0\0\0"), either(1, SIZE), True),
    # 6.4 RST_STREAM
    Row("6.4", "RST_STREAM on stream 0", on(0, RST_STREAM, 0, CANCEL), goaway(PROTOCOL)),
    Row("6.4", "RST_STREAM of another size", post(1) + on(1, RST_STREAM, 0, b"\0\0\0"), goaway(SIZE)),
    Row("6.4", "RST_STREAM with a code that does not exist", post(1) + on(1, RST_STREAM, 0, b"\xff" * 4) + get(3), served(3), True),
    # 6.5 SETTINGS
    Row("6.5", "an acknowledgement with a payload", on(0, SETTINGS, ACK, bytes(6)), goaway(SIZE)),
    Row("6.5", "SETTINGS on a stream", on(1, SETTINGS), goaway(PROTOCOL)),
    Row("6.5", "SETTINGS of another size", on(0, SETTINGS, 0, bytes(5)), goaway(SIZE)),
    Row("6.5", "an acknowledgement on a stream", on(1, SETTINGS, ACK), goaway(PROTOCOL)),
    Row("6.5.2", "ENABLE_PUSH of 2", setting((2, 2)), goaway(PROTOCOL)),
    Row("6.5.2", "a window of 2^31", setting((INITIAL_WINDOW_SIZE, 2**31)), goaway(FLOW)),
    Row("6.5.2", "the largest window", setting((INITIAL_WINDOW_SIZE, 2**31 - 1)) + get(1), served(1)),
    Row("6.5.2", "frames shorter than all must accept", setting((5, 16383)), goaway(PROTOCOL)),
    Row("6.5.2", "frames longer than their length can tell", setting((5, 2**24)), goaway(PROTOCOL)),
    Row("6.5.2", "the longest frames", setting((5, 2**24 - 1)) + get(1), served(1)),
    Row("6.5.3", "a setting twice", setting((4, 2**31 - 1), (4, 100)) + get(1), served(1)),
    # 6.6 PUSH_PROMISE
    Row("6.6", "PUSH_PROMISE from a client", get(1) + on(1, PUSH_PROMISE, END_HEADERS, b"\0\0\0\2" + GET), goaway(PROTOCOL)),
    # 6.7 PING
    Row("6.7", "PING with an acknowledgement", on(0, PING, ACK, b"12345678") + get(1), served(1)),
    Row("6.7", "PING on a stream", on(1, PING, 0, b"12345678"), goaway(PROTOCOL)),
    Row("6.7", "PING of another size", on(0, PING, 0, b"123456"), goaway(SIZE)),
    Row("6.7", "PING with an acknowledgement of another size", on(0, PING, ACK, b"123456789"), goaway(SIZE)),
    # 6.8 GOAWAY
    Row("6.8", "GOAWAY on a stream", on(1, GOAWAY, 0, bytes(8)), goaway(PROTOCOL)),
    Row("6.8", "GOAWAY that is too short", on(0, GOAWAY, 0, bytes(7)), goaway(SIZE)),
    Row("6.8", "GOAWAY of the client", on(0, GOAWAY, 0, bytes(8) + b"bye") + get(1), served(1)),
    # 6.9 WINDOW_UPDATE
    Row("6.9", "an increment of 0", update(0, 0), goaway(PROTOCOL)),
    Row("6.9", "an increment of 0 on a stream", get(1) + update(1, 0), either(1, PROTOCOL), True),
    Row("6.9", "WINDOW_UPDATE of another size", on(0, WINDOW_UPDATE, 0, b"\0\0\1"), goaway(SIZE)),
    Row("6.9", "WINDOW_UPDATE of another size on a stream", get(1) + on(1, WINDOW_UPDATE, 0, bytes(5)), goaway(SIZE), True),
    Row("6.9", "the reserved bit of an increment", update(0, 2**31 + 1) + get(1), served(1)),
    Row("6.9.1", "a window of the connection of more than 2^31-1", update(0, 2**31 - 1), goaway(FLOW)),
    Row("6.9.1", "the same in two steps", update(0, 2**30) + update(0, 2**30), goaway(FLOW)),
    Row("6.9.1", "a window of a stream of more than 2^31-1", get(1) + update(1, 2**31 - 1), either(1, FLOW), True),
    Row("6.9.2", "SETTINGS that make a window too large", get(1) + update(1, 2**30) + setting((4, 2**31 - 1)), goaway(FLOW), True),
    # 6.10 CONTINUATION
    Row("6.10", "a block in two frames", get(1, flags=END_STREAM) + on(1, CONTINUATION, END_HEADERS, b"\x40\x01a\x01b"), served(1)),
    Row("6.10", "a block in four frames, one of them empty", on(1, HEADERS, END_STREAM, GET[:2]) + on(1, CONTINUATION, 0, GET[2:4]) + on(1, CONTINUATION) + on(1, CONTINUATION, END_HEADERS, GET[4:]), served(1)),
    Row("6.10", "trailers in two frames", post(1) + on(1, HEADERS, END_STREAM, b"\0\x01a") + on(1, CONTINUATION, END_HEADERS, b"\x01b"), served(1)),
    Row("6.10", "CONTINUATION behind the end of a block", get(1) + on(1, CONTINUATION, END_HEADERS, b""), goaway(PROTOCOL)),
    Row("6.10", "CONTINUATION behind DATA", post(1) + on(1, DATA, 0, b"x") + on(1, CONTINUATION, END_HEADERS), goaway(PROTOCOL)),
    Row("6.10", "CONTINUATION on stream 0", get(1, flags=END_STREAM) + on(0, CONTINUATION, END_HEADERS), goaway(PROTOCOL)),
    Row("6.10", "CONTINUATION on another stream", get(1, flags=END_STREAM) + on(3, CONTINUATION, END_HEADERS), goaway(PROTOCOL)),
    Row("6.10", "DATA within a block", get(1, flags=0) + on(1, DATA, END_STREAM, b"x"), goaway(PROTOCOL)),
    # 8.1 Messages
    Row("8.1", "content in pieces, and trailers", post(1) + on(1, DATA, 0, b"a") + on(1, DATA, 0, b"") + on(1, DATA, 0, b"b") + on(1, HEADERS, WHOLE, b"\0\x01a\x01b"), served(1)),
    Row("8.1", "trailers that end nothing", post(1) + on(1, HEADERS, END_HEADERS, b"\0\x01a\x01b"), either(1, PROTOCOL), True),
    Row("8.1", "trailers with a pseudo-field", post(1) + on(1, HEADERS, WHOLE, b"\x84"), either(1, PROTOCOL), True),
    Row("8.1.1", "Content-Length without content", get(1, (b"content-length", b"1")), reset(1, PROTOCOL)),
    Row("8.1.1", "less content than announced", post(1, (b"content-length", b"2")) + on(1, DATA, END_STREAM, b"x"), either(1, PROTOCOL), True),
    Row("8.1.1", "more content than announced", post(1, (b"content-length", b"1")) + on(1, DATA, END_STREAM, b"xy"), either(1, PROTOCOL), True),
    Row("8.1.1", "more content than announced, in two frames", post(1, (b"content-length", b"1")) + on(1, DATA, 0, b"x") + on(1, DATA, END_STREAM, b"y"), either(1, PROTOCOL), True),
    Row("8.1.1", "as much content as announced", post(1, (b"content-length", b"2")) + on(1, DATA, 0, b"x") + on(1, DATA, END_STREAM, b"y"), served(1)),
    Row("8.1.1", "padding is no content", post(1, (b"content-length", b"1")) + on(1, DATA, END_STREAM | PADDED, b"\x02x\0\0"), served(1)),
    # 8.2 Fields
    Row("8.2.1", "a name in upper case", get(1, (b"Accept", b"x")), reset(1, PROTOCOL)),
    Row("8.2.1", "a name with a space", get(1, (b"a b", b"x")), reset(1, PROTOCOL)),
    Row("8.2.1", "an empty name", get(1, (b"", b"x")), reset(1, PROTOCOL)),
    Row("8.2.1", "a name with a colon", get(1, (b"a:b", b"x")), reset(1, PROTOCOL)),
    Row("8.2.1", "a value with a NUL", get(1, (b"a", b"x\0")), reset(1, PROTOCOL)),
    Row("8.2.1", "a value with LF", get(1, (b"a", b"x\ny: z")), reset(1, PROTOCOL)),
    Row("8.2.1", "a value with CR", get(1, (b"a", b"x\r")), reset(1, PROTOCOL)),
    Row("8.2.1", "a value with a space at its start", get(1, (b"a", b" x")), reset(1, PROTOCOL)),
    Row("8.2.1", "a value with a tab at its end", get(1, (b"a", b"x\t")), reset(1, PROTOCOL)),
    Row("8.2.2", "Connection", get(1, (b"connection", b"keep-alive")), reset(1, PROTOCOL)),
    Row("8.2.2", "Transfer-Encoding", get(1, (b"transfer-encoding", b"chunked")), reset(1, PROTOCOL)),
    Row("8.2.2", "Upgrade", get(1, (b"upgrade", b"h2c")), reset(1, PROTOCOL)),
    Row("8.2.2", "TE with anything but trailers", get(1, (b"te", b"trailers, deflate")), reset(1, PROTOCOL)),
    Row("8.2.2", "TE with trailers", get(1, (b"te", b"trailers")), served(1)),
    # 8.3 Pseudo-fields
    Row("8.3", "an unknown pseudo-field", get(1, (b":test", b"x")), reset(1, PROTOCOL)),
    Row("8.3", "a pseudo-field of responses", get(1, (b":status", b"200")), reset(1, PROTOCOL)),
    Row("8.3", "a pseudo-field behind a field", pseudo(METHOD, SCHEME, (b"a", b"b"), PATH, AUTHORITY), reset(1, PROTOCOL)),
    Row("8.3.1", "an empty path", pseudo(METHOD, SCHEME, (b":path", b""), AUTHORITY), reset(1, PROTOCOL)),
    Row("8.3.1", "no method", pseudo(SCHEME, PATH, AUTHORITY), reset(1, PROTOCOL)),
    Row("8.3.1", "no scheme", pseudo(METHOD, PATH, AUTHORITY), reset(1, PROTOCOL)),
    Row("8.3.1", "no path", pseudo(METHOD, SCHEME, AUTHORITY), reset(1, PROTOCOL)),
    Row("8.3.1", "the method twice", pseudo(METHOD, METHOD, SCHEME, PATH, AUTHORITY), reset(1, PROTOCOL)),
    Row("8.3.1", "the scheme twice", pseudo(METHOD, SCHEME, SCHEME, PATH, AUTHORITY), reset(1, PROTOCOL)),
    Row("8.3.1", "the path twice", pseudo(METHOD, SCHEME, PATH, PATH, AUTHORITY), reset(1, PROTOCOL)),
    Row("8.3.1", "OPTIONS of the whole server", pseudo((b":method", b"OPTIONS"), SCHEME, (b":path", b"*"), AUTHORITY), served(1)),
    Row("8.5", "CONNECT with a scheme and a path", pseudo((b":method", b"CONNECT"), SCHEME, PATH, AUTHORITY), reset(1, PROTOCOL)),
    Row("8.5", "CONNECT without an authority", pseudo((b":method", b"CONNECT")), reset(1, PROTOCOL)),
    Row("8.5", "CONNECT gets a response that refuses it", pseudo((b":method", b"CONNECT"), AUTHORITY), served(1)),
)  # fmt: skip


def wire_of(row: Row) -> bytes:
    """All bytes that the client sends."""
    return row.wire if row.section == "3.4" else BEGIN + row.wire
