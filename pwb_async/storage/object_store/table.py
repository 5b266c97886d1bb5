"""What a store has said, for as long as it is believed.

An entry is fresh for a time, and then has to be asked for again. If the store fails, it may serve for a longer time
(stale-if-error of RFC 5861), in which the store is asked again every second.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_RETRY: Final = 1.0
"""Seconds after a failure for which the entry serves before the store is asked again."""


class _Entry(Generic[V]):
    __slots__ = ("fresh_until", "seen", "value")

    def __init__(self, value: V, seen: float, fresh_until: float) -> None:
        self.value, self.seen, self.fresh_until = value, seen, fresh_until


class Table(Generic[K, V]):
    """Values by key, of which those that were used longest ago are dropped. Several threads may use it."""

    def __init__(
        self,
        ttl: float,
        stale_if_error: float,
        most: int,
        clock: Callable[[], float] = time.monotonic,
        weigh: Callable[[V], int] = lambda _: 1,
    ) -> None:
        """ttl: seconds for which a value is fresh. stale_if_error: further seconds. most: how many are kept.

        weigh: as how many a value counts. One value is kept whatever it weighs.
        """
        self._ttl, self._longest, self._most, self._clock = ttl, ttl + stale_if_error, most, clock
        self._weigh, self._weight = weigh, 0
        self._lock = Lock()
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()

    def get(self, key: K) -> tuple[V] | None:
        """A value that may be used, in a tuple; None if it has to be asked for."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or entry.fresh_until < self._clock():
                return None
            self._entries.move_to_end(key)
            return (entry.value,)

    def known(self, key: K) -> V | None:
        """The last value, whatever its age; None if there is none."""
        entry = self._entries.get(key)
        return None if entry is None else entry.value

    def put(self, key: K, value: V) -> None:
        """Keep what the store has just said."""
        now = self._clock()
        with self._lock:
            self._drop(key)
            self._entries[key] = _Entry(value, now, now + self._ttl)
            self._weight += self._weigh(value)
            while self._weight > self._most and len(self._entries) > 1:
                self._drop(next(iter(self._entries)))

    def renew(self, key: K) -> None:
        """Keep what was known, as the store has just said that it is unchanged."""
        entry = self._entries.get(key)
        if entry is not None:
            self.put(key, entry.value)

    def forget(self, key: K) -> None:
        """Drop a value."""
        with self._lock:
            self._drop(key)

    def _drop(self, key: K) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._weight -= self._weigh(entry.value)

    def excuse(self, key: K) -> bool:
        """Let a value serve for a second more, as the store fails; return whether there is one that may."""
        with self._lock:
            entry, now = self._entries.get(key), self._clock()
            if entry is None or entry.seen + self._longest < now:
                return False
            entry.fresh_until = max(entry.fresh_until, now + _RETRY)
            return True
