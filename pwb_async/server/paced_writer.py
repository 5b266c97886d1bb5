"""Sends responses on a connection of HTTP/1.1 no faster than its send rates allow (--max-send-rate).

What may not leave yet waits here, as a reference to what the response is made of, and the writer counts as paused, as
if the client read no faster. So the protocol takes no further request until all of it has left. Files that sendfile(2)
sends are sent in pieces: after each of them FileTransfer waits for the rate as it would wait for the socket.

The time for which the server itself holds back what it sends does not count for the limits on slow clients (`held`).
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import File, Request
from pwb_async.core.site.limit_rules import SendLimit
from pwb_async.limits.send_rates import SendPace, SendRates, clock

from .response_writer import ResponseWriter
from .send_queue import SendQueue
from .state import ServerState

_MIN_DELAY: Final = 0.001
"""Seconds of the shortest timer, which is what a loop's clock can tell apart."""


class PacedWriter(ResponseWriter):
    """The sending side of one connection with send rates."""

    __slots__ = (
        "_backlog", "_held_before", "_held_since", "_loop", "_pace", "_paces", "_queue", "_state", "_timer",
        "_transport_full",
    )  # fmt: skip

    def __init__(self, transport: asyncio.Transport, state: ServerState) -> None:
        self._queue = PacedSendQueue(self, state.send_queue)
        super().__init__(transport, self._queue, state.sendfiles)
        self._state, self._loop = state, state.loop
        self._backlog: deque[memoryview] = deque()
        """What was written and may not leave yet."""
        self._pace: SendPace | None = None
        """That of the present response; None for one without a rate."""
        self._paces: dict[SendLimit, SendPace] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._transport_full = False
        self._held_before = 0.0
        self._held_since: float | None = None

    def use_rates(self, rates: SendRates, client: str, event: Request | BadRequest) -> None:
        """Send what follows as fast as the response to a request may be sent."""
        self._pace = rates.pace(self._paces, client, event)

    @property
    def held(self) -> float:
        """Seconds for which the server itself has held back what it sends."""
        return self._held_before + (0.0 if self._held_since is None else self._loop.time() - self._held_since)

    def hold(self) -> None:
        """Begin to hold back what is sent, unless that has begun."""
        if self._held_since is None:
            self._held_since = self._loop.time()

    def release(self) -> None:
        """Hold back nothing any more."""
        self._held_before, self._held_since = self.held, None

    def write(self, parts: Sequence[Any]) -> None:
        """Write parts that are all bytes, as soon as their rate allows."""
        if not self._backlog:
            if self._state.send_rates is None:  # a reload has left out all rates
                self._pace = None
            pace = self._pace
            size = 0 if pace is None else sum(map(len, parts))
            taken = 0 if pace is None else pace.take(size, clock())
            if taken == size:
                super().write(parts)
                return
            assert pace is not None
            pace.give_back(taken)
        self._backlog.extend(memoryview(part) for part in parts if part)
        self._send_backlog()

    def _write(self, data: bytes | memoryview) -> None:
        self.write((data,))
        self.sent += len(data)

    def _send_backlog(self) -> None:
        """Pass on what may leave, and come back later for the rest."""
        while self._backlog and not self._transport_full:
            data = self._backlog.popleft()
            taken = len(data) if self._pace is None else self._pace.take(len(data), clock())
            if rest := data[taken:]:
                self._backlog.appendleft(rest)
            if not taken:
                self._come_back()
                return
            self._transport.write(data[:taken])
        self.paused = self.paused or bool(self._backlog)

    def _come_back(self) -> None:
        self.paused = True
        if self._timer is None:
            self._protocol.deadline.disarm()  # the client is not waited for
            self._timer = self.call_later(self._on_time)

    def call_later(self, callback: Callable[[], object]) -> asyncio.TimerHandle:
        """Call `callback` when the rate allows more, and hold back until then."""
        assert self._pace is not None
        self.hold()
        return self._loop.call_later(max(self._pace.delay(clock()) / 1e9, _MIN_DELAY), callback)

    def _on_time(self) -> None:
        self._timer = None
        self.release()
        if not (self.closed or self._transport_full):
            self._protocol.resume_writing()

    @property
    def _protocol(self) -> Any:
        return self._transport.get_protocol()

    def _sendfile(self, fd: int, file: File, start: int, length: int) -> int:
        pace = self._pace
        if pace is None:
            return super()._sendfile(fd, file, start, length)
        taken = pace.take(length, clock())
        sent = super()._sendfile(fd, file, start, taken) if taken else 0
        pace.give_back(taken - sent)
        self._queue.full = sent < taken
        return sent

    def pause(self) -> None:
        """Note that the transport buffers data, or that a file is being sent."""
        self._transport_full = True
        super().pause()

    def resume(self) -> None:
        """Send what has waited for the transport or for the rate; end drain() when nothing waits any more."""
        self._transport_full = False
        self._send_backlog()
        if not (self._backlog or self._transport_full):
            super().resume()

    def lose(self) -> None:
        """Note that the connection is closed, and forget what has waited."""
        if not self.closed:
            self.sent -= sum(map(len, self._backlog))
        super().lose()
        self._backlog.clear()
        if self._timer is not None:
            self._timer.cancel()


class PacedSendQueue:
    """The SendQueue of a connection with send rates: it waits for the socket, or for the rate, whichever is in the way.

    Args:
        writer: The writer of the connection.
        send_queue: What waits for sockets.
    """

    full: bool
    """Whether the socket has taken less than the rate allowed."""

    def __init__(self, writer: PacedWriter, send_queue: SendQueue) -> None:
        self._writer, self._send_queue = writer, send_queue
        self._timer: asyncio.TimerHandle | None = None
        self.full = True

    def wait(self, sock: socket.socket, callback: Callable[[], object]) -> None:
        """Call `callback` once, when more can be sent."""
        if self.full:
            self._send_queue.wait(sock, callback)
        else:
            self._timer = self._writer.call_later(lambda: self._on_time(callback))

    def _on_time(self, callback: Callable[[], object]) -> None:
        self._timer = None
        self._writer.release()
        callback()

    def forget(self, sock: socket.socket) -> None:
        """Cancel wait()."""
        self._send_queue.forget(sock)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._writer.release()
