"""Many clients at once, and clients that want too much: the bars on time and memory, each with its figure.

    python -m tests.stress.crowd [NAME ...] [--quick] [--design async-uvloop]      no name: all of them

    half-sent      5,000 heads that never end: others' times, memory of each, all gone at the deadline
    idle           5,000 connections between two requests: memory of each
    never-read     200 clients that take nothing of a 3 GiB file: memory, others' times, gone at the deadline (A4)
    endless-heads  64 MB of head in every shape: how much is read, how much memory (B8)
    resets         10,000 resets after the first 4 KiB (A11)
    pipeline       100,000 requests at once and nobody reads; then all answers in order (A14)
    fast-reader    8 GiB to one client at full speed: others' times (A15)
    burst          2,000 connects at once (F6)
    gone           10,000 clients that vanish while their file is being opened, slowly (A12; needs strace)

Others' times are those of tests.stress.asker, which asks in turn a server with the crowd and its twin without one: the
bar is on the ratio of both 99th percentiles (1.25; 3 in the short form, which asks too little to say more). Memory is PSS, of all processes of the server. Descriptors: the limit is
raised to 20,000 where that is allowed; with fewer the crowd is smaller, and says so.
"""

import argparse
import asyncio
import json
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from conformance.designs import Design
from conformance.server import REPOSITORY, Server, running
from conformance.sockets import look

from .ground import GIB, KIB, MIB, NAMED, Report, complaints, descriptors, folder, gently, percentile, workplace

HALF: Final = b"GET /a.txt HTTP/1.1\r\nHost: h\r\nUser-Agent: half a head\r\nX-Half: aaaaaaaa"
WHOLE: Final = b"GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n"
FIN_WAIT_1: Final = 4
LISTEN: Final = 10
"""States of RFC 9293, as Linux numbers them."""
RESET: Final = struct.pack("ii", 1, 0)
MANY: Final = ("--max-connections", "100000")


class Scene(NamedTuple):
    """What each bar is measured with."""

    report: Report
    design: Design
    root: Path
    papers: Path
    quick: bool

    def at_most(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    @asynccontextmanager
    async def server(self, name: str, *options: str, wrapper: Sequence[str] = ()) -> AsyncIterator[Server]:
        papers = folder(self.papers, name)
        async with running(self.design, self.root, *options, papers=papers, wrapper=wrapper, may_say=".") as server:
            yield server
            self.report.figure("tracebacks", len(complaints(server)), 0)
            for line in server.grumbles().splitlines()[:3]:
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
    report, bar = scene.report, 3.0 if scene.quick else 1.25  # few answers, and machines of CI have other things to do
    report.say(f"    with the crowd: {crowded}; its twin, asked in turn: {alone}")
    report.figure("others' p99 against the twin's", percentile(crowded.took, 0.99) / percentile(alone.took, 0.99), bar)
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


async def half_sent(scene: Scene) -> None:
    count = as_many(scene, scene.at_most(5000, 400))
    deadline = scene.at_most(10, 4)
    options = (*MANY, "--header-timeout", str(deadline))
    async with scene.server("crowded", *options) as server, scene.server("twin", *options) as twin:
        await ask_others(0.5, (server, twin))
        before = server.memory()
        crowd = Crowd(server.address)
        start = time.monotonic()
        await asyncio.to_thread(crowd.come, count, HALF)
        came = time.monotonic() - start
        scene.report.say(f"  {count:,} half-sent heads within {came:.1f} s, deadline {deadline} s")
        left = deadline - came - 1.2
        crowded, alone = await ask_others(max(left, 0.5), (server, twin))
        each = (server.memory() - before) / count
        await asyncio.to_thread(
            crowd.listen, start + came + deadline + 5, lambda: len(crowd.ended) == len(crowd.sockets)
        )
        tell_ratio(scene, crowded, alone)
        scene.report.figure("memory of a half-sent head", each / KIB, 6, " KiB")
        late = [crowd.ended[fd] - crowd.began[fd] - deadline for fd in crowd.ended]
        scene.report.figure("closed at the deadline", len(late), count, at_least=True)
        if late:
            scene.report.figure("the earliest, against the deadline", min(late), -0.05, " s", at_least=True)
            scene.report.figure("the latest, against the deadline", max(late), 0.5, " s")
        told = sum(heard.startswith(b"HTTP/1.1 408 ") for heard in crowd.heard.values())
        scene.report.figure("were told 408", told, count, at_least=True)
        crowd.go()


async def idle(scene: Scene) -> None:
    count = as_many(scene, scene.at_most(5000, 400))
    async with scene.server("idle", *MANY, "--idle-timeout", "30") as server:
        await ask_others(0.3, (server,))
        before = server.memory()
        crowd = Crowd(server.address)
        await asyncio.to_thread(crowd.come, count, WHOLE)
        await asyncio.to_thread(crowd.listen, time.monotonic() + 10, lambda: all(crowd.heard.values()))
        await asyncio.sleep(0.5)
        each = (server.memory() - before) / count
        scene.report.figure("were answered and are kept", len(crowd.sockets) - len(crowd.ended), count, at_least=True)
        scene.report.figure(
            f"memory of an idle connection, of {count:,}", each / KIB, 3 if count >= 5000 else 6, " KiB"
        )
        crowd.go()


def served(server: Server, name: tuple[str, int]) -> bool:
    """Whether the server still has the connection of the client with this name."""
    far_end = look(server.address, name)
    return far_end is not None and not far_end.orphan and far_end.state != LISTEN  # found where there is no other


async def never_read(scene: Scene) -> None:
    count = scene.at_most(200, 40)
    deadline = scene.at_most(8, 3)
    options = (*MANY, "--send-timeout", str(deadline))
    async with scene.server("slow", *options) as server, scene.server("slow-twin", *options) as twin:
        await ask_others(0.5, (server, twin))
        before = server.memory()
        crowd = Crowd(server.address, window=4096)
        await asyncio.to_thread(crowd.come, count, b"GET /3g.bin HTTP/1.1\r\nHost: h\r\n\r\n")
        start = time.monotonic()
        names = [sock.getsockname() for sock in crowd.sockets.values()]
        await asyncio.sleep(0.5)
        crowded, alone = await ask_others(deadline - 1.5, (server, twin))
        each = (server.memory() - before) / count
        scene.report.say(f"  {count} clients that never read, send timeout {deadline} s")
        tell_ratio(scene, crowded, alone)
        scene.report.figure("memory of a client that never reads", each / KIB, 100, " KiB")
        alive = [name for name in names if served(server, name)]
        if time.monotonic() < start + deadline - 0.1:  # else the machine is too slow to tell
            scene.report.figure("still served shortly before the timeout", len(alive), count, at_least=True)
        while alive and time.monotonic() < start + deadline + 6:
            alive = [name for name in alive if served(server, name)]
            await asyncio.sleep(0.05)
        scene.report.figure("not ended by the server", len(alive), 0)
        scene.report.figure("the last one ended, against the timeout", time.monotonic() - start - deadline, 2, " s")
        await asyncio.sleep(2)
        orphans = [it for name in names if (it := look(server.address, name)) and it.state == FIN_WAIT_1]
        scene.report.figure("in FIN-WAIT-1 two seconds later", len(orphans), 0)
        crowd.go()


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
"""No heads: they are answered at once and then thrown away, so that the client can read its answer (hazard A13)."""


class Endless(NamedTuple):
    """sent: bytes that left the client; port: the client's; status: of the answer, 0 if there was none."""

    sent: int
    port: int
    status: int
    closed: bool


def send_endless(address: tuple[str, int], pieces: Iterator[bytes]) -> Endless:
    """Sends a head of 64 MB, or as much of it as the server takes, and reads the answer."""
    sent = status = 0
    closed = False
    with socket.create_connection(address, timeout=10) as sock:
        port = sock.getsockname()[1]
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
    return Endless(sent, port, status, closed)


class Trace:
    """strace on the reads of a running server, to see how many bytes of a connection it has taken."""

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

    def read_from(self, port: int) -> int:
        """Bytes that were read from the client with this port."""
        found = re.findall(rf"<TCP[^\]]*:{port}\]>.*= (\d+)", self.path.read_text(errors="replace"))
        return sum(map(int, found))


def peak(pid: int) -> int:
    """Bytes of resident memory at its highest since forget_peak()."""
    found = re.findall(r"^VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[0]) * KIB


def forget_peak(pid: int) -> None:
    with suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")


async def endless(scene: Scene) -> None:
    """First without strace, for memory, then with it, for the bytes read."""
    shapes = endless_heads()
    async with scene.server("endless", *MANY) as server:
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
        if shutil.which("strace"):
            trace = Trace(server.pid, scene.papers / "reads")
            for name, pieces in shapes.items():
                again = await asyncio.to_thread(send_endless, server.address, pieces())
                taken[name] = again.port
            trace.close()
            taken = {name: trace.read_from(port) for name, port in taken.items()}
        for name in shapes:
            read = f", read {taken[name] / KIB:.0f} KiB" if taken else ""
            answer = answers[name]
            scene.report.say(
                f"    {name}: {answer.status or 'no status'}{read}, memory up {rises[name] / KIB:.0f} KiB"
                f"{'' if answer.closed else ', NOT CLOSED'}"
            )
        scene.report.figure("not closed", sum(not answer.closed for answer in answers.values()), 0)
        most = max(rises[name] for name in shapes if name not in CONTENT)
        scene.report.figure("peak of resident memory, most up by a head", most / MIB, 1, " MiB")
        if taken:
            heads = max(taken[name] for name in shapes if name not in CONTENT)
            scene.report.figure("read of a head, at most", heads / KIB, 256, " KiB")
            content = max(taken[name] for name in CONTENT)
            scene.report.figure("read of content, for as long as --linger-timeout allows", content / KIB, unit=" KiB")
        else:
            scene.report.say("  strace is not installed: not measured how much is read")


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
        idle_now = server.vitals()
        await asyncio.to_thread(by_threads, 200, 8, lambda: reset_after(server.address, request, 4096))
        await asyncio.sleep(0.5)
        before = server.memory()
        start = time.monotonic()
        wrong = await asyncio.to_thread(by_threads, count, 8, lambda: reset_after(server.address, request, 4096))
        scene.report.say(f"  {count:,} resets in {time.monotonic() - start:.1f} s")
        scene.report.figure("clients that could not even ask", len(wrong), 0)
        await asyncio.sleep(2)
        after = server.vitals()
        scene.report.figure(
            "descriptors more than before, two seconds later", after.descriptors - idle_now.descriptors, 1
        )
        scene.report.figure("memory up", (server.memory() - before) / MIB, 2, " MiB")
        scene.report.figure("zombies", after.zombies, 0)


async def pipeline(scene: Scene) -> None:
    count = scene.at_most(100_000, 5_000)
    digits = [f"digit-{digit}" for digit in range(10)]
    for digit in digits:
        (scene.root / digit).write_bytes(digit.encode())
        os.utime(scene.root / digit, (1_600_000_000, 1_600_000_000))
    order = [digits[(number * 7 + number // 10) % 10] for number in range(count)]
    padding = b"x" * 100  # so that the kernel's buffers do not hold all of it
    wire = b"".join(b"GET /%s HTTP/1.1\r\nHost: h\r\nX: %s\r\n\r\n" % (name.encode(), padding) for name in order)
    async with scene.server("pipeline", "--requests-per-connection", "0", "--send-timeout", "120") as server:
        await ask_others(0.3, (server,), "/digit-1")
        before = server.memory()
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            sock.connect(server.address)
            sock.setblocking(False)
            sent, quiet = 0, 0
            while quiet < 20 and sent < len(wire):
                try:
                    sent += sock.send(wire[sent : sent + 65536])
                    quiet = 0
                except BlockingIOError:
                    quiet += 1
                    await asyncio.sleep(0.05)
            stuck = sent < len(wire)
            rise = server.memory() - before
            scene.report.say(f"  {sent / KIB:,.0f} of {len(wire) / KIB:,.0f} KiB were taken before it stopped reading")
            scene.report.fact("it stops reading", stuck or scene.quick)
            scene.report.figure("memory up meanwhile", rise / MIB, 1, " MiB")
            start = time.monotonic()
            contents = await asyncio.to_thread(_read_digits, sock, wire, sent, count)
            scene.report.say(f"  then {len(contents):,} answers in {time.monotonic() - start:.1f} s")
            scene.report.fact("all answers, in order", contents == order)
            scene.report.figure(
                "memory up afterwards, log lines not yet written included",
                (server.memory() - before) / MIB,
                unit=" MiB",
            )


def _read_digits(sock: socket.socket, wire: bytes, sent: int, count: int) -> list[str]:
    """Sends the rest, and reads the contents of all answers."""
    contents: list[str] = []
    data = b""
    view = memoryview(wire)
    end = time.monotonic() + 120
    while len(contents) < count and time.monotonic() < end:
        readable, writable, _ = select.select([sock], [sock] if sent < len(wire) else [], [], 5)
        if writable:
            with suppress(BlockingIOError):
                sent += sock.send(view[sent : sent + 65536])
        if readable:
            more = sock.recv(1 << 18)
            if not more:
                break
            data += more
            at = 0
            while (stop := data.find(b"\r\n\r\n", at)) >= 0 and len(data) >= stop + 4 + 7:
                contents.append(data[stop + 4 : stop + 4 + 7].decode())
                at = stop + 4 + 7
            data = data[at:]
        elif not writable:
            break
    return contents


_FAST: Final = """
import os, socket, sys, time
os.nice(10)  # who asks for small files is to be kept waiting by the server, not by this process
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sock.sendall(f"GET /{sys.argv[2]} HTTP/1.1\\r\\nHost: h\\r\\nConnection: close\\r\\n\\r\\n".encode())
start, got = time.monotonic(), 0
while count := len(sock.recv(1 << 20)) if got < 1000 else sock.recv_into(buffer):
    buffer = bytearray(1 << 20) if got < 1000 else buffer
    got += count
print(got, time.monotonic() - start)
"""


async def fast_reader(scene: Scene) -> None:
    name, size = ("3g.bin", 3 * GIB) if scene.quick else ("8g.bin", 8 * GIB)
    async with scene.server("fast") as server, scene.server("fast-twin") as twin:
        alone = (await ask_others(1.0, (server,)))[0]
        reader = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _FAST, str(server.address[1]), name, stdout=subprocess.PIPE
        )
        await asyncio.sleep(0.1)
        beside, noise = await ask_others(scene.at_most(4, 1), (server, twin))
        output, _ = await asyncio.wait_for(reader.communicate(), 120)
        got, took = output.split()
        speed = int(got) / GIB / float(took)
        scene.report.say(f"  {int(got) / GIB:.1f} GiB in {float(took):.1f} s, {speed:.2f} GiB/s")
        scene.report.say(f"    small files alone: {alone}; beside it: {beside}; its idle twin then: {noise}")
        scene.report.fact("it got all of it", int(got) > size)
        busy = percentile(noise.took, 0.99) * 1000 > 4
        if busy:
            scene.report.say("  its idle twin is as slow: this machine is too busy to tell, so nothing is judged")
        bar = None if busy else 50 if scene.quick else 5
        scene.report.figure("small files' p99 beside one fast reader", percentile(beside.took, 0.99) * 1000, bar, " ms")
        scene.report.figure("failures", len(beside.failures), 0)


async def burst(scene: Scene) -> None:
    count = as_many(scene, scene.at_most(2000, 500))
    async with scene.server("burst") as server:
        took, answered, failed = await asyncio.to_thread(_burst, server.address, count)
        scene.report.figure("connected, answered and closed", answered, count, at_least=True)
        scene.report.figure("failed", failed, 0)
        scene.report.figure("slowest connect (a dropped SYN costs a second)", max(took), 0.9, " s")


def _burst(address: tuple[str, int], count: int) -> tuple[list[float], int, int]:
    """Connects all at once, each asks one thing; seconds of each connect, answers, failures."""
    epoll = select.epoll()
    sockets: dict[int, socket.socket] = {}
    start = time.monotonic()
    took: dict[int, float] = {}
    answered = failed = 0
    for _ in range(count):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex(address)
        sockets[sock.fileno()] = sock
        epoll.register(sock.fileno(), select.EPOLLOUT)
    heard = dict.fromkeys(sockets, b"")
    while sockets and time.monotonic() < start + 20:
        for fd, _ in epoll.poll(0.5):
            sock = sockets[fd]
            try:
                if fd not in took:
                    if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                        raise OSError(error, os.strerror(error))
                    took[fd] = time.monotonic() - start
                    sock.send(b"GET /a.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                    epoll.modify(fd, select.EPOLLIN)
                    continue
                data = sock.recv(65536)
                heard[fd] += data
                if data:
                    continue
                answered += heard[fd].startswith(b"HTTP/1.1 200 ") and heard[fd].endswith(b"xyz")
            except OSError:
                failed += 1
            epoll.unregister(fd)
            sockets.pop(fd).close()
    failed += len(sockets)
    for sock in sockets.values():
        sock.close()
    epoll.close()
    return list(took.values()) or [99.0], answered, failed


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
        before = server.vitals()
        start = time.monotonic()
        wrong = await asyncio.to_thread(by_threads, count, 8, lambda: reset_after(server.address, request, 0))
        scene.report.say(f"  {count:,} clients came, asked and vanished in {time.monotonic() - start:.1f} s")
        await asyncio.sleep(2)
        after = server.vitals()
        while after.descriptors > before.descriptors and time.monotonic() < start + 90:  # the pool works off its queue
            await asyncio.sleep(0.5)
            after = server.vitals()
        scene.report.figure("clients that could not even ask", len(wrong), 0)
        scene.report.figure("descriptors more than before", after.descriptors - before.descriptors, 0)
        answer = await ask_others(0.3, (server,))
        scene.report.figure("failures of the next requests", len(answer[0].failures), 0)


BARS: Final[dict[str, Callable[[Scene], Awaitable[None]]]] = {
    "half-sent": half_sent,
    "idle": idle,
    "never-read": never_read,
    "endless-heads": endless,
    "resets": resets,
    "pipeline": pipeline,
    "fast-reader": fast_reader,
    "burst": burst,
    "gone": gone,
}


async def crowd(names: Sequence[str], quick: bool, design: Design) -> int:
    report = Report()
    most = descriptors()
    report.say(f"{design.name}, {'quick' if quick else 'full'}, {os.cpu_count()} processors, {most:,} descriptors")
    with workplace() as (root, papers):
        scene = Scene(report, design, root, papers, quick)
        for name in names:
            report.say(f"{name}:")
            try:
                await BARS[name](scene)
            except (AssertionError, OSError, TimeoutError) as error:
                report.fact("it could be measured", False, repr(error))
    return report.end()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.stress.crowd", description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BARS))
    parser.add_argument("--quick", action="store_true", help="fewer clients, shorter deadlines: for CI")
    parser.add_argument("--design", choices=NAMED, default="async-uvloop")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in BARS]:
        parser.error(f"no such bar: {', '.join(unknown)}")
    gently()
    return asyncio.run(crowd(arguments.names or list(BARS), arguments.quick, NAMED[arguments.design]))


if __name__ == "__main__":
    sys.exit(main())
