"""Releases of a site: pages, and assets whose names have a digest of their content.

So a client can see from any response whether it is whole and of which release it is: an asset by its name, a page by
its last line and by the asset that it names.
"""

import hashlib
import re
from pathlib import Path
from typing import Final, NamedTuple

PAGES: Final = tuple(f"/page{number}.html" for number in range(10))
_PAGE: Final = re.compile(
    rb'<!DOCTYPE html><title>release (\d+)</title><script src="(/assets/app-\w+\.js)"></script>\n'
)
_END: Final = b"</html>\n"


class Page(NamedTuple):
    """What a page tells."""

    release: int
    asset: str
    """The path of the asset that it needs."""


def _asset(release: int, page: str) -> tuple[str, bytes]:
    """The path and the content of the asset of a page."""
    content = f"// release {release} of {page}\n".encode() * 200
    return f"/assets/app-{_digest(content)}.js", content


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def write(folder: Path, release: int) -> None:
    """Writes a release into a folder, beside what is there."""
    (folder / "assets").mkdir(parents=True, exist_ok=True)
    for page in PAGES:
        path, content = _asset(release, page)
        (folder / path[1:]).write_bytes(content)
        head = f'<!DOCTYPE html><title>release {release}</title><script src="{path}"></script>\n'
        (folder / page[1:]).write_bytes(head.encode() + b"<p>text\n" * 100 + _END)


def read_page(content: bytes) -> Page | None:
    """What a page tells; None if it is not whole."""
    match = _PAGE.match(content)
    return Page(int(match[1]), match[2].decode()) if match and content.endswith(_END) else None


def is_whole_asset(path: str, content: bytes) -> bool:
    """Whether the content of an asset is that of its name."""
    return path == f"/assets/app-{_digest(content)}.js"
