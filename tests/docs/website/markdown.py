"""A page of Markdown as HTML: the dialect of GitHub as far as the pages use it, since they are read there, too."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.docs.examples import ROOT

from .sources import reference, resolve

_READER: Final = MarkdownIt("commonmark", {"html": True}).enable("table")
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*:|#|$")
"""How a reference begins that is not a file of the repository."""
_ATTRIBUTE: Final = re.compile(r'\b(src|srcset|href)="([^"]+)"')


class Heading(NamedTuple):
    """A heading of a page."""

    level: int
    text: str
    fragment: str
    """Its id."""


class Rendered(NamedTuple):
    """A page as HTML, and what was found on the way."""

    title: str
    body: str
    headings: list[Heading]
    """All but the title."""
    links: list[str]
    """The files of the repository that it refers to, by their paths."""


def render(page: str) -> Rendered:
    """Render the page with this path in the repository. Raises FileNotFoundError if it refers to a file that is missing."""
    tokens = _READER.parse((ROOT / page).read_text())
    headings = list(_name_headings(tokens))
    links: list[str] = []

    def follow(link: str) -> str:
        """The reference on the site in place of the one in the repository."""
        if _URL.match(link):
            return link
        path, mark, fragment = link.partition("#")
        links.append(resolve(page, path))
        return reference(page, links[-1]) + mark + fragment

    for token in _flat(tokens):
        for name in ("href", "src"):
            if name in token.attrs:
                token.attrs[name] = follow(str(token.attrs[name]))
        if token.type.startswith("html_"):
            token.content = _ATTRIBUTE.sub(lambda found: f'{found[1]}="{follow(found[2])}"', token.content)
    _mend_tables(tokens)
    body = _READER.renderer.render(tokens, _READER.options, {})
    # What is too wide scrolls by itself, which must be possible by the keyboard.
    body = body.replace("<table>", '<div class="wide" tabindex="0"><table>').replace("</table>", "</table></div>")
    body = body.replace("<pre>", '<pre tabindex="0">')
    return Rendered(headings[0].text, body, headings[1:], links)


def slug(text: str) -> str:
    """The fragment by which GitHub names a heading."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def _name_headings(tokens: Sequence[Token]) -> Iterator[Heading]:
    """Give each heading its id; of several with the same text the later ones are numbered."""
    seen: dict[str, int] = {}
    for opening, inline in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        text = "".join(child.content for child in inline.children or () if child.type in ("text", "code_inline"))
        name = slug(text)
        number = seen[name] = seen.get(name, -1) + 1
        fragment = f"{name}-{number}" if number else name
        opening.attrs["id"] = fragment
        yield Heading(int(opening.tag[1]), text, fragment)


def _mend_tables(tokens: Sequence[Token]) -> None:
    """Align by classes, since the site allows no styles in a page, and make each empty cell of a head an ordinary one."""
    for opening, inline, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if style := str(opening.attrs.pop("style", "")):
            opening.attrs["class"] = style.removeprefix("text-align:")
        if opening.type == "th_open" and not inline.content:
            opening.tag = closing.tag = "td"


def _flat(tokens: Sequence[Token]) -> Iterator[Token]:
    """All tokens, also those within others."""
    for token in tokens:
        yield token
        yield from _flat(token.children or ())
