"""Field blocks that come in several frames, and the padding of frames (RFC 9113 4.3, 6.1, 6.10)."""

from .errors import ErrorCode, require
from .frames import PADDED


class PartialBlock:
    """A field block whose last CONTINUATION has not been received."""

    __slots__ = ("block", "continuations", "ends_stream", "stream")

    stream: bytes
    """The stream that it belongs to."""
    ends_stream: bool
    """Whether the request has no content."""
    block: bytes
    """The fragments received so far."""
    continuations: int
    """The number of CONTINUATION frames."""

    def __init__(self, stream: bytes, ends_stream: bool, block: bytes) -> None:
        self.stream = stream
        self.ends_stream = ends_stream
        self.block = block
        self.continuations = 0


def without_padding(flags: int, payload: bytes) -> bytes:
    """The payload of DATA or HEADERS without its padding. Raises HTTP2ConnectionError."""
    if not flags & PADDED:
        return payload
    padding = payload[0] + 1 if payload else 1
    require(padding <= len(payload), ErrorCode.PROTOCOL_ERROR, "padding that is longer than its frame")
    return payload[1 : len(payload) - padding + 1]
