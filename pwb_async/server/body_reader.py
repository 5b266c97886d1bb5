"""Reads part of a large file, for what sendfile(2) cannot send: what is not in memory is read in a thread.

The reader does not touch the socket: the writer passes each piece to the transport, which may encrypt it.
"""

from typing import Final

from pwb_async.core.semantics.messages import FileSlice
from pwb_async.storage.errors import TruncatedError

from .async_storage import AsyncStorage

_BUFFER_SIZE: Final = 256 * 1024
"""Bytes read at a time, and held for each client that reads slowly; half as many cost up to twice the CPU."""


class BodyReader:
    """The bytes of a file slice, piece by piece."""

    __slots__ = ("_buffer", "_file", "_storage", "remaining", "start")

    remaining: int
    """Bytes that have not been read yet."""
    start: int
    """The position in the file of the next byte."""

    def __init__(self, part: FileSlice, storage: AsyncStorage) -> None:
        self._file, self.start, self.remaining = part
        self._storage = storage
        self._buffer = memoryview(bytearray(min(self.remaining, _BUFFER_SIZE)))

    async def read(self) -> memoryview:
        """Read the next piece into the reader's only buffer. Raises TruncatedError.

        The transport must have sent one piece before the next is read, so a slow client holds one piece and no more.
        """
        buffer = self._buffer[: self.remaining]
        try:
            # A thread would cost as much as the reading itself.
            if self._file.in_page_cache(self.start, len(buffer)):
                size = self._file.read_into(buffer, self.start)
            else:
                size = await self._storage.read(self._file, self.start, buffer)
        except OSError as error:
            raise TruncatedError(error.strerror) from error
        if not size:
            raise TruncatedError("the file has become shorter")
        self.start += size
        self.remaining -= size
        return self._buffer[:size]
