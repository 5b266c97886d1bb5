"""Responses of HTTP/2 whose content is added while they are sent."""

from pwb_async.core.http2 import frames
from pwb_async.core.http2.errors import ErrorCode
from pwb_async.core.http2.frames import DATA, END_STREAM, HEADERS
from pwb_async.core.http2.hpack import SIZE_UPDATE_0
from pwb_async.core.http2.streams import Stream
from pwb_async.core.semantics.messages import Response

from .peer import Frame, Peer, data, headers, number, read_frames, response, update

STREAM = Response(200, ((b"Content-Type", b"text/event-stream"),))


def begin(peer: Peer, stream: int = 1, flags: int = frames.END_HEADERS | END_STREAM) -> Stream:
    """A stream whose response has been begun."""
    event = peer.send(headers(stream, flags=flags))[stream]
    opened = peer.connection.open(number(stream), event)
    [head] = read_frames(peer.connection.begin_streaming(opened, STREAM, 0.0))
    assert (head.kind, head.flags, head.stream) == (HEADERS, frames.END_HEADERS, stream)
    return opened


def test_content_is_sent_as_it_is_added_until_the_end() -> None:
    peer = Peer()
    stream = begin(peer)
    assert peer.next_frames() == []
    for piece in (b"one", b"two"):
        peer.connection.add_content(stream, piece)
        assert peer.connection.unsent_streams == 1
        assert peer.next_frames() == [Frame(DATA, 0, 1, piece)]
        assert peer.connection.unsent_streams == 0
        assert not stream.ended
    peer.connection.end_content(stream)
    assert peer.output() == [Frame(DATA, END_STREAM, 1, b"")]
    assert stream.ended
    assert not peer.connection.streams


def test_the_end_waits_for_what_has_not_been_sent() -> None:
    peer = Peer()
    stream = begin(peer)
    peer.connection.add_content(stream, b"one")
    peer.connection.add_content(stream, b"two")
    assert peer.connection.unsent_streams == 1
    peer.connection.end_content(stream)
    assert peer.output() == []
    assert peer.all_frames() == [Frame(DATA, 0, 1, b"one"), Frame(DATA, END_STREAM, 1, b"two")]
    assert stream.ended


def test_the_windows_apply() -> None:
    peer = Peer()
    peer.send(frames.settings(((frames.INITIAL_WINDOW_SIZE, 2),)))
    peer.output()
    stream = begin(peer)
    peer.connection.add_content(stream, b"abc")
    assert peer.all_frames() == [Frame(DATA, 0, 1, b"ab")]
    peer.send(update(1, 10))
    assert peer.all_frames() == [Frame(DATA, 0, 1, b"c")]


def test_other_responses_go_on() -> None:
    peer = Peer()
    stream = begin(peer)
    assert peer.ask(3, response(b"hi"))[-1] == Frame(DATA, END_STREAM, 3, b"hi")
    peer.connection.add_content(stream, b"x")
    assert peer.all_frames() == [Frame(DATA, 0, 1, b"x")]


def test_a_client_can_end_it() -> None:
    peer = Peer()
    stream = begin(peer)
    peer.send(frames.reset(number(1), ErrorCode.CANCEL))
    assert stream.ended
    assert peer.ended() == [1]


def test_a_request_may_end_before_the_response() -> None:
    peer = Peer()
    stream = begin(peer, flags=frames.END_HEADERS)
    peer.send(data(1, b"x", END_STREAM))
    assert not stream.ended
    peer.connection.end_content(stream)
    assert stream.ended


def test_a_response_may_end_before_the_request() -> None:
    peer = Peer()
    stream = begin(peer, flags=frames.END_HEADERS)
    peer.connection.end_content(stream)
    assert peer.output() == [Frame(DATA, END_STREAM, 1, b"")]
    assert list(peer.connection.answered.values()) == [stream]
    peer.send(data(1, b"x", END_STREAM))
    assert stream.ended


def test_a_head_tells_the_client_that_its_table_is_reduced() -> None:
    peer = Peer()
    peer.send(frames.settings(((frames.HEADER_TABLE_SIZE, 0),)))
    peer.output()
    event = peer.send(headers(1))[1]
    head = peer.connection.begin_streaming(peer.connection.open(number(1), event), STREAM, 0.0)
    [frame] = read_frames(head)
    assert frame.payload.startswith(SIZE_UPDATE_0)
