"""The minimum send rate: how slowly a client may read (--min-send-rate).

The send timeout alone allows a client that takes one byte in each period to hold a connection for days.
"""

import struct
from collections.abc import Iterable

from pwb_async.network.sockets import bytes_acknowledged

from .state import ServerConnection


class MinSendRate:
    """Aborts connections whose clients acknowledge too few bytes.

    A connection is measured from the moment when it first has to wait for its client until its responses are sent, so
    that fast clients cost nothing.
    """

    def __init__(self, rate: int, period: float) -> None:
        """rate: bytes a second, averaged over `period` seconds."""
        self._min_bytes = rate * period
        self._period = period
        self._measured: dict[ServerConnection, tuple[float, int]] = {}
        """For each connection the end of its period, and what was acknowledged at the beginning."""

    def check(self, connections: Iterable[ServerConnection], now: float) -> None:
        """Abort the connections that were too slow in the period that has just ended."""
        measured, self._measured = self._measured, {}
        for connection in connections:
            if (period := measured.get(connection)) is None:
                if connection.write_paused:
                    self._begin_period(connection, now)
            elif connection.responding:
                end, acknowledged = period
                if now < end:
                    self._measured[connection] = period
                elif bytes_acknowledged(connection.sock) - acknowledged >= self._min_bytes:
                    self._begin_period(connection, now)
                else:
                    connection.abort(reset=True)

    def _begin_period(self, connection: ServerConnection, now: float) -> None:
        try:
            self._measured[connection] = (now + self._period, bytes_acknowledged(connection.sock))
        except (OSError, struct.error):
            return  # a Unix socket: the kernel does not count, so no minimum is enforced
