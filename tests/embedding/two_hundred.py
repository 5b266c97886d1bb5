"""A program that starts and stops 200 servers, and asserts that nothing is left of them.

python -m tests.embedding.two_hundred running|asyncio|uvloop FOLDER
"""

import asyncio
import sys
import warnings
from collections.abc import Awaitable, Callable
from typing import Final

import uvloop

import pwb_async
from pwb_async.server.late_imports import import_late

from .resources import fetch, memory, resources

SERVERS: Final = 200
WARM_UP: Final = 50
"""Servers that are started before: what is imported and cached by then stays."""
MAX_BYTES: Final = 1_000_000
MAX_ROUNDS: Final = 4


async def on_a_thread(folder: str) -> None:
    """One server on a thread of its own, with a client."""
    with pwb_async.running(folder, access_log="-") as server:
        assert fetch(server.port) == b"text"


async def in_loop(folder: str) -> None:
    """One server in the running loop, with a client."""
    async with pwb_async.Server(folder, access_log="-") as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /a.txt HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert (await reader.readuntil(b"text")).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.close()
        await writer.wait_closed()


async def count(serve: Callable[[str], Awaitable[None]], folder: str) -> int:
    """Start and stop them all; return the bytes of memory that were added."""
    before, used = resources(), memory()
    for _ in range(SERVERS):
        await serve(folder)
        assert resources() == before
    return memory() - used


async def count_rounds(serve: Callable[[str], Awaitable[None]], folder: str) -> list[int]:
    """The bytes that rounds add, up to the first round that adds little.

    On a busy machine more threads live at once than before, and the C library keeps their stacks for the next ones. That
    ends with the round; a leak is there in all of them.
    """
    for _ in range(WARM_UP):
        await serve(folder)
    added: list[int] = []
    while len(added) < MAX_ROUNDS and (not added or added[-1] >= MAX_BYTES):
        added.append(await count(serve, folder))
    return added


def main(way: str, folder: str) -> None:
    warnings.simplefilter("error")
    import_late()  # a server that is there for a second does it, and what it imports stays
    serve = on_a_thread if way == "running" else in_loop
    new_loop = uvloop.new_event_loop if way == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=new_loop) as runner:
        added = runner.run(count_rounds(serve, folder))
    assert added[-1] < MAX_BYTES, added
    print(*added)


if __name__ == "__main__":
    main(*sys.argv[1:])
