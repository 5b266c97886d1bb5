"""The folder that every design serves, and the files beside it that no response may contain.

    world/
      secret.txt                CANARY: no file outside of site/ may be served
      site-sibling/secret.txt   CANARY: a prefix is not a parent
      site/                     the served folder; it holds the TREE of tests/core, which the corpus requests

All files were last changed at MTIME, but for TIMES and those of coded.py.
"""

import os
import socket
from pathlib import Path
from typing import Final

from xxhash import xxh3_128_hexdigest

from pwb_legacy.compare.checks import essential_rows
from pwb_legacy.compare.checks.essential_rows import CANARY, random_bytes
from tests.conformance import coded
from tests.core.driver import TREE

__all__ = [
    "ALPHABET",
    "BIG",
    "CANARY",
    "FILES",
    "HUGE",
    "LAST_MODIFIED",
    "LINKS",
    "MTIME",
    "ODD",
    "TIMES",
    "build",
    "entity_tag",
    "random_bytes",
]

MTIME: Final = 1_600_000_000
LAST_MODIFIED: Final = "Sun, 13 Sep 2020 12:26:40 GMT"
BIG: Final = 30_000_000
HUGE: Final = 5 * 1024**3

ALPHABET: Final = TREE[b"a.txt"]


def entity_tag(content: bytes) -> str:
    """The entity tag of a small file, a digest of its content (hazard D7)."""
    return f'"{xxh3_128_hexdigest(content)}"'


FILES: Final[dict[bytes, bytes]] = {
    **TREE,
    **{name.encode(): content for name, content in essential_rows.FILES.items()},
    b"30m.bin": random_bytes(BIG),
    # names
    b"a\r\nX: y.txt": b"a line end in the name",
    b"semi;colon=1.txt": b"a semicolon in the name",
    b"plus+plus.txt": b"a plus in the name",
    b"que?ry.txt": b"a question mark in the name",
    b"hash#tag.txt": b"a hash in the name",
    b"<img onerror=alert(1)>.html": b"markup in the name",
    b"...": b"three dots",
    b"sub/..dots.txt": b"two dots in front",
    b"s\r\nX: 1ub/index.html": b"a folder with a line end in its name",
    b"a\\b folder/index.html": b"a folder with a backslash in its name",
    b"\\evil/sub/index.html": b"a folder whose name begins with a backslash",
    b"evil.com/index.html": b"a folder that looks like a host",
    b"evil.com/x;/sub/index.html": b"a folder that looks like a parameter",
    b"evil.com/..;/sub/index.html": CANARY,
    b"%s/index.html" % (b"n" * 255): b"a name as long as it may be",
    b"sub/.hidden/x.txt": CANARY,
    b".htpasswd": CANARY,
    b".well-known/.x": CANARY,
    b"index-is-folder/index.html/x.txt": b"an index that is a folder",
    # types
    b"types/x.html": b"<!DOCTYPE html>",
    b"types/X.HTML": b"<!DOCTYPE html>",
    b"types/x.css": b"p {}",
    b"types/x.js": b"1",
    b"types/x.mjs": b"1",
    b"types/x.json": b"{}",
    b"types/x.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    b"types/x.png": b"\x89PNG",
    b"types/x.woff2": b"wOF2",
    b"types/x.wasm": b"\0asm",
    b"types/x.mp4": b"mp4",
    b"types/x.pdf": b"%PDF",
    b"types/x.tar.gz": b"\x1f\x8b",
    b"types/x.unheard-of": b"?",
    b"types/none": b"?",
    b"types/trailing.": b"?",
    **dict.fromkeys(
        (
            b"types/x.map",
            b"types/x.geojson",
            b"types/x.jsonld",
            b"types/x.webmanifest",
            b"types/x.cjs",
            b"types/x.m3u8",
            b"types/x.m4s",
            b"types/x.mpd",
            b"types/x.vtt",
            b"types/x.opus",
            b"types/x.jxl",
            b"types/x.avif",
            b"types/x.webp",
            b"types/x.heic",
            b"types/x.heif",
            b"types/x.glb",
            b"types/x.gltf",
            b"types/x.usdz",
            b"types/x.ktx2",
            b"types/x.pmtiles",
            b"types/x.parquet",
            b"types/x.ics",
            b"types/x.vcf",
            b"types/x.epub",
            b"types/x.zst",
            b"types/x.br",
        ),
        b"?",
    ),
    b"types/x.js.br": ALPHABET,
    b"types/x.data.gz": ALPHABET,
    b"types/x.css.gz": ALPHABET,
    b"types/x-1.2.gz": ALPHABET,
    b".well-known/apple-app-site-association": b"{}",
    b".well-known/assetlinks.json": b"[]",
    b".well-known/matrix/client": b"{}",
    b"apple-app-site-association": b"{}",
    **coded.FILES,
}

LINKS: Final[dict[bytes, bytes]] = {
    b"link-in": b"a.txt",
    b"link-in-twice": b"link-in",
    b"link-in-up": b"sub/../a.txt",
    b"link-in-folder": b"sub",
    b"link-out": b"../secret.txt",
    b"link-out-folder": b"..",
    b"link-out-and-in": b"../site/a.txt",
    b"link-out-absolute": b"/etc/passwd",
    b"link-out-chain": b"link-out",
    b"link-out-sibling": b"../site-sibling",
    b"link-magic": b"/proc/self/root",
    b"link-magic-cwd": b"/proc/self/cwd",
    b"link-zero": b"/dev/zero",
    b"link-tty": b"/dev/tty",
    b"link-loop": b"link-loop",
    b"link-dangling": b"nowhere",
    b"sub/link-up": b"../a.txt",
    b"sub/link-out": b"../../secret.txt",
    b"index-is-link-out/index.html": b"../../secret.txt",
    b"link-out.gz": b"../secret.txt",
    **coded.LINKS,
}

ODD: Final = b"odd times"
TIMES: Final[dict[bytes, int]] = {
    b"time-2099": 4_070_908_800,
    b"time-1960": -315_619_200,
    b"time-year-10000": 253_402_300_800,
    b"time-0": 0,
    b"time-1": 1,
    b"time-2": 2,
    b"time-npm": 499_162_500,
    b"time-zip": 315_532_800,
}


def build(world: Path) -> Path:
    """Writes everything into `world`, an empty folder, and returns the folder to serve."""
    site = os.fsencode(world / "site")
    for folder in (site, os.fsencode(world / "site-sibling")):
        os.mkdir(folder)
    for outside in ("secret.txt", "site-sibling/secret.txt", "site-sibling/index.html"):
        (world / outside).write_bytes(CANARY)
    for name, content in {**FILES, **dict.fromkeys(TIMES, ODD)}.items():
        path = os.path.join(site, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        os.utime(path, (TIMES.get(name, MTIME + coded.TIMES.get(name, 0)),) * 2)
    for name, target in LINKS.items():
        path = os.path.join(site, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(target, path)
    os.symlink(os.path.join(site, b"a.txt"), os.path.join(site, b"link-in-absolute"))
    huge = os.path.join(site, b"5g.bin")
    os.close(os.open(huge, os.O_WRONLY | os.O_CREAT, 0o644))
    os.truncate(huge, HUGE)
    os.utime(huge, (MTIME, MTIME))
    os.mkfifo(os.path.join(site, b"fifo"))
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.open(site, os.O_PATH)
        try:
            listener.bind(f"/proc/self/fd/{here}/socket")  # the path itself may be longer than sun_path
        finally:
            os.close(here)
    os.mkdir(os.path.join(site, b"locked"))
    for name in (b"unreadable.txt", b"locked/x.txt"):
        with open(os.path.join(site, name), "wb") as file:
            file.write(CANARY)
        os.utime(os.path.join(site, name), (MTIME, MTIME))
    os.chmod(os.path.join(site, b"unreadable.txt"), 0)
    os.chmod(os.path.join(site, b"locked"), 0)
    return world / "site"
