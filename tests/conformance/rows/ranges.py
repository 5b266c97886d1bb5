"""Byte ranges (RFC 9110 14, hazard B12): of /a.txt, 26 letters, and of larger files."""

from pwb_legacy.compare.checks.rows import Expected, Row, expect, get, head, row
from tests.conformance.tree import ALPHABET, FILES, HUGE, LAST_MODIFIED, MTIME, entity_tag

_TAG = entity_tag(ALPHABET)
_WHOLE = expect(200, ALPHABET, content_range=None, content_length="26")
_UNSATISFIABLE = expect(416, content_range="bytes */26")


def _range(name: str, spec: str, *fields: str) -> tuple[str, bytes]:
    return name, get("/a.txt", f"Range: {spec}", *fields)


def _part(content: bytes, first: int, last: int) -> Expected:
    return expect(
        206,
        content,
        content_range=f"bytes {first}-{last}/26",
        content_length=str(len(content)),
        etag=_TAG,
        accept_ranges="bytes",
    )


def _boundary(size: int) -> str:
    """The boundary of multipart content: modification time in nanoseconds, and size, 16 hexadecimal digits each."""
    return f"{MTIME * 10**9:016x}{size:016x}"


def _multipart(content: bytes, kind: bytes, *parts: tuple[int, int]) -> bytes:
    """Multipart content. Each delimiter begins with CRLF, also the first one (RFC 2046 5.1.1)."""
    boundary, size = _boundary(len(content)).encode(), len(content)
    each = [
        b"\r\n--%s\r\nContent-Type: %s\r\nContent-Range: bytes %d-%d/%d\r\n\r\n%s"
        % (boundary, kind, first, last, size, content[first : last + 1])
        for first, last in parts
    ]
    return b"".join(each) + b"\r\n--%s--\r\n" % boundary


def _parts(*parts: tuple[int, int], of: bytes = b"a.txt", kind: bytes = b"text/plain; charset=utf-8") -> Expected:
    content = _multipart(FILES[of], kind, *parts)
    multipart = f"multipart/byteranges; boundary={_boundary(len(FILES[of]))}"
    return expect(206, content, content_type=multipart, content_length=str(len(content)), content_range=None)


def _many(name: str, target: bytes, count: int, length: int, response: Expected | None = None) -> Row:
    """A row for `count` ranges of `length` bytes, spread over a file. response: None means a part for each range."""
    step = len(FILES[target]) // count
    parts = [(at * step, at * step + length - 1) for at in range(count)]
    spec = ",".join(f"{first}-{last}" for first, last in parts)
    request = get(f"/{target.decode()}", f"Range: bytes={spec}")
    return row(name, request, response or _parts(*parts, of=target, kind=b"application/octet-stream"))


ROWS: list[Row] = [
    row(*_range("14.1.2-first-to-last", "bytes=2-5"), _part(b"cdef", 2, 5)),
    row(*_range("14.1.2-from", "bytes=20-"), _part(b"uvwxyz", 20, 25)),
    row(*_range("14.1.2-suffix", "bytes=-3"), _part(b"xyz", 23, 25)),
    row(*_range("B12-one-byte-first", "bytes=0-0"), _part(b"a", 0, 0)),
    row(*_range("B12-one-byte-last", "bytes=-1"), _part(b"z", 25, 25)),
    row(*_range("B12-last-byte-by-number", "bytes=25-25"), _part(b"z", 25, 25)),
    row(*_range("14.1.2-last-beyond-the-end", "bytes=20-999"), _part(b"uvwxyz", 20, 25)),
    row(*_range("14.1.2-to-the-last-byte", "bytes=0-25"), _part(ALPHABET, 0, 25)),
    row(*_range("14.1.2-one-beyond-the-last-byte", "bytes=25-26"), _part(b"z", 25, 25)),
    row(*_range("B12-suffix-longer-than-the-file", "bytes=-99999"), _part(ALPHABET, 0, 25)),
    row(*_range("14.1.2-whole-as-a-range", "bytes=0-"), _part(ALPHABET, 0, 25)),
    row(*_range("B12-more-digits-than-64-bits", "bytes=2-99999999999999999999999"), _part(ALPHABET[2:], 2, 25)),
    row(*_range("14.1.1-unit-in-capitals", "BYTES=2-5"), _part(b"cdef", 2, 5)),
    row(*_range("5.6.1-white-space-and-empty-members", "bytes= ,2-5 , "), _part(b"cdef", 2, 5)),
    row(*_range("15.5.17-from-the-end", "bytes=26-"), _UNSATISFIABLE),
    row(*_range("15.5.17-the-byte-behind-the-last", "bytes=26-26"), _UNSATISFIABLE),
    row(*_range("15.5.17-beyond-the-end", "bytes=100-200"), _UNSATISFIABLE),
    row(
        *_range("15.5.17-speaks-of-itself-and-not-of-the-file", "bytes=100-200"),
        expect(416, content_type="text/html; charset=utf-8", etag=None, last_modified=None, accept_ranges=None),
    ),
    row(*_range("15.5.17-suffix-of-nothing", "bytes=-0"), _UNSATISFIABLE),
    row(*_range("15.5.17-none-of-many", "bytes=26-,30-40"), _UNSATISFIABLE),
    row(*_range("B12-inverted-is-ignored", "bytes=5-2"), _WHOLE),
    row(*_range("B12-garbage-is-ignored", "bytes=x-y"), _WHOLE),
    row(*_range("B12-no-number-is-ignored", "bytes=-"), _WHOLE),
    row(*_range("B12-sign-is-ignored", "bytes=+2-5"), _WHOLE),
    *(
        row(*_range(f"B12-{what}-is-ignored", f"bytes={spec}"), _WHOLE)
        for what, spec in {
            "suffix-with-sign": "--6",
            "suffix-of-minus-zero": "--0",
            "suffix-with-two-signs": "---0",
            "hyphen-on-both-sides": "-6-",
            "no-hyphen": "10",
            "last-that-is-no-number": "10-alpha",
            "space-for-a-comma": "10-11 12-",
        }.items()
    ),
    row(*_range("B12-empty-is-ignored", "bytes="), _WHOLE),
    row(*_range("14.2-other-unit-is-ignored", "lines=1-2"), _WHOLE),
    row(*_range("14.2-no-unit-is-ignored", "2-5"), _WHOLE),
    row(*_range("14.2-one-invalid-spoils-all", "bytes=2-5,x"), _WHOLE),
    row(
        "14.2-only-for-get",
        head("/a.txt", "Range: bytes=2-5"),
        expect(200, b"", content_length="26", content_range=None),
    ),
    row("14.2-not-for-what-is-missing", get("/missing", "Range: bytes=0-0"), expect(404, content_range=None)),
    row("B12-empty-file-any-range", get("/empty.txt", "Range: bytes=0-0"), expect(200, b"", content_length="0")),
    row("B12-empty-file-beyond", get("/empty.txt", "Range: bytes=1-"), expect(200, b"", content_length="0")),
    row("B12-empty-file-suffix", get("/empty.txt", "Range: bytes=-1"), expect(200, b"")),
    row(*_range("14.6-two-parts", "bytes=0-1,24-25"), _parts((0, 1), (24, 25))),
    row(*_range("14.6-parts-in-the-order-asked", "bytes=-2,0-0"), _parts((24, 25), (0, 0))),
    row(*_range("14.6-parts-that-overlap", "bytes=0-4,2-6"), _parts((0, 4), (2, 6))),
    row(*_range("14.6-three-parts-and-white-space", "bytes=0-3, -4, 4-7"), _parts((0, 3), (22, 25), (4, 7))),
    row(*_range("14.6-parts-around-one-beyond", "bytes=0-3, -4, 100-, 4-7"), _parts((0, 3), (22, 25), (4, 7))),
    row(*_range("14.6-only-what-can-be-satisfied", "bytes=0-1,100-200"), _part(b"ab", 0, 1)),
    row(
        *_range("B12-a-small-file-in-sixteen-parts", "bytes=" + ",".join(f"{at}-{at}" for at in range(16))),
        _parts(*((at, at) for at in range(16))),
    ),
    row(*_range("B12-a-byte-as-often-as-there-are-bytes", "bytes=" + ",".join(["0-0"] * 26)), _parts(*[(0, 0)] * 26)),
    row(*_range("B12-and-once-more", "bytes=" + ",".join(["0-0"] * 27)), _WHOLE),
    row(*_range("B12-more-than-the-whole-in-sum", "bytes=0-,0-,0-"), _WHOLE),
    row(*_range("B12-each-from-the-next-to-the-end", "bytes=0-,1-,2-,3-,4-"), _WHOLE),
    row(*_range("B12-one-byte-more-than-the-whole-in-sum", "bytes=0-12,12-"), _WHOLE),
    _many("14.6-twenty-parts-as-zsync-asks-for", b"100k.bin", 20, 2048),
    _many("14.6-255-parts-as-zchunk-asks-for", b"100k.bin", 255, 100),
    _many("14.6-255-parts-of-a-file-on-the-disk", b"30m.bin", 255, 4096),
    _many("B12-as-many-parts-as-there-may-be", b"100k.bin", 512, 1),
    _many("B12-one-part-more", b"100k.bin", 513, 1, expect(200, FILES[b"100k.bin"], content_range=None)),
    _many("B12-heads-of-parts-within-4-kib", b"1k.bin", 40, 1),
    _many("B12-heads-of-parts-beyond-4-kib", b"1k.bin", 50, 1, expect(200, FILES[b"1k.bin"], content_range=None)),
    row(*_range("B12-8-kib-of-ranges", "bytes=" + ",".join(["0-0"] * 2000)), _WHOLE),
    row(*_range("13.1.5-if-range-same-tag", "bytes=2-5", f"If-Range: {_TAG}"), _part(b"cdef", 2, 5)),
    row(*_range("13.1.5-if-range-other-tag", "bytes=2-5", 'If-Range: "x"'), _WHOLE),
    row(*_range("B13-if-range-weak-tag", "bytes=2-5", f"If-Range: W/{_TAG}"), _WHOLE),
    row(*_range("13.1.5-if-range-same-date", "bytes=2-5", f"If-Range: {LAST_MODIFIED}"), _part(b"cdef", 2, 5)),
    row(*_range("13.1.5-if-range-later-date", "bytes=2-5", "If-Range: Sun, 13 Sep 2020 12:26:41 GMT"), _WHOLE),
    row(*_range("13.1.5-if-range-before-416", "bytes=100-200", 'If-Range: "x"'), _WHOLE),
    row("13.1.5-if-range-alone", get("/a.txt", f"If-Range: {_TAG}"), _WHOLE),
    row(
        "14.2-range-of-a-file-on-the-disk",
        get("/30m.bin", "Range: bytes=29999990-"),
        expect(206, FILES[b"30m.bin"][-10:]),
    ),
    row(
        "14.6-parts-of-a-file-on-the-disk",
        get("/100k.bin", "Range: bytes=0-0,-70000"),
        _parts((0, 0), (32400, 102399), of=b"100k.bin", kind=b"application/octet-stream"),
    ),
    row(
        "C12-beyond-32-bits",
        get("/5g.bin", "Range: bytes=4294967295-4294967300"),
        expect(206, bytes(6), content_range=f"bytes 4294967295-4294967300/{HUGE}", content_length="6"),
    ),
    row("C12-head-beyond-32-bits", head("/5g.bin"), expect(200, b"", content_length=str(HUGE))),
    row(
        "G3-the-next-answer-follows-each-kind",
        (get("/a.txt", "Range: bytes=0-1,24-25"), get("/a.txt", "Range: bytes=99-"), get("/a.txt", "Range: bytes=1-2")),
        _parts((0, 1), (24, 25)),
        _UNSATISFIABLE,
        _part(b"bc", 1, 2),
    ),
]
