"""The rows that any static server of the book must keep, and the small site that they ask for.

They demand what RFC 9110 and 9112 demand of a server that serves files: GET and HEAD, the right bytes, no file from
outside the site, and requests that are kept apart. Validators, ranges, media types and redirects are left to the rows
of tests/conformance. Statuses are those of PWB; `also` names others that the RFCs allow.
"""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from .rows import Row, expect, get, head, row

CANARY: Final = b"CANARY"
"""The content of every file that must not be served."""


def random_bytes(size: int, seed: int = 1) -> bytes:
    """Incompressible bytes, the same in every run."""
    return random.Random(seed).randbytes(size)  # noqa: S311  not for secrets


FILES: Final[Mapping[str, bytes]] = {
    "index.html": b"<h1>front</h1>",
    "a.txt": b"abcdefghijklmnopqrstuvwxyz",
    "one.txt": b"1",
    "marker": b"MARKER",
    "sub/index.html": b"<h1>sub</h1>",
    "a b": b"a space in the name",
    "grüße.txt": b"UTF-8 in the name",
    "percent%41.txt": b"a percent sign in the name",
    "empty.txt": b"",
    "1k.bin": random_bytes(1024),
    "64k-1.bin": random_bytes(65_535),
    "64k.bin": random_bytes(65_536),
    "64k+1.bin": random_bytes(65_537),
    "100k.bin": random_bytes(102_400),
}
"""The site, by the path of each file beneath its root."""
OUTSIDE: Final = "secret.txt"
"""A file beside the root, with the content CANARY."""


def write_site(parent: Path) -> Path:
    """Write the site and the file beside it into an empty directory, and return the site's root."""
    root = parent / "site"
    for name, content in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (parent / OUTSIDE).write_bytes(CANARY)
    return root


_A: Final = expect(200, FILES["a.txt"])
_ONE: Final = expect(200, FILES["one.txt"])
_BAD: Final = expect(400, also=(405, 501))
_NO_SUCH_METHOD: Final = expect(501, also=(400, 405))
_NOT_ALLOWED: Final = expect(405, also=(403, 404, 501))
_OUTSIDE: Final = expect(400, also=(403, 404))
_MARKER: Final = get("/marker")


def _post(*fields: str, content: bytes = b"") -> bytes:
    return get("/a.txt", *fields, method="POST") + content


METHODS: Final[tuple[Row, ...]] = (
    row("9110-9.3.1-get", get("/a.txt"), expect(200, FILES["a.txt"], content_length="26")),
    row("9110-9.3.2-head-has-no-content", (head("/a.txt"), get("/one.txt")), expect(200, b""), _ONE),
    row("9110-15.5.5-missing", get("/missing"), expect(404)),
    row("9110-15.6.2-unknown-method", get("/a.txt", method="BREW"), _NO_SUCH_METHOD),
    row("9110-9.1-methods-are-case-sensitive", get("/a.txt", method="get"), _NO_SUCH_METHOD),
    row("9112-3-no-token-no-method", get("/a.txt", method="G(T"), _BAD, ends=True),
    row("B9-http-2.0", get(version="HTTP/2.0"), expect(505, also=(400, 501)), ends=True),
)
REPRESENTATION: Final[tuple[Row, ...]] = (
    *(
        row(
            f"9110-8.6-size-{len(FILES[name])}",
            get(f"/{name}"),
            expect(200, FILES[name], content_length=str(len(FILES[name]))),
        )
        for name in ("empty.txt", "one.txt", "1k.bin", "64k-1.bin", "64k.bin", "64k+1.bin", "100k.bin")
    ),
    row(
        "12.5-accept-fields-change-nothing",
        get("/a.txt", "Accept: x/y", "Accept-Encoding: gzip", "Accept-Language: tlh"),
        _A,
    ),
)
TARGETS: Final[tuple[Row, ...]] = (
    row("3.2.1-query-is-not-part-of-the-name", get("/a.txt?v=1"), _A),
    row("3986-6.2.2.2-escaped-letters", get("/%61%2Etxt"), _A),
    row("3.2.2-absolute-form", get("http://elsewhere:80/a.txt"), _A),
    row("B9-escape-of-nothing", get("/%zz"), expect(400, also=(404,)), ends=True),
    row("B7-no-host", b"GET /a.txt HTTP/1.1\r\n\r\n", expect(400), ends=True),
    row("B7-two-hosts", get("/a.txt", "Host: h"), expect(400), ends=True),
    row("B7-host-with-a-space", b"GET /a.txt HTTP/1.1\r\nHost: h h\r\n\r\n", expect(400), ends=True),
    row("B7-host-with-a-port", b"GET /a.txt HTTP/1.1\r\nHost: h:8080\r\n\r\n", _A),
    row("B7-host-in-http-1.0-is-optional", b"GET /a.txt HTTP/1.0\r\n\r\n", _A, ends=True),
)
NAMES: Final[tuple[Row, ...]] = (
    row("folder-has-its-index", get("/sub/"), expect(200, FILES["sub/index.html"])),
    row("C11-space", get("/a%20b"), expect(200, FILES["a b"])),
    row("C11-utf-8", get("/gr%C3%BC%C3%9Fe.txt"), expect(200, FILES["grüße.txt"])),
    row("C11-percent", get("/percent%2541.txt"), expect(200, FILES["percent%41.txt"])),
    row("C1-above-the-root", get(f"/../{OUTSIDE}"), _OUTSIDE, ends=True),
    row("C1-above-the-root-dots-escaped", get(f"/%2e%2e/{OUTSIDE}"), _OUTSIDE, ends=True),
    row("C1-above-the-root-slash-escaped", get(f"/..%2f{OUTSIDE}"), expect(404, also=(400, 403))),
)
PERSISTENCE: Final[tuple[Row, ...]] = (
    row("9.3-connection-close-in-capitals", get("/a.txt", "CONNECTION: CLOSE"), _A, ends=True),
    row("9.3.2-pipelined", (get("/a.txt"), get("/one.txt"), get("/a.txt")), _A, _ONE, _A),
    row("9.3.2-nothing-is-answered-behind-close", (get("/a.txt", "Connection: close"), get("/one.txt")), _A, ends=True),
    row(
        "9.3.2-nothing-is-answered-behind-no-request",
        (get("/a.txt"), b"?\r\n\r\n", get("/one.txt")),
        _A,
        _BAD,
        ends=True,
    ),
    row("2.2-empty-lines-before-a-request", b"\r\n\r\n" + get(), _A),
    row(
        "A16-upgrade-is-ignored-h2c", (get("/a.txt", "Connection: Upgrade", "Upgrade: h2c"), get("/one.txt")), _A, _ONE
    ),
)
CONTENT: Final[tuple[Row, ...]] = (
    row("6.3-content-is-skipped", (_post("Content-Length: 5", content=b"hello"), get("/one.txt")), _NOT_ALLOWED, _ONE),
    row(
        "6.3-content-of-a-get-is-skipped",
        (get("/a.txt", "Content-Length: 5") + b"hello", get("/one.txt")),
        _A,
        _ONE,
    ),
    row(
        "B1-content-that-looks-like-a-request",
        (_post(f"Content-Length: {len(_MARKER)}", content=_MARKER), get("/one.txt")),
        _NOT_ALLOWED,
        _ONE,
    ),
    row(
        "7.1-chunked-is-skipped",
        (_post("Transfer-Encoding: chunked", content=b"5\r\nhello\r\n0\r\n\r\n"), get("/one.txt")),
        _NOT_ALLOWED,
        _ONE,
    ),
    row(
        "B1-length-beside-chunked",
        _post("Content-Length: 5", "Transfer-Encoding: chunked", content=b"0\r\n\r\n" + _MARKER),
        _BAD,
        ends=True,
    ),
    row("B3-length-twice", _post("Content-Length: 5", "Content-Length: 6", content=b"hello"), _BAD, ends=True),
    row("10.1.1-expect-continue-without-content", get("/a.txt", "Expect: 100-continue"), _A),
)
LIMITS: Final[tuple[Row, ...]] = (row("L2-field-of-8000-bytes", get("/a.txt", f"X: {'v' * 7997}"), _A),)

ROWS: Final = (*METHODS, *REPRESENTATION, *TARGETS, *NAMES, *PERSISTENCE, *CONTENT, *LIMITS)
"""All of them. Each id occurs once."""
