"""The files that every peer serves: made anew for each run, the same bytes every time.

All below ``/site/``, since not every peer can serve its folder at ``/``: ``small.html`` 1 KiB,
``medium.js`` 100 KiB, ``large.bin`` 1 MiB, ``huge.bin`` 100 MiB and, in ``pages/``, 1,000 files of
about 12 KiB (log-normal, 2 to 40 KiB). A work with a long tail finds up to 100,000 files of 4 KiB in
``tail/``. Every file is dated a day back: a server may call the validator of a file that changed in
the last seconds weak.
"""

import functools
import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

from pwb_legacy.compare.measure.sample_site import KIB, likely_size, write

SIZES = {
    "small.html": KIB,
    "medium.js": 100 * KIB,
    "large.bin": KIB * KIB,
    "huge.bin": 100 * KIB * KIB,
}
PAGES = 1000
KINDS = ("html", "css", "js", "svg")
TAIL_SIZE = 4 * KIB
TAIL_FOLDER = 1000
"""Files of the tail in a folder."""
TAIL_BODIES = 100
"""Different contents of the files of the tail, one after another: all of them in memory would be 400 MiB."""
DAY = 86_400 * 10**9
"""Nanoseconds."""


@dataclass(frozen=True, slots=True)
class Site:
    """A tree of files: ``root`` is served as ``/``; ``pages`` are the thousand in ``/site/``."""

    root: Path
    pages: tuple[str, ...]

    def read(self, path: str) -> bytes:
        """The bytes of one file; ``path`` is relative to ``/site/``."""
        return _read(self.root / "site" / path)


def page_path(number: int) -> str:
    """The path of one of the thousand pages, relative to ``/site/``."""
    return f"pages/{number % 50:02}/page-{number:04}.{KINDS[number % len(KINDS)]}"


def tail_path(number: int) -> str:
    """The path of a file of the tail, relative to ``/site/``."""
    return f"tail/{number // TAIL_FOLDER:02}/{number % TAIL_FOLDER:03}.html"


@functools.cache
def tail_bodies() -> tuple[bytes, ...]:
    """The contents of the files of the tail: file n has the one of n modulo TAIL_BODIES."""
    rng = random.Random(4096)
    return tuple(rng.randbytes(TAIL_SIZE // 2).hex().encode() for _ in range(TAIL_BODIES))


def make_site(root: Path, tail: int = 0) -> Site:
    """Write the tree below ``root``, an empty folder that exists. tail: the number of files in its tail."""
    rng = random.Random(8888)
    for name, size in SIZES.items():
        write(root / "site" / name, rng, size)
    pages = []
    for number in range(PAGES):
        path = page_path(number)
        write(root / "site" / path, rng, likely_size(rng))
        pages.append(path)
    write_tail(root / "site", tail)
    return Site(root, tuple(pages))


def write_tail(site: Path, count: int) -> None:
    """Write the files of the tail, 100,000 in a few seconds: just written, all of them are in the kernel's page cache.

    They are read a day after now, as far as the file system can tell: it need not note their first reading (relatime),
    which the first server that is measured would pay for.
    """
    now = time.time_ns()
    for number in range(count):
        path = site / tail_path(number)
        if number % TAIL_FOLDER == 0:
            path.parent.mkdir(parents=True)
        with open(path, "xb", buffering=0) as file:
            file.write(tail_bodies()[number % TAIL_BODIES])
            os.utime(file.fileno(), ns=(now + DAY, now - DAY))


@functools.cache
def _read(path: Path) -> bytes:
    """Every peer is checked against the same bytes; 100 MiB of them need be in memory only once."""
    return path.read_bytes()
