"""The send timeout: how long a client may leave everything unread that the server has to send (--send-timeout)."""

from typing import Final

_MAX_INTERVAL: Final = 1.0
"""Seconds, at most, between two checks of a client that does not read as fast as the server sends."""


def check_interval(timeout: float) -> float:
    """Seconds between two checks."""
    return min(_MAX_INTERVAL, timeout / 8)


class SendTimeout:
    """A timer that expires when a client has acknowledged no byte for `timeout` seconds.

    A slow client is allowed; one that has stopped reading is not. The kernel takes more bytes only when a third of its
    buffer is free again, which can take a slow client minutes, so what counts is what the client has acknowledged.
    """

    __slots__ = ("_last_progress", "_progress", "_timeout", "next_check")

    next_check: float
    """When check() is due, on the clock of the server."""

    def __init__(self, timeout: float, now: float) -> None:
        self._timeout = timeout
        # The kernel is not asked before the first check: most clients have caught up by then.
        self._progress: int | None = None
        self._last_progress = now
        self.next_check = now + check_interval(timeout)

    def check(self, progress: int, now: float) -> bool:
        """Whether the client is still within its time.

        progress: a number that changes whenever the client has taken some bytes.
        """
        if progress != self._progress:
            self._progress, self._last_progress = progress, now
        expires = self._last_progress + self._timeout
        self.next_check = min(now + check_interval(self._timeout), expires)
        return now < expires
