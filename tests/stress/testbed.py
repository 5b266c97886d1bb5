"""The means of measurement of tests.stress.crowd: servers, a crowd of connections, and response times of other clients."""

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

from .harness import Report, folder, percentile, raise_descriptor_limit, tracebacks

MANY: Final = ("--max-connections", "100000")
"""Enough connections for every crowd, so that none is refused."""


class TestBed(NamedTuple):
    """Servers of one design, a folder that they serve, and the report."""

    report: Report
    design: Design
    root: Path
    log_dir: Path
    quick: bool

    def size(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    def time_bar(self, bar: float) -> float | None:
        """The bar for a time; None in the short form, which judges no times."""
        return None if self.quick else bar

    @asynccontextmanager
    async def server(self, name: str, *options: str, wrapper: Sequence[str] = ()) -> AsyncIterator[Server]:
        log_dir = folder(self.log_dir, name)
        async with running(
            self.design, self.root, *options, log_dir=log_dir, wrapper=wrapper, allowed_errors="."
        ) as server:
            yield server
            self.report.figure("tracebacks", len(tracebacks(server)), 0)
            for line in server.error_output().splitlines()[:3]:
                self.report.write(f"    error output: {line}")


class ResponseTimes(NamedTuple):
    """The response times of one server in seconds, and its failures."""

    seconds: list[float]
    failures: list[str]

    def __str__(self) -> str:
        p50, p99 = (percentile(self.seconds, share) * 1000 for share in (0.5, 0.99))
        return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, {len(self.seconds):,} responses"


async def measure_other_clients(
    seconds: float, servers: Sequence[Server], target: str = "/1k.bin"
) -> list[ResponseTimes]:
    """The response times that other clients see meanwhile, for each of the servers."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.stress.response_times", str(seconds), target),
        *(str(server.address[1]) for server in servers),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
    )
    output, _ = await process.communicate()
    return [ResponseTimes(one["seconds"], one["failures"]) for one in json.loads(output)]


def report_ratio(testbed: TestBed, crowded: ResponseTimes, alone: ResponseTimes) -> None:
    report = testbed.report
    report.write(f"    with the crowd: {crowded}; the server without one: {alone}")
    ratio = percentile(crowded.seconds, 0.99) / percentile(alone.seconds, 0.99)
    report.figure("p99 of other clients, relative to the server without a crowd", ratio, testbed.time_bar(1.25))
    report.figure("failures of other clients", len(crowded.failures), 0)
    for words in crowded.failures[:3]:
        report.write(f"    {words}")


class Crowd:
    """Many connections of this process to one server, with the times at which each began and ended."""

    def __init__(self, address: tuple[str, int], window: int = 0) -> None:
        self.address = address
        self.window = window
        self.sockets: dict[int, socket.socket] = {}
        self.began: dict[int, float] = {}
        self.ended: dict[int, float] = {}
        self.received: dict[int, bytes] = {}
        self.epoll = select.epoll()

    def connect(self, count: int, data: bytes) -> None:
        """Opens `count` connections and sends `data` on each."""
        for _ in range(count):
            sock = socket.socket()
            if self.window:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.window)
            sock.settimeout(10)
            sock.connect(self.address)
            fd = sock.fileno()
            self.began[fd] = time.monotonic()
            self.sockets[fd] = sock
            self.received[fd] = b""
            sock.sendall(data)
            sock.setblocking(False)
            self.epoll.register(fd, select.EPOLLIN)

    def receive(self, until: float, enough: Callable[[], bool]) -> None:
        """Records what the server sends on each connection, and when it closes one, until `enough()` or a time."""
        while not enough() and (left := until - time.monotonic()) > 0:
            for fd, _ in self.epoll.poll(min(left, 0.05)):
                try:
                    data = self.sockets[fd].recv(65536)
                except BlockingIOError:
                    continue
                except OSError:
                    data = b""
                if data:
                    self.received[fd] += data
                else:
                    self.ended[fd] = time.monotonic()
                    self.epoll.unregister(fd)

    def close(self) -> None:
        for sock in self.sockets.values():
            sock.close()
        self.epoll.close()


def limit_to_descriptors(testbed: TestBed, wanted: int) -> int:
    """The wanted number of connections, or as many as the descriptors of this process allow."""
    most = max(50, raise_descriptor_limit() - 200)
    if wanted > most:
        testbed.report.write(f"  only {most:,} of {wanted:,}: this process may not open more descriptors")
    return min(wanted, most)
