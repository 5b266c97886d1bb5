"""The content of a request, which no static file needs: its framing is checked, its bytes are thrown away."""

from enum import Enum
from typing import Final

from pwb_async.core.events import Fault
from pwb_async.core.semantics.messages import Request

from .field_lines import check_lines, line_fault, trailer_fault
from .grammar import CHUNK_SIZE
from .limits import Limits

_LONGEST_SIZE_LINE: Final = 256


class ChunkState(Enum):
    """Where in a chunked content (RFC 9112 7.1) the next byte belongs."""

    SIZE = "chunk-size"
    DATA = "chunk-data"
    TRAILER = "trailer section"


class ChunkedReader:
    """Walks over chunks. request: whose content they are. taken: bytes so far, the chunk under way as a whole.
    done: the end was seen."""

    __slots__ = ("_checked", "_left", "_limits", "_step", "done", "received", "request")

    def __init__(self, request: Request, limits: Limits) -> None:
        self.request = request
        self._limits = limits
        self._step = ChunkState.SIZE
        self._left = 0
        self._checked = (0, 1)
        self.received = 0
        self.done = False

    @property
    def over_limit(self) -> bool:
        """More content than is skipped; what comes behind is not looked at."""
        return self.received > self._limits.content

    def skip(self, data: bytes, at: int) -> int | Fault:
        """Goes as far from `at` as `data` reaches; returns where it stopped. What is left over must come again."""
        before = -1
        while before != at and not self.done and not self.over_limit:
            before = at
            result = _READ[self._step](self, data, at)
            if isinstance(result, Fault):
                return result
            at = result
        return at

    def _read_size(self, data: bytes, at: int) -> int | Fault:
        end = data.find(b"\r\n", at, at + _LONGEST_SIZE_LINE + 2)
        if end < 0:
            rest = data[at : at + _LONGEST_SIZE_LINE + 2].removesuffix(b"\r")
            return line_fault(rest, _LONGEST_SIZE_LINE, 400) or at
        match = CHUNK_SIZE.fullmatch(data, at, end)
        if match is None:
            return Fault(400, "an invalid chunk size or extension")
        self._left = int(match[1], 16)
        self.received += self._left
        self._step = ChunkState.DATA if self._left else ChunkState.TRAILER
        return end + 2

    def _read_data(self, data: bytes, at: int) -> int | Fault:
        step = min(self._left, len(data) - at)
        self._left -= step
        at += step
        rest = data[at : at + 2]
        if not b"\r\n".startswith(rest):
            return Fault(400, "a chunk does not end where its size says")
        if len(rest) < 2:
            return at
        self._step = ChunkState.SIZE
        return at + 2

    def _read_trailer(self, data: bytes, at: int) -> int | Fault:
        if data.startswith(b"\r\n", at):
            self.done = True
            return at + 2
        end = data.find(b"\r\n\r\n", at)
        if end < 0:
            checked = check_lines(data[at:], *self._checked, self._limits)
            if isinstance(checked, Fault):
                return checked
            self._checked = checked
            return at
        if fault := trailer_fault(data[at : end + 2], self._limits):
            return fault
        self.done = True
        return end + 4


_READ: Final = {
    ChunkState.SIZE: ChunkedReader._read_size,
    ChunkState.DATA: ChunkedReader._read_data,
    ChunkState.TRAILER: ChunkedReader._read_trailer,
}
