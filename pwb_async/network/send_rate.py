"""The rate at which a client reads, for the minimum that --min-send-rate demands.

What the client has acknowledged is counted, not what the kernel has taken: the kernel's buffer can take some MiB from a
server whose client reads nothing.
"""

import socket

from .sockets import bytes_acknowledged


class SendRate:
    """The rate at which one client acknowledges what it is sent, period by period."""

    __slots__ = ("_acknowledged", "_started_at")

    def __init__(self, sock: socket.socket, now: float) -> None:
        """Start the first period. On a Unix socket the kernel counts nothing, and the client is never too slow."""
        self._started_at = now
        self._acknowledged = bytes_acknowledged(sock)

    def is_below(self, min_rate: int, period: float, sock: socket.socket, now: float) -> bool:
        """Whether a period of `period` seconds has just ended with fewer than `min_rate` bytes a second.

        When a period has ended, the next one starts.
        """
        elapsed = now - self._started_at
        if self._acknowledged is None or elapsed < period:
            return False
        before, self._acknowledged, self._started_at = self._acknowledged, bytes_acknowledged(sock), now
        return self._acknowledged is not None and self._acknowledged - before < min_rate * elapsed
