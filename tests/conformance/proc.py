"""Files in /proc with known content: stat(2) gives their size as 0, and they hold the command line of a process."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_WAITING: Final = [b"sh", b"-c", b"echo; read line"]
_MAX_ARGUMENT: Final = 100_000
"""Bytes of one argument; the kernel allows 131,071."""


@contextmanager
def process_with_command_line(length: int) -> Iterator[tuple[Path, bytes]]:
    """Runs a process whose command line has `length` bytes: its folder in /proc, and the content of its `cmdline`."""
    arguments = list(_WAITING)
    missing = length - len(_cmdline(arguments))
    while missing > 0:
        arguments.append(b"x" * min(missing - 1, _MAX_ARGUMENT))
        missing -= len(arguments[-1]) + 1
    content = _cmdline(arguments)
    assert len(content) == length
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # before its execve() has returned, the process has the command line of its parent
        yield Path(f"/proc/{process.pid}"), content


def _cmdline(arguments: list[bytes]) -> bytes:
    return b"".join(word + b"\0" for word in arguments)
