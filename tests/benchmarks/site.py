"""The files that every peer serves: made anew for each run, the same bytes every time.

All below ``/site/``, since not every peer can serve its folder at ``/``: ``small.html`` 1 KiB,
``medium.js`` 100 KiB, ``large.bin`` 1 MiB, ``huge.bin`` 100 MiB and, in ``pages/``, 1,000 files of
about 12 KiB (log-normal, 2 to 40 KiB). Every file is dated a day back: a server may call the
validator of a file that changed in the last seconds weak.
"""

import functools
import random
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
    rng = random.Random(8888)
    for name, size in SIZES.items():
        write(root / "site" / name, rng, size)
    pages = []
    for number in range(PAGES):
        path = f"pages/{number % 50:02}/page-{number:04}.{KINDS[number % len(KINDS)]}"
        write(root / "site" / path, rng, likely_size(rng))
        pages.append(path)
    return Site(root, tuple(pages))


@functools.cache
def _read(path: Path) -> bytes:
    """Every peer is checked against the same bytes; 100 MiB of them need be in memory only once."""
    return path.read_bytes()
