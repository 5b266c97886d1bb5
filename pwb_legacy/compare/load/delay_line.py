"""A delay line: a proxy that holds bytes back, so that a server on this machine seems to be far away.

Each direction of a connection holds its bytes back for half of the round-trip time, and passes them on in their order,
at any bandwidth. A new connection is held back for a whole round trip before, as its handshake takes on a real network.
Nothing else of a real network is there: no slow start, no packet loss, no bandwidth limit.

The proxy runs on the loop of the load generator, and so on its core. What its timers add is up to a millisecond.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, cast

from .messages import Address

MAX_HELD: Final = 1 << 20
"""Bytes that a direction holds before it stops reading; the last read may go beyond it."""
_EARLY: Final = 0.0005
"""Seconds that a timer of the loop may ring early: it counts whole milliseconds."""


class _End(asyncio.Protocol):
    """One end of a connection: what it receives is sent at the other end, some time later."""

    other: "_End"

    def __init__(self, line: "_Line") -> None:
        self._line = line
        self._transport: asyncio.Transport | None = None
        self._queue: deque[tuple[float, bytes]] = deque()  # when it is due; b"": the end of the connection
        self._is_reading = True
        self._is_writable = False
        self._timer: asyncio.TimerHandle | None = None
        self.begins = 0.0
        """When the connection is open, by the monotonic clock."""
        self.held = 0
        """Bytes that it holds back at the moment."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._line.ends.add(self)
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        self._hold(data)
        if self.held > MAX_HELD and self._transport is not None:
            self._is_reading = False
            self._transport.pause_reading()

    def connection_lost(self, _: Exception | None) -> None:
        self._line.ends.discard(self)
        self._is_reading, self._is_writable = True, False  # such that nothing resumes it
        self._hold(b"")

    def pause_writing(self) -> None:
        self._is_writable = False

    def resume_writing(self) -> None:
        self._is_writable = True
        self.other.pass_on()

    def _hold(self, data: bytes) -> None:
        self._queue.append((max(time.monotonic(), self.begins) + self._line.half, data))
        self.held += len(data)
        if self._timer is None:
            self._set_timer()

    def _set_timer(self) -> None:
        due, _ = self._queue[0]
        self._timer = asyncio.get_running_loop().call_later(max(0.0, due - time.monotonic()), self.pass_on)

    def pass_on(self) -> None:
        """Send what is due at the other end, as far as that takes it; it calls this again when it takes more."""
        self.stop()
        now = time.monotonic() + _EARLY
        while self._queue and self._queue[0][0] <= now and (self.other._is_writable or not self._queue[0][1]):
            _, data = self._queue.popleft()
            self.held -= len(data)
            self.other._send(data)
        if not self._is_reading and self.held <= MAX_HELD and self._transport is not None:
            self._is_reading = True
            self._transport.resume_reading()
        if self._queue and self._queue[0][0] > now:
            self._set_timer()

    def _send(self, data: bytes) -> None:
        """Send the bytes; b"" closes the connection behind what was sent before."""
        if self._transport is None:
            return
        if data:
            self._transport.write(data)
        else:
            self._is_writable = False
            self._transport.close()

    def stop(self) -> None:
        """Set no timer any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def abort(self) -> None:
        """Close at once, whatever is held."""
        self._is_writable = False
        if self._transport is not None:
            self._transport.abort()


class _Near(_End):
    """The client's end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._line.connect(self)


class _Line:
    """All connections of a delay line."""

    def __init__(self, address: Address, half: float) -> None:
        self._address = address
        self.half = half
        """Seconds that each direction holds its bytes back."""
        self.ends: set[_End] = set()
        """The ends that are open."""
        self._connecting: set[asyncio.Task[None]] = set()

    def accept(self) -> _End:
        """The client's end of a new connection."""
        near, far = _Near(self), _End(self)
        near.other, far.other = far, near
        near.begins = far.begins = time.monotonic() + 2 * self.half
        return near

    def connect(self, near: _End) -> None:
        """Connect the other end to the server."""
        task = asyncio.create_task(self._connect(near))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, near: _End) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: near.other, *self._address)
        except OSError:
            near.abort()
        if near not in self.ends:  # the client has left meanwhile
            near.other.abort()

    async def close(self) -> None:
        """Close all connections, and wait until they are closed."""
        for task in self._connecting:
            task.cancel()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        pairs = {each for end in self.ends for each in (end, end.other)}
        for end in pairs:
            end.abort()
        while self.ends:  # noqa: ASYNC110  once or twice: the loop closes them in its next round
            await asyncio.sleep(0)
        for end in pairs:
            end.stop()


@asynccontextmanager
async def delayed(address: Address, round_trip: float) -> AsyncIterator[Address]:
    """The address at which a server seems to be `round_trip` seconds away until the block ends; with 0 its own one."""
    if not round_trip:
        yield address
        return
    line = _Line(address, round_trip / 2)
    listener = await asyncio.get_running_loop().create_server(line.accept, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()
    finally:
        listener.close()
        await line.close()
