"""Servers that answer wrongly, or not at all: what the load generator must notice. Real sockets, on the loop of the test.

A manner is what happens to one request of a connection, after its head has been read.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Manner = Callable[[asyncio.StreamWriter], Awaitable[None]]
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@asynccontextmanager
async def server(manner: Manner) -> AsyncIterator[tuple[str, int]]:
    """Its address. A connection ends when its manner has closed it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while not writer.is_closing():
                await reader.readuntil(b"\r\n\r\n")
                await manner(writer)
                await writer.drain()
        writer.transport.abort()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1000)
    async with listener:
        yield listener.sockets[0].getsockname()


def saying(answer: bytes) -> Manner:
    """Sends this, and leaves the connection open."""

    async def manner(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return manner


def closing(answer: bytes = b"") -> Manner:
    """Sends this, and closes."""

    async def manner(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    return manner


def resetting(answer: bytes = b"") -> Manner:
    """Sends this, and resets the connection once it has been received."""

    async def manner(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        sock: socket.socket = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return manner


def stalling(after: int, seconds: float) -> Manner:
    """Answers at once; but once, at the request of this number, nobody is answered for so long."""
    asked = 0
    stall: asyncio.Task[None] | None = None

    async def manner(writer: asyncio.StreamWriter) -> None:
        nonlocal asked, stall
        asked += 1
        if asked == after:
            stall = asyncio.create_task(asyncio.sleep(seconds))
        if stall:
            await stall
        writer.write(GOOD)

    return manner
