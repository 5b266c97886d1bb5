"""The content of a response with files, piece by piece, as the iterable that WSGI demands.

A server that can send files from the kernel gets the file itself (wsgi.file_wrapper), positioned at the first byte that
is to be sent; the server sends as many as Content-Length has. If the file becomes shorter meanwhile, the server cannot
know, and the client would wait for the rest. So close(), which the server has to call, looks at the file and raises
TruncatedError then, upon which the server ends the connection.
"""

import os
from collections.abc import Callable, Iterator

from pwb_async.core.semantics.messages import NO_DEVICE, FileSlice, Response
from pwb_async.storage.errors import TruncatedError

PIECE = 256 * 1024
"""Bytes that are read at a time; half as many cost up to twice the CPU."""


def slice_to_send(response: Response) -> FileSlice | None:
    """The slice that is all of a response's content, if a server may send it from the file itself."""
    part = response.parts[0] if len(response.parts) == 1 else None
    return part if isinstance(part, FileSlice) and part.file.device != NO_DEVICE else None


class Content:
    """The content of a response, as an iterable of pieces."""

    def __init__(self, response: Response, report: Callable[[int], object]) -> None:
        """report: called by close() with the number of bytes that the server has taken."""
        self._response = response
        self._report = report
        self._sent = 0

    def __iter__(self) -> Iterator[bytes]:
        """Read the files. Raises TruncatedError."""
        for part in self._response.parts:
            if isinstance(part, bytes):
                yield self._count(part)
                continue
            buffer, start, end = memoryview(bytearray(min(PIECE, part.length))), part.start, part.start + part.length
            while start < end:
                size = _read(part, buffer[: end - start], start)
                start += size
                yield self._count(bytes(buffer[:size]))

    def _count(self, piece: bytes) -> bytes:
        self._sent += len(piece)
        return piece

    def close(self) -> None:
        """Close the files; called by the server when it has sent the content, or has given up."""
        self._response.close()
        self._report(self._sent)


class SentFile:
    """The slice of a file that a server sends from the kernel, as the object for its wsgi.file_wrapper."""

    def __init__(self, part: FileSlice, response: Response, report: Callable[[int], object]) -> None:
        """report: as for Content. Raises OSError."""
        self._part, self._response, self._report = part, response, report
        self._next, self._end = part.start, part.start + part.length
        os.lseek(part.file.fileno(), part.start, os.SEEK_SET)

    def fileno(self) -> int:
        """The file descriptor, whose position is the first byte to send."""
        return self._part.file.fileno()

    def read(self, size: int = PIECE) -> bytes:
        """The next bytes, for a server that reads the file after all; b"" at the end. Raises TruncatedError."""
        size = min(size if size >= 0 else PIECE, self._end - self._next)
        if not size:
            return b""
        buffer = memoryview(bytearray(size))
        count = _read(self._part, buffer, self._next)
        self._next += count
        return bytes(buffer[:count])

    def tell(self) -> int:
        """The position in the file of the next byte."""
        return self._next

    def seek(self, position: int) -> None:
        """Continue at a position in the file, as socket.sendfile() asks for."""
        self._next = position

    def close(self) -> None:
        """Close the file. Raises TruncatedError if it has become too short meanwhile."""
        is_whole = os.fstat(self.fileno()).st_size >= self._end
        self._response.close()
        self._report(self._part.length if is_whole else 0)
        if not is_whole:
            raise TruncatedError("the file has become shorter")


def _read(part: FileSlice, buffer: memoryview, start: int) -> int:
    try:
        size = part.file.read_into(buffer, start)
    except OSError as error:
        raise TruncatedError(error.strerror) from error
    if not size:
        raise TruncatedError("the file has become shorter")
    return size
