"""A small site for the tests of the applications for ASGI and WSGI."""

import os
from pathlib import Path
from typing import Final

BIG: Final = 3 << 20
"""Bytes of a file that is sent in pieces."""


def make_site(folder: Path) -> Path:
    """Write the site into a new folder, which is returned."""
    (folder / "sub").mkdir(parents=True)
    for name, content in {
        "index.html": b"home",
        "a.txt": b"abc",
        "sub/index.html": b"sub",
        "a b.txt": b"space",
        "big.bin": os.urandom(BIG),
    }.items():
        (folder / name).write_bytes(content)
    return folder
