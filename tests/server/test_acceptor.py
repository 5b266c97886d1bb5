"""The acceptor: when it takes over from uvloop (hazards E1, E7)."""

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


async def check_twice_while_clients_wait() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    acceptor = Acceptor(asyncio.get_running_loop(), Greeting)
    await acceptor.open([listener])
    before = descriptors()
    for _ in range(3):
        with socket.create_connection(address) as first, socket.create_connection(address) as second:
            for client in (first, second):
                client.setblocking(False)
            acceptor.check(0)
            acceptor.check(0)
            assert [await served(first), await served(second)] == [b"hello"] * 2
    async with asyncio.timeout(5):  # one less would be uvloop's own listening socket
        while descriptors() != before:
            await asyncio.sleep(0)
    await acceptor.close()


def test_clients_that_wait_at_two_checks_are_accepted_and_uvloop_continues() -> None:
    """As when other workers accept all connections: at each check another client was waiting."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(check_twice_while_clients_wait())
