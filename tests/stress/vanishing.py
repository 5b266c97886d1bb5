"""Clients that vanish: in the middle of an answer, and while their file is being opened (hazards A11, A12)."""

import asyncio
import shutil
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Final

from .harness import MIB
from .scene import Scene, ask_others

RESET: Final = struct.pack("ii", 1, 0)
"""For SO_LINGER: close() sends RST."""


def reset_after(address: tuple[str, int], request: bytes, some: int) -> None:
    """One client that vanishes after it has read a few bytes."""
    with socket.create_connection(address, timeout=10) as sock:
        sock.sendall(request)
        got = 0
        while got < some:
            data = sock.recv(some - got)
            if not data:
                break
            got += len(data)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def by_threads(count: int, threads: int, work: Callable[[], None]) -> list[str]:
    """Does `work` so often, and returns what went wrong."""
    wrong: list[str] = []
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
                wrong.append(repr(error))

    workers = [threading.Thread(target=run) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return wrong


async def resets(scene: Scene) -> None:
    count = scene.at_most(10_000, 500)
    request = b"GET /1m.bin HTTP/1.1\r\nHost: h\r\n\r\n"
    async with scene.server("resets") as server:
        idle_now = server.resources()
        await asyncio.to_thread(by_threads, 200, 8, lambda: reset_after(server.address, request, 4096))
        await asyncio.sleep(0.5)
        before = server.memory()
        start = time.monotonic()
        wrong = await asyncio.to_thread(by_threads, count, 8, lambda: reset_after(server.address, request, 4096))
        scene.report.say(f"  {count:,} resets in {time.monotonic() - start:.1f} s")
        scene.report.figure("clients that could not even ask", len(wrong), 0)
        await asyncio.sleep(2)
        after = server.resources()
        scene.report.figure(
            "descriptors more than before, two seconds later", after.descriptors - idle_now.descriptors, 1
        )
        scene.report.figure("memory up", (server.memory() - before) / MIB, 2, " MiB")
        scene.report.figure("zombies", after.zombies, 0)


async def gone(scene: Scene) -> None:
    if not shutil.which("strace"):
        scene.report.say("  strace is not installed")
        return
    count = scene.at_most(10_000, 300)
    calls = ("-e", "trace=openat2,openat", "-e", "inject=openat2:delay_exit=20000")
    slowly = ("strace", "-D", "-f", "-qq", "-o", "/dev/null", *calls)
    request = b"GET /100k.bin HTTP/1.1\r\nHost: h\r\n\r\n"
    options = ("--cache", "off") if scene.design.command[0] == "pwb_async" else ()
    async with scene.server("gone", *options, wrapper=slowly) as server:
        await asyncio.to_thread(by_threads, 100, 8, lambda: reset_after(server.address, request, 1))
        await asyncio.sleep(1)
        before = server.resources()
        start = time.monotonic()
        wrong = await asyncio.to_thread(by_threads, count, 8, lambda: reset_after(server.address, request, 0))
        scene.report.say(f"  {count:,} clients came, asked and vanished in {time.monotonic() - start:.1f} s")
        await asyncio.sleep(2)
        after = server.resources()
        while after.descriptors > before.descriptors and time.monotonic() < start + 90:  # the pool works off its queue
            await asyncio.sleep(0.5)
            after = server.resources()
        scene.report.figure("clients that could not even ask", len(wrong), 0)
        scene.report.figure("descriptors more than before", after.descriptors - before.descriptors, 0)
        answer = await ask_others(0.3, (server,))
        scene.report.figure("failures of the next requests", len(answer[0].failures), 0)
