"""The natural order of file names: file2 stands before file10, and case does not matter."""

import re
from typing import Final

_NUMBER: Final = re.compile("[0-9]+")


def natural_key(name: str) -> str:
    """A string that sorts names in their natural order, and as they are where that is equal.

    Digits are compared by their value: before each number stands the number of its digits, as one character. A key
    never is the beginning of another one, so more can be appended.
    """
    return f"{_NUMBER.sub(_with_length, name.casefold())}\0{name}\0"


def name_of(key: str) -> str:
    """The name whose natural key, with or without something in front of it, this is."""
    return key.rsplit("\0", 2)[1]


def _with_length(number: re.Match[str]) -> str:
    digits = number[0].lstrip("0")
    return f"0{chr(len(digits))}{digits}"
