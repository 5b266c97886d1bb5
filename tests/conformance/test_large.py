"""Large files: a slow reader gets every byte, and no reader, slow or fast, delays the others much
(hazards A4, A15, L5, L6, L14)."""

import asyncio
import hashlib
import socket
import time
from contextlib import suppress
from typing import Any

import pytest

from .designs import REFERENCE, concurrent
from .peer import Peer, connect_many, run_together, send_request
from .server import Server
from .tree import ALPHABET, BIG, FILES
from .wire import get

MEGABYTE = 1 << 20


async def serve_others(server: Server, until: "asyncio.Task[Any]", within: float = 1.0) -> int:
    """Sends small requests one after the other, checks that each is answered in time, and returns their number."""
    count = 0
    while not until.done():
        start = time.monotonic()
        assert (await send_request(server.address, get())).content == ALPHABET
        assert time.monotonic() - start < within, "somebody else held the server"
        count += 1
        await asyncio.sleep(0.01)
    return count


async def read_slowly(server: Server, pause: float) -> None:
    """Reads a response slowly. pause: seconds between two reads."""
    digest, count = hashlib.sha256(), 0
    async with Peer(server.address, receive_buffer=32 * 1024) as peer:
        await peer.send(get("/30m.bin", "Connection: close"))
        content = await peer.read_content_start()
        while content or (content := await peer.read_at_least(1)):
            digest.update(content)
            count += len(content)
            await asyncio.sleep(pause)
            content = b""
    assert count == BIG
    assert digest.digest() == hashlib.sha256(FILES[b"30m.bin"]).digest()


async def test_slow_reader_gets_every_byte_l5(server: Server) -> None:
    """The book's servers call send() once: 2.8 of 30 MB arrived, without an error."""
    await read_slowly(server, 0)


@pytest.mark.quiet
@concurrent
async def test_slow_readers_delay_no_client_l14_a4(server: Server) -> None:
    """A blocking socket would stop the epoll loop at the first slow reader."""
    works = [read_slowly(server, 0.0005) for _ in range(2)]
    readers = asyncio.create_task(run_together(*works))
    count = await serve_others(server, readers)
    await readers
    assert count > 3


@pytest.mark.quiet
@concurrent
async def test_a_fast_reader_delays_no_client_a15(server: Server) -> None:
    """5 GiB at full speed: all other clients are still served."""
    async with Peer(server.address) as peer:
        await peer.send(get("/5g.bin"))

        async def read(seconds: float) -> int:
            count, end = 0, time.monotonic() + seconds
            while time.monotonic() < end:
                count += len(await peer.read_at_least(1))
            return count

        reading = asyncio.create_task(read(0.7))
        await serve_others(server, reading)
        assert await reading > 20 * MEGABYTE
        peer.reset()


async def test_clients_of_a_huge_file_cost_little_memory_l6(server: Server) -> None:
    """The book's servers read and copied the whole file: 5 GiB for each client."""
    many = 20 if server.design.keeps_alive else 1
    assert (await send_request(server.address, get())).content == ALPHABET
    before = server.memory()
    async with connect_many(server.address, many, receive_buffer=64 * 1024) as peers:
        for peer in peers:
            await peer.send(get("/5g.bin"))
        for peer in peers:
            assert len(await peer.read_at_least(MEGABYTE)) >= MEGABYTE
        most = 128 if server.design.name == "process" else 64  # twenty processes alone take some 70
        assert server.memory() - before < most * MEGABYTE
        for peer in peers:
            peer.reset()


@pytest.mark.parametrize("design", [REFERENCE], ids=[REFERENCE.name], indirect=True, scope="session")
async def test_more_than_32_bits_can_count_c12(server: Server) -> None:
    """From below 2 GiB to beyond 4 GiB: every byte is sent, and the server's memory does not grow. The client's
    kernel discards the bytes."""
    first, last = 2_000_000_000, 4_400_000_000
    assert (await send_request(server.address, get())).content == ALPHABET
    before = server.memory()

    def count() -> int:
        with socket.create_connection(server.address) as client:
            client.sendall(get("/5g.bin", f"Range: bytes={first}-{last}", "Connection: close"))
            client.settimeout(30)
            buffer = bytearray(MEGABYTE)
            total = 0
            while taken := client.recv_into(buffer, MEGABYTE, socket.MSG_TRUNC):
                total += taken
            return total

    assert last - first < await asyncio.to_thread(count) < last - first + 1000
    assert server.memory() - before < 8 * MEGABYTE


async def test_no_file_is_mapped_d5(server: Server, served_root: object) -> None:
    """Reading a mapped file that has been truncated would kill the process with SIGBUS."""
    async with Peer(server.address, receive_buffer=4096) as peer:
        await peer.send(get("/30m.bin"))
        await peer.read_at_least(1)
        for pid in server.process_ids():
            with suppress(FileNotFoundError), open(f"/proc/{pid}/maps") as maps:  # a child may just have ended
                assert str(served_root) not in maps.read()
        peer.reset()
