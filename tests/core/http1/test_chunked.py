"""The content of requests: it is discarded within limits, and never read as a request (RFC 9112 6, 7)."""

import pytest

from pwb_async.core.events import NEED_DATA, ConnectionState
from pwb_async.core.http1.limits import Limits
from tests.core.driver import MARKER, Driver, byte_by_byte, converse, cuts, get

CHUNKED = get(b"/a.txt", b"Transfer-Encoding: chunked", method=b"POST")
FEW = Limits(content=10, head=200, fields=4)


def post(length: int) -> bytes:
    return get(b"/a.txt", b"Content-Length: %d" % length, method=b"POST")


@pytest.mark.parametrize(
    ("content", "statuses", "is_open"),
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
def test_limits_on_content_however_it_is_split(content: bytes, statuses: list[int], is_open: bool) -> None:
    for how, chunks in cuts(content + MARKER):
        conversation = converse(chunks, FEW)
        assert conversation.statuses == statuses, how
        assert conversation.is_open is is_open, how
        assert (b"/marker" in conversation.targets) is is_open, how


@pytest.mark.parametrize("size", [65536, 1460, 11])
def test_the_default_limit_on_content_is_64_kib(size: int) -> None:
    for wire, is_open in (
        (post(65536) + b"x" * 65536, True),
        (CHUNKED + b"10000\r\n" + b"x" * 65536 + b"\r\n0\r\n\r\n", True),
        (CHUNKED + b"8000\r\n" + b"x" * 32768 + b"\r\n8000\r\n" + b"x" * 32768 + b"\r\n1\r\n", False),
        (post(65537) + b"x" * 65537, False),
    ):
        assert converse([wire[at : at + size] for at in range(0, len(wire), size)]).is_open is is_open


def test_a3_content_of_known_length_does_not_delay_the_response() -> None:
    driver = Driver()
    assert driver.send(post(1000)).statuses == [405]
    assert driver.conversation.state is ConnectionState.CONTENT
    assert driver.send(b"x" * 999).state is ConnectionState.CONTENT
    assert driver.send(b"x").state is ConnectionState.IDLE
    assert driver.send(MARKER).statuses == [405, 200]


def test_a3_a_timeout_within_content_closes_without_a_response() -> None:
    driver = Driver()
    driver.send(post(1000), b"x")
    assert driver.expire().statuses == [405]
    assert driver.conversation.state is ConnectionState.CLOSED


def test_end_of_file_within_content_after_the_response() -> None:
    conversation = converse([post(10) + b"x", b""])
    assert conversation.statuses == [405]
    assert conversation.state is ConnectionState.CLOSED


def test_chunked_content_is_read_before_the_response() -> None:
    driver = Driver()
    assert driver.send(CHUNKED + b"5\r\nhello\r\n").statuses == []
    assert driver.conversation.state is ConnectionState.CONTENT
    assert driver.conversation.last is NEED_DATA
    assert driver.send(b"0\r\n\r\n").statuses == [405]
    assert driver.conversation.state is ConnectionState.IDLE


@pytest.mark.parametrize("sent", [b"", b"5", b"5\r\nhel", b"5\r\nhello\r", b"0\r\n", b"0\r\nX: y\r\n", b"0\r\n\r"])
def test_a2_a_timeout_within_chunks_is_answered_with_408(sent: bytes) -> None:
    driver = Driver()
    driver.send(CHUNKED + sent)
    answer = driver.expire().answers[-1]
    assert answer.status == 408
    assert answer.field(b"connection") == b"close"
    assert answer.state is ConnectionState.LINGER
    assert answer.bad.first_line == b"POST /a.txt HTTP/1.1"
    assert answer.bad.fields is not None


def test_a_408_to_a_head_request_with_chunks_has_no_content() -> None:
    driver = Driver()
    driver.send(get(b"/", b"Transfer-Encoding: chunked", method=b"HEAD") + b"5\r\n")
    assert driver.expire().answers[-1].content == b""


def test_bytes_behind_an_invalid_chunk_are_not_read_as_a_request() -> None:
    for chunks in ([CHUNKED + b"x\r\n" + MARKER], byte_by_byte(CHUNKED + b"x\r\n" + MARKER)):
        conversation = converse(chunks)
        assert conversation.statuses == [400]
        assert conversation.targets == []


def test_the_limit_applies_to_the_content_of_each_request() -> None:
    one = CHUNKED + b"8\r\n01234567\r\n0\r\n\r\n"
    assert converse([one * 3 + (post(8) + b"x" * 8) * 3], FEW).statuses == [405] * 6


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n", b"0\r\nX: y\r\n\r\n"])
def test_9112_7_1_chunks_end_where_the_next_request_begins(end: bytes) -> None:
    """Not a byte is left, not even an empty line."""
    strict = Limits(blank_lines=0)
    assert converse([CHUNKED + end + MARKER], strict).statuses == [405, 200]
    assert converse([CHUNKED + end + b"\r\n" + MARKER], strict).statuses == [405, 400]


def test_a_length_ends_where_the_next_request_begins() -> None:
    assert converse([(post(3) + b"abc") * 2 + MARKER], Limits(blank_lines=0)).statuses == [405, 405, 200]
