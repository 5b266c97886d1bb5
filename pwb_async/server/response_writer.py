"""The way out of one connection: never more is handed over than the peer takes (hazards A4, A14).

The transport's high-water mark is 0: a write goes to the kernel at once, and what the kernel does not take pauses us
until the peer has read it all. So whenever we are not paused the socket is ours, and a large file goes out on its
descriptor (pump.py); what is not in memory is read by a thread first. Where sendfile(2) is refused or switched off, its
pieces are read by a thread, and written as all else is (body_reader.py).
Tried and rejected: writev(2) of our own for small answers in place of the transport's (no cheaper); content of 12 KiB
copied behind its head to save the second buffer (a fifth dearer); the head of a large file held back with MSG_MORE, so
that both leave together (1 MiB 12 and 19 % dearer, medians of 9 and 15 rounds on loopback).
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from pwb_async.core.semantics.messages import File, FileSlice, Part

from .async_storage import AsyncStorage
from .body_reader import BodyReader
from .send_queue import SendQueueWatcher
from .sendfile import TURN, FileTransfer, SendfileRefusedError, SendfileSupport, TruncatedError, sendfile

_SHORT_PART: Final = 64 * 1024
"""Bytes for which a shorter part of a file counts in a turn, so that a turn has at most 32 of them: what they cost is
the system calls that each takes."""


class _ColdSlice(FileSlice):
    """One whose first turn was found not to be in memory."""

    __slots__ = ()


class ResponseWriter:
    """sent: bytes that start() and send() have handed over of the answer that start() was called for. sendfiles: where
    the kernel may be asked to send a file."""

    __slots__ = ("_drained", "_encrypted", "_send_queue", "_sendfiles", "_transport", "closed", "paused", "sent")

    def __init__(self, transport: asyncio.Transport, drain: SendQueueWatcher, sendfiles: SendfileSupport) -> None:
        self._transport = transport
        self._send_queue = drain
        self._sendfiles = sendfiles
        self._encrypted = transport.get_extra_info("sslcontext") is not None
        # A plain transport pauses the protocol when more than `high` bytes are kept, one of TLS when as many are.
        transport.set_write_buffer_limits(high=1 if self._encrypted else 0)
        self._drained: asyncio.Future[None] | None = None
        self.paused = False
        self.closed = False
        self.sent = 0

    def write(self, parts: Sequence[Any]) -> None:
        """Hands over parts that are all bytes, in one writev where there are several."""
        if len(parts) == 1:
            self._transport.write(parts[0])
        else:
            self._transport.writelines(parts)

    def start(self, parts: Sequence[Part]) -> Sequence[Part]:
        """Begins an answer: sends what goes out at once, of a file a turn. Returns what is left, for send(); so what
        fails here is found there."""
        self.sent = 0
        turn = TURN
        for number, part in enumerate(parts):
            if self.paused or turn <= 0 or self._transport.is_closing():
                return parts[number:]
            if isinstance(part, bytes):
                self._write(part)
                continue
            if (left := self._start_slice(part)).length:
                return [left, *parts[number + 1 :]]
            turn -= max(part.length, _SHORT_PART)
        return ()

    def _start_slice(self, part: FileSlice) -> FileSlice:
        """What is left of it."""
        file, start, length = part
        if not self._may_sendfile(file):
            return part
        turn = min(length, TURN)
        if not file.in_page_cache(start, turn):
            return _ColdSlice(*part)
        try:
            sent = self._sendfile(self._transport.get_extra_info("socket").fileno(), file, start, turn)
        except (OSError, TruncatedError):
            return part
        self.sent += sent
        return FileSlice(file, start + sent, length - sent)

    async def send(self, parts: Sequence[Part], files: AsyncStorage) -> None:
        """Sends parts in order. Raises TruncatedError, or ConnectionError when the peer has gone."""
        turn = TURN
        for part in parts:
            if turn <= 0:
                turn = TURN
                await asyncio.sleep(0)
            await self.drain()
            if isinstance(part, bytes):
                self._write(part)
                continue
            turn -= max(part.length, _SHORT_PART)
            try:
                await self._send_slice(part, files)
            except ConnectionError:
                raise
            except OSError as error:
                raise TruncatedError(error.strerror) from error
        await self.drain()

    def _write(self, data: bytes | memoryview) -> None:
        self._transport.write(data)
        self.sent += len(data)

    async def drain(self) -> None:
        """Waits until the peer has taken everything."""
        if self.paused and not self.closed:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained
        # A closing transport has given its descriptor back already: the number may be somebody else's by now.
        if self.closed or self._transport.is_closing():
            raise ConnectionResetError("the peer has gone")

    async def _send_slice(self, part: FileSlice, files: AsyncStorage) -> None:
        if self._may_sendfile(part.file):
            part = await self._pump(part, files)
        if part.length:
            await self._read(part, files)

    async def _read(self, part: FileSlice, files: AsyncStorage) -> None:
        """Sends a part as bytes."""
        reader = BodyReader(part, files)
        while reader.left:
            piece = await reader.read()
            await self.drain()
            self._write(piece)
            await self.drain()

    async def _pump(self, part: FileSlice, files: AsyncStorage) -> FileSlice:
        """Sends a part by sendfile(2). Returns what is left of it, if that is refused."""
        pump = FileTransfer(part, self._transport, self._send_queue, self._sendfile)
        pump.cold = isinstance(part, _ColdSlice)
        try:
            while pump.left:
                if not pump.in_page_cache():
                    # One turn ahead: 1.26 GiB/s, 1.0 without, and no more with four or eight.
                    await files.read_ahead(pump.file, pump.start, pump.next, min(TURN, pump.left - pump.next))
                    pump.cold = False
                    await self.drain()
                pump.go()
                await self.drain()
                if pump.error:
                    raise pump.error
        except SendfileRefusedError as error:
            self._sendfiles.refuse(part.file, error)
        finally:
            pump.stop()
            self.sent += part.length - pump.left
        return FileSlice(part.file, pump.start, pump.left)

    def _may_sendfile(self, file: File) -> bool:
        """Whether the kernel may send a file: not beneath TLS, where its bytes would go out unencrypted."""
        return not self._encrypted and self._sendfiles.allows(file)

    def _sendfile(self, number: int, file: File, start: int, length: int) -> int:
        return sendfile(number, file, start, length)

    def pause(self) -> None:
        """The transport keeps bytes back: the peer is slower than we are."""
        self.paused = True

    def resume(self) -> None:
        """The transport has got rid of everything."""
        self.paused = False
        self._wake()

    def lose(self) -> None:
        """The connection is gone, and what the transport has not handed over will never be."""
        if not self.closed:
            self.sent -= self._transport.get_write_buffer_size()
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
