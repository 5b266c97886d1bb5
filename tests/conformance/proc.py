"""Files in /proc whose content is known: they say that they are empty, and hold what a process was started with."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_WAITS: Final = [b"sh", b"-c", b"echo; read line"]
_LONGEST: Final = 100_000
"""Bytes of an argument; the kernel takes 131,071."""


@contextmanager
def process_with_command_line(length: int) -> Iterator[tuple[Path, bytes]]:
    """The folder in /proc of a process whose command line has `length` bytes, and what its file `cmdline` holds."""
    words = list(_WAITS)
    missing = length - len(_cmdline(words))
    while missing > 0:
        words.append(b"x" * min(missing - 1, _LONGEST))
        missing -= len(words[-1]) + 1
    content = _cmdline(words)
    assert len(content) == length
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # a process that has not begun has no command line yet
        yield Path(f"/proc/{process.pid}"), content


def _cmdline(words: list[bytes]) -> bytes:
    return b"".join(word + b"\0" for word in words)
