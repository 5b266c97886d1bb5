"""Stopping: responses under way are finished, no new one is begun, and no process remains (hazards F2, L19)."""

import asyncio
import signal
import time

import pytest

from .designs import concurrent
from .peer import Peer, connect_many, run_together, send_request
from .server import Server, Start, eventually
from .tree import ALPHABET, BIG
from .wire import get


async def wait_until_refused(server: Server) -> None:
    """Waits until connections are refused."""

    async def is_refused() -> bool:
        try:
            async with Peer(server.address):
                return False
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:  # it was in the accept queue when that was closed
            return False

    async with asyncio.timeout(1):
        while not await is_refused():
            await asyncio.sleep(0.005)


async def begin_download(peer: Peer) -> int:
    """Requests a large file, and returns the number of bytes received so far."""
    await peer.send(get("/30m.bin"))
    return len(await peer.read_at_least(1))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
async def test_stops_at_once_when_nothing_is_under_way_f2_l19(number: int, start: Start) -> None:
    async with start() as server:
        assert (await send_request(server.address, get())).content == ALPHABET
        server.signal(number)
        assert await server.exited(within=1) == 0


async def test_answers_under_way_are_finished_f2(start: Start) -> None:
    """Each client gets all of its 30 MB; then the connection ends, and with the last one the server."""
    async with start() as server:
        many = 12 if server.design.keeps_alive else 1
        async with connect_many(server.address, many, receive_buffer=64 * 1024) as peers:
            counts = [await begin_download(peer) for peer in peers]
            server.signal()
            await wait_until_refused(server)
            rests = await run_together(*(peer.read_to_end() for peer in peers))
            for count, rest in zip(counts, rests, strict=True):
                assert BIG < count + len(rest) < BIG + 1000
        assert await server.exited(within=2) == 0


@pytest.mark.quiet
@concurrent
async def test_idle_connections_end_at_once_f2(start: Start) -> None:
    async with start() as server, connect_many(server.address, 5) as peers:
        for peer in peers:
            await peer.send(get())
            assert (await peer.read_response()).content == ALPHABET
        begin = time.monotonic()
        server.signal()
        for peer in peers:
            assert await peer.read_to_end() == b""
        assert time.monotonic() - begin < 0.7
        assert await server.exited(within=1) == 0


async def test_silent_connections_end_at_once_f2(start: Start) -> None:
    async with start() as server, Peer(server.address) as peer:
        await eventually(lambda: (far := peer.server_socket()) is not None and not far.orphan, 2)
        server.signal()
        assert await peer.read_to_end() == b""
        assert await server.exited(within=1) == 0


@concurrent
async def test_nothing_is_begun_f2(start: Start) -> None:
    """A pipelined request is not answered, and the response under way has `Connection: close` if it has not begun."""
    async with start() as server:
        async with Peer(server.address, receive_buffer=64 * 1024) as peer:
            await peer.send(get("/30m.bin") + get() * 3)
            head = await peer.read_at_least(1)
            server.signal()
            await wait_until_refused(server)
            count = len(head) + len(await peer.read_to_end())
            assert BIG < count < BIG + 1000 + 1000, "at most one more response, with Connection: close"
        assert await server.exited(within=1) == 0


async def test_second_signal_ends_it_f2(start: Start) -> None:
    async with start() as server, Peer(server.address, receive_buffer=4096) as peer:
        await begin_download(peer)
        server.signal()
        await wait_until_refused(server)
        server.signal()
        assert await server.exited(within=1) == 0


async def test_grace_ends_it_f2(start: Start) -> None:
    async with start("--grace-period", "0.4") as server, Peer(server.address, receive_buffer=4096) as peer:
        await begin_download(peer)
        server.signal()
        begun = time.monotonic()
        assert await server.exited(within=1.4) == 0
        assert time.monotonic() - begun > 0.3
