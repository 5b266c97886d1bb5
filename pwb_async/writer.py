"""The way out of one connection: never more is handed over than the peer takes (hazards A4, A14).

The transport's high-water mark is 0: a write goes to the kernel at once, and what the kernel does not take pauses us
until the peer has read it all. So whenever we are not paused the socket is ours, and a large file goes out by
sendfile(2) on the transport's own descriptor: no dup(), no second watcher. When the socket is full, which is when it
took less than it was offered, a small piece is handed to the transport, which tells us when there is room for much.
Who asks again at once instead sends in dribs and drabs (16 answers of 100 MiB: 28 ms of CPU each instead of 25, and 22
with turns of 1 MiB instead of 512 KiB; turns of 2 MiB: 22 to 30).

What the ways cost (us of CPU an answer of 128 KiB, 1 MiB and 10 MiB from warm pages, 16 connections on loopback, the
best of 5 interleaved rounds, uvloop 0.23, CPython 3.11): this one 44, 95, 1,477; sendfile of aiofastnet 1.2, which
brings a transport of its own, 37, 86, 1,513; reading through aiofiles, 64 KiB a call, 243, 1,182, 11,458.
aiofastnet's is not taken: its transport would be under every connection, and a small answer gains nothing by it (10.2
against 10.4 us). Here other connections have their turn (A15), and a thread reads what is not in memory.
Tried and rejected: a watcher of our own on a dup() of the descriptor, which spares the piece (100 MiB: 19 ms of CPU
instead of 20, in a noisier run 22 instead of 27; nginx 10 and 14. Four fifths of it are the kernel's, and whoever sends
sooner does more of the sending that a reader's acknowledgements set off); writev(2) of our own for small answers in
place of the transport's (no cheaper); content of 12 KiB copied behind its head to save the second buffer (a fifth
dearer).
"""

import asyncio
import os
from collections.abc import Sequence
from typing import Any, Final

from .core.messages import File, FileSlice, Part
from .files import Files

_TURN: Final = 1024 * 1024
"""Bytes of a file sent before every other connection has its turn (hazard A15)."""
_PIECE: Final = 16 * 1024
"""Bytes handed to the transport when the socket is full: what a client that never reads costs (hazard A4)."""


class CutShortError(Exception):
    """The promised length cannot be kept: the file has become shorter, or the disk failed (hazard D1)."""


class Writer:
    """sent: bytes that send() has handed over since it was last set."""

    __slots__ = ("_drained", "_transport", "closed", "paused", "sent")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        transport.set_write_buffer_limits(high=0)
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

    async def send(self, parts: Sequence[Part], files: Files) -> None:
        """Sends parts in order. Raises CutShortError, or ConnectionError when the peer has gone."""
        for part in parts:
            await self.room()
            if isinstance(part, bytes):
                self._write(part)
                continue
            try:
                await self._send_slice(part, files)
            except ConnectionError:
                raise
            except OSError as error:
                raise CutShortError(error.strerror) from error
        await self.room()

    def _write(self, data: bytes) -> None:
        self._transport.write(data)
        self.sent += len(data)

    async def room(self) -> None:
        """Waits until the peer has taken everything."""
        if self.paused and not self.closed:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained
        # A closing transport has given its descriptor back already: the number may be somebody else's by now.
        if self.closed or self._transport.is_closing():
            raise ConnectionResetError("the peer has gone")

    async def _send_slice(self, part: FileSlice, files: Files) -> None:
        file, start, left = part
        while left:
            await self.room()
            size = min(left, _TURN)
            if not file.in_memory(start, size):
                await files.read(file, start, size)
                await self.room()
            sent = self._sendfile(file, start, size)
            self.sent += sent
            start += sent
            left -= sent
            if sent < size:
                # The kernel is full, or the file has become shorter: a piece that waits for room finds out which.
                piece = await files.read_soon(file, start, min(left, _PIECE))
                await self.room()
                if not piece:
                    raise CutShortError("the file has become shorter")
                self._write(piece)
                start += len(piece)
                left -= len(piece)
            if not self.paused:
                await asyncio.sleep(0)

    def _sendfile(self, file: File, start: int, size: int) -> int:
        """Bytes that went to the kernel, as many as it takes at once."""
        try:
            return os.sendfile(self._transport.get_extra_info("socket").fileno(), file.fileno(), start, size)
        except BlockingIOError:
            return 0

    def pause(self) -> None:
        """The transport keeps bytes back: the peer is slower than we are."""
        self.paused = True

    def resume(self) -> None:
        """The transport has got rid of everything."""
        self.paused = False
        self._wake()

    def lose(self) -> None:
        """The connection is gone."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
