"""Real processes on loopback: start one on its core, wait for its first answer, look at its whole tree, end it."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pwb_legacy.compare.measure import probes
from pwb_legacy.compare.measure import servers as contestants
from pwb_legacy.compare.measure.cpu_time import tree_cpu_seconds

from .verify import UnableError, wait_for_response

START_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Command:
    """How to start a server: words, additions to the environment, and the folder to start in."""

    words: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A server that responses: its first process, its port, seconds from start to first answer."""

    pid: int
    port: int
    start_seconds: float
    tls: bool = False

    def cpu_seconds(self) -> float:
        """CPU time of the whole tree so far, see ``cpu_time.tree_cpu_seconds``."""
        return tree_cpu_seconds(self.pid)

    def memory_bytes(self) -> int:
        """Proportional set size of the whole tree; 0 where the kernel doesn't tell."""
        return sum(map(probes.pss_kib, probes.tree(self.pid))) * 1024


def free_port() -> int:
    """A port of 127.0.0.1 that is free now."""
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
    tls: bool = False,
) -> Iterator[Server]:
    """Start a server on ``core``, yield it once it answers ``request``, and end its tree.

    Raises UnableError with the last words of its ``output`` when it ends or stays silent.
    """
    begin = time.monotonic()
    environment = os.environ | command.environment
    folder = command.folder or Path.cwd()
    with (
        output.open("a+b") as sink,
        contestants.started(command.words, {core}, sink, sink, environment, folder) as process,
    ):
        if not _answers(process, port, request, tls):
            raise UnableError(f"did not start: {contestants.last_words(sink)[-200:]}")
        yield Server(process.pid, port, time.monotonic() - begin, tls)


def _answers(process: subprocess.Popen[bytes], port: int, request: bytes, tls: bool) -> bool:
    end = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        if wait_for_response(port, request, 0.2, tls):
            return True
    return False
