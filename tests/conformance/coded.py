"""The folder coded/ of the served tree: files with coded neighbours, good and bad, and files without."""

import gzip
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pwb_legacy.compare.checks.essential_rows import random_bytes

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

import brotli

SCRIPT: Final = b"".join(
    b"export function item%d() { return document.getElementById('item-%d'); }\n" % (n, n) for n in range(76)
)
"""5.4 KB, of which the brotli form is the smallest, then zstd, then gzip."""
SHORT: Final = b"".join(b"let n%d = %d;\n" % (n, n) for n in range(18))
"""232 bytes, which are too few to be compressed when they are requested."""
PAGE: Final = b"<!DOCTYPE html><title>coded</title>" + SHORT
LONG: Final = random_bytes(120_000).hex().encode()
"""240 KB, whose gzip form is too large to be sent from memory."""
LONG_AGO: Final = 1_600_000_000
"""Seconds since the epoch."""


def write(path: Path, content: bytes, mtime: float = LONG_AGO) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (mtime, mtime))


def br(content: bytes) -> bytes:
    coded: bytes = brotli.compress(content)
    return coded


def zst(content: bytes) -> bytes:
    return zstd.compress(content, 19)


def gz(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


DECODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "br": brotli.decompress,
    "zstd": zstd.decompress,
    "gzip": gzip.decompress,
}
"""What removes a coding from content."""

_SCRIPT_FORMS: Final = {b".br": br(SCRIPT), b".zst": zst(SCRIPT), b".gz": gz(SCRIPT)}
assert len(_SCRIPT_FORMS[b".br"]) < len(_SCRIPT_FORMS[b".zst"]) < len(_SCRIPT_FORMS[b".gz"])

_WIDE_WINDOW: Final = b"\x28\xb5\x2f\xfd" + bytes((0b1000_0000, (24 - 10) << 3)) + struct.pack("<I", len(SHORT))
"""The header of a zstd frame whose decoder needs 16 MiB (RFC 8878 3.1.1.1)."""

IGNORED: Final = {
    b"stale.js": {b".br": br(SHORT)},
    b"empty.js": {b".br": b""},
    b"no-gzip.js": {b".gz": b"plain text"},
    b"other-gzip.js": {b".gz": gz(SHORT[:-1])},
    b"cut-gzip.js": {b".gz": b"\x1f"},
    b"no-zstd.js": {b".zst": b"plain text"},
    b"other-zstd.js": {b".zst": zst(SHORT[:-1])},
    b"cut-zstd.js": {b".zst": zst(SHORT)[:5]},
    b"wide-zstd.js": {b".zst": _WIDE_WINDOW + b"\x01\x00\x00"},
    b"larger.js": {b".gz": gz(SHORT) + gz(SHORT)[10:] * 2},
    b"folder.js": {b".br/x": b"x"},
    b"link-out.js": {},
    b"dangling.js": {},
    b"image.png": {b".gz": gz(SHORT), b".br": br(SHORT)},
}
"""Files of 232 bytes, with neighbours that are never sent in their place."""

FLY: Final[dict[bytes, bytes]] = {
    b"coded/fly.js": SCRIPT,
    b"coded/fly-256.js": SCRIPT[:256],
    b"coded/fly-255.js": SCRIPT[:255],
    b"coded/fly-long.txt": LONG,
    b"coded/fly-random.txt": random_bytes(4000),
    b"coded/fly-random-long.txt": random_bytes(130_000),
    b"coded/fly-image.png": SCRIPT,
    b"coded/fly/index.html": SCRIPT,
}
"""Files without neighbours, which are compressed when they are requested, if at all."""

FILES: Final[dict[bytes, bytes]] = {
    **FLY,
    b"coded/app.js": SCRIPT,
    **{b"coded/app.js" + ending: content for ending, content in _SCRIPT_FORMS.items()},
    b"coded/index.html": PAGE,
    b"coded/index.html.br": br(PAGE),
    b"coded/two-seconds.js": SHORT,
    b"coded/two-seconds.js.br": br(SHORT),
    b"coded/long.txt": LONG,
    b"coded/long.txt.gz": gz(LONG),
    b"coded/good-or-bad.js": SHORT,
    b"coded/good-or-bad.js.br": b"",
    b"coded/good-or-bad.js.gz": gz(SHORT),
    b"coded/only.js.br": br(SHORT),
    b"coded/linked.js": SHORT,
    **dict.fromkeys((b"coded/" + name for name in IGNORED), SHORT),
    **{
        b"coded/" + name + ending: content
        for name, neighbours in IGNORED.items()
        for ending, content in neighbours.items()
    },
}
TIMES: Final = {b"coded/stale.js.br": -2.5, b"coded/two-seconds.js.br": -2.0}
"""Seconds by which the time of a file differs from that of all others."""
LINKS: Final = {
    b"coded/link-out.js.br": b"../../secret.txt",
    b"coded/dangling.js.br": b"nowhere",
    b"coded/linked.js.br": b"two-seconds.js.br",
}
