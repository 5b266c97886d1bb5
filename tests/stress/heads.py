"""Request heads of 64 MB in every form: how much of one is read, and how much memory it takes (hazard B8)."""

import asyncio
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from tests.conformance.strace import can_attach

from .harness import KIB, MIB
from .testbed import MANY, TestBed


def endless_heads() -> dict[str, Callable[[], Iterator[bytes]]]:
    """Heads without an end, in pieces of 64 KiB."""

    def head(start: bytes, piece: bytes) -> Callable[[], Iterator[bytes]]:
        def pieces() -> Iterator[bytes]:
            yield start
            while True:
                yield (piece * (65536 // len(piece) + 1))[:65536] if len(piece) == 1 else piece * (65536 // len(piece))

        return pieces

    line = b"GET / HTTP/1.1\r\nHost: h\r\n"
    return {
        "a method": head(b"", b"G"),
        "a target": head(b"GET /", b"a"),
        "a query": head(b"GET /?", b"%41"),
        "a version": head(b"GET / HTTP/1.1", b"1"),
        "empty lines": head(b"", b"\r\n"),
        "a field name": head(line, b"X"),
        "a field value": head(line + b"X: ", b"x"),
        "many fields": head(line, b"X: y\r\n"),
        "many long fields": head(line, b"X: " + b"y" * 8000 + b"\r\n"),
        "white space": head(line + b"X:", b" "),
        "folded lines": head(line + b"X: y\r\n", b" y\r\n"),
        "bare LF": head(line, b"X: y\n"),
        "NUL": head(line, b"\0"),
        "bytes from 0x80": head(line, b"\xff"),
        "TLS": head(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00\x01"),
        "trailers": head(line.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
        "a chunk extension": head(line.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\n5;a=", b"b"),
        "chunks": head(line.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\nabcd\r\n"),
        "content": head(line.replace(b"GET", b"POST") + b"Content-Length: 67108864\r\n\r\n", b"c"),
        "a target, then heads": head(b"GET /" + b"a" * 9000, b" HTTP/1.1\r\nHost: h\r\n\r\nGET /"),
    }


CONTENT: Final = ("chunks", "content")
"""Not heads: they get a response at once and are then discarded, so that the client can read it (hazard A13)."""


class Endless(NamedTuple):
    """The result of sending an endless head."""

    sent: int
    """Bytes that left the client."""
    status: int
    """The status of the response; 0 if there was none."""
    closed: bool
    """Whether the server closed the connection."""


def send_endless(address: tuple[str, int], pieces: Iterator[bytes], host: str = "127.0.0.1") -> Endless:
    """Sends a head of 64 MB from `host`, or as much of it as the server takes, and reads the response."""
    sent = status = 0
    closed = False
    with socket.create_connection(address, timeout=10, source_address=(host, 0)) as sock:
        with suppress(OSError):
            for piece in pieces:
                sock.sendall(piece)
                sent += len(piece)
                if sent >= 64 * 1000 * 1000:
                    break
        data = b""
        try:
            while more := sock.recv(65536):
                data += more
            closed = True
        except TimeoutError:
            closed = False
        except OSError:
            closed = True
        if data.startswith(b"HTTP/1.1 "):
            status = int(data[9:12])
    return Endless(sent, status, closed)


class ReadCounter:
    """Counts, by strace, the bytes that a running server reads from each client."""

    def __init__(self, pid: int, path: Path) -> None:
        self.path = path
        calls = "trace=read,readv,recvfrom,recvmsg"
        self.process = subprocess.Popen(
            ["strace", "-f", "-yy", "-s", "0", "-e", calls, "-o", str(path), "-p", str(pid)],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 5
        while "TracerPid:\t0" in Path(f"/proc/{pid}/status").read_text():
            assert time.monotonic() < end, "strace does not attach"
            time.sleep(0.01)

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)

    def read_from(self, host: str) -> int:
        """Bytes that were read from the clients of this address."""
        found = re.findall(rf"<TCP[^\]]*>{re.escape(host)}:\d+\]>.*= (\d+)", self.path.read_text(errors="replace"))
        return sum(map(int, found))


def peak(pid: int) -> int:
    """Bytes of resident memory at its highest since forget_peak()."""
    found = re.findall(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[0]) * KIB


def forget_peak(pid: int) -> None:
    with suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")


async def endless(testbed: TestBed) -> None:
    """Measures the memory without strace, then the bytes read with it."""
    shapes = endless_heads()
    async with testbed.server("endless", *MANY) as server:
        for _ in range(3):
            await asyncio.to_thread(send_endless, server.address, shapes["a field value"]())
        rises: dict[str, int] = {}
        answers: dict[str, Endless] = {}
        for name, pieces in shapes.items():
            forget_peak(server.pid)
            before = peak(server.pid)
            answers[name] = await asyncio.to_thread(send_endless, server.address, pieces())
            rises[name] = peak(server.pid) - before
        taken: dict[str, int] = {}
        if can_attach():
            counter = ReadCounter(server.pid, testbed.log_dir / "reads")
            hosts = {name: f"127.0.1.{number}" for number, name in enumerate(shapes, 1)}  # a port may be used again
            for name, pieces in shapes.items():
                await asyncio.to_thread(send_endless, server.address, pieces(), hosts[name])
            counter.close()
            taken = {name: counter.read_from(host) for name, host in hosts.items()}
        for name in shapes:
            read = f", read {taken[name] / KIB:.0f} KiB" if taken else ""
            answer = answers[name]
            testbed.report.write(
                f"    {name}: {answer.status or 'no status'}{read}, memory up {rises[name] / KIB:.0f} KiB"
                f"{'' if answer.closed else ', NOT CLOSED'}"
            )
        testbed.report.figure("not closed", sum(not answer.closed for answer in answers.values()), 0)
        most = max(rises[name] for name in shapes if name not in CONTENT)
        testbed.report.figure("peak of resident memory, most up by a head", most / MIB, 1, " MiB")
        if taken:
            heads = max(taken[name] for name in shapes if name not in CONTENT)
            testbed.report.figure("read of a head, at most", heads / KIB, 256, " KiB")
            content = max(taken[name] for name in CONTENT)
            testbed.report.figure("read of content, for as long as --linger-timeout allows", content / KIB, unit=" KiB")
        else:
            testbed.report.write("  strace is not installed, or may not attach here: not measured how much is read")
