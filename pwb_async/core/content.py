"""The content of a request, which no static file needs: its framing is checked, its bytes are thrown away."""

from enum import Enum
from typing import Final

from .fields import parse_fields
from .grammar import CHUNK_SIZE
from .limits import Fault, Limits

_LONGEST_SIZE_LINE: Final = 256


class Step(Enum):
    """Where in a chunked content (RFC 9112 7.1) the next byte belongs."""

    SIZE = "chunk-size"
    DATA = "chunk-data"
    TRAILER = "trailer section"


class Chunks:
    """Walks over chunks. taken: bytes of content so far. done: the last line has been seen."""

    __slots__ = ("_left", "_limits", "_step", "done", "taken")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._step = Step.SIZE
        self._left = 0
        self.taken = 0
        self.done = False

    def skip(self, data: bytes, at: int) -> int | Fault:
        """Goes as far from `at` as `data` reaches; returns where it stopped. What is left over must come again."""
        while not self.done:
            if self._step is Step.DATA:
                step = min(self._left, len(data) - at)
                self._left -= step
                at += step
                if self._left or len(data) - at < 2:
                    return self._begins(data[at:], b"\r\n", at)
                if data[at : at + 2] != b"\r\n":
                    return Fault(400, "a chunk does not end where its size says")
                at += 2
                self._step = Step.SIZE
            elif self._step is Step.SIZE:
                end = data.find(b"\n", at, at + _LONGEST_SIZE_LINE + 2)
                if end < 0:
                    return self._waits(data, at, _LONGEST_SIZE_LINE, 400)
                match = CHUNK_SIZE.fullmatch(data, at, end - 1)
                if match is None or data[end - 1 : end] != b"\r":
                    return Fault(400, "an invalid chunk size or extension")
                at = end + 1
                self._left = int(match[1], 16)
                self.taken += self._left
                self._step = Step.DATA if self._left else Step.TRAILER
            else:
                return self._trailer(data, at)
        return at

    def _trailer(self, data: bytes, at: int) -> int | Fault:
        if data[at : at + 2] == b"\r\n":
            self.done = True
            return at + 2
        end = data.find(b"\r\n\r\n", at)
        if end < 0:
            return self._waits(data, at, self._limits.head, 431)
        fields = parse_fields(data[at : end + 2], self._limits)
        if isinstance(fields, Fault):
            return fields
        if not fields.plain or fields.host is not None:
            return Fault(400, "a trailer that would change the request")
        self.done = True
        return end + 4

    @staticmethod
    def _begins(rest: bytes, wanted: bytes, at: int) -> int | Fault:
        """A first byte that cannot begin `wanted` is a fault now, not when the second comes."""
        return at if wanted.startswith(rest) else Fault(400, "a chunk does not end where its size says")

    @staticmethod
    def _waits(data: bytes, at: int, longest: int, too_long: int) -> int | Fault:
        if len(data) - at > longest:
            return Fault(too_long, "a chunk's size line or the trailer section is too long")
        return at
