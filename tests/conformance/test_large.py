"""Large files: every byte arrives at a slow reader, and neither he nor a fast one costs the others much
(hazards A4, A15, L5, L6, L14)."""

import asyncio
import hashlib
import time

from .applies import concurrent
from .peer import Peer, ask, crowd, together
from .server import Server
from .tree import BIG, FILES, LETTERS
from .wire import get

MEGABYTE = 1 << 20


async def others(server: Server, until: "asyncio.Future[object]", within: float = 1.0) -> int:
    """Small requests, one after the other, each answered in time; returns how many."""
    count = 0
    while not until.done():
        start = time.monotonic()
        assert (await ask(server.address, get())).content == LETTERS
        assert time.monotonic() - start < within, "somebody else held the server"
        count += 1
        await asyncio.sleep(0.01)
    return count


async def read_slowly(server: Server) -> None:
    digest, count = hashlib.sha256(), 0
    async with Peer(server.address, window=32 * 1024) as peer:
        await peer.send(get("/30m.bin", "Connection: close"))
        content = await peer.after_head()
        while content or (content := await peer.some(1)):
            digest.update(content)
            count += len(content)
            await asyncio.sleep(0.0005)
            content = b""
    assert count == BIG
    assert digest.digest() == hashlib.sha256(FILES[b"30m.bin"]).digest()


async def test_slow_reader_gets_every_byte_l5(server: Server) -> None:
    """The book called send() once: of 30 MB 2.8 arrived, without an error."""
    await read_slowly(server)


@concurrent
async def test_slow_readers_hold_up_nobody_l14_a4(server: Server) -> None:
    """Accepted sockets that block stop an epoll loop at the first slow reader."""
    readers = asyncio.ensure_future(together(*(read_slowly(server) for _ in range(2))))
    count = await others(server, readers)
    await readers
    assert count > 3


@concurrent
async def test_fast_reader_holds_up_nobody_a15(server: Server) -> None:
    """5 GiB at full speed: everybody else still has a turn."""
    async with Peer(server.address) as peer:
        await peer.send(get("/5g.bin"))

        async def read(seconds: float) -> int:
            count, end = 0, time.monotonic() + seconds
            while time.monotonic() < end:
                count += len(await peer.some(1))
            return count

        reading = asyncio.ensure_future(read(0.7))
        await others(server, reading)
        assert await reading > 20 * MEGABYTE
        peer.reset()


async def test_clients_of_a_huge_file_cost_little_memory_l6(server: Server) -> None:
    """The book read the whole file, and copied it: 5 GiB for each."""
    many = 20 if server.design.keeps_alive else 1
    assert (await ask(server.address, get())).content == LETTERS
    before = server.memory()
    async with crowd(server.address, many, window=64 * 1024) as peers:
        for peer in peers:
            await peer.send(get("/5g.bin"))
        for peer in peers:
            assert len(await peer.some(MEGABYTE)) >= MEGABYTE
        assert server.memory() - before < 64 * MEGABYTE
        for peer in peers:
            peer.reset()


async def test_no_file_is_mapped_d5(server: Server, site: object) -> None:
    """A mapped file that is truncated kills whoever reads it."""
    async with Peer(server.address, window=4096) as peer:
        await peer.send(get("/30m.bin"))
        await peer.some(1)
        for pid in server.members():
            with open(f"/proc/{pid}/maps") as maps:
                assert str(site) not in maps.read()
        peer.reset()
