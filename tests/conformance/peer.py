"""A client that sends exactly the bytes a test gives it, in the given pieces, and reads as slowly as the test wants.

Every wait is limited: what does not happen within TIMEOUT seconds raises TimeoutError.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Final, TypeVar

from .sockets import TcpSocket, find_socket
from .tls import TLSAddress, TLSStream
from .wire import Response, content_length, method_of, parse_head

T = TypeVar("T")
TIMEOUT: Final = 15.0
_RECEIVE: Final = 256 * 1024


class Peer:
    """A client with one connection to `address`, open inside its `async with` block; with TLS to a TLSAddress.

    With TLS, an end of the stream without close_notify counts as a reset.

    receive_buffer: the socket's SO_RCVBUF in bytes, for a client that reads slowly; 0 leaves the kernel's default.
    """

    greeting = b""
    """Bytes that are sent before all others, and before TLS."""

    def __init__(self, address: tuple[str, int], *, receive_buffer: int = 0) -> None:
        self._address = address
        self.socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._data = b""
        self.tls = TLSStream(address) if isinstance(address, TLSAddress) else None

    async def __aenter__(self) -> "Peer":
        try:
            async with asyncio.timeout(TIMEOUT):
                await asyncio.get_running_loop().sock_connect(self.socket, tuple(self._address))
            await self._shake_hands()
        except BaseException:
            self.socket.close()
            raise
        self.name = self.socket.getsockname()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    async def _shake_hands(self) -> None:
        if self.greeting:
            await self.send_raw(self.greeting)
        while self.tls is not None and not self.tls.shake_hands():
            await self.send_raw(self.tls.take())
            data = await self._receive_raw()
            if not data:
                raise ConnectionResetError("the connection ended within the handshake")
            self.tls.feed(data)
        if self.tls is not None:
            await self.send_raw(self.tls.take())

    async def send(self, data: bytes) -> None:
        """Sends all of `data`."""
        await self.send_raw(self.encrypt(data))

    def encrypt(self, data: bytes) -> bytes:
        """The bytes that carry `data`: the same without TLS."""
        return data if self.tls is None else self.tls.encrypt(data)

    async def send_raw(self, data: bytes) -> None:
        """Sends bytes as they are, also with TLS."""
        async with asyncio.timeout(TIMEOUT):
            await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def _receive_raw(self) -> bytes:
        async with asyncio.timeout(TIMEOUT):
            return await asyncio.get_running_loop().sock_recv(self.socket, _RECEIVE)

    async def send_each(self, pieces: Iterable[bytes]) -> None:
        """Sends piece after piece, as fast as the server reads them."""
        for piece in pieces:
            await self.send(piece)

    async def send_pieces(self, pieces: Iterable[bytes]) -> None:
        """Sends each piece once the server has read the one before it."""
        for piece in pieces:
            await self.send(piece)
            await self.wait_until_read()

    async def wait_until_read(self) -> None:
        """Waits until the server has read everything that was sent to it."""
        async with asyncio.timeout(TIMEOUT):
            while (other_end := self.server_socket()) is not None and other_end.unread:
                await asyncio.sleep(0)

    def server_socket(self) -> TcpSocket | None:
        """The server's socket of this connection, as the kernel reports it; None if it no longer exists."""
        return find_socket(self._address, self.name)

    async def _fill(self) -> bool:
        if self.tls is None:
            data: bytes | None = await self._receive_raw()
        else:
            while (data := self.tls.decrypt()) is None:
                received = await self._receive_raw()
                if not received:
                    raise ConnectionResetError("the connection ended without close_notify")
                self.tls.feed(received)
        self._data += data or b""
        return bool(data)

    async def read_response(self, method: str = "GET") -> Response:
        """Reads the next response, whole. Fails if the connection ends within it."""
        while (end := self._data.find(b"\r\n\r\n")) < 0:
            assert await self._fill(), f"the connection ended with {self._data[:200]!r}"
        status, reason, fields = parse_head(self._data[:end])
        length = end + 4 + content_length(status, fields, method)
        pieces, have = [self._data], len(self._data)
        while have < length:
            self._data = b""
            assert await self._fill(), f"the connection ended {length - have} bytes early"
            pieces.append(self._data)
            have += len(self._data)
        whole = b"".join(pieces)
        wire, self._data = whole[:length], whole[length:]
        return Response(status, reason, fields, wire[end + 4 :], wire)

    async def wait_for_response(self) -> None:
        """Waits for the first bytes of a response, and leaves them unread."""
        while not self._data:
            assert await self._fill()

    async def read_content_start(self) -> bytes:
        """Reads the head of a 200 response, and returns the content that has arrived with it."""
        while b"\r\n\r\n" not in self._data:
            assert await self._fill()
        head, _, content = self._data.partition(b"\r\n\r\n")
        assert parse_head(head)[0] == 200
        self._data = b""
        return content

    async def read_at_least(self, count: int) -> bytes:
        """Reads at least `count` bytes, or everything up to the end of the stream if that is less."""
        while len(self._data) < count and await self._fill():
            pass
        data, self._data = self._data, b""
        return data

    async def read_to_end(self, consume: Callable[[bytes], object] | None = None) -> bytes:
        """Reads everything up to the regular end of the stream; a reset raises ConnectionResetError.

        consume: called with each piece, none of which is then kept or returned.
        """
        pieces: list[bytes] = []
        consume = consume or pieces.append
        consume(self._data)
        self._data = b""
        while await self._fill():
            consume(self._data)
            self._data = b""
        return b"".join(pieces)

    async def read_to_end_or_reset(self) -> bytes:
        """Reads everything up to the end of the stream, regular or by a reset."""
        pieces = [self._data]
        self._data = b""
        with suppress(ConnectionError):
            while await self._fill():
                pieces.append(self._data)
                self._data = b""
        return b"".join(pieces)

    def half_close(self) -> None:
        """Closes the sending side: nothing more is sent, and responses can still be read (hazard A8)."""
        if self.tls is not None:
            self.socket.send(self.tls.close())
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Ends the connection by RST, as a crashing client does (hazard A11)."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


@asynccontextmanager
async def connect_many(address: tuple[str, int], count: int, *, receive_buffer: int = 0) -> AsyncIterator[list[Peer]]:
    """Opens `count` connections, one after the other; all are closed at the end of the block."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Peer(address, receive_buffer=receive_buffer)) for _ in range(count)]


async def run_together(*coroutines: Coroutine[Any, Any, T]) -> list[T]:
    """Runs coroutines at the same time and returns their results; the first failure cancels the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in coroutines]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


async def send_request(address: tuple[str, int], request: bytes) -> Response:
    """Sends one request on a connection of its own, and returns its response."""
    async with Peer(address) as peer:
        await peer.send(request)
        return await peer.read_response(method_of(request))
