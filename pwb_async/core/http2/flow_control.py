"""Windows: how many bytes of content a peer may send (RFC 9113 5.2 and 6.9)."""

from typing import Final

from .errors import ErrorCode
from .frames import DEFAULT_WINDOW, MAX_WINDOW

_UPDATE_AT: Final = DEFAULT_WINDOW // 2
"""Bytes of content that are received before the window of the connection is opened again."""


def increment_of(payload: bytes) -> int:
    """The increment in a WINDOW_UPDATE frame of 4 bytes, without the reserved bit (RFC 9113 6.9)."""
    return int.from_bytes(payload, "big") & MAX_WINDOW


def update_fault(window: int, increment: int) -> tuple[ErrorCode, str] | None:
    """Why a window cannot be increased; None if it can (RFC 9113 6.9 and 6.9.1)."""
    if not increment:
        return ErrorCode.PROTOCOL_ERROR, "a window is increased by 0"
    if window + increment > MAX_WINDOW:
        return ErrorCode.FLOW_CONTROL_ERROR, "a window of more than 2^31-1 bytes"
    return None


def received_window(received: int) -> tuple[int, int]:
    """The bytes received since the last update of the connection's window, and the increment to send now; 0 for none.

    Content is discarded as it arrives, so every byte of it is given back. The window is never smaller than a frame, so
    no client can exceed it.
    """
    return (0, received) if received > _UPDATE_AT else (received, 0)
