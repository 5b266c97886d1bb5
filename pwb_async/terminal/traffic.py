"""What the status line shows: requests, bytes, and the clients of the last minute."""

import time
from typing import Final

from pwb_async.observability.exchange import Exchange

_CLIENT_SECONDS: Final = 60.0
"""Seconds for which a client counts after its last request."""

_MIN_SECONDS: Final = 0.5
"""Seconds over which rates are measured at least."""


class Traffic:
    """Counters of a server. record() is called where it serves, and rates() in another thread."""

    def __init__(self) -> None:
        self.requests = 0
        """Requests in all."""
        self.sent = 0
        """Bytes of content in all."""
        self._last_requests: dict[str, float] = {}  # of each client, in seconds since the epoch
        self._before = (time.monotonic(), 0, 0)
        self._rates = (0.0, 0.0)

    def record(self, exchange: Exchange) -> None:
        """Count an exchange. It is an Observer."""
        self.requests += 1
        self.sent += exchange.sent
        self._last_requests[exchange.client] = exchange.started_at

    def rates(self) -> tuple[float, float]:
        """Requests and bytes a second, measured over half a second or more."""
        then, requests_then, sent_then = self._before
        now, requests, sent = time.monotonic(), self.requests, self.sent
        if (seconds := now - then) >= _MIN_SECONDS:
            self._before = now, requests, sent
            self._rates = (requests - requests_then) / seconds, (sent - sent_then) / seconds
        return self._rates

    def clients(self) -> int:
        """The number of clients of the last minute."""
        oldest = time.time() - _CLIENT_SECONDS
        for client, last_request in list(self._last_requests.items()):
            if last_request < oldest:
                self._last_requests.pop(client, None)
        return len(self._last_requests)
