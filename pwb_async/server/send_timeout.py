"""The send timeout: how long a peer may leave everything unread that the server has to send."""

import asyncio
import struct
from typing import Final

from pwb_async.network.sockets import bytes_acknowledged

_MAX_INTERVAL: Final = 1.0
"""Seconds, at most, between two checks of a peer that does not read as fast as the server sends."""


class SendTimeout:
    """A timer that expires when a peer has acknowledged no byte for `timeout` seconds.

    A slow peer is allowed; one that has stopped reading is not. The transport reports progress only when a third of
    the kernel's buffer is free again, which can take a slow peer minutes, so the kernel is asked instead.
    """

    __slots__ = ("_last_progress", "_progress", "_timeout", "_transport", "next_check")

    next_check: float
    """When check() is due, on the loop's clock."""

    def __init__(self, transport: asyncio.Transport, timeout: float, now: float) -> None:
        self._transport = transport
        self._timeout = timeout
        # The kernel is not asked before the first check: most peers have caught up by then.
        self._progress: int | None = None
        self._last_progress = now
        self.next_check = now + min(_MAX_INTERVAL, timeout / 8)

    def check(self, now: float) -> bool:
        """Return whether the peer is still within its time."""
        progress = self._measure()
        if progress != self._progress:
            self._progress, self._last_progress = progress, now
        expires = self._last_progress + self._timeout
        self.next_check = min(now + min(_MAX_INTERVAL, self._timeout / 8), expires)
        return now < expires

    def _measure(self) -> int:
        """Return a number that changes whenever the peer has taken some bytes."""
        try:
            return bytes_acknowledged(self._transport.get_extra_info("socket"))
        except (AttributeError, OSError, struct.error):
            return -self._transport.get_write_buffer_size()
