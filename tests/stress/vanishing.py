"""Clients that vanish: in the middle of a response, and while their file is being opened (hazards A11, A12)."""

import asyncio
import shutil
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Final

from .harness import MIB
from .testbed import TestBed, measure_other_clients

RESET: Final = struct.pack("ii", 1, 0)
"""For SO_LINGER: close() sends RST."""


def reset_after(address: tuple[str, int], request: bytes, some: int) -> None:
    """A client that resets its connection after it has read `some` bytes."""
    with socket.create_connection(address, timeout=10) as sock:
        sock.sendall(request)
        got = 0
        while got < some:
            data = sock.recv(some - got)
            if not data:
                break
            got += len(data)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def run_in_threads(count: int, threads: int, work: Callable[[], None]) -> list[str]:
    """Calls `work` `count` times in `threads` threads; returns the errors."""
    errors: list[str] = []
    left = iter(range(count))
    lock = threading.Lock()

    def run() -> None:
        while True:
            with lock:
                if next(left, None) is None:
                    return
            try:
                work()
            except OSError as error:
                errors.append(repr(error))

    workers = [threading.Thread(target=run) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return errors


async def resets(testbed: TestBed) -> None:
    count = testbed.size(10_000, 500)
    request = b"GET /1m.bin HTTP/1.1\r\nHost: h\r\n\r\n"
    async with testbed.server("resets") as server:
        idle_now = server.resources()
        await asyncio.to_thread(run_in_threads, 200, 8, lambda: reset_after(server.address, request, 4096))
        await asyncio.sleep(0.5)
        before = server.memory()
        start = time.monotonic()
        errors = await asyncio.to_thread(run_in_threads, count, 8, lambda: reset_after(server.address, request, 4096))
        testbed.report.write(f"  {count:,} resets in {time.monotonic() - start:.1f} s")
        testbed.report.figure("clients that could not send their request", len(errors), 0)
        await asyncio.sleep(2)
        after = server.resources()
        testbed.report.figure(
            "descriptors more than before, two seconds later", after.descriptors - idle_now.descriptors, 1
        )
        testbed.report.figure("memory up", (server.memory() - before) / MIB, 2, " MiB")
        testbed.report.figure("zombies", after.zombies, 0)


async def gone(testbed: TestBed) -> None:
    if not shutil.which("strace"):
        testbed.report.write("  strace is not installed")
        return
    count = testbed.size(10_000, 300)
    calls = ("-e", "trace=openat2,openat", "-e", "inject=openat2:delay_exit=20000")
    delayed = ("strace", "-D", "-f", "-qq", "-o", "/dev/null", *calls)
    request = b"GET /100k.bin HTTP/1.1\r\nHost: h\r\n\r\n"
    options = ("--cache", "off") if testbed.design.command[0] == "pwb_async" else ()
    async with testbed.server("gone", *options, wrapper=delayed) as server:
        await asyncio.to_thread(run_in_threads, 100, 8, lambda: reset_after(server.address, request, 1))
        await asyncio.sleep(1)
        before = server.resources()
        start = time.monotonic()
        errors = await asyncio.to_thread(run_in_threads, count, 8, lambda: reset_after(server.address, request, 0))
        testbed.report.write(
            f"  {count:,} clients connected, sent a request and vanished in {time.monotonic() - start:.1f} s"
        )
        await asyncio.sleep(2)
        after = server.resources()
        while (
            after.descriptors > before.descriptors and time.monotonic() < start + 90
        ):  # until the thread pool has emptied its queue
            await asyncio.sleep(0.5)
            after = server.resources()
        testbed.report.figure("clients that could not send their request", len(errors), 0)
        testbed.report.figure("descriptors more than before", after.descriptors - before.descriptors, 0)
        answer = await measure_other_clients(0.3, (server,))
        testbed.report.figure("failures of the next requests", len(answer[0].failures), 0)
