"""The minimum send rate: how slowly a client may read (--min-send-rate).

The send timeout alone allows a client that takes one byte in each period to hold a connection for days.
"""

from collections.abc import Iterable

from pwb_async.network.send_rate import SendRate

from .faults import contain
from .state import ServerConnection


class MinSendRate:
    """Aborts connections whose clients acknowledge too few bytes.

    A connection is measured from the moment when it first has to wait for its client until its responses are sent, so
    that fast clients cost nothing. The time for which the server itself holds back what it sends does not count.
    """

    def __init__(self, rate: int, period: float) -> None:
        """rate: bytes a second, averaged over `period` seconds."""
        self._rate = rate
        self._period = period
        self._measured: dict[ServerConnection, SendRate] = {}

    def check(self, connections: Iterable[ServerConnection], now: float) -> None:
        """Abort the connections that were too slow in the period that has just ended."""
        measured, self._measured = self._measured, {}
        for connection in connections:
            rate = measured.get(connection)
            if connection.write_paused or rate is not None:
                contain(connection, self._check, connection, rate, now)

    def _check(self, connection: ServerConnection, rate: SendRate | None, now: float) -> None:
        if rate is None:
            self._measured[connection] = SendRate(connection.sock, now - connection.held)
        elif connection.responding:
            if rate.is_below(self._rate, self._period, connection.sock, now - connection.held):
                connection.abort(reset=True)
            else:
                self._measured[connection] = rate
