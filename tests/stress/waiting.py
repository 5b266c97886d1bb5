"""Clients that hold a connection and do nothing: within a request head, between two requests, before a large response."""

import asyncio
import time
from typing import Final

from tests.conformance.server import Server
from tests.conformance.sockets import find_socket

from .harness import KIB
from .testbed import MANY, Crowd, TestBed, limit_to_descriptors, measure_other_clients, report_ratio

HALF: Final = b"GET /a.txt HTTP/1.1\r\nHost: h\r\nUser-Agent: half a head\r\nX-Half: aaaaaaaa"
WHOLE: Final = b"GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n"
FIN_WAIT_1: Final = 4
LISTEN: Final = 10
"""States of RFC 9293, as Linux numbers them."""


async def half_sent(testbed: TestBed) -> None:
    count = limit_to_descriptors(testbed, testbed.size(5000, 400))
    deadline = testbed.size(10, 4)
    options = (*MANY, "--header-timeout", str(deadline))
    async with testbed.server("crowded", *options) as server, testbed.server("twin", *options) as twin:
        await measure_other_clients(0.5, (server, twin))
        before = server.memory()
        crowd = Crowd(server.address)
        start = time.monotonic()
        await asyncio.to_thread(crowd.connect, count, HALF)
        connected = time.monotonic() - start
        testbed.report.write(f"  {count:,} half-sent heads within {connected:.1f} s, deadline {deadline} s")
        left = deadline - connected - 1.2
        crowded, alone = await measure_other_clients(max(left, 0.5), (server, twin))
        each = (server.memory() - before) / count
        await asyncio.to_thread(
            crowd.receive, start + connected + deadline + 5, lambda: len(crowd.ended) == len(crowd.sockets)
        )
        report_ratio(testbed, crowded, alone)
        testbed.report.figure("memory of a half-sent head", each / KIB, 6, " KiB")
        late = [crowd.ended[fd] - crowd.began[fd] - deadline for fd in crowd.ended]
        testbed.report.figure("closed at the deadline", len(late), count, at_least=True)
        if late:
            testbed.report.figure("the earliest, against the deadline", min(late), -0.05, " s", at_least=True)
            testbed.report.figure("the latest, against the deadline", max(late), testbed.time_bar(0.5), " s")
        with_408 = sum(received.startswith(b"HTTP/1.1 408 ") for received in crowd.received.values())
        testbed.report.figure("got 408", with_408, count, at_least=True)
        crowd.close()


async def idle(testbed: TestBed) -> None:
    count = limit_to_descriptors(testbed, testbed.size(5000, 400))
    async with testbed.server("idle", *MANY, "--idle-timeout", "30") as server:
        await measure_other_clients(0.3, (server,))
        before = server.memory()
        crowd = Crowd(server.address)
        await asyncio.to_thread(crowd.connect, count, WHOLE)
        await asyncio.to_thread(crowd.receive, time.monotonic() + 10, lambda: all(crowd.received.values()))
        await asyncio.sleep(0.5)
        each = (server.memory() - before) / count
        testbed.report.figure(
            "got a response and are kept open", len(crowd.sockets) - len(crowd.ended), count, at_least=True
        )
        testbed.report.figure(
            f"memory of an idle connection, of {count:,}", each / KIB, 3 if count >= 5000 else 6, " KiB"
        )
        crowd.close()


def served(server: Server, name: tuple[str, int]) -> bool:
    """Whether the server still has the connection of the client with this address."""
    far_end = find_socket(server.address, name)
    return (
        far_end is not None and not far_end.orphan and far_end.state != LISTEN
    )  # LISTEN: only the listening socket was found


async def never_read(testbed: TestBed) -> None:
    count = testbed.size(200, 40)
    deadline = testbed.size(8, 3)
    options = (*MANY, "--send-timeout", str(deadline))
    async with testbed.server("slow", *options) as server, testbed.server("slow-twin", *options) as twin:
        await measure_other_clients(0.5, (server, twin))
        before = server.memory()
        crowd = Crowd(server.address, window=4096)
        await asyncio.to_thread(crowd.connect, count, b"GET /3g.bin HTTP/1.1\r\nHost: h\r\n\r\n")
        start = time.monotonic()
        names = [sock.getsockname() for sock in crowd.sockets.values()]
        await asyncio.sleep(0.5)
        crowded, alone = await measure_other_clients(deadline - 1.5, (server, twin))
        each = (server.memory() - before) / count
        testbed.report.write(f"  {count} clients that never read, send timeout {deadline} s")
        report_ratio(testbed, crowded, alone)
        testbed.report.figure("memory of a client that never reads", each / KIB, 100, " KiB")
        alive = [name for name in names if served(server, name)]
        if time.monotonic() < start + deadline - 0.1:  # otherwise the machine is too slow to judge
            testbed.report.figure("still served shortly before the timeout", len(alive), count, at_least=True)
        while alive and time.monotonic() < start + deadline + 6:
            alive = [name for name in alive if served(server, name)]
            await asyncio.sleep(0.05)
        testbed.report.figure("not ended by the server", len(alive), 0)
        testbed.report.figure(
            "the last one ended, against the timeout", time.monotonic() - start - deadline, testbed.time_bar(2), " s"
        )
        await asyncio.sleep(2)
        orphans = [it for name in names if (it := find_socket(server.address, name)) and it.state == FIN_WAIT_1]
        testbed.report.figure("in FIN-WAIT-1 two seconds later", len(orphans), 0)
        crowd.close()
