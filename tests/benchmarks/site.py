"""The files that every peer serves: made anew for each run, the same bytes every time.

All below ``/site/``, since not every peer can serve its folder at ``/``: ``small.html`` 1 KiB,
``medium.js`` 100 KiB, ``large.bin`` 1 MiB, ``huge.bin`` 100 MiB and, in ``pages/``, 1,000 files of
about 12 KiB (log-normal, 2 to 40 KiB). Every file is dated a day back: a server may call the
validator of a file that changed in the last seconds weak.
"""

import functools
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

KIB = 1024
SIZES = {
    "small.html": KIB,
    "medium.js": 100 * KIB,
    "large.bin": KIB * KIB,
    "huge.bin": 100 * KIB * KIB,
}
PAGES = 1000
KINDS = ("html", "css", "js", "svg")


@dataclass(frozen=True, slots=True)
class Site:
    """A tree of files: ``root`` is served as ``/``; ``pages`` are the thousand in ``/site/``."""

    root: Path
    pages: tuple[str, ...]

    def read(self, path: str) -> bytes:
        """The bytes of one file; ``path`` is relative to ``/site/``."""
        return _read(self.root / "site" / path)


def make_site(root: Path) -> Site:
    """Write the tree below ``root``, an empty folder that exists."""
    chance = random.Random(8888)
    for name, size in SIZES.items():
        _write(root / "site" / name, chance, size)
    pages = []
    for number in range(PAGES):
        path = f"pages/{number % 50:02}/page-{number:04}.{KINDS[number % len(KINDS)]}"
        size = int(min(max(chance.lognormvariate(9.32, 0.4), 2 * KIB), 40 * KIB))
        _write(root / "site" / path, chance, size)
        pages.append(path)
    return Site(root, tuple(pages))


@functools.cache
def _read(path: Path) -> bytes:
    """Every peer is checked against the same bytes; 100 MiB of them need be in memory only once."""
    return path.read_bytes()


def _write(path: Path, chance: random.Random, size: int) -> None:
    """Write ``size`` bytes of hexadecimal digits; beyond 1 MiB they repeat."""
    path.parent.mkdir(parents=True, exist_ok=True)
    block = chance.randbytes(min(size, KIB * KIB) // 2 + 1).hex().encode()[: min(size, KIB * KIB)]
    path.write_bytes((block * (size // len(block) + 1))[:size])
    yesterday = time.time() - 86_400
    os.utime(path, (yesterday, yesterday))
