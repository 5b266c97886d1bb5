"""A server of another author as a process: started on a port, ready when it listens, ended with all its descendants."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import IO, Final

Address = tuple[str, int]
HOST: Final = "127.0.0.1"
START: Final = 10.0
"""Seconds in which a server must accept its first connection."""
KEPT: Final = 65_536
"""Bytes of what a server prints that are kept, the last ones."""
ENDING: Final = 5.0
"""Seconds in which killed processes end."""
_PR_SET_CHILD_SUBREAPER: Final = 36


class CannotRunError(Exception):
    """A command that the system cannot run. Its argument is the reason."""


class NotStartedError(Exception):
    """A server that did not begin to accept connections."""

    def __init__(self, port: int, status: int | None, printed: str) -> None:
        super().__init__(port, status, printed)
        self.port = port
        self.status = status
        """Its exit status; None: it runs, but does not listen."""
        self.printed = printed


class Server:
    """A server that listens."""

    def __init__(self, command: Sequence[str], port: int) -> None:
        self.address: Address = (HOST, port)
        self._printed = bytearray()
        self._process = subprocess.Popen(  # noqa: S603  the user's own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
        )
        assert self._process.stdout is not None
        self._reader = Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def status(self, seconds: float = 0.0) -> int | None:
        """Its exit status, negative if a signal ended it; None: it still runs after so many seconds."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def printed(self) -> str:
        """The end of what it has printed since the last call."""
        if self._process.poll() is not None:
            self._reader.join(0.5)
        printed = bytes(self._printed)
        del self._printed[: len(printed)]
        return printed.decode(errors="replace")

    def wait_until_it_listens(self) -> None:
        """Wait until it listens. No connection is opened, since one without a request ends some servers.

        Raises NotStartedError.
        """
        port = self.address[1]
        end = time.monotonic() + START
        while not is_listening(port):
            if self.status(0.02) is not None or time.monotonic() > end:
                raise NotStartedError(port, self.status(), self.printed())

    def stop(self) -> None:
        """Kill all its processes, also those that have left its process group."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        end = time.monotonic() + ENDING
        while (left := descendants(self._process.pid)) and time.monotonic() < end:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                if pid != self._process.pid:
                    with suppress(ChildProcessError):
                        os.waitpid(pid, 0)
        self._process.wait()

    def _read(self, output: IO[bytes]) -> None:
        """Read all that it prints, so that it never waits for a full pipe."""
        with output:
            while piece := os.read(output.fileno(), KEPT):
                self._printed += piece
                del self._printed[:-KEPT]


@contextmanager
def adopting_orphans() -> Iterator[None]:
    """Within the block, a process whose parent has ended becomes a child of this one, so that `stop` finds it."""
    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@contextmanager
def serving(command: Sequence[str], port: int) -> Iterator[Server]:
    """Start a server, and end it with the block. Raises NotStartedError and CannotRunError."""
    try:
        server = Server(command, port)
    except OSError as error:
        raise CannotRunError(error.strerror) from None
    try:
        server.wait_until_it_listens()
        yield server
    finally:
        server.stop()


def is_listening(port: int) -> bool:
    """Whether a socket of this machine listens on a port, by the tables of the kernel (state 0A: LISTEN)."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
            if any(row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port for row in rows):
                return True
    return False


def descendants(main: int) -> list[int]:
    """The children of this process but `main`, and theirs: within `adopting_orphans`, the rest of a server."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found, last = [], [os.getpid()]
    while last := [pid for pid, parent in parents.items() if parent in last]:
        found += last
    return [pid for pid in found if pid != main]
