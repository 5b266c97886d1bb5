"""Helpers of the tests of processes."""

import asyncio
from typing import Final

from tests.conformance.peer import TIMEOUT, Peer
from tests.conformance.server import Server, eventually
from tests.conformance.wire import Response, get

TEXT: Final = b"some text\n"
BIG: Final = 30_000_000


def workers(server: Server) -> list[int]:
    """The process ids of a server's workers; of the server itself if it has none."""
    members = server.process_ids()
    return [pid for pid in members if pid != server.pid] or members


async def wait_for_message(server: Server, words: str, times: int = 1) -> None:
    """Waits until standard error contains `words` at least `times` times."""
    await eventually(
        lambda: server.error_output().count(words) >= times, TIMEOUT, lambda: f"{words}: {server.error_output()}"
    )


async def fetch(peer: Peer, target: str = "/a.txt") -> Response:
    """Sends a request on an open connection and returns the response."""
    await peer.send(get(target))
    return await peer.read_response()


async def fetch_fresh(server: Server, target: str = "/a.txt") -> Response:
    """Sends a request on a new connection and returns the response."""
    async with Peer(server.address) as peer:
        return await fetch(peer, target)


async def wait_for_field(server: Server, name: str, value: str | None) -> None:
    """Waits until responses on new connections have the field `name` with this value."""
    async with asyncio.timeout(TIMEOUT):
        while (await fetch_fresh(server))[name] != value:
            pass
