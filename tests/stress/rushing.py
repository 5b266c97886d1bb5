"""Clients with a high demand: pipelined requests, one huge file at full speed, many connections at the same moment."""

import asyncio
import os
import select
import socket
import subprocess
import sys
import time
from contextlib import suppress
from typing import Final

from .harness import GIB, KIB, MIB, percentile
from .testbed import TestBed, limit_to_descriptors, measure_other_clients


async def pipeline(testbed: TestBed) -> None:
    count = testbed.size(100_000, 5_000)
    digits = [f"digit-{digit}" for digit in range(10)]
    for digit in digits:
        (testbed.root / digit).write_bytes(digit.encode())
        os.utime(testbed.root / digit, (1_600_000_000, 1_600_000_000))
    order = [digits[(number * 7 + number // 10) % 10] for number in range(count)]
    padding = b"x" * 100  # so that the kernel's buffers do not hold all of it
    wire = b"".join(b"GET /%s HTTP/1.1\r\nHost: h\r\nX: %s\r\n\r\n" % (name.encode(), padding) for name in order)
    async with testbed.server("pipeline", "--requests-per-connection", "0", "--send-timeout", "120") as server:
        await measure_other_clients(0.3, (server,), "/digit-1")
        before = server.memory()
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            sock.connect(server.address)
            sock.setblocking(False)
            sent, blocked = 0, 0
            while blocked < 20 and sent < len(wire):
                try:
                    sent += sock.send(wire[sent : sent + 65536])
                    blocked = 0
                except BlockingIOError:
                    blocked += 1
                    await asyncio.sleep(0.05)
            stuck = sent < len(wire)
            rise = server.memory() - before
            testbed.report.write(
                f"  {sent / KIB:,.0f} of {len(wire) / KIB:,.0f} KiB were taken before it stopped reading"
            )
            testbed.report.fact("it stops reading", stuck or testbed.quick)
            testbed.report.figure("memory up meanwhile", rise / MIB, 1, " MiB")
            start = time.monotonic()
            contents = await asyncio.to_thread(_read_digits, sock, wire, sent, count)
            testbed.report.write(f"  then {len(contents):,} responses in {time.monotonic() - start:.1f} s")
            testbed.report.fact("all responses, in order", contents == order)
            testbed.report.figure(
                "memory up afterwards, log lines not yet written included",
                (server.memory() - before) / MIB,
                unit=" MiB",
            )


def _read_digits(sock: socket.socket, wire: bytes, sent: int, count: int) -> list[str]:
    """Sends the rest of the requests, and returns the contents of all responses."""
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
os.nice(10)  # the clients of small files shall wait for the server, not for this process
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sock.sendall(f"GET /{sys.argv[2]} HTTP/1.1\\r\\nHost: h\\r\\nConnection: close\\r\\n\\r\\n".encode())
start, got = time.monotonic(), 0
while count := len(sock.recv(1 << 20)) if got < 1000 else sock.recv_into(buffer):
    buffer = bytearray(1 << 20) if got < 1000 else buffer
    got += count
print(got, time.monotonic() - start)
"""


async def fast_reader(testbed: TestBed) -> None:
    name, size = ("512m.bin", GIB // 2) if testbed.quick else ("8g.bin", 8 * GIB)
    async with testbed.server("fast") as server, testbed.server("fast-twin") as twin:
        alone = (await measure_other_clients(1.0, (server,)))[0]
        reader = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _FAST, str(server.address[1]), name, stdout=subprocess.PIPE
        )
        await asyncio.sleep(0.1)
        beside, noise = await measure_other_clients(testbed.size(4, 1), (server, twin))
        output, _ = await asyncio.wait_for(reader.communicate(), 120)
        got, took = output.split()
        speed = int(got) / GIB / float(took)
        testbed.report.write(f"  {int(got) / GIB:.1f} GiB in {float(took):.1f} s, {speed:.2f} GiB/s")
        testbed.report.write(f"    small files alone: {alone}; beside it: {beside}; an idle server meanwhile: {noise}")
        testbed.report.fact("it got all of it", int(got) > size)
        busy = percentile(noise.seconds, 0.99) * 1000 > 4
        if busy:
            testbed.report.write(
                "  the idle server is as slow: this machine is too busy to judge, so no time is judged"
            )
        bar = None if busy else testbed.time_bar(5)
        testbed.report.figure(
            "small files' p99 beside one fast reader", percentile(beside.seconds, 0.99) * 1000, bar, " ms"
        )
        testbed.report.figure("failures", len(beside.failures), 0)


async def burst(testbed: TestBed) -> None:
    count = limit_to_descriptors(testbed, testbed.size(2000, 500))
    async with testbed.server("burst") as server:
        took, answered, failed = await asyncio.to_thread(_burst, server.address, count)
        testbed.report.figure("connected, served and closed", answered, count, at_least=True)
        testbed.report.figure("failed", failed, 0)
        testbed.report.figure("slowest connect (a dropped SYN costs a second)", max(took), testbed.time_bar(0.9), " s")


def _burst(address: tuple[str, int], count: int) -> tuple[list[float], int, int]:
    """Opens all connections at once, with one request on each; returns seconds of each connect, responses, failures."""
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
    received = dict.fromkeys(sockets, b"")
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
                received[fd] += data
                if data:
                    continue
                answered += received[fd].startswith(b"HTTP/1.1 200 ") and received[fd].endswith(b"xyz")
            except OSError:
                failed += 1
            epoll.unregister(fd)
            sockets.pop(fd).close()
    failed += len(sockets)
    for sock in sockets.values():
        sock.close()
    epoll.close()
    return list(took.values()) or [99.0], answered, failed
