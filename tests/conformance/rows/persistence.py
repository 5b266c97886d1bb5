"""Whether a connection persists, and the order of the responses on it (RFC 9112 9)."""

from pwb_legacy.compare.checks import essential_rows
from pwb_legacy.compare.checks.rows import Row, expect, get, head, row
from tests.conformance.tree import ALPHABET, FILES

_A = expect(200, ALPHABET)
_ONE = expect(200, b"1")

ROWS: list[Row] = [
    *essential_rows.PERSISTENCE,
    row("9.3-persists", get(), expect(200, ALPHABET, connection=None)),
    row(
        "9.3-connection-close", get("/a.txt", "Connection: close"), expect(200, ALPHABET, connection="close"), ends=True
    ),
    row("9.3-connection-close-in-a-list", get("/a.txt", "Connection: x, close ,y"), _A, ends=True),
    row("9.3-connection-close-on-a-second-line", get("/a.txt", "Connection: x", "Connection: close"), _A, ends=True),
    row("9.3-connection-close-beside-keep-alive", get("/a.txt", "Connection: keep-alive, close"), _A, ends=True),
    row("9.3-http-1.0-ends", get(version="HTTP/1.0"), expect(200, ALPHABET, connection="close"), ends=True),
    row(
        "C.2.2-http-1.0-keep-alive",
        get("/a.txt", "Connection: keep-alive", version="HTTP/1.0"),
        expect(200, ALPHABET, connection="keep-alive"),
    ),
    row("C.2.2-http-1.0-keep-alive-in-capitals", get("/a.txt", "Connection: Keep-Alive", version="HTTP/1.0"), _A),
    row("9.3-an-error-does-not-end", get("/missing"), expect(404, connection=None)),
    row("9.3-405-does-not-end", get(method="DELETE"), expect(405, connection=None)),
    row(
        "9.3.2-pipelined-of-all-kinds",
        (
            get("/100k.bin"),
            head("/30m.bin"),
            get("/missing"),
            get("/empty.txt"),
            get("/sub"),
            get("/64k+1.bin"),
            get("/a.txt", "If-None-Match: *"),
            get("/a.txt", method="OPTIONS"),
            get("/a.txt", "Range: bytes=0-0"),
            get("/64k.bin"),
            get("/one.txt", method="DELETE"),
            get("/one.txt"),
        ),
        expect(200, FILES[b"100k.bin"]),
        expect(200, b""),
        expect(404),
        expect(200, b""),
        expect(301),
        expect(200, FILES[b"64k+1.bin"]),
        expect(304, b""),
        expect(204, b""),
        expect(206, b"a"),
        expect(200, FILES[b"64k.bin"]),
        expect(405),
        _ONE,
    ),
    row("B11-ten-empty-lines", b"\r\n" * 10 + get(), _A),
    row("B11-eleven-empty-lines", b"\r\n" * 11 + get(), expect(400), ends=True),
    row(
        "A16-upgrade-is-ignored-websocket",
        (get("/a.txt", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"), get("/one.txt")),
        _A,
        _ONE,
    ),
]
