"""The way in, by itself: who takes over from uvloop, and when (hazards E1, E7)."""

import asyncio
import os
import socket
from typing import cast

import uvloop

from pwb_async.server.acceptor import Acceptor


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


class Greeting(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        there = cast(asyncio.Transport, transport)
        there.write(b"hello")
        there.close()


async def served(client: socket.socket) -> bytes:
    async with asyncio.timeout(5):
        return await asyncio.get_running_loop().sock_recv(client, 10)


async def look_twice_while_somebody_waits() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    entrance = Acceptor(asyncio.get_running_loop(), Greeting)
    await entrance.open([listener])
    before = descriptors()
    for _ in range(3):
        with socket.create_connection(address) as first, socket.create_connection(address) as second:
            for client in (first, second):
                client.setblocking(False)
            entrance.check(0)
            entrance.check(0)
            assert [await served(first), await served(second)] == [b"hello"] * 2
    async with asyncio.timeout(5):  # one less would be uvloop's own listening socket
        while descriptors() != before:
            await asyncio.sleep(0)
    await entrance.close()


def test_who_waits_at_two_looks_is_let_in_and_uvloop_goes_on_accepting() -> None:
    """As when other workers take whoever comes: each time it was another one who waited."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(look_twice_while_somebody_waits())
