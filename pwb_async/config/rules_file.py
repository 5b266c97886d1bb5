"""What the files _headers and _redirects have in common: encoding, lines, bounds, and where their paths begin."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import quote_from_bytes

from pwb_async.output.printing import printable

from .options import ConfigError

MAX_BYTES: Final = 1 << 20
"""Bytes of one file."""
MAX_RULES: Final = 10_000
"""Rules in one file."""
_MAX_LINE: Final = 8190
"""Bytes of one line; a field line of a response is hardly ever longer."""
_BEFORE_PATH: Final = re.compile(r"(?:https?://[^/]*)?(?=/)", re.IGNORECASE)
"""What may stand before a path: a scheme and a host."""


def beneath(place: bytes, path: str) -> str:
    """A path of a pattern or a destination in the file of a folder, as a path of the site, which has it at `place`.

    A text that does not begin with a path, or with a host and a path, stays as it is, for the parser to refuse.
    """
    match = _BEFORE_PATH.match(path) if place else None
    return path if match is None else f"{match[0]}/{quote_from_bytes(place)}{path[match.end() :]}"


class Line(NamedTuple):
    """A line that is neither empty nor a comment."""

    place: str
    """The file and the line's number, for messages."""
    text: str
    """The line without white space at its ends."""

    def error(self, reason: object) -> ConfigError:
        """An error about this line."""
        return ConfigError(f"{self.place}: {reason}.")


def lines_of(name: str, content: bytes) -> Iterator[Line]:
    """The lines of a file; `name` is the one that messages have. Raises ConfigError.

    A line ends in LF, CRLF or CR. A byte order mark at the beginning is dropped.
    """
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{name}: it has more than {MAX_BYTES} bytes.")
    lines = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    for number, line in enumerate(lines, 1):
        place = f"{name} line {number}"
        if len(line) > _MAX_LINE:
            raise ConfigError(f"{place}: it has {len(line)} bytes, more than {_MAX_LINE}.")
        try:
            text = line.decode().strip()
        except UnicodeDecodeError:
            raise ConfigError(f"{place}: it is not UTF-8.") from None
        if "\0" in text:
            raise ConfigError(f"{place}: it holds a NUL.")
        if text and not text.startswith("#"):
            yield Line(printable(place), text)
