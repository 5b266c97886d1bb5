"""The life of a connection: pipelining, persistence, its end, and what a deadline does (RFC 9112 9, section A of
docs/hazards.md)."""

import pytest

from pwb_async.core.events import CLOSED, NEED_DATA, BadRequest, ConnectionState
from pwb_async.core.http1.connection import Connection
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import SEGMENT
from pwb_async.core.http1.serializer import SHORT, preserialize
from pwb_async.core.semantics.messages import FileSlice, Request, Response
from tests.core.driver import MARKER, NOW, PARSER, FakeFile, Peer, byte_by_byte, converse, get, read_part

CLOSE = get(b"/a.txt", b"Connection: close")
HTTP10 = get(b"/a.txt", version=b"HTTP/1.0")
HTTP10_KEEP = get(b"/a.txt", b"Connection: keep-alive", version=b"HTTP/1.0")


def request_of(connection: Connection) -> Request:
    event = connection.next_event()
    assert isinstance(event, Request), event
    return event


# --- what an answer says of the connection -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wire", "connection", "state"),
    [
        pytest.param(get(), None, ConnectionState.IDLE, id="9112-9.3-http11-says-nothing"),
        pytest.param(CLOSE, b"close", ConnectionState.CLOSED, id="9112-9.6-close-is-confirmed"),
        pytest.param(HTTP10, b"close", ConnectionState.CLOSED, id="9112-9.3-http10-closes"),
        pytest.param(HTTP10_KEEP, b"keep-alive", ConnectionState.IDLE, id="9112-C.2.2-http10-keep-alive-is-confirmed"),
        pytest.param(get(b"/%00"), b"close", ConnectionState.LINGER, id="9112-9.6-fault-lingers"),
        pytest.param(CLOSE + b"more", b"close", ConnectionState.LINGER, id="9112-9.6-unread-bytes-linger"),
        pytest.param(HTTP10 + MARKER, b"close", ConnectionState.LINGER, id="9112-9.6-http10-unread-bytes-linger"),
        pytest.param(
            get(b"/", b"Connection: close", b"Content-Length: 5", method=b"POST"),
            b"close",
            ConnectionState.LINGER,
            id="9112-9.6-unsent-content-lingers",
        ),
        pytest.param(get(b"/", b"Content-Length: 99999999"), b"close", ConnectionState.LINGER, id="A13-upload-lingers"),
        pytest.param(
            get(b"/", b"Expect: 100-continue", b"Content-Length: 1"), b"close", ConnectionState.LINGER, id="A16-expect"
        ),
    ],
)
def test_connection_field_and_what_comes_next(wire: bytes, connection: bytes | None, state: ConnectionState) -> None:
    answer = converse([wire]).answers[0]
    assert answer.field(b"connection") == connection
    assert answer.state is state


@pytest.mark.parametrize("wire", [get(b"/%00"), CLOSE + b"more", get(b"/", b"Content-Length: 99999999")])
def test_9112_9_6_a_client_that_said_everything_is_not_lingered_for(wire: bytes) -> None:
    peer = Peer()
    peer.connection.receive_data(wire)
    peer.connection.receive_data(b"")
    peer.answer_all()
    assert peer.talk.state is ConnectionState.CLOSED


def test_9112_9_5_every_answer_has_server_and_date() -> None:
    peer = Peer(server=b"PWB/8.0")
    for answer in peer.send(get() + get(b"/none") + get(method=b"OPTIONS") + b"\0").answers:
        assert answer.wire.startswith(b"HTTP/1.1 %d " % answer.status)
        assert answer.field(b"server") == b"PWB/8.0"
        assert answer.field(b"date") == b"Tue, 14 Nov 2023 22:13:20 GMT"


# --- order and number ----------------------------------------------------------------------------------------


def test_9112_9_3_2_pipelined_answers_come_in_order() -> None:
    targets = [b"/a.txt", b"/none", b"/sub/", b"/marker", b"/"]
    wire = b"".join(map(get, targets))
    for chunks in ([wire], byte_by_byte(wire)):
        talk = converse(chunks)
        assert talk.statuses == [200, 404, 200, 200, 200]
        assert [answer.request.request_line.split()[1] for answer in talk.answers] == targets


def test_a14_one_answer_at_a_time_whatever_waits_behind() -> None:
    connection = Connection(PARSER)
    connection.receive_data(MARKER * 3)
    for _ in range(3):
        request = request_of(connection)
        assert connection.state is ConnectionState.RESPONDING
        with pytest.raises(RuntimeError):
            connection.next_event()
        connection.receive_data(b"\r\n")
        connection.respond(request, Response(204, ()), NOW)
    assert connection.next_event() is NEED_DATA


def test_a14_crowded_tells_when_to_stop_reading() -> None:
    connection = Connection(PARSER)
    limit = Limits().pipelined
    connection.receive_data(MARKER)
    request = request_of(connection)
    assert not connection.input_full
    connection.receive_data(b"x" * limit)
    assert not connection.input_full
    connection.receive_data(b"x")
    assert connection.input_full
    connection.respond(request, Response(204, ()), NOW)
    connection.next_event()
    assert not connection.input_full


def test_a14_crowded_counts_what_is_behind_the_request_only() -> None:
    connection = Connection(PARSER)
    connection.receive_data(get(b"/", b"X: " + b"y" * 8000) * 9)
    request_of(connection)
    assert not connection.input_full


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_a6_requests_per_connection(limit: int) -> None:
    talk = converse([get() * limit + MARKER], Limits(requests=limit))
    assert len(talk.answers) == limit
    assert [answer.field(b"connection") for answer in talk.answers] == [None] * (limit - 1) + [b"close"]
    assert talk.state is ConnectionState.LINGER
    assert b"/marker" not in talk.targets


def test_a6_no_bound_on_requests() -> None:
    assert converse([get() * 1500], Limits(requests=0)).kept


def test_f2_last_makes_the_next_answer_the_last() -> None:
    peer = Peer()
    assert peer.send(get()).kept
    peer.connection.close_after_response = True
    answer = peer.send(get() + MARKER).answers[-1]
    assert answer.field(b"connection") == b"close"
    assert answer.state is ConnectionState.LINGER
    assert peer.talk.statuses == [200, 200]


@pytest.mark.parametrize(
    ("sent", "quiet"),
    [
        pytest.param(b"", True, id="nothing"),
        pytest.param(b"\r\n", True, id="an-empty-line"),
        pytest.param(b"G", False, id="a-head-has-begun"),
        pytest.param(get(), True, id="between-requests"),
        pytest.param(get() + b"G", False, id="the-next-has-begun"),
        pytest.param(get(b"/", b"Content-Length: 5"), False, id="content-to-come"),
        pytest.param(b"\0", False, id="lingering"),
        pytest.param(CLOSE, False, id="over"),
    ],
)
def test_f2_quiet_where_closing_loses_nothing(sent: bytes, quiet: bool) -> None:
    assert Peer().send(*[sent] if sent else []).connection.safe_to_close is quiet


def test_f2_not_quiet_while_an_answer_is_owed() -> None:
    connection = Connection(PARSER)
    connection.receive_data(get())
    request_of(connection)
    assert not connection.safe_to_close


def test_a9_turn_away() -> None:
    peer = Peer()
    peer.answer(peer.connection.reject())
    answer = peer.talk.answers[0]
    assert answer.status == 503
    assert answer.field(b"retry-after") == b"1"
    assert answer.field(b"cache-control") == b"no-store"
    assert answer.field(b"connection") == b"close"
    assert answer.state is ConnectionState.LINGER
    assert peer.send(MARKER).statuses == [503]


# --- deadlines -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"\r\n\r\n", get(), get() + b"\r\n"])
def test_a1_silence_ends_in_silence(sent: bytes) -> None:
    peer = Peer()
    before = len(peer.send(*[sent] if sent else []).answers)
    assert peer.connection.expire() is CLOSED
    assert len(peer.talk.answers) == before
    assert peer.talk.state is ConnectionState.CLOSED


@pytest.mark.parametrize(
    "sent", [b"G", b"GET / HTTP/1.1\r\nHo", b"\r\nG", get() + b"G", b"GET / HTTP/1.1\r\nHost: h\r\n\r"]
)
def test_a2_a_request_that_had_begun_is_answered_408(sent: bytes) -> None:
    peer = Peer()
    peer.send(sent)
    assert peer.talk.state is ConnectionState.HEAD
    answer = peer.expire().answers[-1]
    assert answer.status == 408
    assert answer.field(b"connection") == b"close"
    assert peer.talk.state is ConnectionState.LINGER


def test_a2_408_to_a_head_request_has_no_content() -> None:
    peer = Peer()
    peer.send(b"HEAD / HTTP/1.1\r\nHo")
    answer = peer.expire().answers[-1]
    assert (answer.status, answer.content) == (408, b"")
    assert answer.bad.first_line == b"HEAD / HTTP/1.1"


def test_a6_a_request_that_begins_is_waited_for_as_a_head_not_as_idle() -> None:
    peer = Peer()
    assert peer.talk.state is ConnectionState.HEAD
    assert peer.send(get()).state is ConnectionState.IDLE
    assert peer.send(b"\r\n").state is ConnectionState.IDLE
    assert peer.send(b"G").state is ConnectionState.HEAD


def test_9112_9_6_lingering_ends_with_the_deadline() -> None:
    peer = Peer()
    peer.send(b"\0")
    assert peer.connection.expire() is CLOSED
    assert peer.connection.next_event() is CLOSED
    assert peer.connection.expire() is CLOSED


# --- the end -------------------------------------------------------------------------------------------------


def test_b8_a_refused_client_is_read_up_to_the_bound() -> None:
    limits = Limits(bad_head=100)
    peer = Peer(limits)
    peer.send(b"\0" * 40)
    assert peer.send(b"x" * 59).last is NEED_DATA
    assert peer.send(b"x").last is CLOSED
    assert peer.talk.state is ConnectionState.CLOSED


def test_b8_a_flood_in_one_piece_is_over_the_bound_at_once() -> None:
    peer = Peer(Limits(bad_head=100))
    assert peer.send(b"\0" * 500).last is CLOSED
    assert peer.talk.statuses == [400]


def test_b8_what_was_answered_before_does_not_count_towards_the_bound() -> None:
    peer = Peer(Limits(bad_head=100))
    assert peer.send(get() * 5 + b"\0" * 99).last is NEED_DATA
    assert peer.send(b"x").last is CLOSED
    bad = b"GET / HTTP/2.0\r\n\r\n"
    peer = Peer(Limits(bad_head=len(bad) + 1))
    assert peer.send(get() * 5 + bad).last is NEED_DATA
    assert peer.send(b"x").last is CLOSED


def test_a13_an_upload_is_read_without_bound_until_the_deadline() -> None:
    peer = Peer()
    peer.send(get(b"/", b"Content-Length: 8000000", method=b"POST"))
    for _ in range(100):
        assert peer.send(b"x" * 80_000).state is ConnectionState.LINGER
    assert peer.talk.statuses == [405]
    assert peer.send(b"").state is ConnectionState.CLOSED


def test_9112_9_6_lingering_keeps_nothing_and_answers_nothing() -> None:
    peer = Peer()
    peer.send(b"\0", *[MARKER] * 100)
    assert peer.talk.statuses == [400]
    assert not peer.connection.input_full
    assert peer.send(b"").last is CLOSED


def test_nothing_is_kept_of_what_comes_after_the_end() -> None:
    peer = Peer()
    peer.send(CLOSE, *[b"x" * 65536] * 3)
    assert peer.talk.last is CLOSED
    assert not peer.connection.input_full


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        pytest.param(b"", [], id="9112-9.6-nothing"),
        pytest.param(b"\r\n\r\n", [], id="9112-2.2-empty-lines"),
        pytest.param(get(), [200], id="A8-half-close-behind-a-request"),
        pytest.param(get() * 3, [200] * 3, id="A8-half-close-behind-three"),
        pytest.param(get() + b"GET", [200, 400], id="9112-8-half-close-in-the-next"),
        pytest.param(b"HEAD / HTTP/1.1\r\nX", [400], id="9112-8-half-close-in-a-head"),
    ],
)
def test_half_close(sent: bytes, statuses: list[int]) -> None:
    for chunks in ([sent] if sent else [], byte_by_byte(sent)):
        talk = converse([*chunks, b""])
        assert talk.statuses == statuses
        assert talk.state is ConnectionState.CLOSED
        assert talk.last is CLOSED


def test_9110_9_3_2_no_content_for_a_head_request_that_was_cut_off() -> None:
    answer = converse([b"HEAD / HTTP/1.1\r\nX", b""]).answers[0]
    assert (answer.status, answer.content) == (400, b"")


# --- how an answer is put together ---------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, SHORT, SHORT + 1])
@pytest.mark.parametrize("wire", [get(), CLOSE, HTTP10_KEEP])
@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("more", [(), (b"more",)])
def test_parts_of_an_answer(size: int, wire: bytes, prepared: bool, more: tuple[bytes, ...]) -> None:
    """Short content goes out with its head; a prepared tail gives the same bytes."""
    content = b"x" * size
    response = Response(200, ((b"X", b"y"),), ((content,) if size else ()) + (more if size else ()))
    connection = Connection(PARSER)
    connection.receive_data(wire)
    request = request_of(connection)
    plain = connection.respond(request, response, NOW)
    if prepared:
        connection = Connection(PARSER)
        connection.receive_data(wire)
        prepared_one = preserialize(response)
        assert prepared_one.length == response.length
        assert b"".join(map(read_part, connection.respond(request_of(connection), prepared_one, NOW))) == b"".join(
            map(read_part, plain)
        )
    head, _, sent = b"".join(map(read_part, plain)).partition(b"\r\n\r\n")
    assert sent == b"".join(map(read_part, response.parts))
    assert connection.head_length == len(head) + 4
    assert (len(plain) == 1) is (size <= SHORT and not (size and more))


def test_a_file_is_handed_on_as_a_slice() -> None:
    connection = Connection(PARSER)
    connection.receive_data(get())
    part = FileSlice(FakeFile(b"0123456789"), 2, 3)
    head, second = connection.respond(request_of(connection), Response(200, (), (part,)), NOW)
    assert isinstance(head, bytes)
    assert head.endswith(b"\r\n\r\n")
    assert second is part


def test_a_bad_request_that_a_driver_made_itself_lingers() -> None:
    """Whoever is told that it is no request may still be sending."""
    connection = Connection(PARSER)
    connection.respond(BadRequest(503, "detail"), Response(503, ()), NOW)
    assert connection.state is ConnectionState.LINGER


# --- the short way ---


def test_a_request_in_one_piece_is_read_once_for_all_connections() -> None:
    """receive() is memoised: the same short bytes give the same Request, longer ones and several do not."""

    def read(wire: bytes) -> Request:
        event = Connection(PARSER).receive(wire)
        assert isinstance(event, Request)
        return event

    assert read(get()) is read(get())
    exact = get(b"/", b"X: " + b"y" * (SEGMENT - len(get(b"/", b"X: "))))
    assert len(exact) == SEGMENT
    assert read(exact) is read(exact)
    for wire in (b"\r\n" + get(), get() + get(), get(b"/", b"X: " + b"y" * SEGMENT)):
        assert read(wire) is not read(wire)


def test_the_short_way_is_not_taken_while_something_else_is_under_way() -> None:
    begun = Connection(PARSER)
    assert begun.receive(b"GET / HTTP/1.1\r\nHost: h\r\nX: ") is NEED_DATA
    event = begun.receive(b"GET /a.txt HTTP/1.0\r\n\r\n")
    assert isinstance(event, Request)
    assert event.target.segments == ()
    assert event.fields.get(b"x") == b"GET /a.txt HTTP/1.0"
    content = Peer()
    content.send(get(b"/", b"Content-Length: %d" % len(MARKER)), MARKER)
    assert content.talk.statuses == [200]
    assert content.talk.state is ConnectionState.IDLE


def test_b11_empty_lines_are_counted_anew_behind_every_request() -> None:
    peer = Peer()
    for _ in range(3):
        peer.send(b"\r\n" * 10)
        assert peer.send(get()).kept
    assert peer.talk.statuses == [200] * 3


def test_the_defaults_are_those_of_the_hazard_table_b8() -> None:
    assert Limits()._asdict() == {
        "request_line": 8190,
        "field": 8190,
        "fields": 100,
        "head": 32768,
        "content": 65536,
        "requests": 1000,
        "pipelined": 65536,
        "blank_lines": 10,
        "bad_head": 221184,
    }


@pytest.mark.parametrize(
    ("wire", "idle"),
    [
        pytest.param([get()], True, id="nothing-behind"),
        pytest.param([HTTP10_KEEP], True, id="http10-keep-alive"),
        pytest.param([get() + b"G"], False, id="the-next-has-begun"),
        pytest.param([get() + b"\r\n"], False, id="an-empty-line-behind"),
        pytest.param([get(), b""], False, id="end-of-file"),
        pytest.param([get(b"/", b"Content-Length: 5")], False, id="content-to-come"),
        pytest.param([CLOSE], False, id="close"),
        pytest.param([b"\0"], False, id="no-request"),
    ],
)
def test_idle_where_the_next_event_would_be_need_data(wire: list[bytes], idle: bool) -> None:
    connection = Connection(PARSER)
    for data in wire:
        connection.receive_data(data)
    event = connection.next_event()
    assert isinstance(event, Request | BadRequest)
    connection.respond(event, Response(204, ()), NOW)
    assert connection.idle is idle
    if idle:
        assert connection.next_event() is NEED_DATA
