"""Who reads slowly (SlowReader), and who too slowly (Pace, hazard A5): a client that takes some bytes in each period is
never overdue, and could hold a connection for days. With --min-send-rate it must take that many a second on average,
over each period of --send-timeout.

How much a client has taken is what it has acknowledged; the kernel knows (tcp_info, Linux), so it costs nothing to
those who are not slow. Only who has made us wait is looked at, from that moment until its answers are out.
"""

import asyncio
import socket
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .http_protocol import HTTPProtocol

_BYTES_ACKED: Final = 120
"""Where in struct tcp_info; it has been there since Linux 4.1."""
_LOOK: Final = 1.0
"""Seconds at most between two looks at a peer that keeps us waiting."""


class SendTimeout:
    """A peer that keeps us waiting: slow, but not dead as long as it takes some bytes in each period (hazard A4).

    The transport is told so only when a third of the kernel's buffer is free again, and that can take a slow reader
    minutes; the kernel knows better. patience: seconds of a period. next_look: when look() is due.
    """

    __slots__ = ("_taken", "_taking", "_timeout", "_transport", "next_look")

    def __init__(self, transport: asyncio.Transport, timeout: float, now: float) -> None:
        self._transport = transport
        self._timeout = timeout
        self._taken: int | None = None  # the kernel is asked when it matters: most are not slow
        self._taking = now
        self.next_look = now + min(_LOOK, timeout / 8)

    def look(self, now: float) -> bool:
        """Whether to go on."""
        taken = self._progress()
        if taken != self._taken:
            self._taken, self._taking = taken, now
        self.next_look = min(now + min(_LOOK, self._timeout / 8), self._taking + self._timeout)
        return now < self._taking + self._timeout

    def _progress(self) -> int:
        """Something else whenever the peer has taken some bytes."""
        try:
            return acknowledged(self._transport.get_extra_info("socket"))
        except (AttributeError, OSError, struct.error):
            return -self._transport.get_write_buffer_size()


class MinSendRate:
    """rate: bytes a second. period: seconds over which it is averaged."""

    def __init__(self, rate: int, period: float) -> None:
        self._least = rate * period
        self._period = period
        self._watched: dict[HTTPProtocol, tuple[float, int]] = {}

    def look(self, connections: Iterable["HTTPProtocol"], now: float) -> None:
        """Aborts those that were too slow. connections: all there are."""
        watched, self._watched = self._watched, {}
        for protocol in connections:
            if (known := watched.get(protocol)) is None:
                if protocol.write_paused:
                    self._watch(protocol, now)
            elif protocol.responding:
                if known[0] > now:
                    self._watched[protocol] = known
                elif acknowledged(protocol.sock) - known[1] >= self._least:
                    self._watch(protocol, now)
                else:
                    protocol.abort(forget=True)

    def _watch(self, protocol: "HTTPProtocol", now: float) -> None:
        try:
            self._watched[protocol] = (now + self._period, acknowledged(protocol.sock))
        except (OSError, struct.error):
            return  # a Unix socket, or the kernel does not tell: there is no bound then


def acknowledged(sock: socket.socket) -> int:
    """Bytes that the peer has acknowledged so far. Raises OSError or struct.error where that is not known."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_ACKED + 8)
    return int(struct.unpack_from("=Q", info, _BYTES_ACKED)[0])
