"""Builds the site in a folder.

1. the front page, and whatever can be reached from it by links, is rendered
2. files that are not pages are copied
3. the style sheet and the icon have a digest of their content in their names, so that browsers keep them for a year
4. _headers has the fields of responses: no page can load anything from another host
5. what an earlier site in this folder had and this one has not is removed
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pwb_async.version import __version__
from tests.docs.examples import ROOT

from .markdown import Rendered, render
from .sources import FRONT, address, is_page, language, navigation, reference

_HERE: Final = Path(__file__).parent
_MARK: Final = "contents.html"
"""A file that tells a folder with a site from any other."""
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_DIGITS: Final = 12


def build(folder: Path) -> list[str]:
    """Build the site, and return the paths of its files. Raises FileExistsError if the folder has anything else."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _MARK).is_file():
        raise FileExistsError(f"{folder} is not empty, and no site")
    files = _files()
    for path in folder.rglob("*") if folder.is_dir() else ():
        if path.is_file() and path.relative_to(folder).as_posix() not in files:
            path.unlink()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != content:  # a time that stays lets browsers keep what they have
            path.write_bytes(content)
    return sorted(files)


def _files() -> dict[str, bytes]:
    """The content of each file, by its path on the site."""
    pages, copies = _reachable()
    groups = navigation()
    order = [entry.source for group in groups for entry in group.entries]
    style, icon = _asset(_HERE / "site.css"), _asset(_HERE / "icon.svg")
    files = {address(source): (ROOT / source).read_bytes() for source in copies}
    files |= {"_headers": (_HERE / "_headers").read_bytes()} | style | icon
    common: dict[str, object] = {
        "groups": groups,
        "version": __version__,
        "style": next(iter(style)),
        "icon": next(iter(icon)),
    }
    for source, page in pages.items():
        near = _neighbours(order, source)
        files[address(source)] = _page(source, page, common | near)
    listed = [(group.title, [(entry, pages[entry.source]) for entry in group.entries]) for group in groups]
    contents = _TEMPLATES.get_template("contents.html").render(listed=listed, address=address)
    files[_MARK] = _page("docs/contents.md", Rendered("Contents", contents, [], []), common)
    missing = _TEMPLATES.get_template("missing.html").render()
    # It is sent at any address, so its links begin at the root.
    files["404.html"] = _page("", Rendered("Not found", missing, [], []), common)
    return files


def _reachable() -> tuple[dict[str, Rendered], list[str]]:
    """The pages that can be reached from the front page, and the other files that they refer to."""
    pages: dict[str, Rendered] = {}
    copies: list[str] = []
    waiting = [FRONT]
    while waiting:
        source = waiting.pop()
        if not is_page(source):
            copies.append(source)
        elif source not in pages:
            pages[source] = render(source)
            waiting += pages[source].links
    return pages, copies


def _page(source: str, page: Rendered, values: Mapping[str, object]) -> bytes:
    """A page in the frame that all have in common."""

    def to(target: str) -> str:
        return reference(source, target) if source else f"/{address(target)}"

    depth = address(source).count("/")
    return (
        _TEMPLATES.get_template("page.html")
        .render(
            {"before": None, "after": None, **values},
            page=page,
            source=source,
            language=language(source),
            language_of=language,
            to=to,
            top="../" * depth if source else "/",
        )
        .encode()
    )


def _neighbours(order: list[str], source: str) -> dict[str, object]:
    """The pages before and after this one in the navigation; None at its ends, and for a page that is not in it."""
    if source not in order:
        return {}
    at = order.index(source)
    return {"before": order[at - 1] if at else None, "after": order[at + 1] if at + 1 < len(order) else None}


def _asset(path: Path) -> dict[str, bytes]:
    """The content of a file, by its path on the site."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:_DIGITS]
    return {f"assets/{path.stem}-{digest}{path.suffix}": content}
