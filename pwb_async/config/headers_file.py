"""The file _headers: fields of responses in the form of Netlify and Cloudflare Pages.

    /path/*
      Name: value
      ! Name

A block is a path and the lines below it: a field to set, or one to remove. Spaces in front of a line have no meaning.
Where the two makers differ, docs/rules.md says which one PWB follows, and why.
"""

import re
from typing import Final, NamedTuple

from pwb_async.core.site.content_disposition import CONTENT_DISPOSITION, parse_disposition
from pwb_async.core.site.destinations import Template, parse_value
from pwb_async.core.site.header_rules import Change, HeaderRule, check_change
from pwb_async.core.site.patterns import Pattern, parse_pattern

from .rules_file import MAX_RULES, Line, beneath, lines_of

_PATH: Final = re.compile(r"/|https?://", re.IGNORECASE)


class Headers(NamedTuple):
    """The content of a file."""

    rules: tuple[HeaderRule, ...]
    warnings: tuple[str, ...]
    """Lines about what is probably not meant, each of which begins with its place."""


def parse_headers(name: str, content: bytes, place: bytes = b"") -> Headers:
    """The rules in the content of a file; `name` is the one that messages have. Raises ConfigError.

    place: the path at which the site has the folder of the file.
    """
    blocks: list[tuple[str, Pattern, list[Change]]] = []
    for line in lines_of(name, content):
        try:
            if _PATH.match(line.text):
                if len(blocks) == MAX_RULES:
                    raise ValueError(f"there are more than {MAX_RULES} rules")
                blocks.append((line.place, parse_pattern(beneath(place, line.text)), []))
            elif not blocks:
                raise ValueError("there is no path before it")
            else:
                add_change(blocks[-1][2], *_parse(line), blocks[-1][1])
        except ValueError as error:
            raise line.error(error) from None
    warnings = tuple(f"{place}: there is no field below it" for place, _, changes in blocks if not changes)
    return Headers(tuple(HeaderRule(place, pattern, tuple(changes)) for place, pattern, changes in blocks), warnings)


def _parse(line: Line) -> tuple[str, str | None]:
    """The name and the value of a field; None to remove it. Raises ValueError."""
    if line.text.startswith("!"):
        return line.text[1:].strip(), None
    name, colon, value = line.text.partition(":")
    if not colon:
        raise ValueError('it is neither a path nor "Name: value" nor "! Name"')
    return name, value.strip()


def add_change(changes: list[Change], name: str, value: str | None, pattern: Pattern | None) -> None:
    """Add a change to those of one rule. A field that the rule sets already is joined, as both makers do.

    But each value of Set-Cookie stays a field line of its own, since joined they would be one cookie (RFC 9110 5.3).
    Raises ValueError with the reason if no rule may do this.
    """
    field, raw = name.encode(), None if value is None else value.encode()
    disposition = field.lower() == CONTENT_DISPOSITION
    check_change(field, b"attachment" if disposition and raw else raw)
    if raw is None:
        changes.append((field, None))
        return
    template: Template = parse_value(raw, pattern.names if pattern else ())
    if disposition:
        changes.append((field, parse_disposition(raw, template)))
        return
    for index, (other, before) in enumerate(changes):
        if other.lower() == field.lower() != b"set-cookie" and before is not None:
            changes[index] = (other, (*before, b", ", *template))
            return
    changes.append((field, template))
