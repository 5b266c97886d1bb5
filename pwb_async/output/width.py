"""How many columns of a terminal a text takes."""

import unicodedata

_WIDE = ("W", "F")
"""The classes of characters that take two columns (Unicode, annex 11), such as Chinese ones."""
_ZERO = ("Mn", "Me", "Cf")
"""The categories of characters that take none."""


def width(text: str) -> int:
    """The columns that a text takes."""
    return len(text) if text.isascii() else sum(map(_width_of, text))


def _width_of(character: str) -> int:
    if unicodedata.category(character) in _ZERO:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def pad(text: str, columns: int) -> str:
    """A text with spaces behind it, up to so many columns."""
    return text + " " * (columns - width(text))


def shorten(text: str, columns: int) -> str:
    """A text of at most so many columns; of a longer one the end, which is what differs in paths."""
    if width(text) <= columns:
        return text
    kept = ""
    for character in reversed(text):
        if width(kept) + _width_of(character) > columns - 3:
            break
        kept = character + kept
    return f"...{kept}"
