"""Content of requests, which no static file needs: framing is checked, and the content skipped or the connection closed
(RFC 9112 6 and 7, RFC 9110 10.1.1, hazards B1 to B4, A16)."""

from pwb_legacy.compare.checks import essential_rows
from pwb_legacy.compare.checks.rows import Row, expect, get, row
from tests.conformance.tree import ALPHABET

_405 = expect(405)
_ONE = expect(200, b"1")
_BAD = expect(400)
_HIDDEN = get("/marker")


def _post(*fields: str, content: bytes = b"", target: str = "/a.txt") -> bytes:
    return get(target, *fields, method="POST") + content


def _chunked(content: bytes, *fields: str) -> bytes:
    return _post("Transfer-Encoding: chunked", *fields, content=content)


ROWS: list[Row] = [
    *essential_rows.CONTENT,
    row(
        "6.3-content-of-64-kib-is-skipped",
        (_post("Content-Length: 65536", content=bytes(65536)), get("/one.txt")),
        _405,
        _ONE,
    ),
    row("A3-content-over-the-bound-ends", _post("Content-Length: 65537", content=bytes(65537)), _405, ends=True),
    row(
        "7.1-chunks-with-extensions-and-trailers",
        (_chunked(b'5;a=b;c="d"\r\nhello\r\n0\r\nX: y\r\n\r\n'), get("/one.txt")),
        _405,
        _ONE,
    ),
    row("7.1-chunk-size-in-capitals", (_chunked(b"0A\r\n0123456789\r\n0\r\n\r\n"), get("/one.txt")), _405, _ONE),
    row(
        "B2-chunked-in-capitals",
        (_post("Transfer-Encoding: CHUNKED", content=b"0\r\n\r\n"), get("/one.txt")),
        _405,
        _ONE,
    ),
    row(
        "B1-chunked-beside-length",
        _post("Transfer-Encoding: chunked", "Content-Length: 5", content=b"0\r\n\r\n" + _HIDDEN),
        _BAD,
        ends=True,
    ),
    row("B2-unknown-coding", _post("Transfer-Encoding: gzip, chunked"), expect(501), ends=True),
    row("B2-chunked-not-last", _post("Transfer-Encoding: chunked, identity"), _BAD, ends=True),
    row("B2-chunked-twice", _post("Transfer-Encoding: chunked, chunked"), _BAD, ends=True),
    row("B2-empty-member", _post("Transfer-Encoding: ,chunked"), _BAD, ends=True),
    row("B2-obscured", _post("Transfer-Encoding: xchunked"), expect(501), ends=True),
    row(
        "B2-in-http-1.0",
        get("/", "Transfer-Encoding: chunked", method="POST", version="HTTP/1.0") + b"0\r\n\r\n",
        _BAD,
        ends=True,
    ),
    *(
        row(f"B3-length-{number}", _post(f"Content-Length: {value}", content=b"hello"), _BAD, ends=True)
        for number, value in enumerate(("+5", "-5", "0x5", "5_0", "", "5,5", "5, 6", "5 5", "9" * 20, "5.0", "\xb2"))
    ),
    *(
        row(
            f"8.6-zeros-before-the-length-{zeros}",
            (_post(f"Content-Length: {'0' * zeros}5", content=b"hello"), get("/one.txt")),
            _405,
            _ONE,
        )
        for zeros in (1, 19, 256)
    ),
    row("B3-length-of-276-digits", _post(f"Content-Length: {'0' * 275}5", content=b"hello"), _BAD, ends=True),
    *(
        row(
            f"7.1-zeros-before-the-chunk-size-{zeros}",
            (_chunked(b"0" * zeros + b"5\r\nhello\r\n" + b"0" * (zeros + 1) + b"\r\n\r\n"), get("/one.txt")),
            _405,
            _ONE,
        )
        for zeros in (1, 15, 255)
    ),
    *(
        row(f"B4-chunk-{number}", _chunked(content), _BAD, ends=True)
        for number, content in enumerate(
            (
                b"0x5\r\nhello\r\n0\r\n\r\n",
                b"5_0\r\nhello\r\n0\r\n\r\n",
                b"+5\r\nhello\r\n0\r\n\r\n",
                b"-5\r\nhello\r\n0\r\n\r\n",
                b" 5\r\nhello\r\n0\r\n\r\n",
                b"FFFFFFFFFFFFFFFF1\r\nhello\r\n0\r\n\r\n",
                b"0001000000000000000\r\nhello\r\n0\r\n\r\n",
                b"0" * 257 + b"\r\n\r\n",
                b"5\nhello\n0\n\n",
                b"5\rhello\r0\r\r",
                b"5;a=\n\r\nhello\r\n0\r\n\r\n",
                b"5\r\nhello0\r\n\r\n",
                b"5\r\nhelloXX0\r\n\r\n",
                b"5;" + b"x" * 300 + b"\r\nhello\r\n0\r\n\r\n",
                b"\r\n\r\n",
            )
        )
    ),
    row("7.1.2-trailer-that-changes-the-request", _chunked(b"0\r\nContent-Length: 5\r\n\r\n"), _BAD, ends=True),
    row(
        "10.1.1-expect-continue-is-answered-at-once",
        _post("Content-Length: 5", "Expect: 100-continue"),
        _405,
        ends=True,
    ),
    row("A16-expect-nonsense", get("/a.txt", "Expect: nonsense"), expect(417)),
    row(
        "10.1.1-expect-in-http-1.0-is-ignored",
        get("/a.txt", "Expect: nonsense", version="HTTP/1.0"),
        expect(200, ALPHABET),
        ends=True,
    ),
]
