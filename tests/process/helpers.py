"""A few words that the tests are told in."""

import asyncio
from typing import Final

from tests.conformance.peer import TIMEOUT, Peer
from tests.conformance.server import Server, eventually
from tests.conformance.wire import Answer, get

TEXT: Final = b"some text\n"
BIG: Final = 30_000_000


def workers(server: Server) -> list[int]:
    """The process ids of a server's workers, or of one that is alone."""
    members = server.members()
    return [pid for pid in members if pid != server.pid] or members


async def says(server: Server, words: str, times: int = 1) -> None:
    """Waits until it has said something on standard error so many times."""
    await eventually(lambda: server.grumbles().count(words) >= times, TIMEOUT, lambda: f"{words}: {server.grumbles()}")


async def fetch(peer: Peer, target: str = "/a.txt") -> Answer:
    """One more request on a connection."""
    await peer.send(get(target))
    return await peer.answer()


async def fresh(server: Server, target: str = "/a.txt") -> Answer:
    """One request on a connection of its own."""
    async with Peer(server.address) as peer:
        return await fetch(peer, target)


async def become(server: Server, name: str, value: str | None) -> None:
    """Waits until new connections are answered with this field."""
    async with asyncio.timeout(TIMEOUT):
        while (await fresh(server))[name] != value:
            pass
