"""README.md as HTML beneath a listing. It is imported when the first one is shown, or before rights are given up.

markdown-it-py reads CommonMark and the tables of GitHub, with HTML in it; nh3, which is ammonia, leaves only elements
and attributes that can do no harm. Images of this server alone are shown, so that the page makes no request to another
one; of others there is the alternative text.
"""

import html
import re
from codecs import BOM_UTF8
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

MAX_BYTES: Final = 64 * 1024
"""Bytes of the longest README that is shown."""
_CACHED: Final = 16
"""READMEs whose HTML is kept."""
_PARSER: Final = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_LOWEST: Final = 6
"""The lowest level of headings."""
_ATTRIBUTES: Final = {
    **nh3.ALLOWED_ATTRIBUTES,
    **{f"h{level}": {"id"} for level in range(1, _LOWEST + 1)},
    "img": {"alt", "height", "src", "title", "width"},
}
_NOT_IN_ID: Final = re.compile(r"[^\w\- ]")
_ELSEWHERE: Final = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:|[/\\]{2})", re.IGNORECASE)
"""The beginning of a reference that names a scheme or another host."""
_IMAGE: Final = re.compile(r'<img((?: [a-z]+="[^"]*")*)>')
"""An image as nh3 writes it."""
_ATTRIBUTE: Final = re.compile(r' ([a-z]+)="([^"]*)"')


@lru_cache(_CACHED)
def to_html(content: bytes) -> str:
    """A README as HTML that is safe to show."""
    tokens = _PARSER.parse(content.removeprefix(BOM_UTF8).decode(errors="replace"))
    _adapt(tokens)
    cleaned = nh3.clean(
        _PARSER.renderer.render(tokens, _PARSER.options, {}),
        attributes=_ATTRIBUTES,
        attribute_filter=_filter,
        link_rel="noopener noreferrer",
    )
    return _IMAGE.sub(_text_without_source, cleaned)


def _adapt(tokens: Sequence[Token]) -> None:
    """Make headings parts of a page that has one, with the ids by which GitHub refers to them; and align by attribute.

    The policy of the page forbids the attribute "style".
    """
    seen: dict[str, int] = {}
    for token, following in pairwise(tokens):
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + 1, _LOWEST)}"
        if token.type == "heading_open":
            name = _NOT_IN_ID.sub("", following.content.lower()).replace(" ", "-")
            count = seen[name] = seen.get(name, -1) + 1
            token.attrSet("id", f"{name}-{count}" if count else name)
        if style := token.attrGet("style"):
            token.attrSet("align", str(style).removeprefix("text-align:"))


def _filter(tag: str, attribute: str, value: str) -> str | None:
    return None if (tag, attribute) == ("img", "src") and _ELSEWHERE.match(value) else value


def _text_without_source(image: re.Match[str]) -> str:
    """The alternative text of an image that is not shown; any other image as it is."""
    attributes = dict(_ATTRIBUTE.findall(image[1]))
    return image[0] if "src" in attributes else html.escape(html.unescape(attributes.get("alt", "")))
