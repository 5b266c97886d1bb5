"""The reader of chunked content (RFC 9112 7.1). No static file needs content, so it is checked and discarded."""

from enum import Enum
from typing import Final

from pwb_async.core.events import Fault
from pwb_async.core.semantics.messages import Request

from .field_lines import check_lines, line_fault, trailer_fault
from .grammar import CHUNK_SIZE
from .limits import Limits

_MAX_SIZE_LINE: Final = 256
"""Bytes of a chunk's size and extensions."""


class ChunkState(Enum):
    """The part of chunked content to which the next byte belongs."""

    SIZE = "chunk-size"
    """A line with the size of a chunk, and its extensions."""
    DATA = "chunk-data"
    """The bytes of a chunk, and the CRLF behind them."""
    TRAILER = "trailer section"
    """The field lines behind the last chunk, and the empty line at the end."""


class ChunkedReader:
    """A reader that finds the end of chunked content."""

    __slots__ = ("_checked", "_chunk_left", "_limits", "_state", "done", "received", "request")

    request: Request
    """The request with this content."""
    received: int
    """Bytes of content so far; a chunk counts in full as soon as its size is known."""
    done: bool
    """Whether the end of the content was found."""

    def __init__(self, request: Request, limits: Limits) -> None:
        self.request = request
        self._limits = limits
        self._state = ChunkState.SIZE
        self._chunk_left = 0
        self._checked = (0, 1)
        self.received = 0
        self.done = False

    @property
    def over_limit(self) -> bool:
        """Whether there is more content than is skipped; then the rest is not read."""
        return self.received > self._limits.content

    def skip(self, data: bytes, offset: int) -> int | Fault:
        """Read from `offset` as far as possible; return the offset of the first byte that has to be passed again."""
        before = -1
        while before != offset and not self.done and not self.over_limit:
            before = offset
            result = _READ[self._state](self, data, offset)
            if isinstance(result, Fault):
                return result
            offset = result
        return offset

    def _read_size(self, data: bytes, offset: int) -> int | Fault:
        end = data.find(b"\r\n", offset, offset + _MAX_SIZE_LINE + 2)
        if end < 0:
            rest = data[offset : offset + _MAX_SIZE_LINE + 2].removesuffix(b"\r")
            return line_fault(rest, _MAX_SIZE_LINE, 400) or offset
        match = CHUNK_SIZE.fullmatch(data, offset, end)
        if match is None:
            return Fault(400, "invalid chunk size or extension")
        self._chunk_left = int(match[1], 16)
        self.received += self._chunk_left
        self._state = ChunkState.DATA if self._chunk_left else ChunkState.TRAILER
        return end + 2

    def _read_data(self, data: bytes, offset: int) -> int | Fault:
        step = min(self._chunk_left, len(data) - offset)
        self._chunk_left -= step
        offset += step
        line_end = data[offset : offset + 2]
        if not b"\r\n".startswith(line_end):
            return Fault(400, "a chunk is longer than its size")
        if len(line_end) < 2:
            return offset
        self._state = ChunkState.SIZE
        return offset + 2

    def _read_trailer(self, data: bytes, offset: int) -> int | Fault:
        if data.startswith(b"\r\n", offset):
            self.done = True
            return offset + 2
        end = data.find(b"\r\n\r\n", offset)
        if end < 0:
            checked = check_lines(data[offset:], *self._checked, self._limits)
            if isinstance(checked, Fault):
                return checked
            self._checked = checked
            return offset
        if fault := trailer_fault(data[offset : end + 2], self._limits):
            return fault
        self.done = True
        return end + 4


_READ: Final = {
    ChunkState.SIZE: ChunkedReader._read_size,
    ChunkState.DATA: ChunkedReader._read_data,
    ChunkState.TRAILER: ChunkedReader._read_trailer,
}
"""The method that reads each part."""
