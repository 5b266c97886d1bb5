"""The connection of HTTP/2: what each frame does, and which error it is (RFC 9113)."""

import pytest

from pwb_async.core.events import BadRequest
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http2 import frames
from pwb_async.core.http2.errors import ErrorCode
from pwb_async.core.http2.frames import ACK, END_HEADERS, END_STREAM, HAS_PRIORITY, PADDED, frame
from pwb_async.core.http2.limits import ConnectionLimits
from pwb_async.core.http2.requests import RequestReader
from pwb_async.core.semantics.messages import Request

from .peer import (
    BEGIN,
    PSEUDO,
    WHOLE,
    Frame,
    Peer,
    block,
    data,
    fields_of,
    file_response,
    headers,
    number,
    response,
    update,
)

ZERO = frames.CONNECTION
PING = frame(frames.PING, 0, ZERO, b"12345678")
PRIORITY = frame(frames.PRIORITY, 0, number(5), b"\0\0\0\0\x10")
UNKNOWN = frame(0xEE, 0xFF, number(1), b"whatever")


def settings(*values: tuple[int, int]) -> bytes:
    return frames.settings(values)


def goaway_code(peer: Peer) -> ErrorCode:
    """The code of the GOAWAY that is the last frame."""
    last = peer.output()[-1]
    assert last.kind == frames.GOAWAY
    assert peer.connection.closed
    return last.code


def test_settings_are_the_first_frame_and_the_clients_are_acknowledged() -> None:
    peer = Peer(begun=False)
    assert peer.connection.incomplete
    [own] = peer.output()
    assert (own.kind, own.flags, own.stream) == (frames.SETTINGS, 0, 0)
    assert dict(frames.read_settings(own.payload)) == {
        frames.MAX_CONCURRENT_STREAMS: 100,
        frames.INITIAL_WINDOW_SIZE: 65537,
        frames.MAX_HEADER_LIST_SIZE: 32768,
        frames.NO_RFC7540_PRIORITIES: 1,
    }
    peer.send(BEGIN)
    assert peer.output() == [Frame(frames.SETTINGS, ACK, 0, b"")]
    assert not peer.connection.incomplete
    assert not peer.send(settings()[:5])
    assert peer.connection.incomplete


def test_every_split_of_the_bytes_gives_the_same_requests() -> None:
    stream = BEGIN + headers(1) + PING + headers(3, (b"a", b"b")) + UNKNOWN + headers(5)
    for size in (1, 2, 3, 7, 24, 25, 100):
        peer, requests = Peer(begun=False), {}
        for start in range(0, len(stream), size):
            requests |= peer.send(stream[start : start + size])
        assert list(requests) == [1, 3, 5]


@pytest.mark.parametrize(
    "begin", [b"GET / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nXX", frames.PREFACE + PING, frames.PREFACE + headers(1)]
)
def test_anything_else_at_first_is_an_error(begin: bytes) -> None:
    peer = Peer(begun=False)
    assert not peer.send(begin)
    assert goaway_code(peer) is ErrorCode.PROTOCOL_ERROR


HUGE = (0x4000, 1 << 20)
CONNECTION_ERRORS = {
    "SETTINGS on a stream": (frame(frames.SETTINGS, 0, number(1)), ErrorCode.PROTOCOL_ERROR),
    "SETTINGS of 5 bytes": (frame(frames.SETTINGS, 0, ZERO, b"12345"), ErrorCode.FRAME_SIZE_ERROR),
    "an ACK with content": (frame(frames.SETTINGS, ACK, ZERO, b"123456"), ErrorCode.FRAME_SIZE_ERROR),
    "ENABLE_PUSH 2": (settings((frames.ENABLE_PUSH, 2)), ErrorCode.PROTOCOL_ERROR),
    "a window of 2^31": (settings((frames.INITIAL_WINDOW_SIZE, 2**31)), ErrorCode.FLOW_CONTROL_ERROR),
    "a frame size of 16,383": (settings((frames.SETTINGS_MAX_FRAME_SIZE, 16383)), ErrorCode.PROTOCOL_ERROR),
    "a frame size of 2^24": (settings((frames.SETTINGS_MAX_FRAME_SIZE, 2**24)), ErrorCode.PROTOCOL_ERROR),
    "NO_RFC7540_PRIORITIES 2": (settings((frames.NO_RFC7540_PRIORITIES, 2)), ErrorCode.PROTOCOL_ERROR),
    "33 settings": (settings(*[(0xF000, 1)] * 33), ErrorCode.ENHANCE_YOUR_CALM),
    "PING on a stream": (frame(frames.PING, 0, number(1), b"12345678"), ErrorCode.PROTOCOL_ERROR),
    "PING of 7 bytes": (frame(frames.PING, 0, ZERO, b"1234567"), ErrorCode.FRAME_SIZE_ERROR),
    "WINDOW_UPDATE of 3 bytes": (frame(frames.WINDOW_UPDATE, 0, ZERO, b"123"), ErrorCode.FRAME_SIZE_ERROR),
    "WINDOW_UPDATE by 0": (update(0, 0), ErrorCode.PROTOCOL_ERROR),
    "a window beyond 2^31-1": (update(0, 2**31 - 1), ErrorCode.FLOW_CONTROL_ERROR),
    "WINDOW_UPDATE on an idle stream": (update(1, 1), ErrorCode.PROTOCOL_ERROR),
    "WINDOW_UPDATE on a stream of the server": (headers(3) + update(2, 1), ErrorCode.PROTOCOL_ERROR),
    "RST_STREAM on an idle stream": (frames.reset(number(1), ErrorCode.CANCEL), ErrorCode.PROTOCOL_ERROR),
    "RST_STREAM without a stream": (frames.reset(ZERO, ErrorCode.CANCEL), ErrorCode.PROTOCOL_ERROR),
    "RST_STREAM of 3 bytes": (headers(1) + frame(frames.RST_STREAM, 0, number(1), b"123"), ErrorCode.FRAME_SIZE_ERROR),
    "PRIORITY without a stream": (frame(frames.PRIORITY, 0, ZERO, b"12345"), ErrorCode.PROTOCOL_ERROR),
    "PRIORITY of 4 bytes": (frame(frames.PRIORITY, 0, number(1), b"1234"), ErrorCode.FRAME_SIZE_ERROR),
    "PRIORITY_UPDATE on a stream": (frame(frames.PRIORITY_UPDATE, 0, number(1), b"1234"), ErrorCode.PROTOCOL_ERROR),
    "PRIORITY_UPDATE for no stream": (frame(frames.PRIORITY_UPDATE, 0, ZERO, ZERO + b"u=1"), ErrorCode.PROTOCOL_ERROR),
    "PRIORITY_UPDATE for a stream of the server": (
        frame(frames.PRIORITY_UPDATE, 0, ZERO, number(2) + b"u=1"),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "PRIORITY_UPDATE of 3 bytes": (frame(frames.PRIORITY_UPDATE, 0, ZERO, b"123"), ErrorCode.FRAME_SIZE_ERROR),
    "GOAWAY on a stream": (frame(frames.GOAWAY, 0, number(1), b"12345678"), ErrorCode.PROTOCOL_ERROR),
    "GOAWAY of 7 bytes": (frame(frames.GOAWAY, 0, ZERO, b"1234567"), ErrorCode.FRAME_SIZE_ERROR),
    "PUSH_PROMISE": (frame(frames.PUSH_PROMISE, 4, number(1), b"1234"), ErrorCode.PROTOCOL_ERROR),
    "CONTINUATION alone": (frame(frames.CONTINUATION, 4, number(1)), ErrorCode.PROTOCOL_ERROR),
    "HEADERS on an even stream": (headers(2), ErrorCode.PROTOCOL_ERROR),
    "HEADERS without a stream": (headers(0), ErrorCode.PROTOCOL_ERROR),
    "a lower stream": (headers(5) + headers(3), ErrorCode.PROTOCOL_ERROR),
    "a stream twice": (headers(5) + headers(5), ErrorCode.PROTOCOL_ERROR),
    "DATA on an idle stream": (data(1, b"a"), ErrorCode.PROTOCOL_ERROR),
    "DATA without a stream": (data(0, b"a"), ErrorCode.PROTOCOL_ERROR),
    "DATA behind END_STREAM": (headers(1) + data(1, b"a"), ErrorCode.STREAM_CLOSED),
    "padding without its length": (headers(1, flags=END_HEADERS) + data(1, b"", PADDED), ErrorCode.PROTOCOL_ERROR),
    "padding of all": (headers(1, flags=END_HEADERS) + data(1, b"\x04abc", PADDED), ErrorCode.PROTOCOL_ERROR),
    "priority of 4 bytes": (frame(frames.HEADERS, WHOLE | HAS_PRIORITY, number(1), b"1234"), ErrorCode.FRAME_SIZE_ERROR),
    "a block that is not HPACK": (frame(frames.HEADERS, WHOLE, number(1), b"\xff"), ErrorCode.COMPRESSION_ERROR),
    "a frame within a block": (headers(1, flags=END_STREAM) + PING, ErrorCode.PROTOCOL_ERROR),
    "HEADERS within a block": (headers(1, flags=END_STREAM) + headers(3), ErrorCode.PROTOCOL_ERROR),
    "another stream within a block": (
        headers(1, flags=END_STREAM) + frame(frames.CONTINUATION, END_HEADERS, number(3)),
        ErrorCode.PROTOCOL_ERROR,
    ),
    "a frame that is too long": (data(1, b"")[:1] + b"\x40\x01" + data(1, b"")[3:], ErrorCode.FRAME_SIZE_ERROR),
    "six CONTINUATIONs": (
        headers(1, flags=END_STREAM) + frame(frames.CONTINUATION, 0, number(1)) * 6,
        ErrorCode.ENHANCE_YOUR_CALM,
    ),
    "a block of more than 32 KiB": (
        headers(1, flags=END_STREAM) + frame(frames.CONTINUATION, 0, number(1), bytes(16384)) * 2,
        ErrorCode.ENHANCE_YOUR_CALM,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CONNECTION_ERRORS)
def test_a_connection_error_ends_the_connection_by_goaway(case: str) -> None:
    sent, code = CONNECTION_ERRORS[case]
    peer = Peer()
    assert not peer.send(sent)
    assert goaway_code(peer) is code
    assert peer.connection.error is not None
    assert peer.connection.error.detail
    assert not peer.send(headers(7))
    peer.connection.close(ErrorCode.NO_ERROR, "again")
    peer.connection.finish()
    assert not peer.output()


def test_an_acknowledgement_before_any_settings_is_an_error() -> None:
    peer = Peer(begun=False)
    peer.send(frames.PREFACE + frames.SETTINGS_ACK)
    assert goaway_code(peer) is ErrorCode.PROTOCOL_ERROR


def test_frames_that_are_ignored() -> None:
    peer = Peer()
    ignored = (
        UNKNOWN,
        PRIORITY,
        frames.SETTINGS_ACK,
        frame(frames.PING, ACK, ZERO, b"12345678"),
        frames.goaway(ZERO, ErrorCode.NO_ERROR),
    )
    assert not peer.send(*ignored)
    assert not peer.output()
    assert not peer.connection.closed
    assert peer.connection.budget == 1000 - len(ignored) - 1


def test_a_ping_is_answered() -> None:
    peer = Peer()
    peer.send(PING)
    assert peer.output() == [Frame(frames.PING, ACK, 0, b"12345678")]


def test_requests_by_the_short_way_and_the_long_one_are_the_same() -> None:
    peer, plain = Peer(), block()
    priority = b"\x80\0\0\1\xff"
    ways = [
        headers(1),
        headers(3),
        frame(frames.HEADERS, WHOLE | HAS_PRIORITY, number(5), priority + plain),
        frame(frames.HEADERS, WHOLE | PADDED, number(7), b"\x03" + plain + bytes(3)),
        frame(frames.HEADERS, WHOLE | PADDED | HAS_PRIORITY, number(9), b"\x00" + priority + plain),
        frame(frames.HEADERS, END_STREAM, number(11), plain[:5])
        + frame(frames.CONTINUATION, 0, number(11))
        + frame(frames.CONTINUATION, END_HEADERS, number(11), plain[5:]),
        frame(frames.HEADERS, WHOLE, (13 | 1 << 31).to_bytes(4, "big"), plain),
    ]
    requests = {}
    for way in ways:
        requests |= peer.send(way)
    assert list(requests) == [1, 3, 5, 7, 9, 11, 13]
    assert len(set(map(id, requests.values()))) == 1


def test_responses_leave_at_once_where_they_fit() -> None:
    peer = Peer()
    request = peer.send(headers(1), headers(3), headers(5))[1]
    answer = response(b"hello", 200, (b"ETag", b'"a"'))
    for stream in (1, 3):
        head, content = peer.respond(stream, request, answer)
        assert (head.kind, head.flags, head.stream) == (frames.HEADERS, END_HEADERS, stream)
        assert fields_of(head) == {
            b":status": b"200",
            b"server": b"PWB",
            b"date": b"Thu, 01 Jan 1970 00:00:00 GMT",
            b"etag": b'"a"',
        }
        assert content == Frame(frames.DATA, END_STREAM, stream, b"hello")
    assert not peer.connection.streams
    assert peer.connection.window == 65535 - 10
    [head] = peer.respond(5, request, response(status=304))
    assert head.flags == WHOLE
    assert fields_of(head)[b":status"] == b"304"


def test_preserialized_content_is_part_of_the_frames() -> None:
    from pwb_async.core.http1.serializer import preserialize

    peer = Peer()
    request = peer.send(headers(1))[1]
    for content in (b"short", b"l" * 5000):
        frames_of = peer.respond(1, request, preserialize(response(content, 200, (b"a", b"b"))))
        assert frames_of[1].payload == content
    parts = preserialize(response(b"short"))
    parts.parts += (b" and more",)
    parts.length += 9
    assert peer.respond(1, request, parts)[1].payload == b"short and more"
    sliced = file_response(4)
    sliced.parts = (b"head ", *sliced.parts)
    sliced.length += 5
    peer.ask(3, preserialize(sliced))
    assert b"".join(frame.payload for frame in peer.all_frames()) == b"head ffff"


def test_frames_are_made_again_for_another_server_field() -> None:
    from pwb_async.core.http2.connection import HTTP2Connection

    answer = response(b"hello")
    for server in (b"PWB", b"PWB/8.0"):
        connection = HTTP2Connection(RequestReader(Limits()), ConnectionLimits(), server)
        connection.receive(BEGIN)
        request = connection.receive(headers(1))[number(1)]
        sent = b"".join(connection.respond(number(1), request, answer, 0.0))
        assert sent.endswith(b"hello")
        assert server in sent


def test_a_smaller_table_is_acknowledged_at_the_start_of_the_next_block() -> None:
    """Every encoder owes a size update, even one that has no table (RFC 7541 4.2)."""
    peer = Peer()
    peer.send(settings((frames.HEADER_TABLE_SIZE, 4096)))
    first = peer.ask(1, response(b"a"))[0]
    peer.send(settings((frames.HEADER_TABLE_SIZE, 100)))
    second = peer.ask(3, response(b"a"))[0]
    third = peer.ask(5, response())[0]
    assert first.payload == third.payload
    assert second.payload == b"\x20" + first.payload
    assert peer.next_frames() == [Frame(frames.DATA, END_STREAM, 3, b"a")]
    peer.send(settings((frames.HEADER_TABLE_SIZE, 0), (frames.HEADER_TABLE_SIZE, 4096)))
    [head] = peer.ask(7, response())
    assert head.payload[:1] == b"\x20"
    assert head.flags == WHOLE


def test_a_block_that_is_longer_than_a_frame_is_continued() -> None:
    peer = Peer()
    for stream, content in ((1, b""), (3, b"a")):
        got = peer.ask(stream, response(content, 200, (b"long", b"v" * 40_000)))
        assert [(each.kind, each.flags) for each in got] == [
            (frames.HEADERS, END_STREAM if not content else 0),
            (frames.CONTINUATION, 0),
            (frames.CONTINUATION, END_HEADERS),
        ]
        assert fields_of(got[0]._replace(payload=b"".join(each.payload for each in got)))[b"long"] == b"v" * 40_000
    assert peer.next_frames() == [Frame(frames.DATA, END_STREAM, 3, b"a")]


def test_content_waits_for_the_windows() -> None:
    peer = Peer()
    [head] = peer.ask(1, response(b"x" * 100_000))
    assert head.flags == END_HEADERS
    sent = peer.all_frames()
    assert [len(each.payload) for each in sent] == [16384, 16384, 16384, 16383]
    assert peer.connection.unsent_streams == 1
    peer.send(update(1, 100_000))
    assert not peer.all_frames()
    peer.send(update(0, 10))
    assert [len(each.payload) for each in peer.all_frames()] == [10]
    peer.send(update(0, 1 << 20))
    sent = peer.all_frames()
    assert [(len(each.payload), each.flags) for each in sent] == [(16384, 0), (16384, 0), (1687, END_STREAM)]
    assert not peer.connection.streams
    assert not peer.connection.unsent_streams


def test_the_initial_window_changes_all_streams() -> None:
    peer = Peer()
    peer.send(settings((frames.INITIAL_WINDOW_SIZE, 10)))
    peer.ask(1, response(b"x" * 100))
    assert [len(each.payload) for each in peer.all_frames()] == [10]
    peer.send(settings((frames.INITIAL_WINDOW_SIZE, 5)))
    assert peer.connection.streams[number(1)].window == -5
    peer.send(update(1, 7), settings((frames.INITIAL_WINDOW_SIZE, 5)))
    assert [len(each.payload) for each in peer.all_frames()] == [2]
    peer.send(settings((frames.INITIAL_WINDOW_SIZE, 500)))
    assert [len(each.payload) for each in peer.all_frames()] == [88]
    peer.send(settings((frames.INITIAL_WINDOW_SIZE, 0)))
    peer.ask(3, response(b"x"))
    peer.send(update(3, 2**31 - 1))
    peer.send(settings((frames.INITIAL_WINDOW_SIZE, 1)))
    assert goaway_code(peer) is ErrorCode.FLOW_CONTROL_ERROR


def test_a_stream_that_has_ended_has_no_window_any_more() -> None:
    peer = Peer()
    request = peer.send(headers(1))[1]
    peer.connection.open(number(1), request).working = True
    peer.send(update(1, 2**31 - 1 - 65_535), frames.reset(number(1), ErrorCode.CANCEL))
    peer.send(settings((frames.INITIAL_WINDOW_SIZE, 100_000)))
    assert not peer.connection.closed


def test_a_window_of_a_stream_that_cannot_grow_resets_it() -> None:
    for increment, code in ((0, ErrorCode.PROTOCOL_ERROR), (2**31 - 1, ErrorCode.FLOW_CONTROL_ERROR)):
        peer = Peer()
        assert not peer.send(headers(1), update(1, increment))
        [reset] = peer.output()
        assert (reset.kind, reset.code) == (frames.RST_STREAM, code)
        assert not peer.connection.closed
    peer.ask(3, response(b"x" * 70_000))
    peer.send(update(3, 2**31 - 1))
    assert peer.ended()[-1] == 3
    assert not peer.connection.streams
    peer.send(update(3, 1))
    assert not peer.connection.closed


def test_a_window_that_is_opened_with_the_request_counts() -> None:
    peer = Peer()
    peer.send(settings((frames.INITIAL_WINDOW_SIZE, 0)))
    requests = peer.send(headers(1), update(1, 3), update(1, 1))
    assert peer.connection.open(number(1), requests[1]).window == 4
    peer.respond(1, requests[1], response(b"hello"))
    assert [each.payload for each in peer.all_frames()] == [b"hell"]


def test_a_request_that_is_reset_by_the_same_bytes_is_left_out() -> None:
    peer = Peer()
    assert list(peer.send(headers(1), headers(3), frames.reset(number(1), ErrorCode.CANCEL))) == [3]
    assert not peer.ended()
    assert not peer.send(headers(5), update(5, 1), frames.reset(number(5), ErrorCode.CANCEL))
    assert peer.ended() == [5]


def test_a_reset_ends_a_response_that_waits() -> None:
    peer = Peer()
    peer.ask(1, response(b"x" * 100_000))
    peer.ask(3, response(b"x" * 100_000))
    peer.send(frames.reset(number(1), ErrorCode.CANCEL), frames.reset(number(1), ErrorCode.CANCEL))
    assert peer.ended() == [1]
    assert list(peer.connection.streams) == [number(3)]
    assert {each.stream for each in peer.all_frames()} == {3}
    assert peer.connection.unsent_streams == 1


def test_a_stream_counts_as_long_as_the_server_works_for_it() -> None:
    peer = Peer(limits=ConnectionLimits(streams=2))
    requests = peer.send(headers(1), headers(3))
    for stream, request in requests.items():
        peer.connection.open(number(stream), request).working = True
    peer.send(frames.reset(number(1), ErrorCode.CANCEL))
    first = peer.connection.streams[number(1)]
    assert first.ended
    assert not peer.send(headers(5))
    [refused] = peer.output()
    assert (refused.stream, refused.code) == (5, ErrorCode.REFUSED_STREAM)
    peer.send(update(1, 1))
    peer.connection.end_work(first)
    assert list(peer.connection.streams) == [number(3)]
    assert list(peer.send(headers(7))) == [7]
    peer.connection.end_work(peer.connection.streams[number(3)])
    assert number(3) in peer.connection.streams


def test_a_request_with_content_counts_once_among_those_that_come_together() -> None:
    """It has an object at once, and so has one whose window is opened by the same bytes."""
    peer = Peer(limits=ConnectionLimits(streams=4))
    requests = (headers(1, flags=END_HEADERS), headers(3), update(3, 100), headers(5), headers(7, flags=END_HEADERS))
    assert peer.send(*requests, headers(9)).keys() == {1, 3, 5, 7}
    [refused] = peer.output()
    assert (refused.stream, refused.code) == (9, ErrorCode.REFUSED_STREAM)


def test_requests_that_wait_may_be_so_large_together() -> None:
    peer = Peer(limits=ConnectionLimits(held=10_000))
    for stream in (1, 3):
        peer.ask(stream, response(b"x" * 70_000), (b"cookie", b"c" * 5000))
    assert peer.connection.held > 10_000
    assert not peer.send(headers(7, (b"cookie", b"c" * 5001)))
    [refused] = peer.output()
    assert (refused.stream, refused.code) == (7, ErrorCode.REFUSED_STREAM)
    for stream in (1, 3):
        peer.send(frames.reset(number(stream), ErrorCode.CANCEL))
    assert peer.connection.held == 0
    assert list(peer.send(headers(9, (b"cookie", b"c" * 5002)))) == [9]


def test_a_malformed_request_resets_its_stream() -> None:
    peer = Peer()
    bad = frame(frames.HEADERS, WHOLE, number(1), block((b"Upper", b"case")))
    assert list(peer.send(bad, headers(3))) == [3]
    [reset] = peer.output()
    assert (reset.kind, reset.stream, reset.code) == (frames.RST_STREAM, 1, ErrorCode.PROTOCOL_ERROR)


def test_a_bad_request_gets_a_response_and_the_connection_goes_on() -> None:
    peer = Peer()
    bad = frame(frames.HEADERS, END_HEADERS, number(1), block(pseudo=(*PSEUDO[:2], (b":path", b"/\\\x7f"[:1]))))
    event = peer.send(bad)[1]
    assert isinstance(event, BadRequest)
    assert event.status == 400
    assert peer.respond(1, event, response(b"bad", 400))[0].flags == END_HEADERS
    assert [each.payload for each in peer.all_frames()] == [b"bad"]
    assert number(1) in peer.connection.streams, "its content may follow"
    peer.send(data(1, b"abc", END_STREAM))
    assert not peer.connection.streams
    assert not peer.connection.closed


def test_only_so_many_requests_may_be_too_large() -> None:
    peer = Peer(head=Limits(fields=3))
    many = [(b"a%d" % index, b"") for index in range(9)]
    event = peer.send(headers(1, *many))[1]
    assert isinstance(event, BadRequest)
    assert event.status == 431
    long = block(pseudo=(*PSEUDO[:3], (b":path", b"/" * 9000)))
    event = peer.send(frame(frames.HEADERS, WHOLE, number(3), long))[3]
    assert isinstance(event, BadRequest)
    assert event.status == 414
    peer.send(headers(5, *many))
    assert goaway_code(peer) is ErrorCode.ENHANCE_YOUR_CALM


POST = headers(1, (b"content-length", b"5"), flags=END_HEADERS)


def test_content_is_counted_and_discarded() -> None:
    peer = Peer()
    request = peer.send(POST)[1]
    assert isinstance(request, Request)
    peer.respond(1, request, response(status=204))
    peer.send(data(1, b"\x01abc\0", PADDED), data(1, b"de", END_STREAM))
    assert not peer.connection.streams
    assert peer.output() == [Frame(frames.WINDOW_UPDATE, 0, 1, b"\0\0\0\x02")]


@pytest.mark.parametrize("content", [(b"abcd", END_STREAM), (b"abcdef", 0), (b"abcdef", END_STREAM)])
@pytest.mark.parametrize("responded", [False, True])
def test_content_of_another_length_than_announced_is_malformed(content: tuple[bytes, int], responded: bool) -> None:
    peer = Peer()
    requests = peer.send(POST, b"" if responded else data(1, *content))
    if responded:
        peer.respond(1, requests[1], response(b"a"))
        peer.all_frames()
        peer.send(data(1, *content))
    else:
        assert not requests
    [reset] = peer.output()
    assert (reset.kind, reset.stream, reset.code) == (frames.RST_STREAM, 1, ErrorCode.PROTOCOL_ERROR)
    if content[1] == 0:
        peer.send(data(1, b"more of it, which was under way", END_STREAM))
        assert not peer.connection.closed


def test_trailers_end_a_request() -> None:
    peer = Peer()
    request = peer.send(headers(1, flags=END_HEADERS))[1]
    peer.respond(1, request, response(b"a"))
    assert len(peer.all_frames()) == 1
    peer.send(data(1, b"abc"), frame(frames.HEADERS, WHOLE, number(1), block((b"checksum", b"1"), pseudo=())))
    assert not peer.connection.streams
    assert not peer.output()


@pytest.mark.parametrize("flags", [WHOLE, END_HEADERS])
@pytest.mark.parametrize("pseudo", [PSEUDO, ()])
def test_other_trailers_are_malformed(flags: int, pseudo: tuple[tuple[bytes, bytes], ...]) -> None:
    if flags == WHOLE and not pseudo:
        return
    peer = Peer()
    assert not peer.send(headers(1, flags=END_HEADERS), frame(frames.HEADERS, flags, number(1), block(pseudo=pseudo)))
    [reset] = peer.output()
    assert (reset.stream, reset.code) == (1, ErrorCode.PROTOCOL_ERROR)
    assert not peer.connection.closed


def test_a_frame_on_a_half_closed_stream_resets_it() -> None:
    for sent in (data(1, b"a"), headers(1)):
        peer = Peer()
        peer.ask(1, response(b"x" * 70_000))
        peer.send(sent)
        [reset] = peer.output()
        assert (reset.stream, reset.code) == (1, ErrorCode.STREAM_CLOSED)
        assert peer.ended() == [1]


def test_a_request_with_content_beyond_the_bound_is_stopped_after_the_response() -> None:
    """Not at once: clients such as curl discard a response that a reset follows."""
    peer = Peer(limits=ConnectionLimits(content=10))
    request = peer.send(headers(1, flags=END_HEADERS))[1]
    peer.send(data(1, b"01234567890"))
    assert [frame.kind for frame in peer.respond(1, request, response())] == [frames.HEADERS]
    request = peer.send(headers(3, (b"content-length", b"11"), flags=END_HEADERS))[3]
    peer.respond(3, request, response(b"a"))
    assert [frame.kind for frame in peer.all_frames()] == [frames.DATA]
    request = peer.send(headers(5, flags=END_HEADERS))[5]
    peer.respond(5, request, response())
    peer.send(data(5, b"0123456789"))
    request = peer.send(headers(7, flags=END_HEADERS))[7]
    peer.send(data(7, b"01234567890"))
    excessive = peer.connection.excessive
    assert [stream.id for stream in excessive] == [number(1), number(3)]
    peer.send(data(5, b"0"))
    assert [stream.id for stream in peer.connection.excessive] == [number(1), number(3), number(5)]
    peer.send(data(3, b"01234567890", END_STREAM))
    assert not peer.output()
    for stream in excessive:
        peer.connection.stop_request(stream)
    [reset] = peer.output()
    assert (reset.kind, reset.stream, reset.code) == (frames.RST_STREAM, 1, ErrorCode.NO_ERROR)
    peer.send(data(1, b"a"))
    assert not peer.connection.closed
    assert list(peer.connection.streams) == [number(5), number(7)]


def test_a_request_that_has_been_answered_gives_its_place_to_another() -> None:
    peer = Peer(limits=ConnectionLimits(streams=2, held=100))
    for stream in (1, 3):
        peer.ask(stream, response(), (b"content-length", b"5"), flags=END_HEADERS)
    assert peer.connection.held == 0
    unanswered = peer.send(headers(5, flags=END_HEADERS), headers(7, flags=END_HEADERS))
    assert list(unanswered) == [5, 7]
    assert [(each.kind, each.stream, each.code) for each in peer.output()] == [
        (frames.RST_STREAM, 1, ErrorCode.NO_ERROR),
        (frames.RST_STREAM, 3, ErrorCode.NO_ERROR),
    ]
    assert not peer.send(headers(9))
    [reset] = peer.output()
    assert (reset.stream, reset.code) == (9, ErrorCode.REFUSED_STREAM)


def test_the_window_of_the_connection_is_given_back() -> None:
    peer = Peer(limits=ConnectionLimits(content=1 << 20))
    peer.send(headers(1, flags=END_HEADERS))
    peer.send(data(1, bytes(16384)))
    assert not peer.output()
    peer.send(data(1, bytes(16384)))
    assert peer.output() == [Frame(frames.WINDOW_UPDATE, 0, 0, (32768).to_bytes(4, "big"))]


@pytest.mark.parametrize("content", [10, 1 << 20])
def test_more_content_than_the_window_of_the_stream_resets_it(content: int) -> None:
    peer = Peer(limits=ConnectionLimits(content=content))
    peer.send(headers(1, flags=END_HEADERS))
    window = max(65_535, content + 1)
    for _ in range(window // 16_384):
        peer.send(data(1, bytes(16_384)))
    peer.send(data(1, bytes(window % 16_384)))
    assert {each.kind for each in peer.output()} <= {frames.WINDOW_UPDATE}
    peer.send(data(1, b"a"))
    reset = peer.output()[-1]
    assert (reset.kind, reset.stream, reset.code) == (frames.RST_STREAM, 1, ErrorCode.FLOW_CONTROL_ERROR)
    peer.send(data(1, b"which was under way", END_STREAM))
    assert not peer.connection.closed


def test_padding_is_given_back_to_the_window_of_its_stream() -> None:
    """Otherwise content with much padding, which is less than is skipped, would never reach its end."""
    peer = Peer()
    request = peer.send(headers(1, flags=END_HEADERS))[1]
    peer.respond(1, request, response())
    for _ in range(500):
        peer.send(data(1, b"\xffa" + bytes(255), PADDED))
        updates = [each for each in peer.output() if each.stream == 1]
        assert [int.from_bytes(each.payload, "big") for each in updates] == [256]
    peer.send(data(1, b"\0", PADDED | END_STREAM))
    assert all(each.stream == 0 for each in peer.output())
    assert not peer.connection.streams


def test_streams_that_were_reset_are_remembered_up_to_a_limit() -> None:
    peer = Peer(limits=ConnectionLimits(streams=1))
    peer.connection.open(number(1), peer.send(headers(1))[1])
    peer.send(headers(3, flags=END_HEADERS), headers(5, flags=END_HEADERS), data(5, b"a"))
    assert not peer.connection.closed
    peer.send(data(3, b"a"))
    assert goaway_code(peer) is ErrorCode.STREAM_CLOSED


def test_the_budget_ends_and_responses_refill_it() -> None:
    peer = Peer(limits=ConnectionLimits(budget=10))
    for stream in range(1, 41, 2):
        peer.send(PING)
        peer.ask(stream, response())
    assert not peer.connection.closed
    assert peer.connection.budget in (10, 11)
    peer.send(PING * 12)
    assert goaway_code(peer) is ErrorCode.ENHANCE_YOUR_CALM


@pytest.mark.parametrize(
    "flood",
    [PING, PRIORITY, UNKNOWN, settings(), update(0, 1), frames.goaway(ZERO, ErrorCode.NO_ERROR)],
    ids=["PING", "PRIORITY", "unknown", "SETTINGS", "WINDOW_UPDATE", "GOAWAY"],
)
def test_a_flood_of_useless_frames_ends_the_connection(flood: bytes) -> None:
    peer = Peer()
    peer.send(flood * 1001)
    assert goaway_code(peer) is ErrorCode.ENHANCE_YOUR_CALM


@pytest.mark.parametrize("window", [1024, 2048, 4096])
def test_a_client_with_small_windows_gets_all_of_a_response(window: int) -> None:
    """It updates both windows for each piece that it has read."""
    peer = Peer(limits=ConnectionLimits(budget=10))
    peer.send(settings((frames.INITIAL_WINDOW_SIZE, window)))
    peer.ask(1, file_response(1 << 20))
    received = 0
    while taken := peer.next_frames():
        size = sum(len(each.payload) for each in taken)
        received += size
        peer.send(update(1, size), update(0, size))
    assert peer.connection.error is None or received == 1 << 20
    assert received == 1 << 20


def test_windows_of_a_few_bytes_end_the_connection() -> None:
    """The server would send frame after frame for nothing (CVE-2019-9511)."""
    peer = Peer()
    peer.send(settings((frames.INITIAL_WINDOW_SIZE, 0)))
    peer.ask(1, response(b"x" * 100_000))
    sent = 0
    while not peer.connection.closed:
        peer.send(update(1, 5), update(0, 5))
        sent += len(peer.all_frames())
    assert goaway_code(peer) is ErrorCode.ENHANCE_YOUR_CALM
    assert sent < 600


def test_a_flood_of_resets_ends_the_connection() -> None:
    peer = Peer()
    for stream in range(1, 2003, 2):
        assert not peer.send(headers(stream), frames.reset(number(stream), ErrorCode.CANCEL))
    assert goaway_code(peer) is ErrorCode.ENHANCE_YOUR_CALM


def test_a_flood_of_small_data_ends_the_connection() -> None:
    for payload in (b"", b"a"):
        peer = Peer()
        peer.send(headers(1, flags=END_HEADERS), data(1, payload) * 1000)
        assert goaway_code(peer) is ErrorCode.ENHANCE_YOUR_CALM


def test_goaway_has_two_steps() -> None:
    peer = Peer()
    peer.connection.retire()
    peer.connection.retire()
    [first] = peer.output()
    assert (first.payload[:4], first.code) == (frames.LAST_STREAM, ErrorCode.NO_ERROR)
    assert list(peer.send(headers(1), headers(3))) == [1, 3]
    peer.connection.finish()
    peer.connection.finish()
    [second] = peer.output()
    assert (second.payload[:4], second.code) == (number(3), ErrorCode.NO_ERROR)
    assert not peer.send(headers(5), PING)
    assert [each.kind for each in peer.output()] == [frames.PING], "the stream is ignored, not reset"


def test_a_connection_that_has_ended_sends_no_goaway_again() -> None:
    peer = Peer()
    peer.connection.close(ErrorCode.NO_ERROR, "a test")
    assert [each.kind for each in peer.output()] == [frames.GOAWAY]
    peer.connection.retire()
    peer.connection.finish()
    assert peer.output() == []


UNDER_WAY = {
    "content": data(3, b"x" * 10, END_STREAM),
    "a reset": frames.reset(number(3), ErrorCode.CANCEL),
    "a window": update(3, 100),
    "trailers": frame(frames.HEADERS, WHOLE, number(3), block((b"checksum", b"1"), pseudo=())),
    "a priority": frame(frames.PRIORITY_UPDATE, 0, ZERO, number(3) + b"u=1"),
}


@pytest.mark.parametrize("what", UNDER_WAY)
def test_frames_of_a_stream_that_is_ignored_are_ignored(what: str) -> None:
    """The client may have sent them before it got GOAWAY (RFC 9113 6.8)."""
    peer = Peer()
    peer.ask(1, response(b"x" * 100_000))
    peer.connection.finish()
    assert not peer.send(headers(3, flags=END_HEADERS), UNDER_WAY[what], headers(5))
    assert not peer.connection.closed
    peer.send(update(0, 1 << 20), update(1, 1 << 20))
    assert sum(len(each.payload) for each in peer.all_frames()) == 100_000
    peer.send(update(0, 0))
    assert peer.output()[-1].payload[:4] == number(1), "the last that is processed stays the same"


def test_content_of_a_stream_that_is_ignored_is_given_back() -> None:
    peer = Peer()
    peer.connection.finish()
    peer.output()
    peer.send(headers(1, flags=END_HEADERS), *[data(1, bytes(16_384))] * 3)
    assert peer.output() == [Frame(frames.WINDOW_UPDATE, 0, 0, (32_768).to_bytes(4, "big"))]


def test_nothing_is_sent_on_a_stream_that_has_ended() -> None:
    peer = Peer()
    requests = peer.send(headers(1), headers(3), headers(5))
    for stream in (1, 3):
        peer.connection.open(number(stream), requests[stream])
    peer.connection.streams[number(3)].working = True
    peer.send(*[frames.reset(number(stream), ErrorCode.CANCEL) for stream in (1, 3)])
    for stream in (1, 3, 5):
        for answer in (response(), response(b"small"), response(b"x" * 100_000), file_response(10)):
            assert not peer.respond(stream, requests[stream], answer)
    assert not peer.all_frames()
    assert not peer.connection.unsent_streams
    assert list(peer.connection.streams) == [number(3)]


def test_after_an_error_no_response_is_sent() -> None:
    """The requests that were returned before stay as they are, since the server may be in the middle of them."""
    peer = Peer()
    events = peer.connection.receive(headers(1) + headers(3))
    peer.connection.close(ErrorCode.NO_ERROR, "too slow")
    assert len(events) == 2
    assert not peer.respond(1, events[number(1)], response(b"x"))
    assert not peer.connection.streams


def test_a_connection_retires_after_so_many_requests() -> None:
    peer = Peer(limits=ConnectionLimits(requests=3))
    peer.send(headers(1), headers(3))
    assert not peer.connection.retiring
    assert list(peer.send(headers(5), headers(7))) == [5, 7]
    assert peer.connection.retiring
    unlimited = Peer(limits=ConnectionLimits(requests=0))
    unlimited.send(headers(1))
    assert not unlimited.connection.retiring


def test_another_reader_reads_the_next_request() -> None:
    peer = Peer()
    first = peer.send(headers(1))[1]
    peer.connection.use_reader(RequestReader(Limits(), variant=lambda fields: b"v"))
    second = peer.send(headers(3))[3]
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert (first.fields.variant, second.fields.variant) == (b"", b"v")


def test_an_error_ends_what_is_under_way() -> None:
    peer = Peer()
    peer.ask(1, file_response(100_000))
    peer.send(headers(3), update(0, 0))
    last = peer.output()[-1]
    assert last.payload[:4] == number(1), "the request of the same bytes is not processed"
    assert peer.ended() == [1]
    assert not peer.connection.streams


def test_a_request_may_end_before_its_response() -> None:
    peer = Peer()
    request = peer.send(POST, data(1, b"abcde", END_STREAM))[1]
    assert number(1) in peer.connection.streams
    peer.respond(1, request, response())
    assert not peer.connection.streams


def test_the_server_may_end_the_connection() -> None:
    peer = Peer()
    peer.connection.close(ErrorCode.ENHANCE_YOUR_CALM, "too slow")
    assert goaway_code(peer) is ErrorCode.ENHANCE_YOUR_CALM
