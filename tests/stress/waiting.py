"""Clients that hold a connection and do nothing: in the middle of a head, between two requests, before a large answer."""

import asyncio
import time
from typing import Final

from tests.conformance.server import Server
from tests.conformance.sockets import find_socket

from .harness import KIB
from .scene import MANY, Crowd, Scene, as_many, ask_others, tell_ratio

HALF: Final = b"GET /a.txt HTTP/1.1\r\nHost: h\r\nUser-Agent: half a head\r\nX-Half: aaaaaaaa"
WHOLE: Final = b"GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n"
FIN_WAIT_1: Final = 4
LISTEN: Final = 10
"""States of RFC 9293, as Linux numbers them."""


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
            scene.report.figure("the latest, against the deadline", max(late), scene.in_time(0.5), " s")
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
    far_end = find_socket(server.address, name)
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
        scene.report.figure(
            "the last one ended, against the timeout", time.monotonic() - start - deadline, scene.in_time(2), " s"
        )
        await asyncio.sleep(2)
        orphans = [it for name in names if (it := find_socket(server.address, name)) and it.state == FIN_WAIT_1]
        scene.report.figure("in FIN-WAIT-1 two seconds later", len(orphans), 0)
        crowd.go()
