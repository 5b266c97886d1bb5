"""Lines on standard output and standard error that never block the program, whatever characters they contain.

Standard output and standard error may be pipes that are never read. A write to a full pipe would block, and with it the
whole server, so a line that does not fit is given up (hazard E8).
"""

import errno
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from io import TextIOWrapper

from .pipes import write_ready

_MIN_PREFIX = 3
"""Characters of a word that is similar to those that it is the beginning of."""


def printable(text: str) -> str:
    """`text` on one line, with escapes for everything that is not printable.

    That is what a terminal would obey instead of showing it, and bytes that could not be decoded: line breaks, escape
    sequences, changes of direction.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def escape_output() -> None:
    """Make print() escape characters that the encoding of standard output lacks, as standard error does already."""
    if isinstance(sys.stdout, TextIOWrapper):  # it is None if the descriptor was closed
        sys.stdout.reconfigure(errors="backslashreplace")


def print_line(line: str) -> None:
    """Write a line to standard output without blocking. Raises OSError; BlockingIOError if a pipe is full."""
    if sys.stdout is None:  # the descriptor was closed at the start; by now it may be another file's
        return
    if not write_ready(sys.stdout.fileno(), f"{line}\n".encode(sys.stdout.encoding, "backslashreplace")):
        raise BlockingIOError(errno.EAGAIN, "it is full")


def print_error(line: str) -> None:
    """Write a line to standard error without blocking. A line that cannot be written is lost."""
    if sys.stderr is None:  # the descriptor was closed at the start; by now it may be another file's
        return
    with suppress(OSError):
        write_ready(sys.stderr.fileno(), f"{printable(line)}\n".encode(sys.stderr.encoding, "backslashreplace"))


def discard_output() -> None:
    """Discard what standard output still has to write and cannot; Python would fail with it at its end."""
    if sys.stdout is not None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def report_lost_output(program: str, error: OSError) -> None:
    """Discard the rest of standard output after an error, and print a line about it.

    A pipe whose reader has ended, as that of `pwb config | head`, is no news to the user, and has no line.
    """
    discard_output()
    if not isinstance(error, BrokenPipeError):
        print_error(f"{program}: cannot write to standard output: {error.strerror}")


def did_you_mean(word: str, words: Iterable[str], show: Callable[[str], str] = str) -> str:
    """A hint at the one of `words` that is most like `word`, or "". `show` returns a word as the hint has it."""
    from difflib import get_close_matches

    words = [*words]
    close = get_close_matches(word, words) or [
        each for each in words if len(word) >= _MIN_PREFIX and each.startswith(word)
    ]
    close.sort(key=lambda each: sorted(each) != sorted(word))  # of the same letters first: prot is port, not root
    return f" (did you mean {show(close[0])!r}?)" if close else ""
