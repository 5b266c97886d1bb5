"""A program that runs, as an attack sees it: its address, its processes, and what they hold, read from /proc."""

import os
import random
import re
import resource
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread
from typing import IO, Final

from .programs import Program

START_SECONDS: Final = 20.0
OWN_ADDRESS: Final = "127.{}.{}.{}".format(*(random.randint(1, 254) for _ in range(3)))  # noqa: S311
"""Where all attacks come from; exhibits close other connections."""
_LISTENING: Final = re.compile(rb"listening on http://([0-9.]+):(\d+)/")
_groups: Final[set[int]] = set()
"""The process groups of the programs that run."""
_PACKAGES: Final = os.fspath(Path(__file__).parents[2])


class StartError(Exception):
    """A program did not begin to listen. Its str is one line."""


class Running:
    """A program that listens. Its processes are a process group of their own."""

    program: Program
    address: tuple[str, int]
    pid: int
    """of its first process"""

    def __init__(self, program: Program, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        self.program = program
        self.pid = process.pid
        self._process = process
        self._errors = errors
        self._reading = True
        self.address = self._read_address()
        self._reader = Thread(target=self._read_output, daemon=True)
        self._reader.start()

    def _read_address(self) -> tuple[str, int]:
        output, end = b"", time.monotonic() + START_SECONDS
        while (left := end - time.monotonic()) > 0:
            piece = self._read_piece(left)
            output += piece or b""
            if found := _LISTENING.search(output):
                return found[1].decode(), int(found[2])
            if piece == b"":
                break
        raise StartError(f"{self.program.name} did not begin to listen: {self.last_error()}")

    def _read_piece(self, seconds: float) -> bytes | None:
        """Some of the standard output; b"": its end; None: nothing came in time."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], (), (), seconds)
        return os.read(self._process.stdout.fileno(), 65536) if ready else None

    def _read_output(self) -> None:
        with suppress(OSError, ValueError):  # closed
            while self._reading and self._read_piece(0.05) != b"":
                pass

    def fill_output(self) -> None:
        """Read the standard output no more, and fill the pipe: the next print() waits."""
        assert self._process.stdout is not None
        self._reading = False
        self._reader.join()
        writer = os.open(f"/proc/self/fd/{self._process.stdout.fileno()}", os.O_WRONLY | os.O_NONBLOCK)
        try:
            for size in (4096, 1):
                with suppress(BlockingIOError):
                    while True:
                        os.write(writer, b"x" * size)
        finally:
            os.close(writer)

    def status(self, seconds: float = 0.0) -> int | None:
        """The exit status, waited for; None: it runs."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(seconds)
        return None

    def last_error(self, kind: str = r"\w+(?:Error|Interrupt)") -> str:
        """The last exception of a kind that it has printed; else the last line of its standard error."""
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors.read().decode(errors="replace").splitlines() if line.strip()]
        errors = [line for line in lines if re.match(kind, line)]
        return (errors or lines or ["it printed nothing"])[-1]

    def interrupt(self) -> None:
        """SIGINT to its first process."""
        os.kill(self.pid, signal.SIGINT)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """All its processes and threads stand still (Ctrl-Z) until the block ends (fg)."""
        os.killpg(self.pid, signal.SIGSTOP)
        wait_until(lambda: all(_state(task) in "TtZ" for pid in self.processes() for task in _tasks(pid)))
        try:
            yield
        finally:
            os.killpg(self.pid, signal.SIGCONT)

    def processes(self) -> list[int]:
        """The processes of its group."""
        pids = (int(name) for name in os.listdir("/proc") if name.isdecimal())
        return [pid for pid in pids if _stat(f"/proc/{pid}")[2:3] == [str(self.pid)]]

    def children(self) -> list[int]:
        """The processes of its group but the first."""
        return [pid for pid in self.processes() if pid != self.pid]

    def zombies(self) -> list[int]:
        """Children that have ended and are not waited for."""
        return [pid for pid in self.children() if _state(f"/proc/{pid}") == "Z"]

    def threads(self) -> int:
        """Threads of its first process."""
        return len(_tasks(self.pid))

    def sockets(self, pid: int | None = None) -> set[str]:
        """What the descriptors of its first process, or another one, are links to, if that is a socket."""
        found = set()
        with suppress(OSError):
            for name in os.listdir(f"/proc/{pid or self.pid}/fd"):
                with suppress(OSError):
                    found.add(os.readlink(f"/proc/{pid or self.pid}/fd/{name}"))
        return {name for name in found if name.startswith("socket:")}

    def listening_sockets(self) -> set[str]:
        """The sockets of its first process that listen, by the same names."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return {f"socket:[{row[9]}]" for row in rows if row[3] == "0A"} & self.sockets()

    def peak_memory(self) -> int:
        """Bytes that one of its processes has had in memory at most."""
        return max((_peak(pid) for pid in self.processes()), default=0)

    def descriptors(self) -> int:
        """Descriptors that its first process has open."""
        try:
            return len(os.listdir(f"/proc/{self.pid}/fd"))
        except OSError:
            return 0

    def limit_descriptors(self, more: int) -> None:
        """From now on it can open so many descriptors more."""
        limit = self.descriptors() + more
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (limit, limit))


@contextmanager
def running(program: Program, folder: str, code: str) -> Iterator[Running]:
    """Start a program, on a site, for the attack of a code; kill all its processes at the end. Raises StartError."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PWB_", "PYTHON"))}
    with (
        TemporaryFile() as errors,
        subprocess.Popen(  # noqa: S603  our own words
            program.command(folder, code),
            stdin=subprocess.PIPE,  # an exhibit asks for it
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,  # no pwb.toml is there
            env=environment | {"PYTHONPATH": _PACKAGES, "PYTHONIOENCODING": "utf-8"},
            start_new_session=True,
        ) as process,
    ):
        _groups.add(process.pid)
        try:
            if program.is_exhibit:
                assert process.stdin is not None
                process.stdin.write(f"{OWN_ADDRESS}\n".encode())
                process.stdin.flush()
            yield Running(program, process, errors)
        finally:
            _groups.discard(process.pid)
            _kill(process.pid)


def kill_all() -> None:
    """Kill the processes of all programs that run."""
    for group in list(_groups):
        _kill(group)


def _kill(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def wait_until(condition: Callable[[], object], seconds: float = 1.0) -> bool:
    """Look again and again until something is so. False: it was not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def _stat(place: str) -> list[str]:
    """/proc/PID/stat from the state on: state, parent, process group."""
    try:
        return Path(f"{place}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _state(place: str) -> str:
    return (_stat(place) or ["Z"])[0]


def _tasks(pid: int) -> list[str]:
    try:
        return [f"/proc/{pid}/task/{name}" for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def _peak(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0
