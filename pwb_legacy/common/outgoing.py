"""A response on its way out, one buffer at a time."""

import socket
import time
from collections.abc import Iterator, Sequence
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Part, Request, Response, length_of
from pwb_async.storage.errors import TruncatedError

BUFFER_SIZE: Final = 64 * 1024
"""bytes read from a file at once; the book read the whole file, so each client cost the file's size in memory (L6)"""
_EMPTY: Final = memoryview(b"")


class ResponseSender:
    """Sends one response: set_parts() once, then read_next() and send() by turns until `remaining` is 0."""

    __slots__ = (
        "_buffers",
        "_checked_at",
        "_checked_sent",
        "buffer",
        "event",
        "remaining",
        "response",
        "sent",
        "started_at",
    )

    event: Request | BadRequest
    """what is answered"""
    response: Response
    started_at: float
    """seconds since the epoch, for the access log"""
    remaining: int
    """bytes still to be sent"""
    sent: int
    """bytes that the kernel has taken"""
    buffer: memoryview
    """bytes that have been read and not sent yet"""

    def __init__(self, event: Request | BadRequest, response: Response, started_at: float) -> None:
        self.event, self.response, self.started_at = event, response, started_at
        self.remaining = self.sent = self._checked_sent = 0
        self._checked_at = time.monotonic()
        self.buffer = _EMPTY

    def set_parts(self, parts: Sequence[Part]) -> None:
        """Sets what is to be sent, and fills the buffer with the head, which needs no disk."""
        self.remaining = length_of(parts)
        self._buffers = read_parts(parts)
        self.read_next()

    def read_next(self) -> None:
        """Fills the empty buffer. Raises TruncatedError."""
        self.buffer = next(self._buffers)

    def send(self, sock: socket.socket) -> None:
        """Sends as much of the buffer as the kernel takes. Raises OSError.

        The book ignored what send() returns, and lost the rest (L5).
        """
        count = sock.send(self.buffer)
        self.buffer = self.buffer[count:] if count < len(self.buffer) else _EMPTY
        self.sent += count
        self.remaining -= count

    def below_min_rate(self, rate: int, period: float) -> bool:
        """Whether fewer than `rate` bytes a second were sent in the period that has just ended (A5)."""
        now = time.monotonic()
        if now < self._checked_at + period:
            return False
        slow = self.sent - self._checked_sent < rate * (now - self._checked_at)
        self._checked_at, self._checked_sent = now, self.sent
        return slow


def read_parts(parts: Sequence[Part]) -> Iterator[memoryview]:
    """Yields the bytes of a response in order, and reads files only as they are asked for."""
    for part in parts:
        if isinstance(part, bytes):
            yield memoryview(part)
            continue
        file, start, remaining = part
        buffer = memoryview(bytearray(min(remaining, BUFFER_SIZE)))  # reused: it has been sent before the next read
        while remaining:
            try:
                size = file.read_into(buffer[:remaining], start)
            except OSError as error:
                raise TruncatedError(error.strerror) from error
            if not size:
                raise TruncatedError("the file has become shorter")
            yield buffer[:size]
            start += size
            remaining -= size
