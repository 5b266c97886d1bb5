"""The judge of essential rows: what it accepts of any server, and how it names what is wrong."""

import pytest

from pwb_legacy.check.words.catalogue import load
from pwb_legacy.compare.checks.essential_rows import CANARY
from pwb_legacy.compare.checks.judge import FramingError, judge, parse_responses
from pwb_legacy.compare.checks.rows import Row, expect, get, head, row

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
CLOSED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x, Close\r\n\r\nhi"
GREETING = row("greeting", get(), expect(200, b"hi"))
TWICE = row("twice", (get(), get()), expect(200, b"hi"), expect(200, b"hi"))


@pytest.mark.parametrize(
    ("row", "stream"),
    [
        (GREETING, OK),
        (GREETING, b"HTTP/1.0 200\r\n\r\nhi"),
        (GREETING, b"HTTP/1.1 200 Sure, why not?\r\ncontent-length:2 \r\n\r\nhi"),
        (GREETING, b"HTTP/1.1 100 Continue\r\n\r\n" + OK),
        (GREETING, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1;x=y\r\ni\r\n0\r\nA: b\r\n\r\n"),
        (TWICE, OK + OK),
        (TWICE, CLOSED),
        (TWICE, b"HTTP/1.1 200 OK\r\n\r\nhi"),
        (row("head", (head(), get()), expect(200, b""), expect(200, b"hi")), OK[:-2] + OK),
        (row("no file", get(), expect(400, also=(404,), content_type="text/plain")), b"HTTP/1.0 404 No\r\n\r\n"),
        (row("field", get(), expect(200, content_length=...)), OK),
    ],
)
def test_it_accepts_what_the_rfcs_allow(row: Row, stream: bytes) -> None:
    assert judge(row, stream) == []


@pytest.mark.parametrize(
    ("row", "stream", "words"),
    [
        (GREETING, b"", "the connection ends after 0 of 1 responses"),
        (GREETING, OK + OK, "2 responses, where 1 may come"),
        (GREETING, OK.replace(b"hi", b"ho"), "the content is b'ho', not b'hi'"),
        (GREETING, OK.replace(b"200", b"404"), "the status is 404, not 200"),
        (GREETING, OK[:-1], "1 bytes of content follow, where Content-Length is 2"),
        (GREETING, OK[:20], "the response ends within its head: b'HTTP/1.1 200 OK\\r\\nCon'"),
        (GREETING, b"hi\r\n\r\n", "this is no status line: b'hi'"),
        (GREETING, OK.replace(b": ", b" : "), "this is no field line: b'Content-Length : 2'"),
        (GREETING, OK.replace(b": 2", b": +2"), "Content-Length is '+2'"),
        (GREETING, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhi", "the chunked content is malformed"),
        (TWICE, OK, "the connection ends after 1 of 2 responses"),
        (TWICE, OK + OK.replace(b"200", b"500"), "response 2: the status is 500, not 200"),
        (row("secret", get(), expect(404)), b"HTTP/1.1 404 No\r\n\r\n" + CANARY, "a file from outside the site"),
        (row("field", get(), expect(200, server="x")), OK, "the field server is missing"),
        (
            row("field", get(), expect(200, content_length=None)),
            OK,
            "the field content-length is '2', and must not be there",
        ),
    ],
)
def test_it_names_what_is_wrong(row: Row, stream: bytes, words: str) -> None:
    assert words in "\n".join(map(load("en").sentence, judge(row, stream)))


def test_a_long_length_is_no_traceback() -> None:
    with pytest.raises(FramingError):
        parse_responses(OK.replace(b": 2", b": " + b"9" * 5000), ["GET"])
