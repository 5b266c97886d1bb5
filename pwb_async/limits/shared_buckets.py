"""The token buckets of all processes of a server, in memory that they share.

    totals     one cell for each rate that holds for all connections together
    clients    a hash table with sets of eight places, each of which may hold any client whose hash leads to its set

A bucket is one number: the time at which it will be full again, in nanoseconds of the monotonic clock, which is the
same in all processes (the generic cell rate algorithm, ITU-T I.371). A bucket that is full is as good as one that is
not there, so places are never given back, and nothing has to be swept.

A new client takes the place in its set whose bucket is full, or will be first. If all eight are in use, that one client
is forgotten, and may send a burst again. So memory is bounded, and a table without space refuses no client.

There is no lock between processes, since one could be killed that has it. Each number is eight aligned bytes, which no
reader sees half of, and is looked at once more right before it is replaced. What another process counts for the same
client between these two, a tenth of a microsecond unless the kernel interrupts the first one just then, is lost.
"""

import threading
from mmap import mmap
from typing import Final

_MAX_TOTALS: Final = 256
"""Cells for totals."""
_WAYS: Final = 8
"""Places of a set."""
_SETS: Final = 16 * 1024
"""Sets: 131,072 places in all, which take 2 MiB, of which what is never used takes no memory."""
_MASK: Final = (1 << 64) - 1
_SET_SIZE: Final = 2 * _WAYS
"""Cells of a set: its keys, then its times."""


class SharedBuckets:
    """The buckets of one server. They have to be made before the processes that share them are forked."""

    def __init__(self, sets: int = _SETS) -> None:
        self._cells = memoryview(mmap(-1, 8 * (_MAX_TOTALS + sets * _SET_SIZE))).cast("Q")
        self._sets = sets
        self._names: list[bytes] = []
        self._lock = threading.Lock()

    def total(self, name: bytes) -> int:
        """The cell of the total with this name, which is the same after a reload. Raises ValueError if there is none.

        It has to be called before the processes that use the cell are forked.
        """
        if name not in self._names:
            if len(self._names) == _MAX_TOTALS:
                raise ValueError(f"there are more than {_MAX_TOTALS} rates of all connections together")
            self._names.append(name)
        return self._names.index(name)

    def reserve(self, cell: int, duration: int, earliest: int) -> int:
        """Reserve the next `duration` nanoseconds of a total, but none before `earliest`; return when they begin."""
        with self._lock:
            start = max(self._cells[cell], earliest)
            self._cells[cell] = start + duration
        return start

    def free_at(self, cell: int) -> int:
        """When what is reserved of a total ends."""
        return self._cells[cell]

    def take(self, key: int, interval: int, capacity: int, now: int) -> int:
        """Take a token from a client's bucket; return 0, or the nanoseconds after which there will be one.

        Args:
            key: A hash of the client, which is not 0; key_of() makes it.
            interval: The time in which one token is added.
            capacity: The time in which an empty bucket becomes full.
            now: The time.
        """
        start = _MAX_TOTALS + (key >> 8) % self._sets * _SET_SIZE
        with self._lock:
            cells = self._cells[start : start + _SET_SIZE].tolist()
            if key in cells[:_WAYS]:
                place = cells.index(key)
                full_at = max(cells[place + _WAYS], now) + interval
                if cells[place + _WAYS] > now + capacity:  # emptier than empty, as a reload has set a higher rate
                    self._cells[start + _WAYS + place] = now + capacity
                    return interval
            else:
                times = cells[_WAYS:]
                place = times.index(min(times))
                full_at = now + interval
            wait = full_at - now - capacity
            if wait > 0:
                return int(wait)
            if self._cells[start + _WAYS + place] == cells[_WAYS + place]:
                self._cells[start + place] = key  # first, so that no other process takes a second place for it
                self._cells[start + _WAYS + place] = full_at
                return 0
        return self.take(key, interval, capacity, now)  # as another process was faster


def key_of(name: bytes, client: bytes) -> int:
    """The key of a client in the count of this name.

    The hash of bytes has a secret of the process that made the others, so no client can choose its set.
    """
    return hash(name + b"\0" + client) & _MASK | 1
