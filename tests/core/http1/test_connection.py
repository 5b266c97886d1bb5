"""Connections: pipelining, persistence, closing and deadlines (RFC 9112 9, section A of docs/hazards.md)."""

import pytest

from pwb_async.core.events import CLOSED, NEED_DATA, BadRequest, ConnectionState
from pwb_async.core.http1.connection import Connection
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import SEGMENT, RequestParser
from pwb_async.core.http1.serializer import SHORT, prefix, preserialize
from pwb_async.core.semantics.messages import FileSlice, Request, Response
from tests.core.driver import MARKER, NOW, PARSER, Driver, FakeFile, byte_by_byte, converse, get, read_part

CLOSE = get(b"/a.txt", b"Connection: close")
HTTP10 = get(b"/a.txt", version=b"HTTP/1.0")
HTTP10_KEEP = get(b"/a.txt", b"Connection: keep-alive", version=b"HTTP/1.0")


def request_of(connection: Connection) -> Request:
    event = connection.next_event()
    assert isinstance(event, Request), event
    return event


# --- the field Connection ---


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
def test_the_field_connection_and_the_state_after_a_response(
    wire: bytes, connection: bytes | None, state: ConnectionState
) -> None:
    answer = converse([wire]).answers[0]
    assert answer.field(b"connection") == connection
    assert answer.state is state


@pytest.mark.parametrize("wire", [get(b"/%00"), CLOSE + b"more", get(b"/", b"Content-Length: 99999999")])
def test_9112_9_6_no_lingering_after_the_client_closed_its_sending_side(wire: bytes) -> None:
    driver = Driver()
    driver.connection.receive_data(wire)
    driver.connection.receive_data(b"")
    driver.answer_all()
    assert driver.conversation.state is ConnectionState.CLOSED


def test_every_response_has_server_and_date() -> None:
    driver = Driver(server=b"PWB/8.0")
    for answer in driver.send(get() + get(b"/none") + get(method=b"OPTIONS") + b"\0").answers:
        assert answer.wire.startswith(b"HTTP/1.1 %d " % answer.status)
        assert answer.field(b"server") == b"PWB/8.0"
        assert answer.field(b"date") == b"Tue, 14 Nov 2023 22:13:20 GMT"


# --- order and number of responses ---


def test_9112_4_a_status_that_is_not_ours_has_no_reason_phrase() -> None:
    """A guard of a program may return one."""
    assert prefix(418, b"PWB", 0).startswith(b"HTTP/1.1 418 \r\nServer: PWB\r\n")


def test_9112_9_3_2_pipelined_responses_are_in_order() -> None:
    targets = [b"/a.txt", b"/none", b"/sub/", b"/marker", b"/"]
    wire = b"".join(map(get, targets))
    for chunks in ([wire], byte_by_byte(wire)):
        conversation = converse(chunks)
        assert conversation.statuses == [200, 404, 200, 200, 200]
        assert [answer.request.request_line.split()[1] for answer in conversation.answers] == targets


def test_a14_one_response_at_a_time_however_many_requests_are_pipelined() -> None:
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


def test_a14_input_full_above_the_limit() -> None:
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


def test_a14_input_full_counts_only_bytes_behind_the_request() -> None:
    connection = Connection(PARSER)
    connection.receive_data(get(b"/", b"X: " + b"y" * 8000) * 9)
    request_of(connection)
    assert not connection.input_full


@pytest.mark.parametrize("limit", [1, 2, 1000])
def test_a6_requests_per_connection(limit: int) -> None:
    conversation = converse([get() * limit + MARKER], Limits(requests=limit))
    assert len(conversation.answers) == limit
    assert [answer.field(b"connection") for answer in conversation.answers] == [None] * (limit - 1) + [b"close"]
    assert conversation.state is ConnectionState.LINGER
    assert b"/marker" not in conversation.targets


def test_a6_no_limit_on_requests() -> None:
    assert converse([get() * 1500], Limits(requests=0)).is_open


def test_f2_close_after_response() -> None:
    driver = Driver()
    assert driver.send(get()).is_open
    driver.connection.close_after_response = True
    answer = driver.send(get() + MARKER).answers[-1]
    assert answer.field(b"connection") == b"close"
    assert answer.state is ConnectionState.LINGER
    assert driver.conversation.statuses == [200, 200]


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
def test_f2_safe_to_close_between_requests(sent: bytes, quiet: bool) -> None:
    assert Driver().send(*[sent] if sent else []).connection.safe_to_close is quiet


def test_f2_not_safe_to_close_while_a_response_is_due() -> None:
    connection = Connection(PARSER)
    connection.receive_data(get())
    request_of(connection)
    assert not connection.safe_to_close


def test_a9_reject() -> None:
    driver = Driver()
    driver.answer(driver.connection.reject())
    answer = driver.conversation.answers[0]
    assert answer.status == 503
    assert answer.field(b"retry-after") == b"1"
    assert answer.field(b"cache-control") == b"no-store"
    assert answer.field(b"connection") == b"close"
    assert answer.state is ConnectionState.LINGER
    assert driver.send(MARKER).statuses == [503]


# --- deadlines ---


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"\r\n\r\n", get(), get() + b"\r\n"])
def test_a1_a_timeout_without_a_request_closes_without_a_response(sent: bytes) -> None:
    driver = Driver()
    before = len(driver.send(*[sent] if sent else []).answers)
    assert driver.connection.expire() is CLOSED
    assert len(driver.conversation.answers) == before
    assert driver.conversation.state is ConnectionState.CLOSED


@pytest.mark.parametrize(
    "sent", [b"G", b"GET / HTTP/1.1\r\nHo", b"\r\nG", get() + b"G", b"GET / HTTP/1.1\r\nHost: h\r\n\r"]
)
def test_a2_a_timeout_within_a_head_is_answered_with_408(sent: bytes) -> None:
    driver = Driver()
    driver.send(sent)
    assert driver.conversation.state is ConnectionState.HEAD
    answer = driver.expire().answers[-1]
    assert answer.status == 408
    assert answer.field(b"connection") == b"close"
    assert driver.conversation.state is ConnectionState.LINGER


def test_a2_408_to_a_head_request_has_no_content() -> None:
    driver = Driver()
    driver.send(b"HEAD / HTTP/1.1\r\nHo")
    answer = driver.expire().answers[-1]
    assert (answer.status, answer.content) == (408, b"")
    assert answer.bad.first_line == b"HEAD / HTTP/1.1"


def test_a6_the_state_is_head_as_soon_as_a_request_begins() -> None:
    driver = Driver()
    assert driver.conversation.state is ConnectionState.HEAD
    assert driver.send(get()).state is ConnectionState.IDLE
    assert driver.send(b"\r\n").state is ConnectionState.IDLE
    assert driver.send(b"G").state is ConnectionState.HEAD


def test_9112_9_6_the_deadline_ends_lingering() -> None:
    driver = Driver()
    driver.send(b"\0")
    assert driver.connection.expire() is CLOSED
    assert driver.connection.next_event() is CLOSED
    assert driver.connection.expire() is CLOSED


# --- closing ---


def test_b8_after_an_invalid_request_input_is_discarded_up_to_the_limit() -> None:
    limits = Limits(bad_head=100)
    driver = Driver(limits)
    driver.send(b"\0" * 40)
    assert driver.send(b"x" * 59).last is NEED_DATA
    assert driver.send(b"x").last is CLOSED
    assert driver.conversation.state is ConnectionState.CLOSED


def test_b8_one_piece_beyond_the_limit_closes_at_once() -> None:
    driver = Driver(Limits(bad_head=100))
    assert driver.send(b"\0" * 500).last is CLOSED
    assert driver.conversation.statuses == [400]


def test_b8_requests_before_the_invalid_one_do_not_count_towards_the_limit() -> None:
    driver = Driver(Limits(bad_head=100))
    assert driver.send(get() * 5 + b"\0" * 99).last is NEED_DATA
    assert driver.send(b"x").last is CLOSED
    bad = b"GET / HTTP/2.0\r\n\r\n"
    driver = Driver(Limits(bad_head=len(bad) + 1))
    assert driver.send(get() * 5 + bad).last is NEED_DATA
    assert driver.send(b"x").last is CLOSED


def test_a13_an_upload_is_discarded_until_the_deadline() -> None:
    driver = Driver()
    driver.send(get(b"/", b"Content-Length: 8000000", method=b"POST"))
    for _ in range(100):
        assert driver.send(b"x" * 80_000).state is ConnectionState.LINGER
    assert driver.conversation.statuses == [405]
    assert driver.send(b"").state is ConnectionState.CLOSED


def test_9112_9_6_input_is_discarded_while_lingering() -> None:
    driver = Driver()
    driver.send(b"\0", *[MARKER] * 100)
    assert driver.conversation.statuses == [400]
    assert not driver.connection.input_full
    assert driver.send(b"").last is CLOSED


def test_input_after_the_end_is_discarded() -> None:
    driver = Driver()
    driver.send(CLOSE, *[b"x" * 65536] * 3)
    assert driver.conversation.last is CLOSED
    assert not driver.connection.input_full


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
        conversation = converse([*chunks, b""])
        assert conversation.statuses == statuses
        assert conversation.state is ConnectionState.CLOSED
        assert conversation.last is CLOSED


def test_9110_9_3_2_a_truncated_head_request_gets_no_content() -> None:
    answer = converse([b"HEAD / HTTP/1.1\r\nX", b""]).answers[0]
    assert (answer.status, answer.content) == (400, b"")


# --- parts of a response ---


@pytest.mark.parametrize("size", [0, 1, SHORT, SHORT + 1])
@pytest.mark.parametrize("wire", [get(), CLOSE, HTTP10_KEEP])
@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("more", [(), (b"more",)])
def test_parts_of_a_response(size: int, wire: bytes, prepared: bool, more: tuple[bytes, ...]) -> None:
    """Short content is in one part with the head; a preserialized response gives the same bytes."""
    content = b"x" * size
    response = Response(200, ((b"X", b"y"),), ((content,) if size else ()) + (more if size else ()))
    connection = Connection(PARSER)
    connection.receive_data(wire)
    request = request_of(connection)
    plain = connection.respond(request, response, NOW)
    if prepared:
        connection = Connection(PARSER)
        connection.receive_data(wire)
        preserialized = preserialize(response)
        assert preserialized.length == response.length
        assert b"".join(map(read_part, connection.respond(request_of(connection), preserialized, NOW))) == b"".join(
            map(read_part, plain)
        )
    head, _, sent = b"".join(map(read_part, plain)).partition(b"\r\n\r\n")
    assert sent == b"".join(map(read_part, response.parts))
    assert connection.head_length == len(head) + 4
    assert (len(plain) == 1) is (size <= SHORT and not (size and more))


def test_a_file_slice_is_a_part_of_its_own() -> None:
    connection = Connection(PARSER)
    connection.receive_data(get())
    part = FileSlice(FakeFile(b"0123456789"), 2, 3)
    head, second = connection.respond(request_of(connection), Response(200, (), (part,)), NOW)
    assert isinstance(head, bytes)
    assert head.endswith(b"\r\n\r\n")
    assert second is part


def test_a_bad_request_that_a_server_made_lingers() -> None:
    """The client may still be sending."""
    connection = Connection(PARSER)
    connection.respond(BadRequest(503, "detail"), Response(503, ()), NOW)
    assert connection.state is ConnectionState.LINGER


# --- receive() ---


def test_receive_returns_the_same_request_for_the_same_short_bytes() -> None:
    """Longer requests and several in one piece are not cached."""

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


def test_another_parser_is_used_for_the_next_request() -> None:
    connection = Connection(PARSER)
    requests = []
    for pieces in ((get()[:20], get()[20:]), (get(),)):
        for piece in pieces:
            event = connection.receive(piece)
            connection.use_parser(RequestParser(Limits(), lambda fields: b"other"))
        assert isinstance(event, Request)
        requests.append(event)
        connection.respond(event, Response(204, ()), NOW)
    assert [request.fields.variant for request in requests] == [b"other", b"other"]
    assert requests[0].cache_key == b"a.txt\0other"


def test_receive_uses_the_cache_only_where_a_request_may_begin() -> None:
    begun = Connection(PARSER)
    assert begun.receive(b"GET / HTTP/1.1\r\nHost: h\r\nX: ") is NEED_DATA
    event = begun.receive(b"GET /a.txt HTTP/1.0\r\n\r\n")
    assert isinstance(event, Request)
    assert event.target.segments == ()
    assert event.fields.get(b"x") == b"GET /a.txt HTTP/1.0"
    content = Driver()
    content.send(get(b"/", b"Content-Length: %d" % len(MARKER)), MARKER)
    assert content.conversation.statuses == [200]
    assert content.conversation.state is ConnectionState.IDLE


def test_b11_empty_lines_are_counted_for_each_request() -> None:
    driver = Driver()
    for _ in range(3):
        driver.send(b"\r\n" * 10)
        assert driver.send(get()).is_open
    assert driver.conversation.statuses == [200] * 3


def test_the_defaults_are_those_of_docs_hazards_b8() -> None:
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
    ("wire", "idle_and_empty"),
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
def test_it_is_idle_and_empty_if_the_next_event_is_need_data(wire: list[bytes], idle_and_empty: bool) -> None:
    connection = Connection(PARSER)
    for data in wire:
        connection.receive_data(data)
    event = connection.next_event()
    assert isinstance(event, Request | BadRequest)
    connection.respond(event, Response(204, ()), NOW)
    assert connection.idle_and_empty is idle_and_empty
    if idle_and_empty:
        assert connection.next_event() is NEED_DATA
