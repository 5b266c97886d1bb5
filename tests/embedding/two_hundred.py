"""A program that starts and stops 200 servers, and asserts that nothing is left of them.

python -m tests.embedding.two_hundred running|asyncio|uvloop FOLDER
"""

import asyncio
import sys
import warnings
from collections.abc import Callable
from typing import Final

import pwb_async
from pwb_async.server.late_imports import import_late

from .resources import Resources, fetch, memory, resources

SERVERS: Final = 200
WARM_UP: Final = 50
"""Servers that are started before: what is imported by then stays. (The format of the log caches a line of each
server after that, too, up to a number of lines.)"""
MAX_BYTES: Final = 1_000_000


def on_threads(folder: str) -> Callable[[], None]:
    def serve() -> None:
        with pwb_async.running(folder, access_log="-") as server:
            assert fetch(server.port) == b"text"

    return serve


async def in_loop(folder: str) -> None:
    """One server in the running loop, with a client."""
    async with pwb_async.Server(folder, access_log="-") as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /a.txt HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert (await reader.readuntil(b"text")).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.close()
        await writer.wait_closed()


def check(before: Resources) -> None:
    """Assert that nothing is left."""
    assert resources() == before


def count_on_threads(folder: str) -> int:
    """Start and stop them all, each on a thread; return the bytes of memory that were added."""
    serve = on_threads(folder)
    for _ in range(WARM_UP):
        serve()
    before, used = resources(), memory()
    for _ in range(SERVERS):
        serve()
        check(before)
    return memory() - used


async def count_in_loop(folder: str) -> int:
    """Start and stop them all in the running loop; return the bytes of memory that were added."""
    for _ in range(WARM_UP):
        await in_loop(folder)
    before, used = resources(), memory()
    for _ in range(SERVERS):
        await in_loop(folder)
        check(before)
    return memory() - used


def main(way: str, folder: str) -> None:
    warnings.simplefilter("error")
    import_late()  # a server that is there for a second does it, and what it imports stays
    if way == "running":
        added = count_on_threads(folder)
    elif way == "uvloop":
        import uvloop

        added = uvloop.run(count_in_loop(folder))
    else:
        added = asyncio.run(count_in_loop(folder))
    assert added < MAX_BYTES, added
    print(added)


if __name__ == "__main__":
    main(*sys.argv[1:])
