"""Many short strings in few long ones.

Python's garbage collector stops all threads to look through a list of 100,000 strings, up to three times, and so does
the release of such a list: 3 ms each. There is nothing to look through in a string.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

CHUNK: Final = 512
"""Strings in one."""
_SEPARATOR: Final = "\ud800"
"""What os.fsdecode() never returns, so that no name of a file holds it."""


class PackedStrings:
    """A list of strings, none of which holds U+D800, to which others can be added at its end."""

    __slots__ = ("_last", "_packed")

    def __init__(self) -> None:
        self._packed: list[str] = []
        self._last: list[str] = []

    def append(self, string: str) -> None:
        """Add a string."""
        self._last.append(string)
        if len(self._last) == CHUNK:
            self._packed.append(pack(self._last))
            self._last.clear()

    def __len__(self) -> int:
        return len(self._packed) * CHUNK + len(self._last)

    def __iter__(self) -> Iterator[str]:
        for packed in self._packed:
            yield from unpack(packed)
        yield from self._last


def pack(strings: Iterable[str]) -> str:
    """One string that holds all of these."""
    return "".join([string + _SEPARATOR for string in strings])


def unpack(packed: str) -> Iterator[str]:
    """Yield the strings that pack() was given. Only one of them exists at a time."""
    start = 0
    while start < len(packed):
        end = packed.index(_SEPARATOR, start)
        yield packed[start:end]
        start = end + 1


def chunks(strings: Iterable[str]) -> Iterator[list[str]]:
    """Yield lists of CHUNK strings, and of the rest."""
    rest = iter(strings)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
