"""Repr-Digest for a client that asks for it (RFC 9530)."""

from base64 import b64encode
from gzip import compress
from hashlib import sha256, sha512
from typing import Final

from pwb_legacy.compare.checks.rows import Row, expect, get, head, row
from tests.conformance.tree import ALPHABET

from .site import RowSite

_TEXT: Final = b"<!DOCTYPE html>\n<title>text</title>\n" + b"more of it\n" * 200
_CODED: Final = compress(_TEXT, mtime=1)
_FILES: Final = {
    "a.txt": ALPHABET,
    "empty.txt": b"",
    "coded.html": _TEXT,
    "coded.html.gz": _CODED,
    "large.bin": bytes(200_000),
    "marker": b"MARKER",
}
_WANTED: Final = "Want-Repr-Digest: sha-256=1"


def _sha256(content: bytes) -> str:
    return f"sha-256=:{b64encode(sha256(content).digest()).decode()}:"


_DIGEST: Final = _sha256(ALPHABET)
_SHA512: Final = f"sha-512=:{b64encode(sha512(ALPHABET).digest()).decode()}:"

ROWS: Final[list[Row]] = [
    row("9530-3-get", get("/a.txt", _WANTED), expect(200, ALPHABET, repr_digest=_DIGEST)),
    row("9530-3-head", head("/a.txt", _WANTED), expect(200, b"", repr_digest=_DIGEST)),
    row("9530-3-only-if-it-is-wanted", get("/a.txt"), expect(200, ALPHABET, repr_digest=None)),
    row("9530-3-206-has-that-of-the-whole", get("/a.txt", _WANTED, "Range: bytes=1-2"), expect(206, b"bc", repr_digest=_DIGEST)),
    row("9530-3-206-multipart", get("/a.txt", _WANTED, "Range: bytes=1-2,5-6"), expect(206, repr_digest=_DIGEST)),
    row("9530-3-empty", get("/empty.txt", _WANTED), expect(200, b"", repr_digest=_sha256(b""))),
    row("9530-3-304", get("/a.txt", _WANTED, "If-None-Match: *"), expect(304, repr_digest=None)),
    row("9530-3-412", get("/a.txt", _WANTED, 'If-Match: "x"'), expect(412, repr_digest=None)),
    row("9530-3-416", get("/a.txt", _WANTED, "Range: bytes=99-"), expect(416, repr_digest=None)),
    row("9530-3-404", get("/nope", _WANTED), expect(404, repr_digest=None)),
    row("9530-3-a-large-file-has-none", get("/large.bin", _WANTED), expect(200, bytes(200_000), repr_digest=None)),
    row("9530-3-a-coding", get("/coded.html", _WANTED, "Accept-Encoding: gzip"), expect(200, _CODED, repr_digest=_sha256(_CODED), content_encoding="gzip")),
    row("9530-3-no-coding", get("/coded.html", _WANTED), expect(200, _TEXT, repr_digest=_sha256(_TEXT), content_encoding=None)),
    row("9530-4-another-algorithm", get("/a.txt", "Want-Repr-Digest: sha-256=3, sha-512=10"), expect(200, repr_digest=_SHA512)),
    row("9530-4-two-field-lines", get("/a.txt", _WANTED, "Want-Repr-Digest: sha-512=10"), expect(200, repr_digest=_SHA512)),
    row("9530-4-not-acceptable", get("/a.txt", "Want-Repr-Digest: sha-256=0"), expect(200, repr_digest=None)),
    row("9530-4-unknown", get("/a.txt", "Want-Repr-Digest: md5=10"), expect(200, repr_digest=None)),
    row("9530-4-invalid", get("/a.txt", "Want-Repr-Digest: sha-256, x"), expect(200, ALPHABET, repr_digest=None)),
    row("9530-4-with-content-is-for-the-response", get("/a.txt", "Want-Content-Digest: sha-256=1"), expect(200, repr_digest=None)),
]  # fmt: skip
SITES: Final = {"digests": RowSite(_FILES, ROWS)}
