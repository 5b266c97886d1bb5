"""One connection of the load generator: it sends a request, checks the answer, and tells its owner what came of it.

The steps: the owner opens it with its first request; the head of the answer is read, or known already; the content is
counted; whole and right, it is the owner's turn (ask() again, or nothing). Where the server has said that it closes,
the answer counts only once it has.
"""

import asyncio
import time
from typing import Final, Protocol, cast

from .messages import LONGEST, Request, read_head

_END: Final = b"\r\n\r\n"


class Owner(Protocol):
    """Who has connections. For each request, one of them tells answered() or failed(); and lost() when it is gone."""

    def answered(self, connection: "Connection", moment: float) -> None: ...

    def failed(self, connection: "Connection", reason: str) -> None: ...

    def lost(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """request: under way, None while idle. since: when it was meant to begin, by the monotonic clock. keep_alive: False
    where the request says that the server shall close. size: bytes of the answer, 0 before its head is there; left:
    of them still to come. broken: it failed."""

    __slots__ = ("_owner", "_start", "_transport", "_whole", "broken", "keep_alive", "left", "request", "since", "size")

    def __init__(self, owner: Owner, keep_alive: bool, request: Request, since: float) -> None:
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._start = b""
        self._whole: float | None = None
        self.keep_alive = keep_alive
        self.broken = False
        self.request: Request | None = request
        self.since = since
        self.size = self.left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self.request is None:
            self._transport.abort()
        else:
            self._transport.write(self.request.wire)

    def ask(self, request: Request, since: float) -> None:
        """The next request, on a connection that is idle."""
        assert self._transport is not None
        self.request, self.since, self.size = request, since, 0
        self._transport.write(request.wire)

    def data_received(self, data: bytes) -> None:
        request = self.request
        if request is None:
            if not self.broken:
                self.fail("bytes that nobody asked for")
            return
        if self.size:
            left = self.left - len(data)
        else:
            if self._start:
                data = self._start + data
            end = data.find(_END)
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
        """It has been waited for in vain."""
        what = "answer" if self._whole is None else "close after Connection: close"
        self.fail(f"no {what} within {timeout:g} s")

    def fail(self, reason: str) -> None:
        """The request under way has come to nothing."""
        self._owner.failed(self, reason)
        self.drop()

    def drop(self) -> None:
        """Nobody wants to know any more what comes of it."""
        self.broken, self.request = True, None
        self.close()

    def close(self) -> None:
        """At once; an answer that is still on its way is not waited for."""
        if self._transport is not None:
            self._transport.abort()
