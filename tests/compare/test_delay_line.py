"""The delay line of the laboratory: what arrives, when, in which order, and what it holds. Real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from pwb_legacy.compare.load import delay_line, delayed
from pwb_legacy.compare.load.messages import Address
from tests.conformance.server import eventually

ROUND_TRIP = 0.04
EARLY = 0.001
"""Seconds by which a timer of the loop may ring early, in each direction."""


@asynccontextmanager
async def server(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[Address]:
    """Its address. A connection ends when it has been served."""

    async def serve_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer)
        await close(writer)

    async with await asyncio.start_server(serve_and_close, "127.0.0.1", 0) as listener:
        yield listener.sockets[0].getsockname()


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@asynccontextmanager
async def connected(address: Address) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(*address)
    try:
        yield reader, writer
    finally:
        await close(writer)


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    """What is received until the end of the connection, or its reset."""
    received = b""
    with suppress(ConnectionError):
        while data := await reader.read(1 << 20):
            received += data
    return received


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


async def test_each_round_trip_takes_as_long_as_asked_and_so_does_the_handshake() -> None:
    async with server(echo) as address, delayed(address, ROUND_TRIP) as far:
        began = time.monotonic()
        async with connected(far) as (reader, writer):
            for number in range(1, 4):
                writer.write(b"ping")
                assert await reader.readexactly(4) == b"ping"
                assert time.monotonic() - began >= (number + 1) * (ROUND_TRIP - 2 * EARLY)


@pytest.mark.quiet
async def test_a_round_trip_takes_hardly_longer_than_asked() -> None:
    async with server(echo) as address, delayed(address, ROUND_TRIP) as far, connected(far) as (reader, writer):
        began = time.monotonic()
        for _ in range(5):
            writer.write(b"ping")
            await reader.readexactly(4)
        assert time.monotonic() - began < 6 * ROUND_TRIP * 1.2


async def test_no_delay_is_no_proxy() -> None:
    async with delayed(("127.0.0.1", 1), 0) as near:
        assert near == ("127.0.0.1", 1)


async def test_all_bytes_arrive_in_their_order() -> None:
    """Also more of them than are held at a time."""
    sent = b"".join(number.to_bytes(4, "big") for number in range(1 << 20))
    async with server(echo) as address, delayed(address, 0.01) as far, connected(far) as (reader, writer):
        writer.write(sent)
        assert await reader.readexactly(len(sent)) == sent


async def test_it_holds_a_bounded_number_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server sends 32 MiB as fast as it can, to a client that begins to read when no more are taken."""
    lines: list[delay_line._Line] = []

    class Line(delay_line._Line):
        def __init__(self, address: Address, half: float) -> None:
            super().__init__(address, half)
            lines.append(self)

    monkeypatch.setattr(delay_line, "_Line", Line)
    held: list[int] = []

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(512):
            writer.write(bytes(1 << 16))
            await writer.drain()
            held.append(max(end.held for end in lines[0].ends))

    async with server(serve) as address, delayed(address, 0.002) as far, connected(far) as (reader, _):
        await eventually(lambda: any(end.held > delay_line.MAX_HELD for end in lines[0].ends), 10)
        assert len(await rest_of(reader)) == 512 << 16
    assert max(held) <= delay_line.MAX_HELD + (1 << 20)


async def test_the_end_of_a_connection_is_passed_on_behind_its_bytes() -> None:
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(1):
            writer.write(b"the whole answer")
        else:
            gone.set()

    async with server(serve) as address, delayed(address, 0.01) as far:
        async with connected(far) as (reader, writer):
            writer.write(b"x")
            assert await reader.read() == b"the whole answer"
        async with connected(far):
            pass
        await asyncio.wait_for(gone.wait(), 10)


async def test_a_server_that_is_not_there() -> None:
    async with server(echo) as address:
        pass
    async with delayed(address, 0.01) as far, connected(far) as (reader, _):
        assert await rest_of(reader) == b""


async def test_it_ends_with_its_block() -> None:
    async with server(echo) as address:
        async with delayed(address, 10.0) as far:
            reader, writer = await asyncio.open_connection(*far)
            writer.write(b"on the way for fifteen seconds")
            await writer.drain()
        assert await rest_of(reader) == b""
        await close(writer)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*far)
