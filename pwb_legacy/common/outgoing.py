"""A response on its way out, one buffer at a time."""

import socket
import time
from collections.abc import Iterator, Sequence
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Part, Request, Response, length_of
from pwb_async.network.send_rate import SendRate
from pwb_async.network.send_timeout import SendTimeout
from pwb_async.network.sockets import bytes_acknowledged
from pwb_async.storage.errors import TruncatedError

BUFFER_SIZE: Final = 64 * 1024
"""Bytes read from a file at once. The book read the whole file, so each client cost its size in memory (L6)."""
_EMPTY: Final = memoryview(b"")


class ResponseSender:
    """Sends one response: set_parts() once, then read_next() and send() by turns until `remaining` is 0."""

    __slots__ = (
        "_buffers",
        "_rate",
        "_send_timeout",
        "buffer",
        "client",
        "event",
        "remaining",
        "response",
        "sent",
        "started_at",
    )

    event: Request | BadRequest
    """What is answered."""
    client: str
    """The address of the client that made the request: the peer, unless a trusted proxy names another."""
    response: Response
    started_at: float
    """Seconds since the epoch, for the access log."""
    remaining: int
    """Bytes still to be sent."""
    sent: int
    """Bytes that the kernel has taken."""
    buffer: memoryview
    """Bytes that have been read and not sent yet."""

    def __init__(self, event: Request | BadRequest, client: str, response: Response, started_at: float) -> None:
        self.event, self.client, self.response, self.started_at = event, client, response, started_at
        self.remaining = self.sent = 0
        self._rate: SendRate | None = None
        self._send_timeout: SendTimeout | None = None
        self.buffer = _EMPTY

    def set_parts(self, parts: Sequence[Part]) -> None:
        """Set what is to be sent, and fill the buffer with the head, which needs no disk."""
        self.remaining = length_of(parts)
        self._buffers = read_parts(parts)
        self.read_next()

    def read_next(self) -> None:
        """Fill the empty buffer. Raises TruncatedError."""
        self.buffer = next(self._buffers)

    def send(self, sock: socket.socket) -> None:
        """Send as much of the buffer as the kernel takes. Raises OSError.

        The book ignored what send() returns, and lost the rest (L5).
        """
        count = sock.send(self.buffer)
        self.buffer = self.buffer[count:] if count < len(self.buffer) else _EMPTY
        self.sent += count
        self.remaining -= count
        self._send_timeout = None

    def check_progress(self, sock: socket.socket, timeout: float, min_rate: int) -> float:
        """When to call this again, on the monotonic clock, as long as the kernel takes nothing.

        Raises TimeoutError if the client has acknowledged nothing for `timeout` seconds (A4), or as check_rate() does.
        """
        self.check_rate(sock, timeout, min_rate)
        now = time.monotonic()
        if self._send_timeout is None:
            self._send_timeout = SendTimeout(timeout, now)
        elif not self._send_timeout.check(bytes_acknowledged(sock) or 0, now):
            raise TimeoutError("the client takes nothing")
        return self._send_timeout.next_check

    def check_rate(self, sock: socket.socket, period: float, min_rate: int) -> None:
        """Raise TimeoutError if the client has taken fewer than `min_rate` bytes a second for `period` seconds (A5).

        The first period starts when the kernel has not taken a whole buffer, so that a fast client is not measured.
        """
        now = time.monotonic()
        if self._rate is None:
            if min_rate and self.buffer:
                self._rate = SendRate(sock, now)
        elif self._rate.is_below(min_rate, period, sock, now):
            raise TimeoutError("the client reads too slowly")


def read_parts(parts: Sequence[Part]) -> Iterator[memoryview]:
    """Yield the bytes of a response in order, and read files only as far as they are needed."""
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
