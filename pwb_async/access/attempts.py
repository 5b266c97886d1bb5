"""How many passwords a client may try: ten at once, and one more every ten seconds.

An IPv6 client is its /64. A client without an address, on a Unix socket, is not limited, since all are alike there.
"""

import math
import threading
import time
from collections.abc import Callable
from typing import Final

from pwb_async.network.listeners import peer_prefix

_BURST: Final = 10
"""Wrong passwords that a client may send at once."""
_INTERVAL: Final = 10.0
"""Seconds after which it may try another one."""
_MAX_CLIENTS: Final = 10_000
"""Clients that are remembered; beyond that, those that have failed least recently are forgotten."""


class Attempts:
    """The attempts of all clients. Each has a time at which the last one is forgotten (a token bucket, as in nginx)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: returns seconds, and never goes back."""
        self._clock = clock
        self._until: dict[bytes, float] = {}
        self._lock = threading.Lock()

    def begin(self, client: str) -> int:
        """Count an attempt of a client; return 0, or the seconds after which it may try again, uncounted.

        It is counted before the password is checked, so that many at once are no way around the limit.
        """
        key, now = _key(client), self._clock()
        if not key:
            return 0
        with self._lock:
            until = max(self._until.pop(key, 0.0), now)
            wait = until + _INTERVAL - (now + _BURST * _INTERVAL)
            if wait <= 0:
                until += _INTERVAL
                if len(self._until) >= _MAX_CLIENTS:
                    self._until.pop(next(iter(self._until)))
            self._until[key] = until
        return max(0, math.ceil(wait))

    def forgive(self, client: str) -> None:
        """Take back an attempt, since its password was right."""
        key = _key(client)
        with self._lock:
            until = self._until.pop(key, 0.0) - _INTERVAL
            if until > self._clock():
                self._until[key] = until


def _key(client: str) -> bytes:
    try:
        return peer_prefix(client)
    except OSError:  # a name that a resolver of an embedding program has returned
        return client.encode()
