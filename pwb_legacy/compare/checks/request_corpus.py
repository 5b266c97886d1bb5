"""What `diff` sends: requests as bytes. The built-in ones are made for the site that is served: methods, preconditions,
ranges, targets that do not exist, invalid heads, content, pipelining. Others come from a file or a folder.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pwb_legacy.compare.measure.sample_site import Site
from pwb_legacy.compare.measure.servers import CannotError

SEPARATOR: Final = b"---"
_REQUEST_LINE: Final = re.compile(rb"[^ \r\n]+ [^ \r\n]+ HTTP/[0-9]")
"""How at least one request of a corpus begins; the others may be as malformed as you like."""


@dataclass(frozen=True, slots=True)
class Case:
    """One connection of the corpus: what the client sends before it ends its side."""

    name: str
    """The request line, and what is special about the request."""
    wire: bytes
    """Everything that the client sends."""


def built_in(site: Site, validators: tuple[bytes, bytes]) -> list[Case]:
    """The corpus for a site. validators: entity tag and date of site.page, so that preconditions can be met."""
    return [case(wire) for wire in (*_sound(site, *validators), *_unsound(site.page))]


def read(path: Path) -> list[Case]:
    """The blocks of a file, or the *.http files of a folder as they are. Raises CannotError."""
    try:
        if path.is_dir():
            files = sorted(path.glob("**/*.http"))
            cases = [Case(file.name, file.read_bytes()) for file in files]
        else:
            cases = [case(wire) for wire in _blocks(path.read_bytes())]
    except OSError as error:
        raise CannotError(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise CannotError(f"{path}: {error}") from None
    if not cases:
        raise CannotError(f"{path}: there is no request in it")
    if not any(_REQUEST_LINE.match(case.wire) for case in cases):
        raise CannotError(f"{path}: is no corpus: no request in it begins with a line such as GET / HTTP/1.1")
    return cases


def _blocks(text: bytes) -> list[bytes]:
    """Lines up to one that is only "---": each is a line of the request, ended by CRLF, with \\x00-like escapes."""
    blocks: list[list[bytes]] = [[]]
    for number, line in enumerate(text.splitlines(), 1):
        if line == SEPARATOR:
            blocks.append([])
            continue
        try:
            blocks[-1].append(line.decode("unicode_escape").encode("latin-1"))
        except ValueError:
            raise ValueError(f"line {number}: an invalid escape") from None
    return [b"\r\n".join((*lines, b"")) for lines in blocks if any(lines)]


def case(wire: bytes) -> Case:
    """What a client sends, with a name for it."""
    return Case(_name(wire), wire)


def request(line: bytes, *fields: bytes, content: bytes = b"") -> bytes:
    """A request to the host h."""
    return b"\r\n".join((line, b"Host: h", *fields, b"", content))


def _name(wire: bytes) -> str:
    """The request line, and what is special about it."""
    first, _, rest = wire.partition(b"\r\n")
    fields = [line for line in rest.partition(b"\r\n\r\n")[0].split(b"\r\n") if line and line != b"Host: h"]
    return ascii(b" | ".join((first, *fields))[:100])[2:-1]


_CODINGS: Final = (
    *(b"", b"br", b"zstd", b"gzip", b"x-gzip", b"gzip, deflate, br, zstd", b"br;q=0, *", b"*;q=0", b"identity;q=0"),
    *(b"gzip;q=0.5, br;q=0.1", b"gzip;Q=0", b"gzip;q=2", b"gzip;q=abc", b"notgzip", b"identity;q=1, gzip;q=0.5"),
)
"""Values of Accept-Encoding."""


def _sound(site: Site, tag: bytes, date: bytes) -> list[bytes]:
    """Valid requests."""
    page = site.page
    get, head = b"GET %s HTTP/1.1" % page, b"HEAD %s HTTP/1.1" % page
    conditions = [
        *(b"If-Match: *", b"If-Match: " + tag, b'If-Match: "other"', b'If-Match: "other", ' + tag),
        *(b"If-None-Match: *", b"If-None-Match: " + tag, b"If-None-Match: W/" + tag, b'If-None-Match: "other"'),
        *(b"If-Modified-Since: " + date, b"If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT"),
        *(b"If-Unmodified-Since: " + date, b"If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT"),
        b"If-Modified-Since: yesterday",
    ]
    ranges = (
        *(b"0-0", b"0-99", b"1-", b"-1", b"-100000000000", b"0-99999999999", b"99999999999-", b"5-4", b"-0", b""),
        *(b"0-1,3-4", b"0-1, 3-4 ,6-7", b"0-0,-1", b"0-9,5-14", b"a-b", b"0-1,x"),
        *(b",".join([b"1-2"] * count) for count in (20, 600)),
    )
    first = b"Range: bytes=0-9"
    chunked = b"Transfer-Encoding: chunked"
    return [
        *(request(b"%s %s HTTP/1.1" % (method, page)) for method in (b"GET", b"HEAD", b"OPTIONS", b"POST", b"PUT")),
        *(request(b"%s %s HTTP/1.1" % (method, page)) for method in (b"DELETE", b"TRACE", b"PATCH", b"BREW", b"get")),
        *(request(b"%s %s HTTP/1.1" % (method, target)) for method in (b"GET", b"HEAD") for target in _targets(page)),
        *(request(line, condition) for line in (get, head) for condition in conditions),
        *(request(line, b"Range: bytes=" + value) for line in (get, head) for value in ranges),
        *(request(get, first, b"If-Range: " + validator) for validator in (tag, b'"other"', date, b"yesterday")),
        request(get, first, b"If-None-Match: " + tag),
        request(get, b"Range: lines=0-9"),
        *(request(line, b"Accept-Encoding: " + value) for line in (get, head) for value in _CODINGS),
        *(request(get, b"Accept-Encoding: br", field) for field in (first, b"If-None-Match: *", b"If-Match: " + tag)),
        request(b"GET %s HTTP/1.1" % site.large, b"Range: bytes=100-199"),
        *(request(get, field) for field in (b"Connection: close", b"Connection: keep-alive", b"Expect: 100-continue")),
        *(request(get, field) for field in (b"Expect: tea", b"Accept-Encoding: gzip", b"Upgrade: h2c", b"Cookie: a=b")),
        b"GET %s HTTP/1.0\r\n\r\n" % page,
        b"GET %s HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" % page,
        request(b"OPTIONS * HTTP/1.1"),
        request(b"POST %s HTTP/1.1" % page, b"Content-Length: 5", content=b"hello"),
        request(b"POST %s HTTP/1.1" % page, chunked, content=b"5\r\nhello\r\n0\r\n\r\n"),
        request(get, b"Content-Length: 5", content=b"hello") + request(get),
        request(get) * 3,
        request(get) + request(b"GET /is-not-there HTTP/1.1") + request(head) + request(get, first),
        request(b"POST %s HTTP/1.1" % page, chunked, content=b"5\r\nhello\r\n0\r\n\r\n") + request(get),
        request(get) + b"\r\n\r\n" + request(get),
        request(get) + b"nonsense\r\n\r\n",
        request(get, b"Connection: close") + request(get),
    ]


def _targets(page: bytes) -> list[bytes]:
    return [
        *(b"/", page + b"?query", page + b"/", b"/is-not-there", b"/is/not/there/", b"//" + page.lstrip(b"/")),
        *(b"http://h" + page, b"/./" + page.lstrip(b"/"), b"/%2e%2e/etc/passwd", b"/../etc/passwd", b"/.git/config"),
        *(b"/a%00b", b"/%", b"/%zz", b"/%FF%FE", b"/a%2Fb", b"/a%5Cb", b"/" + b"x" * 300, b"/" + b"x" * 9000, b"h:80"),
    ]


def _unsound(page: bytes) -> list[bytes]:
    """Bytes that are not a valid request."""
    line = b"GET %s HTTP/1.1" % page
    return [
        *(b"\r\n\r\n", b"GET\r\n\r\n", b"GET %s\r\n\r\n" % page, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        *(b"GET  %s HTTP/1.1\r\nHost: h\r\n\r\n" % page, b"GET %s HTTP/2.0\r\nHost: h\r\n\r\n" % page),
        *(b"GET %s http/1.1\r\nHost: h\r\n\r\n" % page, b"GET %s HTTP/1.1\nHost: h\n\n" % page),
        *(line + b"\r\n\r\n", line + b"\r\nHost: h\r\nHost: h\r\n\r\n", line + b"\r\nHost: a b\r\n\r\n"),
        *(request(line, field) for field in (b"No colon", b" folded: x", b"Name : x", b": x", b"A: \x00", b"A: \x7f")),
        *(request(line, b"A: " + b"x" * size) for size in (8000, 9000, 40_000)),
        request(line, *(b"F%d: x" % number for number in range(120))),
        *(request(line, b"Content-Length: " + value) for value in (b"-1", b"+1", b"1, 1", b"1,2", b"0x1", b"9" * 30)),
        request(line, b"Content-Length: 5", b"Content-Length: 6", content=b"hello"),
        request(line, b"Content-Length: 5", b"Transfer-Encoding: chunked", content=b"0\r\n\r\n"),
        *(request(line, b"Transfer-Encoding: " + coding) for coding in (b"gzip", b"chunked, chunked", b"identity")),
        *(
            request(line, b"Transfer-Encoding: chunked", content=content)
            for content in (b"x\r\n", b"5\r\nhel", b"5\r\nhello0\r\n\r\n", b"-1\r\n\r\n", b"0\r\nHost: h\r\n\r\n")
        ),
        *(line, line + b"\r\nHost: h\r\n", b"", b"\x00" * 100, b"GET " + b"/" * 9000),
    ]
