"""Whether an output is a terminal, and whether it gets colours (no-color.org, force-color.org)."""

from collections.abc import Mapping
from typing import Final, TextIO

RESET: Final = "\x1b[0m"
BOLD: Final = "\x1b[1m"
DIM: Final = "\x1b[2m"
RED: Final = "\x1b[31m"
GREEN: Final = "\x1b[32m"
YELLOW: Final = "\x1b[33m"
CYAN: Final = "\x1b[36m"
"""Of the sixteen colours that terminals have, those that are readable on a dark and on a light ground."""


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream is a terminal; None is one whose descriptor was closed at the start."""
    return stream is not None and stream.isatty()


def can_move(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether a stream is a terminal in which a line can be written again; a dumb one only appends."""
    return is_terminal(stream) and environ.get("TERM", "") not in ("", "dumb")


def has_colours(stream: TextIO | None, environ: Mapping[str, str]) -> bool:
    """Whether what is written to a stream has colours: on a terminal that is not dumb.

    NO_COLOR, if it is set and not empty, switches them off, and else FORCE_COLOR, unless it is 0, switches them on.
    """
    if environ.get("NO_COLOR"):
        return False
    if force := environ.get("FORCE_COLOR"):
        return force != "0"
    return can_move(stream, environ)


class Style:
    """Text with colours, or without them."""

    def __init__(self, colours: bool) -> None:
        self._colours = colours

    def __call__(self, text: str, *codes: str) -> str:
        """`text` in colours, if there are any."""
        return f"{''.join(codes)}{text}{RESET}" if self._colours and codes else text
