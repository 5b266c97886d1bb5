"""What each bar of tests.stress.crowd is measured with: servers, a crowd of connections, and others' times meanwhile."""

import asyncio
import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tests.conformance.designs import Design
from tests.conformance.server import REPOSITORY, Server, running

from .harness import Report, complaints, descriptors, folder, percentile

MANY: Final = ("--max-connections", "100000")
"""So many connections that nobody is turned away."""


class Scene(NamedTuple):
    """What each bar is measured with."""

    report: Report
    design: Design
    root: Path
    log_dir: Path
    quick: bool

    def at_most(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    def in_time(self, bar: float) -> float | None:
        """A bar on time; the short form has none."""
        return None if self.quick else bar

    @asynccontextmanager
    async def server(self, name: str, *options: str, wrapper: Sequence[str] = ()) -> AsyncIterator[Server]:
        log_dir = folder(self.log_dir, name)
        async with running(
            self.design, self.root, *options, log_dir=log_dir, wrapper=wrapper, allowed_errors="."
        ) as server:
            yield server
            self.report.figure("tracebacks", len(complaints(server)), 0)
            for line in server.error_output().splitlines()[:3]:
                self.report.say(f"    said: {line}")


class Times(NamedTuple):
    """Seconds of the answers of one server."""

    took: list[float]
    failures: list[str]

    def __str__(self) -> str:
        p50, p99 = (percentile(self.took, share) * 1000 for share in (0.5, 0.99))
        return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, {len(self.took):,} answers"


async def ask_others(seconds: float, servers: Sequence[Server], target: str = "/1k.bin") -> list[Times]:
    """What other clients see meanwhile."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.stress.asker", str(seconds), target),
        *(str(server.address[1]) for server in servers),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return [Times(one["took"], one["failures"]) for one in json.loads(output)]


def tell_ratio(scene: Scene, crowded: Times, alone: Times) -> None:
    report = scene.report
    report.say(f"    with the crowd: {crowded}; its twin, asked in turn: {alone}")
    ratio = percentile(crowded.took, 0.99) / percentile(alone.took, 0.99)
    report.figure("others' p99 against the twin's", ratio, scene.in_time(1.25))
    report.figure("others' failures", len(crowded.failures), 0)
    for words in crowded.failures[:3]:
        report.say(f"    {words}")


class Crowd:
    """Connections of one process to one server, with the moments at which each began and ended."""

    def __init__(self, address: tuple[str, int], window: int = 0) -> None:
        self.address = address
        self.window = window
        self.sockets: dict[int, socket.socket] = {}
        self.began: dict[int, float] = {}
        self.ended: dict[int, float] = {}
        self.heard: dict[int, bytes] = {}
        self.epoll = select.epoll()

    def come(self, count: int, words: bytes) -> None:
        """Connects clients that all say the same."""
        for _ in range(count):
            sock = socket.socket()
            if self.window:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.window)
            sock.settimeout(10)
            sock.connect(self.address)
            fd = sock.fileno()
            self.began[fd] = time.monotonic()
            self.sockets[fd] = sock
            self.heard[fd] = b""
            sock.sendall(words)
            sock.setblocking(False)
            self.epoll.register(fd, select.EPOLLIN)

    def listen(self, until: float, enough: Callable[[], bool]) -> None:
        """Takes note of what the server says to whom, and of whom it leaves."""
        while not enough() and (left := until - time.monotonic()) > 0:
            for fd, _ in self.epoll.poll(min(left, 0.05)):
                try:
                    data = self.sockets[fd].recv(65536)
                except BlockingIOError:
                    continue
                except OSError:
                    data = b""
                if data:
                    self.heard[fd] += data
                else:
                    self.ended[fd] = time.monotonic()
                    self.epoll.unregister(fd)

    def go(self) -> None:
        for sock in self.sockets.values():
            sock.close()
        self.epoll.close()


def as_many(scene: Scene, wanted: int) -> int:
    """A crowd as large as the descriptors of this process allow."""
    most = max(50, descriptors() - 200)
    if wanted > most:
        scene.report.say(f"  only {most:,} of {wanted:,}: this process may not open more descriptors")
    return min(wanted, most)
