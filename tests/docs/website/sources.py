"""The sources of the site: which files of the repository are on it, where, and in which order.

1. docs/index.md is the front page, and its headings and lists are the navigation: Navigation
2. what a page links to is on the site, too: pages as HTML, any other file as it is
3. docs/NAME.md is /NAME.html; what is not in docs/ is beneath /project/, where files that are no pages are text
"""

import re
from posixpath import dirname, join, normpath, relpath
from typing import Final, NamedTuple

from tests.docs.examples import ROOT

FRONT: Final = "docs/index.md"
"""The page that lists the others."""
_DOCS: Final = "docs/"
_OUTSIDE: Final = "project/"
_ENTRY: Final = re.compile(r"^- \[([^]]+)\]\(([^)#]+)\)", re.MULTILINE)


class Entry(NamedTuple):
    """A page in the navigation."""

    title: str
    source: str
    """Its path in the repository."""


class Group(NamedTuple):
    """A heading of the navigation, and the pages below it."""

    title: str
    entries: list[Entry]


def navigation() -> list[Group]:
    """The groups of the front page: its second headings, each with the first link of each item of the lists below it."""
    _, *sections = re.split(r"^## ", (ROOT / FRONT).read_text(), flags=re.MULTILINE)
    groups = []
    for section in sections:
        title, _, text = section.partition("\n")
        entries = [Entry(name, resolve(FRONT, link)) for name, link in _ENTRY.findall(text)]
        if entries:
            groups.append(Group(title.strip(), entries))
    return groups


def resolve(page: str, link: str) -> str:
    """The path in the repository of what a page links to. Raises FileNotFoundError."""
    path = normpath(join(dirname(page), link))
    if not (ROOT / path).is_file():
        raise FileNotFoundError(f"{page} links to {link}, which is no file")
    return path


def is_page(source: str) -> bool:
    """Whether a file becomes a page of HTML."""
    return source.endswith(".md")


def address(source: str) -> str:
    """The path of a file on the site, without a slash in front."""
    inside = source.startswith(_DOCS)
    path = source.removeprefix(_DOCS) if inside else _OUTSIDE + source
    if is_page(source):
        return path.removesuffix(".md") + ".html"
    return path if inside else path + ".txt"  # a program or a template is shown as it is


def reference(page: str, source: str) -> str:
    """The relative reference from one file of the site to another, both by their paths in the repository."""
    return relpath(address(source), dirname(address(page)) or ".")


def language(source: str) -> str:
    """The language of a page, as HTML names it."""
    return "zh-CN" if source.endswith(".zh-CN.md") else "en"
