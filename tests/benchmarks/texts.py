"""Trees of real text, for the works of compression; the usual files are hexadecimal digits, which hardly compress.

Each is made in a folder of its own, when a work first needs it:
  - ``text``: ``text.html``, 100 KiB of Python's own help texts, and the thousand pages with their usual names and sizes
  - ``neighbours``: the same, and beside each file its coded neighbours, as ``pwb compress`` writes them
  - ``documentation``: the documentation of Python, as Debian's package python3-doc has it
"""

import functools
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

from pwb_legacy.compare.measure.sample_site import KIB, likely_size

from .site import PAGES, Site, page_path
from .verify import UnableError

DOCUMENTATION = [Path(f"/usr/share/doc/{name}/html") for name in ("python3", "python3.11", "python3.13", "python3.14")]
"""Where Debian has it: the number is that of its Python."""
TOP = Path(__file__).parent.parent.parent


@functools.cache
def make_tree(name: str, scratch: Path) -> Site:
    """The tree of that name, below ``scratch``; the same one when it is asked for again."""
    root = scratch / name
    pages = _MAKERS[name](root / "site")
    yesterday = time.time() - 86_400
    for folder, _, names in os.walk(root):
        for each in names:
            os.utime(Path(folder) / each, (yesterday, yesterday))
    return Site(root, tuple(pages))


def _text(site: Path) -> list[str]:
    from pydoc_data.topics import topics

    text = "\n".join(topics.values()).encode()
    rng = random.Random(8888)
    site.mkdir(parents=True)
    (site / "text.html").write_bytes(text[: 100 * KIB])
    pages = [page_path(number) for number in range(PAGES)]
    for page in pages:
        size = likely_size(rng)
        at = rng.randrange(len(text) - size)
        path = site / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text[at : at + size])
    return pages


def _neighbours(site: Path) -> list[str]:
    pages = _text(site)
    words = [sys.executable, "-m", "pwb_async", "compress", str(site), "--quiet"]
    environment = os.environ | {"PYTHONPATH": str(TOP)}
    subprocess.run(words, check=True, cwd=site, env=environment, timeout=600)
    return pages


def _documentation(site: Path) -> list[str]:
    folder = next(filter(Path.is_dir, DOCUMENTATION), None)
    if folder is None:
        raise UnableError("the documentation of Python is not there (apt-get install python3-doc)")
    shutil.copytree(folder, site, ignore_dangling_symlinks=True)
    files = sorted(path for path in site.rglob("[!.]*") if path.is_file() and path.stat().st_size)
    return [path.relative_to(site).as_posix() for path in files]


_MAKERS = {"text": _text, "neighbours": _neighbours, "documentation": _documentation}
