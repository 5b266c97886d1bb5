"""Reads part of a large file in threads, piece by piece: for what cannot go out by sendfile(2).

It does not touch the socket: the writer hands each piece to the transport, as a transport that encrypts will need it.
"""

from typing import Final

from pwb_async.core.semantics.messages import FileSlice

from .async_storage import AsyncStorage
from .sendfile import TruncatedError

_PIECE: Final = 256 * 1024
"""Bytes read at a time, and held for each client that reads slowly. 100 MiB cost 28 to 31 ms of CPU, with 64 KiB 66 to
132, with 1 MiB 15 to 19 (4 clients on loopback)."""


class BodyReader:
    """left: bytes still to be read, from `start`."""

    __slots__ = ("_buffer", "_file", "_files", "left", "start")

    def __init__(self, part: FileSlice, files: AsyncStorage) -> None:
        self._file, self.start, self.left = part
        self._files = files
        self._buffer = memoryview(bytearray(min(self.left, _PIECE)))

    async def read(self) -> memoryview:
        """The next piece. Its memory holds the one after it, too: that is read once the transport has got rid of this
        one, so a client that reads slowly holds one piece, and no more. Raises TruncatedError."""
        try:
            size = await self._files.read(self._file, self.start, self._buffer[: self.left])
        except OSError as error:
            raise TruncatedError(error.strerror) from error
        if not size:
            raise TruncatedError("the file has become shorter")
        self.start += size
        self.left -= size
        return self._buffer[:size]
