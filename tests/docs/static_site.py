"""Brings static/ up to date after a change: python -m tests.docs.static_site

  1. A file in static/assets has a digest of its content in its name, as build tools make them, so that browsers keep it
     for a year. A file that has changed gets its new name, and so do all references to it.
  2. `pwb compress` writes coded neighbours. Those of files that are gone, or that now have another content, are removed
     before: by its time alone, one that is 2 s older than its file is current.

tests/docs/test_static_site.py fails if it was forgotten.
"""

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.conformance.coded import DECODERS

SITE: Final = Path(__file__).parents[2] / "static"
CODED: Final = {".br": "br", ".zst": "zstd", ".gz": "gzip"}
"""The endings of neighbours, and their codings."""
TEXTS: Final = (".html", ".css", ".js", ".svg", ".md", "_headers", "_redirects")
"""The endings of files that may refer to others."""
DIGITS: Final = 12
"""Hexadecimal digits of a digest, so many that nearly all have both a digit and a letter, which tells them from words."""
_NAME: Final = re.compile(rf"(.+?)(?:-[0-9a-f]{{{DIGITS}}})?(\.[a-z]+)")


def files() -> Iterator[Path]:
    """The files of the site, without neighbours and links."""
    for path in sorted(SITE.rglob("*")):
        if path.is_file() and not path.is_symlink() and path.suffix not in CODED:
            yield path


def fingerprinted(path: Path) -> str:
    """The name that a file of static/assets has to have."""
    match = _NAME.fullmatch(path.name)
    assert match, path
    return f"{match[1]}-{hashlib.sha256(path.read_bytes()).hexdigest()[:DIGITS]}{match[2]}"


def neighbours() -> Iterator[Path]:
    """The coded neighbours of files, also of those that are gone."""
    return (path for path in sorted(SITE.rglob("*")) if path.suffix in CODED)


def is_current(neighbour: Path) -> bool:
    """Whether the file of a neighbour is there, and has the same content."""
    path = neighbour.with_suffix("")
    return path.is_file() and DECODERS[CODED[neighbour.suffix]](neighbour.read_bytes()) == path.read_bytes()


def _rename() -> bool:
    """Give one file its new name, and change what refers to it; False if all have theirs."""
    for path in (SITE / "assets").iterdir():
        if path.suffix in CODED or path.name == (name := fingerprinted(path)):
            continue
        path.rename(path.with_name(name))
        for text in files():
            if text.name.endswith(TEXTS) and path.name in (content := text.read_text()):
                text.write_text(content.replace(path.name, name))
        return True
    return False


def main() -> None:
    """Brings the site up to date."""
    while _rename():  # a new name changes the content of what refers to it
        pass
    for path in neighbours():
        if not is_current(path):
            path.unlink()
    subprocess.run([sys.executable, "-m", "pwb_async", "compress", str(SITE)], check=True)


if __name__ == "__main__":
    main()
