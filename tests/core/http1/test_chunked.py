"""Content of requests: skipped within bounds, its framing checked, never mistaken for a request (RFC 9112 6, 7)."""

import pytest

from pwb_async.core.events import NEED_DATA, ConnectionState
from pwb_async.core.http1.limits import Limits
from tests.core.driver import MARKER, Peer, byte_by_byte, converse, cuts, get

CHUNKED = get(b"/a.txt", b"Transfer-Encoding: chunked", method=b"POST")
FEW = Limits(content=10, head=200, fields=4)


def post(length: int) -> bytes:
    return get(b"/a.txt", b"Content-Length: %d" % length, method=b"POST")


@pytest.mark.parametrize(
    ("content", "statuses", "kept"),
    [
        pytest.param(post(10) + b"x" * 10, [405, 200], True, id="B8-length-at-the-bound"),
        pytest.param(post(11) + b"x" * 11, [405], False, id="B8-length-over-the-bound"),
        pytest.param(CHUNKED + b"a\r\n0123456789\r\n0\r\n\r\n", [405, 200], True, id="B8-chunk-at-the-bound"),
        pytest.param(CHUNKED + b"b\r\n0123456789a\r\n0\r\n\r\n", [405], False, id="B8-chunk-over-the-bound"),
        pytest.param(CHUNKED + b"5\r\n01234\r\n5\r\n01234\r\n0\r\n\r\n", [405, 200], True, id="B8-chunks-at-the-bound"),
        pytest.param(CHUNKED + b"5\r\n01234\r\n6\r\n012345\r\n0\r\n\r\n", [405], False, id="B8-chunks-over-the-bound"),
        pytest.param(CHUNKED + b"b\r\n0123456789aXX-1\r\n", [405], False, id="B8-nothing-is-read-over-the-bound"),
        pytest.param(CHUNKED + b"b\r\nx\0", [405], False, id="B8-over-the-bound-then-nul"),
        pytest.param(CHUNKED + b"0\r\nX: " + b"y" * 187 + b"\r\n\r\n", [405, 200], True, id="B8-trailer-short"),
        pytest.param(CHUNKED + b"0\r\nX: " + b"y" * 193 + b"\r\n\r\n", [405, 200], True, id="B8-trailer-200"),
        pytest.param(CHUNKED + b"0\r\nX: " + b"y" * 194 + b"\r\n\r\n", [431], False, id="B8-trailer-201"),
        pytest.param(CHUNKED + b"0\r\n" + b"X: y\r\n" * 4 + b"\r\n", [405, 200], True, id="B8-trailers-4"),
        pytest.param(CHUNKED + b"0\r\n" + b"X: y\r\n" * 5 + b"\r\n", [431], False, id="B8-trailers-5"),
        pytest.param(CHUNKED + b"0\r\n" + b"X: y\r\n" * 5 + b"\0", [431], False, id="B8-trailers-5-before-nul"),
    ],
)
def test_bounds_of_content_cut_anywhere(content: bytes, statuses: list[int], kept: bool) -> None:
    for how, chunks in cuts(content + MARKER):
        talk = converse(chunks, FEW)
        assert talk.statuses == statuses, how
        assert talk.kept is kept, how
        assert (b"/marker" in talk.targets) is kept, how


@pytest.mark.parametrize("size", [65536, 1460, 11])
def test_default_bound_64_kib(size: int) -> None:
    for wire, kept in (
        (post(65536) + b"x" * 65536, True),
        (CHUNKED + b"10000\r\n" + b"x" * 65536 + b"\r\n0\r\n\r\n", True),
        (CHUNKED + b"8000\r\n" + b"x" * 32768 + b"\r\n8000\r\n" + b"x" * 32768 + b"\r\n1\r\n", False),
        (post(65537) + b"x" * 65537, False),
    ):
        assert converse([wire[at : at + size] for at in range(0, len(wire), size)]).kept is kept


def test_a3_content_of_known_length_is_answered_at_once() -> None:
    peer = Peer()
    assert peer.send(post(1000)).statuses == [405]
    assert peer.talk.state is ConnectionState.CONTENT
    assert peer.send(b"x" * 999).state is ConnectionState.CONTENT
    assert peer.send(b"x").state is ConnectionState.IDLE
    assert peer.send(MARKER).statuses == [405, 200]


def test_a3_silence_in_the_content_ends_in_silence() -> None:
    peer = Peer()
    peer.send(post(1000), b"x")
    assert peer.expire().statuses == [405]
    assert peer.talk.state is ConnectionState.CLOSED


def test_end_of_file_in_content_that_was_answered() -> None:
    talk = converse([post(10) + b"x", b""])
    assert talk.statuses == [405]
    assert talk.state is ConnectionState.CLOSED


def test_chunked_content_is_read_before_the_answer() -> None:
    peer = Peer()
    assert peer.send(CHUNKED + b"5\r\nhello\r\n").statuses == []
    assert peer.talk.state is ConnectionState.CONTENT
    assert peer.talk.last is NEED_DATA
    assert peer.send(b"0\r\n\r\n").statuses == [405]
    assert peer.talk.state is ConnectionState.IDLE


@pytest.mark.parametrize("sent", [b"", b"5", b"5\r\nhel", b"5\r\nhello\r", b"0\r\n", b"0\r\nX: y\r\n", b"0\r\n\r"])
def test_a2_slow_chunks_are_answered_408(sent: bytes) -> None:
    peer = Peer()
    peer.send(CHUNKED + sent)
    answer = peer.expire().answers[-1]
    assert answer.status == 408
    assert answer.field(b"connection") == b"close"
    assert answer.state is ConnectionState.LINGER
    assert answer.bad.first_line == b"POST /a.txt HTTP/1.1"
    assert answer.bad.fields is not None


def test_a_head_request_in_the_middle_of_its_chunks_gets_no_content_with_408() -> None:
    peer = Peer()
    peer.send(get(b"/", b"Transfer-Encoding: chunked", method=b"HEAD") + b"5\r\n")
    assert peer.expire().answers[-1].content == b""


def test_what_is_behind_a_faulty_chunk_is_no_request() -> None:
    for chunks in ([CHUNKED + b"x\r\n" + MARKER], byte_by_byte(CHUNKED + b"x\r\n" + MARKER)):
        talk = converse(chunks)
        assert talk.statuses == [400]
        assert talk.targets == []


def test_the_second_content_is_counted_anew() -> None:
    one = CHUNKED + b"8\r\n01234567\r\n0\r\n\r\n"
    assert converse([one * 3 + (post(8) + b"x" * 8) * 3], FEW).statuses == [405] * 6


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n", b"0\r\nX: y\r\n\r\n"])
def test_9112_7_1_chunks_end_where_the_next_request_begins(end: bytes) -> None:
    """To the byte: not even an empty line is left over."""
    strict = Limits(blank_lines=0)
    assert converse([CHUNKED + end + MARKER], strict).statuses == [405, 200]
    assert converse([CHUNKED + end + b"\r\n" + MARKER], strict).statuses == [405, 400]


def test_a_length_ends_where_the_next_request_begins() -> None:
    assert converse([(post(3) + b"abc") * 2 + MARKER], Limits(blank_lines=0)).statuses == [405, 405, 200]
