"""One connection of the load generator: it sends a request, checks the response, and reports to its owner.

The steps: the owner opens it with its first request; the head of the response is read, or found in the cache of heads;
the content is counted; when the response is whole and right the owner may send the next request, with ask(). If the
server has announced that it closes, the response counts only once it has.
"""

import asyncio
import time
from typing import Protocol, cast

from .messages import END, LONGEST, Request, read_head


class Owner(Protocol):
    """The owner of connections. For each request it is called once, answered() or failed()."""

    def answered(self, connection: "Connection", moment: float) -> None:
        """The request has been answered, at this moment of the monotonic clock."""

    def failed(self, connection: "Connection", reason: str) -> None:
        """The request has failed."""

    def lost(self, connection: "Connection") -> None:
        """The connection has ended."""


class Connection(asyncio.Protocol):
    """A connection to the server, with at most one request at a time."""

    __slots__ = ("_owner", "_start", "_transport", "_whole", "broken", "keep_alive", "left", "request", "since", "size")

    def __init__(self, owner: Owner, keep_alive: bool, request: Request, since: float) -> None:
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._start = b""
        self._whole: float | None = None
        self.keep_alive = keep_alive
        """False: the server is to close, because the request or the response says so."""
        self.broken = False
        """A request has failed."""
        self.request: Request | None = request
        """The request under way; None while idle."""
        self.since = since
        """When it was due, by the monotonic clock."""
        self.size = 0
        """Bytes of the response, 0 before its head is there."""
        self.left = 0
        """Bytes of it that are still to come."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self.request is None:
            self._transport.abort()
        else:
            self._transport.write(self.request.wire)

    def ask(self, request: Request, since: float) -> None:
        """Send the next request, on a connection that is idle."""
        assert self._transport is not None
        self.request, self.since, self.size = request, since, 0
        self._transport.write(request.wire)

    def data_received(self, data: bytes) -> None:
        request = self.request
        if request is None:
            if not self.broken:
                self.fail("bytes without a request")
            return
        if self.size:
            left = self.left - len(data)
        else:
            if self._start:
                data = self._start + data
            end = data.find(END)
            if end < 0:
                self._start = data
                if len(data) > LONGEST:
                    self.fail("a head without an end")
                return
            try:
                status, length, closing = read_head(data[:end])
            except ValueError as error:
                self.fail(str(error))
                return
            if status != request.status and request.status:
                self.fail(f"status {status}")
                return
            if closing:
                self.keep_alive = False
            self.size = end + 4 if request.bare else end + 4 + length
            left = self.size - len(data)
        if left < 0:
            self.fail("more bytes than Content-Length promises")
        elif left or not self.keep_alive:
            self.left = left
            if not left:
                self._whole = time.monotonic()
        else:
            self.request, self._start = None, b""
            self._owner.answered(self, time.monotonic())

    def connection_lost(self, error: Exception | None) -> None:
        if self.request is not None:
            if error is None and self._whole is not None:
                self.request = None
                self._owner.answered(self, self._whole)
            else:
                self.fail(self._why(error))
        self._owner.lost(self)

    def _why(self, error: Exception | None) -> str:
        how = "closed" if error is None else "reset" if isinstance(error, ConnectionResetError) else str(error)
        if self._whole is not None:
            return f"{how} after the answer"
        return f"{how} in the middle of an answer" if self.size or self._start else f"{how} before an answer"

    def expire(self, timeout: float) -> None:
        """Give up a request that has waited too long."""
        what = "answer" if self._whole is None else "close after Connection: close"
        self.fail(f"no {what} within {timeout:g} s")

    def fail(self, reason: str) -> None:
        """Report that the request under way has failed, and close."""
        self._owner.failed(self, reason)
        self.drop()

    def drop(self) -> None:
        """Close without reporting."""
        self.broken, self.request = True, None
        self.close()

    def close(self) -> None:
        """Close at once, whatever is still on its way."""
        if self._transport is not None:
            self._transport.abort()
