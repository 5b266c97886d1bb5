"""The frames of HTTP/2: their layout, types and flags (RFC 9113 4 and 6), and builders of those that a server sends.

A stream identifier stays the four bytes that it has on the wire: bytes have the order of the numbers, and a response
needs no conversion.
"""

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import Final

from .errors import ErrorCode

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client sends before its first frame (RFC 9113 3.4)."""
HEADER: Final = Struct(">HBBB4s")
"""The header of a frame: its length, in the upper 16 and the lower 8 bits, type, flags and stream (RFC 9113 4.1)."""
MAX_FRAME_SIZE: Final = 16_384
"""Bytes of the longest payload, in both directions: every peer accepts as many (RFC 9113 4.2)."""
MAX_WINDOW: Final = 2**31 - 1
"""Bytes of the largest window (RFC 9113 6.9.1)."""
DEFAULT_WINDOW: Final = 65_535
"""Bytes of each window of a new connection (RFC 9113 6.9.2)."""

CONNECTION: Final = b"\0\0\0\0"
"""The stream identifier of frames that concern the whole connection."""
LAST_STREAM: Final = b"\x7f\xff\xff\xff"
"""The highest stream identifier."""

# Types of frames (RFC 9113 6, RFC 9218 7.1).
DATA: Final = 0x0
HEADERS: Final = 0x1
PRIORITY: Final = 0x2
RST_STREAM: Final = 0x3
SETTINGS: Final = 0x4
PUSH_PROMISE: Final = 0x5
PING: Final = 0x6
GOAWAY: Final = 0x7
WINDOW_UPDATE: Final = 0x8
CONTINUATION: Final = 0x9
PRIORITY_UPDATE: Final = 0x10

# Flags (RFC 9113 6); ACK and END_STREAM have the same bit.
ACK: Final = 0x1
END_STREAM: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
HAS_PRIORITY: Final = 0x20

# Identifiers of settings (RFC 9113 6.5.2, RFC 9218 2.1).
HEADER_TABLE_SIZE: Final = 0x1
ENABLE_PUSH: Final = 0x2
MAX_CONCURRENT_STREAMS: Final = 0x3
INITIAL_WINDOW_SIZE: Final = 0x4
SETTINGS_MAX_FRAME_SIZE: Final = 0x5
MAX_HEADER_LIST_SIZE: Final = 0x6
NO_RFC7540_PRIORITIES: Final = 0x9

_SETTING: Final = Struct(">HI")
"""An identifier and a value (RFC 9113 6.5.1)."""


def frame(kind: int, flags: int, stream: bytes, payload: bytes = b"") -> bytes:
    """A whole frame (RFC 9113 4.1)."""
    return b"%b%c%c%b%b" % (len(payload).to_bytes(3, "big"), kind, flags, stream, payload)


def settings(values: Iterable[tuple[int, int]]) -> bytes:
    """SETTINGS with these identifiers and values (RFC 9113 6.5)."""
    return frame(SETTINGS, 0, CONNECTION, b"".join([_SETTING.pack(*value) for value in values]))


def read_settings(payload: bytes) -> Iterator[tuple[int, int]]:
    """The identifiers and values of a SETTINGS frame, whose length is a multiple of 6, in their order."""
    return _SETTING.iter_unpack(payload)


def reset(stream: bytes, code: ErrorCode) -> bytes:
    """RST_STREAM (RFC 9113 6.4)."""
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def goaway(last: bytes, code: ErrorCode) -> bytes:
    """GOAWAY (RFC 9113 6.8). last: the last stream that is processed."""
    return frame(GOAWAY, 0, CONNECTION, last + code.to_bytes(4, "big"))


def window_update(stream: bytes, increment: int) -> bytes:
    """WINDOW_UPDATE (RFC 9113 6.9)."""
    return frame(WINDOW_UPDATE, 0, stream, increment.to_bytes(4, "big"))


SETTINGS_ACK: Final = frame(SETTINGS, ACK, CONNECTION)
"""The acknowledgement of SETTINGS (RFC 9113 6.5.3)."""


def content_behind(frames: bytes, position: int) -> dict[bytes, int]:
    """How many bytes of each stream's content come behind a position in whole frames that a server sends."""
    sizes: dict[bytes, int] = {}
    start = 0
    while start < len(frames):
        high, low, kind, _, stream = HEADER.unpack_from(frames, start)
        end = start + 9 + (high << 8 | low)
        if kind == DATA and end > position:
            sizes[stream] = sizes.get(stream, 0) + end - max(start + 9, position)
        start = end
    return sizes
