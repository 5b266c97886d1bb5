"""Sends responses on one connection, and never buffers more than one write for a client that reads slowly.

The transport's high-water mark is as low as it can be: a write goes to the kernel at once, and if the kernel does not
take all of it, the writer is paused until the client has read the rest. While the writer is not paused, the transport's
buffer is empty, so a large file can be sent on the socket itself (sendfile.py), after a thread has read what is not in
the page cache. Where sendfile(2) is refused, switched off or impossible, as beneath TLS, the file is read in pieces,
which the transport writes (body_reader.py).
"""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import File, FileSlice, Part, Request
from pwb_async.storage.errors import TruncatedError

from .async_storage import AsyncStorage
from .body_reader import BodyReader
from .send_queue import SendQueue
from .sendfile import SENDFILE_CHUNK, FileTransfer, SendfileRefusedError, SendfileSupport, sendfile

if TYPE_CHECKING:
    from pwb_async.limits.send_rates import SendRates

_MIN_PART: Final = 64 * 1024
"""Bytes that a shorter file slice counts for, as each costs system calls; so at most 32 are sent in a row."""


class _UncachedSlice(FileSlice):
    """A slice whose first chunk start() has found not to be in the page cache, so that send() does not check again."""

    __slots__ = ()


class EncryptedTransport(asyncio.Transport):
    """A transport that encrypts what it sends, so that nothing may be sent on its socket without it."""


class ResponseWriter:
    """The sending side of one connection."""

    __slots__ = ("_drained", "_encrypted", "_send_queue", "_sendfiles", "_transport", "closed", "paused", "sent")

    closed: bool
    """The connection is closed."""
    paused: bool
    """The transport buffers data, because the client reads more slowly than the server sends."""
    sent: int
    """Bytes of the present response that start() and send() have passed to the transport or to the socket."""

    def __init__(self, transport: asyncio.Transport, send_queue: SendQueue, sendfiles: SendfileSupport) -> None:
        """sendfiles: the file systems whose files the kernel may send."""
        self._transport = transport
        self._send_queue = send_queue
        self._sendfiles = sendfiles
        self._encrypted = isinstance(transport, EncryptedTransport)
        self._drained: asyncio.Future[None] | None = None
        self.paused = False
        self.closed = False
        self.sent = 0

    def use_rates(self, rates: "SendRates", client: str, event: Request | BadRequest) -> None:
        """Send what follows as fast as the response to a request may be sent. Only a PacedWriter does that."""

    @property
    def held(self) -> float:
        """Seconds for which the server itself has held back what it sends."""
        return 0.0

    def hold(self) -> None:
        """Note that the server holds back what it sends, until release(). Only a PacedWriter does that."""

    def release(self) -> None:
        """Note the end of that."""

    def limit_buffer(self) -> None:
        """Lower the high-water mark, so that the protocol is paused whenever the transport buffers anything."""
        self._transport.set_write_buffer_limits(0)

    def write(self, parts: Sequence[Any]) -> None:
        """Write parts that are all bytes, several of them by one writev(2)."""
        if len(parts) == 1:
            self._transport.write(parts[0])
        else:
            self._transport.writelines(parts)

    def start(self, parts: Sequence[Part]) -> Sequence[Part]:
        """Begin a response: send what the socket takes at once, at most one chunk of files. Return the rest for send().

        An error is not raised here; send() meets it again.
        """
        self.sent = 0
        budget = SENDFILE_CHUNK
        for index, part in enumerate(parts):
            if self.paused or budget <= 0 or self._transport.is_closing():
                return parts[index:]
            if isinstance(part, bytes):
                self._write(part)
                continue
            if (rest := self._start_slice(part, budget)).length:
                return [rest, *parts[index + 1 :]]
            budget -= max(part.length, _MIN_PART)
        return ()

    def _start_slice(self, part: FileSlice, max_bytes: int) -> FileSlice:
        """Send the start of a slice, at most `max_bytes`, if it is in the page cache; return the rest."""
        file, start, length = part
        if not self._may_sendfile(file):
            return part
        chunk = min(length, max_bytes)
        if not file.in_page_cache(start, chunk):
            return _UncachedSlice(*part)
        try:
            sent = self._sendfile(self._transport.get_extra_info("socket").fileno(), file, start, chunk)
        except (OSError, TruncatedError):
            return part
        self.sent += sent
        return FileSlice(file, start + sent, length - sent)

    async def send(self, parts: Sequence[Part], storage: AsyncStorage) -> None:
        """Send parts in order. Raises TruncatedError, or ConnectionError if the connection is lost."""
        budget = SENDFILE_CHUNK
        for part in parts:
            if budget <= 0:
                budget = SENDFILE_CHUNK
                await asyncio.sleep(0)
            await self.drain()
            if isinstance(part, bytes):
                self._write(part)
                continue
            budget -= max(part.length, _MIN_PART)
            try:
                await self._send_slice(part, storage)
            except ConnectionError:
                raise
            except OSError as error:
                raise TruncatedError(error.strerror) from error
        await self.drain()

    def _write(self, data: bytes | memoryview) -> None:
        self._transport.write(data)
        self.sent += len(data)

    async def drain(self) -> None:
        """Wait until the transport buffers nothing. Raises ConnectionError if the connection is lost."""
        if self.paused and not self.closed:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained
        # A closing transport has closed its descriptor already, and the number may have been reused.
        if self.closed or self._transport.is_closing():
            raise ConnectionResetError("the peer has closed the connection")

    async def _send_slice(self, part: FileSlice, storage: AsyncStorage) -> None:
        if self._may_sendfile(part.file):
            part = await self._transfer(part, storage)
        if part.length:
            await self._send_by_reading(part, storage)

    async def _send_by_reading(self, part: FileSlice, storage: AsyncStorage) -> None:
        """Send a slice in pieces."""
        reader, budget = BodyReader(part, storage), SENDFILE_CHUNK
        while reader.remaining:
            if budget <= 0:
                budget = SENDFILE_CHUNK
                await asyncio.sleep(0)
            piece = await reader.read()
            await self.drain()
            self._write(piece)
            budget -= len(piece)
            await self.drain()

    async def _transfer(self, part: FileSlice, storage: AsyncStorage) -> FileSlice:
        """Send a slice by sendfile(2). Return the rest of it, if that is refused."""
        transfer = FileTransfer(part, self._transport, self._send_queue, self._sendfile)
        transfer.uncached = isinstance(part, _UncachedSlice)
        try:
            while transfer.remaining:
                if not transfer.in_page_cache():
                    chunk = transfer.next_chunk
                    # One chunk ahead is a quarter faster than none; four or eight are no faster.
                    ahead = min(SENDFILE_CHUNK, transfer.remaining - chunk)
                    await storage.read_ahead(transfer.file, transfer.position, chunk, ahead)
                    transfer.uncached = False
                    await self.drain()
                transfer.start()
                await self.drain()
                if transfer.error:
                    raise transfer.error
        except SendfileRefusedError as error:
            self._sendfiles.refuse(part.file, error)
        finally:
            transfer.stop()
            self.sent += part.length - transfer.remaining
        return FileSlice(part.file, transfer.position, transfer.remaining)

    def _may_sendfile(self, file: File) -> bool:
        """Whether the kernel may send a file: not beneath TLS, where its bytes would go out unencrypted."""
        return not self._encrypted and self._sendfiles.allows(file)

    def _sendfile(self, fd: int, file: File, start: int, length: int) -> int:
        return sendfile(fd, file, start, length)

    def pause(self) -> None:
        """Note that the transport buffers data."""
        self.paused = True

    def resume(self) -> None:
        """Note that the transport has passed everything to the kernel; end drain()."""
        self.paused = False
        self._wake()

    def lose(self) -> None:
        """Note that the connection is closed. What the transport still buffers is lost, and does not count as sent."""
        if self.paused and not self.closed:
            self.sent -= self._transport.get_write_buffer_size()
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
