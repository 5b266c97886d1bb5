"""A program on a pseudo-terminal, and what a person sees of it."""

import asyncio
import fcntl
import os
import re
import struct
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.conformance.peer import TIMEOUT
from tests.conformance.server import environment, eventually

_PIECE: Final = re.compile(r"\r|\n|\x1b\[[0-9;?]*[A-Za-z]|[^\r\n\x1b]+")
_SGR: Final = re.compile(r"\x1b\[[0-9;]*m")


def screen(data: bytes) -> list[str]:
    """The lines that a terminal of any width shows for what was written to it, without colours."""
    lines, column = [""], 0
    for piece in _PIECE.findall(data.decode()):
        if piece == "\r":
            column = 0
        elif piece == "\n":
            lines.append("")
            column = 0
        elif piece == "\x1b[K":
            lines[-1] = lines[-1][:column]
        elif _SGR.fullmatch(piece):
            continue
        elif piece.startswith("\x1b"):
            raise AssertionError(f"an escape sequence that is not expected: {piece!r}")
        else:
            lines[-1] = lines[-1][:column].ljust(column) + piece + lines[-1][column + len(piece) :]
            column += len(piece)
    return lines


class Terminal:
    """A pseudo-terminal and the server in it."""

    def __init__(self, process: "subprocess.Popen[bytes]", fd: int) -> None:
        self.process = process
        self.fd = fd
        self.output = b""
        """Everything that was written to it."""
        os.set_blocking(fd, False)

    @property
    def lines(self) -> list[str]:
        """What it shows."""
        self._read()
        return screen(self.output)

    @property
    def echoes(self) -> bool:
        """Whether what is typed appears."""
        return bool(termios.tcgetattr(self.fd)[3] & termios.ECHO)

    @property
    def port(self) -> int:
        """The port of the first URL that it shows."""
        found = re.search(r"https?://[^ ]+:(\d+)/", "\n".join(self.lines))
        assert found, self.lines
        return int(found[1])

    def type(self, text: str) -> None:
        """Type on its keyboard."""
        os.write(self.fd, text.encode())

    async def shows(self, pattern: str) -> str:
        """Wait until a line has the pattern, and return that line."""
        await eventually(lambda: self._find(pattern) is not None, TIMEOUT, lambda: f"{pattern}: {self.lines}")
        found = self._find(pattern)
        assert found is not None
        return found

    async def ended(self) -> int:
        """Wait until the process has ended, and return its exit status."""
        await eventually(lambda: self._read() or self.process.poll() is not None, TIMEOUT, lambda: f"{self.lines}")
        return self.process.wait()

    def _find(self, pattern: str) -> str | None:
        return next((line for line in self.lines if re.search(pattern, line)), None)

    def _read(self) -> None:
        try:
            while data := os.read(self.fd, 1 << 16):
                self.output += data
        except OSError:  # nothing more for now, or the process has ended
            return


@asynccontextmanager
async def at_terminal(
    *arguments: str | Path, folder: Path, columns: int = 80, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Terminal]:
    """`pwb` with these arguments on a terminal of its own, in whose foreground it runs; ended after the block."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    variables = environment() | {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | dict(environ or {})
    with_terminal = [sys.executable, "-c", LAUNCH, sys.executable, "-m", "pwb_async", *map(os.fspath, arguments)]
    process = subprocess.Popen(
        with_terminal,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={name: value for name, value in variables.items() if value},
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        if process.poll() is None:
            process.kill()
        await asyncio.to_thread(process.wait)
        os.close(ours)


LAUNCH: Final = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes standard input the controlling terminal of a session of its own, as a terminal emulator does."""
