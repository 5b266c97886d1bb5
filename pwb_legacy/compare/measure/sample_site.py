"""What the designs serve: the files of a folder, or a site that is made for the run, the same bytes for the same seed.

Every file that is made is dated a day back, for a server may not trust the validator of a new one yet.
"""

import os
import random
import re
import stat
import time
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from .servers import CannotError

KIB: Final = 1024
PAGES: Final = 1000
SMALL_FILES: Final = 60
"""Files of a page that has many small ones: ten for each connection of a browser."""
SMALL: Final = 2 * KIB
"""Bytes of each of them."""
MOST: Final = 1000
"""Files of a folder that are asked for at most; where there are more, so many are drawn."""
LARGE: Final = 16 << 20


@dataclass(frozen=True, slots=True)
class Site:
    """A folder, and what is asked for in it."""

    root: Path
    page: bytes
    """The request target of a small file."""
    large: bytes
    """The request target of the largest file."""
    pages: tuple[bytes, ...]
    """Request targets of many files."""
    small: tuple[bytes, ...]
    """Request targets of the small files of a page, SMALL_FILES; some occur several times if there are not as many."""
    about: tuple[str, dict[str, Any]]
    """What it is: a kind, of which the catalogue of report/ has the sentence, and its values."""

    @property
    def page_path(self) -> Path:
        """The small file."""
        return self.root / os.fsdecode(unquote_to_bytes(self.page.lstrip(b"/")))

    @staticmethod
    def glob(target: bytes) -> str:
        """The glob that fits the path of one request target only, as --delay-disk takes it."""
        return re.sub(r"[*?[]", r"[\g<0>]", os.fsdecode(unquote_to_bytes(target)))


def make(root: Path, seed: int) -> Site:
    """Write a site into an empty folder."""
    chance = random.Random(seed)  # noqa: S311  not for secrets
    write(root / "page.html", chance, KIB)
    write(root / "large.bin", chance, LARGE)
    names = [f"pages/{number % 50:02}/page-{number:04}.html" for number in range(PAGES)]
    total = sum(write(root / name, chance, likely_size(chance)) for name in names)
    small = [f"small/file-{number:02}.html" for number in range(SMALL_FILES)]
    for name in small:
        write(root / name, chance, SMALL)
    return Site(
        root,
        b"/page.html",
        b"/large.bin",
        tuple(b"/" + name.encode() for name in names),
        tuple(b"/" + name.encode() for name in small),
        ("made", {"pages": PAGES, "kib": round(total / PAGES / KIB), "mib": LARGE >> 20}),
    )


def find(root: Path, seed: int) -> Site:
    """The files of an existing folder. Raises CannotError if there is no file to ask for."""
    sizes = sorted(_sizes(os.fsencode(root)).items())
    if not sizes:
        raise CannotError(f"{root}: there is no file to ask for")
    chance = random.Random(seed)  # noqa: S311  not for secrets
    drawn = chance.sample(sizes, min(MOST, len(sizes)))
    page, page_size = min(sizes, key=lambda pair: abs(pair[1] - KIB))
    large, large_size = max(sizes, key=lambda pair: pair[1])
    small = [target for target, _ in sorted(sizes, key=lambda pair: abs(pair[1] - SMALL))][:SMALL_FILES]
    about = {
        "root": str(root),
        "files": len(sizes),
        "drawn": len(drawn),
        "page": page.decode(),
        "page_size": page_size,
        "large": large.decode(),
        "large_size": large_size,
    }
    return Site(
        root, page, large,
        pages=tuple(target for target, _ in drawn),
        small=tuple(islice(cycle(small), SMALL_FILES)),
        about=("found", about),
    )  # fmt: skip


def write(path: Path, chance: random.Random, size: int) -> int:
    """Write `size` bytes of hexadecimal digits, which repeat beyond 1 MiB; return `size`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    block = chance.randbytes(min(size, KIB * KIB) // 2 + 1).hex().encode()[: min(size, KIB * KIB)]
    path.write_bytes((block * (size // len(block) + 1))[:size])
    yesterday = time.time() - 86_400
    os.utime(path, (yesterday, yesterday))
    return size


def likely_size(chance: random.Random) -> int:
    """A page's size in bytes: log-normal around 11 KiB, between 2 and 40 KiB."""
    return int(min(max(chance.lognormvariate(9.32, 0.4), 2 * KIB), 40 * KIB))


def _sizes(root: bytes) -> dict[bytes, int]:
    """Targets and sizes of the files that a server would show: no dot files, no symbolic links, none that are empty."""
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(b".")]
        for name in names:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            if (
                not name.startswith(b".")
                and stat.S_ISREG(status.st_mode)
                and status.st_size
                and os.access(path, os.R_OK)
            ):
                found[b"/" + quote_from_bytes(os.path.relpath(path, root)).encode()] = status.st_size
    return found
