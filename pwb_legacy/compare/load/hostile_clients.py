"""The guilty clients: those who cost a server something and let the innocent wait.

Each is a context manager that holds n of them until its block ends. It begins when all are in place, or have failed to
be; what happens to them is counted meanwhile in its Fates. They are few and slow, so they are plain sockets and tasks.
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
from .messages import Address, Ask, requests

_FORGET: Final = struct.pack("ii", 1, 0)
"""For SO_LINGER: the end of the connection is a reset."""
_WINDOW: Final = 4096
"""Bytes that the kernel receives ahead of a slow reader (it doubles them)."""
_RECEIVE: Final = 64 * 1024
_PAUSE: Final = 0.05
"""Seconds before a client whose connection has failed comes back."""


@dataclass(slots=True)
class Fates:
    """What happened to n guilty clients. connected: how often one was; open: connections now; answered: of which
    something came; bytes: that came; closed: by the server; left: by the client; reasons: in words, why one was not
    connected or was no more."""

    n: int
    connected: int = 0
    open: int = 0
    answered: int = 0
    bytes: int = 0
    closed: int = 0
    left: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__} | {"reasons": dict(self.reasons)}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Self:
        return cls(**plain | {"reasons": Counter(plain["reasons"])})


Behaviour = Callable[["_Visit"], Awaitable[None]]
"""What a client does with one connection. It ends when the client leaves; ConnectionError: the server has closed it."""


class _Visit:
    """One connection of a guilty client."""

    def __init__(self, fates: Fates, sock: socket.socket, in_place: Callable[[], object]) -> None:
        self.in_place = in_place
        self.socket = sock
        self._fates = fates
        self._answered = False

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def receive(self, most: int = _RECEIVE, within: float | None = None) -> bytes:
        """What comes, b"" when nothing does within so many seconds. Raises ConnectionError at the end."""
        try:
            async with asyncio.timeout(within):
                data = await asyncio.get_running_loop().sock_recv(self.socket, most)
        except TimeoutError:
            return b""
        if not data:
            raise ConnectionError("closed by the server")
        self._fates.bytes += len(data)
        self._fates.answered += not self._answered
        self._answered = True
        return data

    def reset(self) -> None:
        """Its end will be one."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _FORGET)


def idle(address: Address, n: int, *, timeout: float = TIMEOUT) -> AbstractAsyncContextManager[Fates]:
    """One answered request each, then silence. One whose connection is closed does not come back."""
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
) -> AbstractAsyncContextManager[Fates]:
    """A request head that never ends, one byte each `every` seconds. Whoever is thrown out comes back."""

    async def behave(visit: _Visit) -> None:
        await visit.send(b"GET / HTTP/1.1\r\nX: ")
        visit.in_place()
        while True:
            await visit.receive(within=every)
            await visit.send(b"x")

    return _held(address, n, behave, timeout)


def slow_readers(
    address: Address, n: int, ask: Ask, bytes_per_second: int = 1000, *, timeout: float = TIMEOUT
) -> AbstractAsyncContextManager[Fates]:
    """They ask, and take so many bytes a second of the answer, which should be large. Then they ask again."""
    wire = requests(address, [ask])[0].wire
    every = 0.1
    most = max(1, int(bytes_per_second * every))

    async def behave(visit: _Visit) -> None:
        await visit.send(wire)
        while True:
            if not await visit.receive(most, within=every):
                await visit.send(wire)  # all of the answer has been read
            visit.in_place()
            await asyncio.sleep(every)

    return _held(address, n, behave, timeout, window=_WINDOW)


def vanishing(
    address: Address, n: int, ask: Ask, every: float = 0.02, *, timeout: float = TIMEOUT
) -> AbstractAsyncContextManager[Fates]:
    """They ask for something large, and reset the connection when the first bytes come; again after `every` seconds."""
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
) -> AsyncIterator[Fates]:
    fates = Fates(n)
    placed = [asyncio.Event() for _ in range(n)]
    clients = [asyncio.create_task(_live(address, fates, behave, event, comes_back, window)) for event in placed]
    waiting = asyncio.gather(*(event.wait() for event in placed))
    try:
        await asyncio.wait([waiting], timeout=timeout)
        yield fates
    finally:
        waiting.cancel()
        for client in clients:
            client.cancel()
        await asyncio.gather(waiting, *clients, return_exceptions=True)


async def _live(
    address: Address, fates: Fates, behave: Behaviour, placed: asyncio.Event, comes_back: bool, window: int
) -> None:
    """One client, connection after connection."""
    while True:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.setblocking(False)
            if window:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            try:
                await asyncio.get_running_loop().sock_connect(sock, address)
                fates.connected += 1
                fates.open += 1
                try:
                    await behave(_Visit(fates, sock, placed.set))
                    fates.left += 1
                    continue
                finally:
                    fates.open -= 1
            except OSError as error:
                why = os.strerror(error.errno) if error.errno else str(error)
                fates.reasons[why] += 1
                fates.closed += isinstance(error, ConnectionError) and not isinstance(error, ConnectionRefusedError)
        placed.set()
        if not comes_back:
            return
        await asyncio.sleep(_PAUSE)
