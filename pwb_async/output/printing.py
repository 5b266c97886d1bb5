"""Lines for people on standard output and standard error: one line each, whatever a file or an option is called, and in
whatever encoding the terminal has.
"""

import errno
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import TextIOWrapper

from .pipes import write_ready


def printable(text: str) -> str:
    """`text` on one line. What a terminal would not show but obey, and what is no character (a line break, an escape
    sequence, a change of direction, a byte that could not be decoded), is written as an escape."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def escape_output() -> None:
    """Characters that the encoding of standard output lacks are written as escapes, as on standard error, instead of
    raising UnicodeEncodeError. For the start of a program."""
    if isinstance(sys.stdout, TextIOWrapper):  # it may be closed
        sys.stdout.reconfigure(errors="backslashreplace")


def say(line: str) -> None:
    """Writes a line to standard output, if it is taken at once (hazard E8). Raises OSError."""
    if sys.stdout is None:  # it was closed, and its number is somebody else's
        return
    if not write_ready(sys.stdout.fileno(), f"{line}\n".encode(sys.stdout.encoding, "backslashreplace")):
        raise BlockingIOError(errno.EAGAIN, "it is full")


def print_error(line: str) -> None:
    """Writes a line to standard error, if it is taken at once (hazard E8); if not, it is lost."""
    if sys.stderr is None:  # it was closed, and its number is somebody else's
        return
    with suppress(OSError):
        write_ready(sys.stderr.fileno(), f"{printable(line)}\n".encode(sys.stderr.encoding, "backslashreplace"))


def exit_with(status: int, line: str) -> SystemExit:
    """What ends the program with a line on standard error; SystemExit(line) would wait until somebody reads it."""
    print_error(line)
    return SystemExit(status)


def discard_output() -> None:
    """What standard output still has to write, and cannot, is given up, or Python would fail with it at its end."""
    if sys.stdout is not None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def did_you_mean(word: str, words: Iterable[str], spell: Callable[[str], str] = str) -> str:
    """A hint at the one of `words` that `word` resembles, "" if there is none. spell: how it is to be written."""
    from difflib import get_close_matches

    close = get_close_matches(word, words)
    close.sort(key=lambda each: sorted(each) != sorted(word))  # prot: port before root
    return f" (did you mean {spell(close[0])!r}?)" if close else ""
