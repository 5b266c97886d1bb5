"""Clients of a load balancer: each asks for a page and then for the asset that the page names, and checks both."""

import asyncio
import random
import re
import time
from contextlib import suppress
from typing import Final

from .release import PAGES, is_whole_asset, read_page

_LENGTH: Final = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_TIMEOUT: Final = 30.0


class FailedError(Exception):
    """A request without the response that it should have."""


class Load:
    """Clients that send requests at a rate during the `async with` block.

    Args:
        address: The address of the load balancer.
        rate: Requests a second, of all clients.
        clients: Clients, each with a persistent connection.
    """

    failures: list[str]
    """A line for each request that failed."""
    latencies: list[float]
    """Seconds of each response, in the order of their ends."""
    releases: set[int]
    """The releases that pages were of."""

    def __init__(self, address: tuple[str, int], rate: float, clients: int = 40) -> None:
        self._address = address
        self._interval = clients / rate
        self._clients = clients
        self._tasks: list[asyncio.Task[None]] = []
        self._ends = False
        self.failures, self.latencies, self.releases = [], [], set()

    async def __aenter__(self) -> "Load":
        begin = time.monotonic()
        self._tasks = [
            asyncio.create_task(self._run(begin + number * self._interval / self._clients))
            for number in range(self._clients)
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ends = True
        await asyncio.gather(*self._tasks)

    @property
    def count(self) -> int:
        """Requests that have ended."""
        return len(self.latencies) + len(self.failures)

    async def reach(self, count: int, within: float = 60.0) -> None:
        """Waits until so many requests have ended."""
        async with asyncio.timeout(within):
            while self.count < count:
                await asyncio.sleep(0.01)

    async def _run(self, at: float) -> None:
        client = _Client(self._address)
        try:
            while not self._ends:
                page = random.choice(PAGES)
                content = await self._ask(client, page, at)
                at += self._interval
                if content is None:
                    continue
                told = read_page(content)
                if told is None:
                    self.failures.append(f"{page} is not whole: {content!r:.100}")
                    continue
                self.releases.add(told.release)
                asset = await self._ask(client, told.asset, at)
                at += self._interval
                if asset is not None and not is_whole_asset(told.asset, asset):
                    self.failures.append(f"{told.asset} has other content")
        finally:
            client.close()

    async def _ask(self, client: "_Client", path: str, at: float) -> bytes | None:
        """The content of a path, asked for at a time of the monotonic clock, or as soon after it as possible."""
        if (delay := at - time.monotonic()) > 0:
            await asyncio.sleep(delay)
        begin = time.monotonic()
        try:
            async with asyncio.timeout(_TIMEOUT):
                content = await client.get(path)
        except (OSError, TimeoutError, FailedError, asyncio.IncompleteReadError) as error:
            self.failures.append(f"{path}: {error!r}")
            client.close()
            return None
        self.latencies.append(time.monotonic() - begin)
        return content


class _Client:
    """A client with one persistent connection."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> bytes:
        """The content of a response with status 200; raises FailedError for another one."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        reader, writer = self._streams
        writer.write(f"GET {path} HTTP/1.1\r\nHost: site\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        content = await (_read_chunks(reader) if length is None else reader.readexactly(int(length[1])))
        if b"\r\nconnection: close" in head.lower():
            self.close()
        if not head.startswith(b"HTTP/1.1 200 "):
            raise FailedError(head.partition(b"\r")[0].decode())
        return content

    def close(self) -> None:
        """Closes the connection."""
        if self._streams is not None:
            with suppress(OSError):
                self._streams[1].close()
            self._streams = None


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    """The content of a response without Content-Length, as Caddy makes it of one that it decompresses."""
    content = b""
    while size := int(await reader.readline(), 16):
        content += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return content
