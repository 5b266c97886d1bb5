"""Hostile clients: idle ones, slow senders, slow readers, and clients that vanish. They occupy a server, so that the
well-behaved clients may have to wait.

Each kind is a context manager that holds n of them until its block ends. The block begins when all are in place, or
have failed to be; an Outcome counts what happens to them. They are few and slow, so they are plain sockets and tasks.
"""

import asyncio
import os
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Self

from .clients import TIMEOUT
from .messages import END, LONGEST, Address, Ask, read_head, requests

_FORGET: Final = struct.pack("ii", 1, 0)
"""For SO_LINGER: closing the socket resets the connection."""
_WINDOW: Final = 4096
"""Bytes that the kernel receives ahead of a slow reader; it doubles them."""
_RECEIVE: Final = 64 * 1024
_PAUSE: Final = 0.05
"""Seconds before a client whose connection has failed connects again."""


@dataclass(slots=True)
class Outcome:
    """What happened to n hostile clients."""

    n: int
    connected: int = 0
    """Connections that were made so far."""
    open: int = 0
    """Connections now."""
    answered: int = 0
    """Connections on which something was received."""
    bytes: int = 0
    """That were received."""
    closed: int = 0
    """Connections that the server closed."""
    left: int = 0
    """Connections that the client closed."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Why connections failed or ended, in words."""

    def to_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {name: getattr(self, name) for name in self.__slots__} | {"reasons": dict(self.reasons)}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Self:
        """The reverse of to_json()."""
        return cls(**plain | {"reasons": Counter(plain["reasons"])})


Behaviour = Callable[["_Visit"], Awaitable[None]]
"""What a client does with one connection. It returns when the client leaves, and raises ConnectionError when the server
has closed it, ValueError when the server sends no HTTP."""


class _Visit:
    """One connection of a hostile client.

    in_place: called when the client has come to where it stays, such as after the first half of a request head.
    """

    def __init__(self, outcome: Outcome, sock: socket.socket, in_place: Callable[[], object]) -> None:
        self.in_place = in_place
        self.socket = sock
        self._outcome = outcome
        self._answered = False

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def receive(self, most: int = _RECEIVE, within: float | None = None) -> bytes:
        """Receive; return b"" if nothing comes in so many seconds. Raises ConnectionError at the end."""
        try:
            async with asyncio.timeout(within):
                data = await asyncio.get_running_loop().sock_recv(self.socket, most)
        except TimeoutError:
            return b""
        if not data:
            raise ConnectionError("closed by the server")
        self._outcome.bytes += len(data)
        self._outcome.answered += not self._answered
        self._answered = True
        return data

    def reset(self) -> None:
        """Make the end of the connection a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _FORGET)


def idle(address: Address, n: int, *, timeout: float = TIMEOUT) -> AbstractAsyncContextManager[Outcome]:
    """Clients that get one response each, and then are silent. One whose connection is closed does not come back."""
    wire = requests(address, [Ask(b"/")])[0].wire

    async def behave(visit: _Visit) -> None:
        await visit.send(wire)
        await visit.receive()
        visit.in_place()
        while True:
            await visit.receive()

    return _held(address, n, behave, timeout, comes_back=False)


def slow_heads(
    address: Address, n: int, every: float = 0.5, *, timeout: float = TIMEOUT
) -> AbstractAsyncContextManager[Outcome]:
    """Clients that send a request head without end, one byte each `every` seconds. One that is closed comes back."""

    async def behave(visit: _Visit) -> None:
        await visit.send(b"GET / HTTP/1.1\r\nX: ")
        visit.in_place()
        while True:
            await visit.receive(within=every)
            await visit.send(b"x")

    return _held(address, n, behave, timeout)


def slow_readers(
    address: Address, n: int, ask: Ask, bytes_per_second: int = 1000, *, timeout: float = TIMEOUT
) -> AbstractAsyncContextManager[Outcome]:
    """Clients that read so many bytes a second of a response, which should be large. Then they ask again."""
    wire = requests(address, [ask])[0].wire
    every = 0.1
    most = max(1, int(bytes_per_second * every))

    async def piece(visit: _Visit, most: int) -> bytes:
        data = await visit.receive(most)
        visit.in_place()
        await asyncio.sleep(every)
        return data

    async def behave(visit: _Visit) -> None:
        while True:
            await visit.send(wire)
            start = b""
            while END not in start and len(start) <= LONGEST:
                start += await piece(visit, most)
            head, _, content = start.partition(END)
            left = read_head(head).length - len(content)
            while left > 0:
                left -= len(await piece(visit, min(most, left)))

    return _held(address, n, behave, timeout, window=_WINDOW)


def vanishing(
    address: Address, n: int, ask: Ask, every: float = 0.02, *, timeout: float = TIMEOUT
) -> AbstractAsyncContextManager[Outcome]:
    """Clients that ask for something large, reset the connection `every` seconds after its first byte has arrived, and
    come back at once."""
    wire = requests(address, [ask])[0].wire

    async def behave(visit: _Visit) -> None:
        visit.reset()
        await visit.send(wire)
        await visit.receive(1)
        visit.in_place()
        await asyncio.sleep(every)

    return _held(address, n, behave, timeout, window=_WINDOW)


@asynccontextmanager
async def _held(
    address: Address, n: int, behave: Behaviour, timeout: float, *, comes_back: bool = True, window: int = 0
) -> AsyncIterator[Outcome]:
    outcome = Outcome(n)
    placed = [asyncio.Event() for _ in range(n)]
    clients = [asyncio.create_task(_live(address, outcome, behave, event, comes_back, window)) for event in placed]
    waiting = asyncio.gather(*(event.wait() for event in placed))
    try:
        await asyncio.wait([waiting], timeout=timeout)
        yield outcome
    finally:
        waiting.cancel()
        for client in clients:
            client.cancel()
        await asyncio.gather(waiting, *clients, return_exceptions=True)


async def _live(
    address: Address, outcome: Outcome, behave: Behaviour, placed: asyncio.Event, comes_back: bool, window: int
) -> None:
    """One client, connection after connection."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    while True:
        try:
            with socket.socket(family, socket.SOCK_STREAM) as sock:
                sock.setblocking(False)
                if window:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
                await asyncio.get_running_loop().sock_connect(sock, address)
                outcome.connected += 1
                outcome.open += 1
                try:
                    await behave(_Visit(outcome, sock, placed.set))
                    outcome.left += 1
                    continue
                finally:
                    outcome.open -= 1
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            outcome.reasons[why] += 1
            outcome.closed += isinstance(error, ConnectionError) and not isinstance(error, ConnectionRefusedError)
        except ValueError as error:
            outcome.reasons[str(error)] += 1
        placed.set()
        if not comes_back:
            return
        await asyncio.sleep(_PAUSE)
