"""Real processes on loopback: start one on its core, look at its whole tree, end it."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.verify import CannotError, wait_until_answered

START_SECONDS = 20.0
STOP_SECONDS = 3.0
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Command:
    """How to start a server: words, additions to the environment, and the folder to start in."""

    words: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers: its first process, its port, seconds from start to first answer."""

    pid: int
    port: int
    start_seconds: float

    def cpu_seconds(self) -> float:
        """CPU time of the whole tree so far, see ``tree_cpu_seconds``."""
        return tree_cpu_seconds(self.pid)

    def memory_bytes(self) -> int:
        """Proportional set size of the whole tree; 0 where the kernel doesn't tell."""
        return sum(_pss_bytes(pid) for pid in tree(self.pid))


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def started(
    command: Command,
    port: int,
    request: bytes,
    core: int,
    output: Path,
) -> Iterator[Server]:
    """Start a server on ``core``, yield it once it answers ``request``, and end its tree.

    Raises CannotError with the last words of its ``output`` when it ends or stays silent.
    """
    with output.open("ab") as sink:
        begin = time.monotonic()
        process = subprocess.Popen(
            command.words,
            env=os.environ | command.environment,
            cwd=command.folder,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,  # a Ctrl-C in the terminal reaches the benchmark alone
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
    try:
        if not _answers(process, port, request):
            words = output.read_text(errors="replace").split("\n")
            last = " ".join(word.strip() for word in words[-4:])
            raise CannotError(f"did not start: {last[-200:].strip() or 'silent'}")
        yield Server(process.pid, port, time.monotonic() - begin)
    finally:
        _end(process)


def _answers(process: subprocess.Popen[bytes], port: int, request: bytes) -> bool:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        if wait_until_answered(port, request, 0.2):
            return True
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the first process; SIGKILL to whatever of its tree is still there afterwards."""
    members = {pid: _birth(pid) for pid in tree(process.pid)}
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        members |= {pid: _birth(pid) for pid in tree(process.pid)}
        process.kill()
        process.wait()
    for pid, birth in members.items():
        if pid != process.pid and birth and _birth(pid) == birth:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdecimal() and (words := _stat(int(name))):
            children.setdefault(int(words[1]), []).append(int(name))
    found = [pid]
    for parent in found:
        found.extend(children.get(parent, ()))
    return found


def tree_cpu_seconds(pid: int) -> float:
    """CPU time (user and system) that a tree has used since it began.

    Every living process is read from its own CPU clock, which is exact to the nanosecond and holds
    the time of threads that have ended; children that have ended and were waited for are in their
    parent's figures, in ticks of 10 ms.
    """
    return sum(_cpu_seconds(member) for member in tree(pid))


def _cpu_seconds(pid: int) -> float:
    words = _stat(pid)
    if not words:
        return 0.0
    ended = (int(words[13]) + int(words[14])) / TICKS
    try:
        return time.clock_gettime((~pid << 3) | 2) + ended  # the clock of clock_getcpuclockid(3)
    except OSError:
        return (int(words[11]) + int(words[12])) / TICKS + ended


def _birth(pid: int) -> str:
    """When the process began, in ticks since boot: with its id a name for ever. Empty: gone."""
    words = _stat(pid)
    return words[19] if words else ""


def _stat(pid: int) -> list[str]:
    """/proc/PID/stat from its third field (the state) on; empty when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _pss_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
