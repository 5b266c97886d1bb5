"""Seeds from the wire corpus of tests/core, and a plain mutator: the same seed gives the same bytes everywhere."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

CORPUS: Final = Path(__file__).parents[1] / "core" / "corpus"

WORDS: Final = (
    *(b"GET", b"HEAD", b"POST", b"OPTIONS", b"CONNECT", b"/", b"/a.txt", b"*", b"http://h/", b"//", b"?q", b"#"),
    *(b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b" ", b"\r\n", b"\r\n\r\n", b"\r", b"\n", b":", b": ", b"\t", b"\0"),
    *(b"\xff", b"\x7f", b"\x85", b"\xa0", b"\xc0\xaf", b"%2e", b"%2F", b"%00", b"%", b"..", b"\\", b";", b",", b'"'),
    *(b"Host: h\r\n", b"Host", b"Connection: close\r\n", b"Connection: keep-alive\r\n", b"Expect: 100-continue\r\n"),
    *(b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b"chunked", b"gzip, "),
    *(b"5\r\nhello\r\n", b"0\r\n\r\n", b"0\r\n", b"ffffffffffffffff", b"18446744073709551616", b"-1", b"+1", b"0x1"),
    *(b"Range: bytes=0-4\r\n", b"Range: bytes=-1\r\n", b"bytes=", b"0-0,", b"-", b"If-Range: ", b'W/"a"', b'"a"'),
    *(b"If-None-Match: *\r\n", b"If-Match: *\r\n", b"If-Modified-Since: ", b"Tue, 14 Nov 2023 22:13:20 GMT"),
    *(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", b"POST /a.txt HTTP/1.1\r\nHost: h\r\n", b"\xe2\x80\xa8", b"\xc2\xb2", b"_"),
)
"""Elements of the grammar, and bytes that have broken other servers."""


def seeds(longest: int = 4096) -> list[bytes]:
    """The requests of the corpus, shortened where they only show that a limit holds, and its targets as requests."""
    wires = [path.read_bytes()[:longest] for path in sorted(CORPUS.glob("*/*.http"))]
    lines = (CORPUS / "targets.txt").read_bytes().splitlines()
    targets = [line.split(b" ", 1)[1] for line in lines if line[:1].isdigit()]
    return [wire for wire in wires if wire] + [b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % target for target in targets]


def mutate(
    wire: bytes, chance: random.Random, others: Sequence[bytes], most: int = 5, words: Sequence[bytes] = WORDS
) -> bytes:
    """`wire` with up to `most` changes: bytes removed, inserted, changed or repeated, another input behind or within.

    words: the elements of the grammar to insert.
    """
    data = bytearray(wire)
    for _ in range(
        min(chance.randrange(1, most + 1), chance.randrange(1, most + 1))
    ):  # few changes more often than many
        at = chance.randrange(len(data) + 1)
        length = chance.randrange(1, 9)
        how = chance.randrange(8)
        if how == 0:
            del data[at : at + length]
        elif how in (1, 2):
            data[at:at] = chance.choice(words)
        elif how == 3:
            data[at : at + length] = chance.choice(words)
        elif how == 4:
            data[at:at] = data[at : at + chance.randrange(1, 40)]
        elif how == 5 and at < len(data):
            data[at] = chance.randrange(256)
        elif how == 6:
            other = chance.choice(others)
            start = chance.randrange(len(other))
            data[at:at] = other[start : start + chance.randrange(1, 60)]
        else:
            data += chance.choice(others)
        del data[20_000:]
    return bytes(data)


METHODS: Final = (*[b"GET"] * 6, b"HEAD", b"HEAD", b"POST", b"OPTIONS", b"PUT", b"get", b"FOO")
PATHS: Final = (
    *(b"/", b"/a.txt", b"/sub", b"/sub/", b"/sub/deep/x.css", b"/bare/", b"/missing", b"/empty.txt", b"/%FF%FE"),
    *(b"/a%20b", b"/a%5cb", b"/.env", b"/.well-known/security.txt", b"/link-in", b"/link-out", b"/fifo"),
    *(b"/%2e%2e/secret.txt", b"/sub/../a.txt", b"/unreadable.txt", b"//a.txt", b"/./a.txt", b"/sub%2fdeep", b"/a.txt/"),
    *(b"/sub?x=1", b"/a.txt?%zz", b"/a.txt;v=1", b"/semi;colon=1.txt", b"/percent%2541.txt", b"http://h/a.txt", b"*"),
    *(b"/index.html", b"/sub/index", b"/index/", b"//index.html", b"/%5cindex.html", b"/missing.js", b"/missing/"),
    *(b"/coded/app.js", b"/coded/fly.js", b"/coded/stale.js", b"/coded/", b"/coded/image.png", b"/coded/app.js.gz"),
)
FIELDS: Final = (
    *(b"Range: bytes=0-4", b"Range: bytes=-5", b"Range: bytes=3-", b"Range: bytes=99-", b"Range: bytes=4-2"),
    *(
        b"Range: x=0-1",
        b"Range: bytes=0-0,2-3",
        b"Range: bytes=0-0,-1",
        b"If-None-Match: *",
        b'If-None-Match: "x"',
        b"If-Match: *",
    ),
    *(b'If-Match: "x"', b"If-Modified-Since: Sun, 13 Sep 2020 12:26:40 GMT", b"If-Modified-Since: yesterday"),
    *(b"If-Modified-Since: Sat, 12 Sep 2020 12:26:40 GMT", b"If-Unmodified-Since: Sat, 12 Sep 2020 12:26:40 GMT"),
    *(b"If-Modified-Since: Sunday, 13-Sep-20 12:26:40 GMT", b"If-Modified-Since: Sun Sep 13 12:26:40 2020"),
    *(b'If-Range: "x"', b"If-Range: Sun, 13 Sep 2020 12:26:40 GMT", b"Connection: close", b"Connection: keep-alive"),
    *(b"Connection: upgrade", b"Upgrade: h2c", b"Accept-Encoding: gzip", b"Accept: */*", b"TE: trailers"),
    *(b"Accept-Encoding: gzip, deflate, br, zstd", b"Accept-Encoding: br;q=0, *", b"Accept-Encoding: identity;q=0"),
    *(b"Accept-Encoding: zstd;q=0.5, gzip;q=0.1", b"Accept-Encoding: *;q=0, x-gzip", b"Accept-Encoding: br;q=2, br"),
    *(b"Accept: text/html", b"Accept: application/json", b"Accept: text/html;q=0.5, application/json;q=0.6"),
    *(b"Sec-Fetch-Mode: navigate", b"Sec-Fetch-Mode: cors", b"Sec-Fetch-Dest: document", b"Sec-Fetch-Dest: script"),
    *(b"Content-Length: 0", b"Expect: 100-continue", b"Cookie: a=b", b"Origin: null", b"X-Forwarded-For: 127.0.0.1"),
    *(b"Authorization: Basic Ym9iOnNlY3JldA==", b"Authorization: Basic !", b"Forwarded: for=192.0.2.1;proto=https"),
    *(b"Origin: https://a.example", b"Origin: https://b.example", b"Access-Control-Request-Method: GET"),
    *(b'Forwarded: ", for="[::1]:80"', b"X-Forwarded-For: a, 192.0.2.1:80", b"X-Forwarded-Proto: https"),
)


def compose(chance: random.Random) -> bytes:
    """A request that is well formed, or nearly so, and so reaches more code than most mutants."""
    version = chance.choice((b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0"))
    fields = [b"Host: h", *(chance.choice(FIELDS) for _ in range(chance.randrange(4)))]
    line = b" ".join((chance.choice(METHODS), chance.choice(PATHS), version))
    return b"\r\n".join((line, *fields, b"", b""))


def composed(seed: int) -> Iterator[bytes]:
    """Composed requests without end, one to three on a connection; every fourth is mutated once."""
    chance = random.Random(seed)
    while True:
        wire = b"".join(compose(chance) for _ in range(chance.choice((1, 1, 2, 3))))
        yield mutate(wire, chance, [wire], 1) if chance.randrange(4) == 0 else wire


def mutants(
    seed: int, wires: Sequence[bytes] | None = None, most: int = 5, words: Sequence[bytes] = WORDS
) -> Iterator[bytes]:
    """Mutated inputs without end, of the requests of the corpus unless `wires` are others."""
    chance = random.Random(seed)
    wires = wires or seeds()
    while True:
        yield mutate(chance.choice(wires), chance, wires, most, words)
