"""Streams: a file that is closed in the middle of its content, and opened again. Frames that are received in pieces."""

from pwb_async.core.http2 import frames
from pwb_async.core.semantics.messages import FileSlice

from .peer import WHOLE, NoFile, Peer, block, data, file_response, headers, number, update


def test_what_was_read_of_a_closed_file_is_read_again() -> None:
    peer = Peer()
    peer.ask(1, file_response(100, 50))
    stream = peer.connection.next_stream()
    assert stream is not None
    stream.feed(memoryview(b"f" * 60))
    peer.connection.take(stream, 60)
    assert (stream.unsent, stream.buffer) == (90, b"")
    stream.feed(memoryview(b"f" * 40))
    peer.send(frames.settings(((frames.INITIAL_WINDOW_SIZE, 70),)))
    taken = peer.connection.next_stream()
    assert taken is stream
    peer.connection.take(stream, 100)
    assert (stream.unsent, len(stream.buffer)) == (80, 30)
    stream.replace_file(None)
    assert not stream.buffer
    assert stream.next_slice == FileSlice(None, 70, 30)  # type: ignore[arg-type]
    stream.replace_file(again := NoFile())
    assert stream.next_slice == FileSlice(again, 70, 30)
    peer.send(update(1, 1000))
    assert sum(len(frame.payload) for frame in peer.all_frames()) == 80


def test_a_frame_that_has_begun_advances_when_it_ends() -> None:
    peer = Peer()
    request = headers(1)
    advanced = []
    for piece in (request[:5], request[5:20], request[20:] + headers(3)[:1], headers(3)[1:]):
        peer.send(piece)
        advanced.append(peer.connection.advanced)
    assert advanced == [False, False, True, True]
    whole = block()
    begin = frames.frame(frames.HEADERS, frames.END_STREAM, number(5), whole[:5])
    more = frames.frame(frames.CONTINUATION, 0, number(5), whole[5:9])
    end = frames.frame(frames.CONTINUATION, WHOLE, number(5), whole[9:])
    advanced = []
    for piece in (begin, more, end):
        peer.send(piece)
        advanced.append(peer.connection.advanced)
    assert advanced == [True, False, True], "a field block has one time for all its frames"


def test_the_content_of_frames_behind_a_position() -> None:
    sent = headers(1) + data(1, b"a" * 10) + data(3, b"b" * 5) + data(1, b"c" * 20)
    end = len(sent)
    assert frames.content_behind(sent, 0) == {number(1): 30, number(3): 5}
    assert frames.content_behind(sent, end - 3) == {number(1): 3}
    assert frames.content_behind(sent, end - 20 - 9 - 2) == {number(1): 20, number(3): 2}
    assert frames.content_behind(sent, end) == {}
