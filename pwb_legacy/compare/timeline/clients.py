"""The three clients of the play, and a log of what each of them did and when.

    slow sender       sends the head of one request in pieces
    slow reader       requests a large file, and reads it in pieces
    ordinary client   requests one page after the other, with a pause between them

A log has the same form as the timeline of a server, on the same clock, so both stand in one file.
"""

import asyncio
import socket
import time
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from pwb_legacy.compare.measure.sample_site import KIB

Event: TypeAlias = dict[str, Any]
Address: TypeAlias = tuple[str, int]
CLIENTS: Final = ("slow sender", "slow reader", "ordinary client")
"""In the order in which they connect, so the connections of a server have these numbers from 1."""
PAGES: Final = ("/1.html", "/2.html", "/3.html", "/1.html", "/2.html")
LARGE: Final = 6 << 20
"""Bytes of the large file."""
TIMEOUT: Final = 20.0
"""Seconds in which all clients must have been served."""
HEAD_PIECES: Final = 6
READ_SIZE: Final = 192 * KIB
"""Bytes that the slow reader reads at once."""
PAUSE: Final = 0.02
"""Seconds between two pieces, or two requests."""
_WINDOW: Final = 64 * KIB
"""Bytes that the kernel receives for a client that does not read."""
_NO_PROCESS: Final = 1 << 22
"""The lowest number that no process can have (PID_MAX_LIMIT of Linux)."""


class ClientLog:
    """What one client did: `connect`, `request`, `await` a response, `receive` it, `pause`."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, int, int]] = []
        """Kind, begin and end, in nanoseconds of the monotonic clock."""

    @contextmanager
    def entry(self, kind: str) -> Iterator[None]:
        """Record what is done in the block."""
        began = time.monotonic_ns()
        try:
            yield
        finally:
            self.entries.append((kind, began, time.monotonic_ns()))

    async def pause(self) -> None:
        """Wait for PAUSE, which is recorded."""
        with self.entry("pause"):
            await asyncio.sleep(PAUSE)


def play(address: Address, keeps_alive: bool) -> list[ClientLog]:
    """Let all three connect in their order, and then be served at the same time. Return a log of each.

    Without keeps_alive the ordinary client connects anew for every page. Raises OSError or EOFError if one of them is
    not served.
    """
    logs = [ClientLog() for _ in CLIENTS]
    asyncio.run(_play(address, keeps_alive, *logs))
    return logs


def timeline(logs: list[ClientLog], design: str, place: int) -> list[Event]:
    """The logs as events: a process for the clients of a design, which is the `place`th, and a thread for each."""
    pid = _NO_PROCESS + place
    events: list[Event] = [
        {"ph": "M", "name": "process_name", "pid": pid, "tid": 1, "args": {"name": f"{design}, clients"}}
    ]
    for tid, (name, log) in enumerate(zip(CLIENTS, logs, strict=True), 1):
        where = {"pid": pid, "tid": tid}
        events.append({"ph": "M", "name": "thread_name", **where, "args": {"name": name}})
        for kind, began, ended in log.entries:
            times = {"ts": began / 1000, "dur": (ended - began) / 1000}
            events.append({"ph": "X", "cat": "client", "name": kind, **where, **times, "args": {"client": tid}})
    return events


async def _play(address: Address, keeps_alive: bool, first: ClientLog, second: ClientLog, third: ClientLog) -> None:
    async with asyncio.timeout(TIMEOUT):
        sender, reader = await _connect(address, first), await _connect(address, second)
        ordinary = _persistent(await _connect(address, third)) if keeps_alive else _one_each(address, third)
        await _together(_send_slowly(sender), _read_slowly(reader), ordinary)


async def _together(*works: Awaitable[None]) -> None:
    """Wait until all are done, or one has failed."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


class Client:
    """One connection of a client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, log: ClientLog) -> None:
        self._reader, self._writer, self.log = reader, writer, log

    async def request(self, *pieces: bytes) -> int:
        """Send a request, with a pause between its pieces; return the length of the content, once it has the head."""
        for number, piece in enumerate(pieces):
            if number:
                await self.log.pause()
            with self.log.entry("request"):
                self._writer.write(piece)
                await self._writer.drain()
        with self.log.entry("await"):
            head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ConnectionError(head.partition(b"\r\n")[0].decode())
        return int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])

    async def receive(self, count: int) -> None:
        """Read so many bytes of the content."""
        with self.log.entry("receive"):
            await self._reader.readexactly(count)

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        await self._writer.wait_closed()


async def _connect(address: Address, log: ClientLog) -> Client:
    sock = socket.socket()
    sock.setblocking(False)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _WINDOW)
    try:
        with log.entry("connect"):
            await asyncio.get_running_loop().sock_connect(sock, address)
        return Client(*await asyncio.open_connection(sock=sock, limit=_WINDOW), log)
    except OSError:
        sock.close()
        raise


def _get(target: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: three-clients\r\n\r\n".encode()


async def _send_slowly(client: Client) -> None:
    whole = _get(PAGES[0])
    size = -(-len(whole) // HEAD_PIECES)
    await client.receive(await client.request(*(whole[at : at + size] for at in range(0, len(whole), size))))
    await client.close()


async def _read_slowly(client: Client) -> None:
    remaining = await client.request(_get("/large.bin"))
    while remaining:
        size = min(remaining, READ_SIZE)
        await client.receive(size)
        remaining -= size
        if remaining:
            await client.log.pause()
    await client.close()


async def _persistent(client: Client) -> None:
    for number, page in enumerate(PAGES):
        if number:
            await client.log.pause()
        await client.receive(await client.request(_get(page)))
    await client.close()


async def _one_each(address: Address, log: ClientLog) -> None:
    for number, page in enumerate(PAGES):
        if number:
            await log.pause()
        client = await _connect(address, log)
        await client.receive(await client.request(_get(page)))
        await client.close()
