"""The order in which responses that wait are sent, and slices of files (RFC 9218)."""

import pytest

from pwb_async.core.events import BadRequest
from pwb_async.core.http2 import frames
from pwb_async.core.http2.errors import ErrorCode
from pwb_async.core.http2.frames import END_STREAM
from pwb_async.core.http2.hpack import literal
from pwb_async.core.http2.priority import Priority, parse_priority
from pwb_async.core.http2.responses import field_block

from .peer import Peer, file_response, headers, number, response, update


@pytest.mark.parametrize(
    ("value", "priority"),
    [
        (None, Priority(3, False)),
        (b"", Priority(3, False)),
        (b"u=0", Priority(0, False)),
        (b"u=0, i", Priority(0, True)),
        (b"i,u=7", Priority(7, True)),
        (b" i ;a=b, u=5;q", Priority(5, True)),
        (b"i=?0", Priority(3, False)),
        (b"i=?1", Priority(3, True)),
        (b"i=?1, i=?0", Priority(3, False)),
        (b"u=1, u=2", Priority(2, False)),
        (b"u=8", Priority(3, False)),
        (b"u=-1, i=1", Priority(3, False)),
        (b"u=12", Priority(3, False)),
        (b"menu=1, xi", Priority(3, False)),
    ],
)
def test_a_priority(value: bytes | None, priority: Priority) -> None:
    assert parse_priority(value) == priority


def waiting(*priorities: bytes, size: int = 40_000) -> Peer:
    """A peer with a response that waits for each of these priorities, on the streams 1, 3, ..."""
    peer = Peer()
    peer.send(frames.settings(((frames.INITIAL_WINDOW_SIZE, 0),)))
    for index, priority in enumerate(priorities):
        peer.ask(2 * index + 1, response(b"x" * size), (b"priority", priority))
    assert not peer.all_frames()
    peer.send(update(0, 1 << 20), frames.settings(((frames.INITIAL_WINDOW_SIZE, 1 << 20),)))
    return peer


def order(peer: Peer) -> list[int]:
    """The streams in the order of their frames."""
    return [frame.stream for frame in peer.all_frames(16384)]


def test_the_most_urgent_is_first_and_equals_follow_one_another() -> None:
    assert order(waiting(b"u=5", b"u=1", b"u=1", b"")) == [3] * 3 + [5] * 3 + [7] * 3 + [1] * 3


def test_incremental_ones_get_turns() -> None:
    assert order(waiting(b"i", b"i", b"u=3")) == [5] * 3 + [1, 3] * 3


def test_a_priority_can_be_changed() -> None:
    peer = waiting(b"", b"")
    peer.send(priority_update(3, b"u=0"))
    assert order(peer) == [3] * 3 + [1] * 3


def priority_update(stream: int, value: bytes) -> bytes:
    return frames.frame(frames.PRIORITY_UPDATE, 0, frames.CONNECTION, number(stream) + value)


@pytest.mark.parametrize("place", ["before", "behind"])
def test_a_priority_may_come_beside_its_request(place: str) -> None:
    """The field Priority has another one, which is older."""
    peer = waiting(b"u=2")
    update_of_3, request_3 = priority_update(3 + (1 << 31), b"u=1"), headers(3, (b"priority", b"u=7"))
    sent = (update_of_3, request_3) if place == "before" else (request_3, update_of_3)
    peer.respond(3, peer.send(*sent)[3], response(b"x" * 40_000))
    assert order(peer) == [3] * 3 + [1] * 3


def test_priorities_that_come_before_their_requests_are_kept_for_as_many_as_may_be_open() -> None:
    peer = Peer()
    for stream in range(1, 3001, 2):
        peer.send(priority_update(stream, b"u=1"))
        peer.ask(stream, response())
        peer.send(priority_update(stream, b"u=2"))
    kept = [priority_update(stream, b"u=1") for stream in range(3001, 3201, 2)]
    assert not peer.send(*kept)
    assert not peer.connection.closed
    assert len(peer.connection._early_priorities) == 100
    peer.send(priority_update(3301, b"u=1"))
    assert peer.connection.error is not None
    assert peer.connection.error.code is ErrorCode.PROTOCOL_ERROR


def test_changes_of_priority_take_no_memory() -> None:
    """Behind a long download the places of a stream that waits are not looked at."""
    peer = waiting(b"u=0", b"u=7", size=1 << 20)
    for number_of_turn in range(60):
        assert peer.next_frames(16_384)[0].stream == 1
        peer.send(*[priority_update(3, b"u=%d" % (6 + index % 2)) for index in range(10)])
        peer.send(*[priority_update(3, b"u=7, i")] * 10)
        assert len(peer.connection._order._heap) <= 4, number_of_turn


def test_the_same_priority_again_does_not_move_a_stream() -> None:
    peer = waiting(b"i", b"i")
    peer.send(priority_update(1, b"i"))
    assert order(peer) == [1, 3] * 3


def test_a_small_response_overtakes_those_that_wait() -> None:
    peer = waiting(b"")
    assert len(peer.ask(9, response(b"small"))) == 2


def test_slices_of_files_are_asked_for_when_it_is_their_turn() -> None:
    peer = Peer()
    answer = file_response(10, 20_000)
    answer.parts = (b"first ", *answer.parts, b" last")
    answer.length += 11
    peer.ask(1, answer)
    connection = peer.connection
    stream = connection.next_stream()
    assert stream is not None
    assert stream.next_slice is None
    assert [frame.payload for frame in peer.take(stream)] == [b"first "]
    stream = connection.next_stream()
    assert stream is not None
    assert stream.next_slice is not None
    assert stream.next_slice.length == 10
    stream.feed(memoryview(b"01234"))
    connection.queue(stream)
    stream = connection.next_stream()
    assert stream is not None
    assert [frame.payload for frame in peer.take(stream)] == [b"01234"]
    stream = connection.next_stream()
    assert stream is not None
    assert stream.next_slice is not None
    assert stream.next_slice[1:] == (5, 5)
    assert [frame.payload for frame in peer.take(stream)] == [b"fffff"]
    assert connection.next_stream() is stream
    sent = peer.take(stream)
    assert [len(frame.payload) for frame in sent] == [16384, 3616, 5]
    assert sent[-1].payload == b" last"
    assert sent[-1].flags == END_STREAM
    assert connection.next_stream() is None


def test_a_stream_whose_file_is_being_read_gets_no_turn() -> None:
    peer = Peer()
    peer.ask(1, file_response(70_000))
    stream = peer.connection.next_stream()
    assert stream is not None
    stream.working = True
    peer.send(update(1, 10), frames.settings(((frames.INITIAL_WINDOW_SIZE, 99_999),)))
    assert peer.connection.next_stream() is None
    peer.send(frames.reset(number(1), ErrorCode.CANCEL))
    assert peer.connection.streams
    peer.connection.end_work(stream)
    assert not peer.connection.streams


def test_a_file_can_be_replaced_by_another_descriptor() -> None:
    peer = Peer()
    answer = file_response(10, 10)
    answer.parts = (*answer.parts, b"end")
    answer.length += 3
    peer.ask(1, answer)
    stream = peer.connection.next_stream()
    assert stream is not None
    stream.replace_file(None)
    assert stream.parked
    [other] = [part.file for part in file_response(1).parts if not isinstance(part, bytes)]
    stream.replace_file(other)
    assert not stream.parked
    assert stream.next_slice is not None
    assert stream.next_slice.file is other
    peer.connection.queue(stream)
    assert b"".join(frame.payload for frame in peer.all_frames()) == b"f" * 20 + b"end"


def test_a_place_is_given_up_without_a_window() -> None:
    peer = waiting(b"", b"")
    peer.send(frames.settings(((frames.INITIAL_WINDOW_SIZE, 0),)))
    assert peer.connection.next_stream() is None
    peer.send(update(3, 5))
    assert order(peer) == [3]


def test_a_fault_of_the_server_costs_the_client_nothing() -> None:
    peer = Peer()
    peer.ask(1, file_response(100))
    peer.connection.budget = 0
    stream = peer.connection.streams[number(1)]
    peer.connection.cancel(stream, ErrorCode.INTERNAL_ERROR)
    assert peer.ended() == [1]
    [reset] = peer.output()
    assert (reset.kind, reset.code) == (frames.RST_STREAM, ErrorCode.INTERNAL_ERROR)
    peer.connection.cancel(stream, ErrorCode.INTERNAL_ERROR)
    assert not peer.ended()
    assert not peer.output()


def test_a_response_to_a_request_with_an_object_is_sent_in_its_turn() -> None:
    peer = Peer()
    request = peer.send(headers(1))[1]
    peer.connection.open(number(1), request)
    [head] = peer.respond(1, request, response(b"hello"))
    assert head.kind == frames.HEADERS
    assert [frame.payload for frame in peer.all_frames()] == [b"hello"]
    peer.connection.open(number(3), peer.send(headers(3))[3])
    assert len(peer.respond(3, request, response())) == 1
    assert not peer.connection.streams


def test_a_bad_request_may_have_no_fields() -> None:
    peer = Peer()
    stream = peer.connection.open(number(1), BadRequest(400, "no fields"))
    assert (stream.urgency, stream.head_size) == (3, 0)


# Fields of responses


def test_fields_are_written_as_http_2_has_them() -> None:
    """In lower case, without white space around a value, and without those of a connection of HTTP/1.1."""
    fields = ((b"Content-Type", b"text/html"), (b"X-A", b" b\t"), (b"Connection", b"close"), (b"Keep-Alive", b"5"))
    assert field_block(fields) == literal(b"content-type", b"text/html") + literal(b"x-a", b"b")


@pytest.mark.parametrize(
    "field", [(b"a\r\n", b"x"), (b"a", b"x\r\ny: z"), (b"a", b"\0"), (b"", b"x"), (b"a b", b"x"), (b"a:", b"x")]
)
def test_no_field_may_become_a_line_behind_a_proxy_c10(field: tuple[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="invalid field"):
        field_block((field,))
