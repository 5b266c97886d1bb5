"""The numbers of this process, and how its exchanges are counted.

An exchange is counted in a list, which is cheaper than the shared memory; flush() copies the list there, ten times a
second, and whenever this process is asked for the metrics. What most exchanges have in common, a response from the
cache within the first bucket, is not counted one by one: flush() subtracts the others from all.
"""

from bisect import bisect_left
from time import time
from typing import Final

from .cells import ALL_REQUESTS, BOUNDS, BUCKETS, CELL, GAUGES, METHODS, REQUESTS, SLOWER_BUCKETS, STATUSES
from .shared_rows import MAX_NUMBER, SharedRows

_CONTENT_BYTES: Final = CELL["content_bytes"]
_CACHE_HITS: Final = CELL["cache_hits"]
_DURATION: Final = CELL["duration"]
_FIRST_BUCKET: Final = BUCKETS.start
_FASTEST: Final = BOUNDS[0]


_CELLS: Final = {method: {status: REQUESTS[method, status] for status in STATUSES} for method in METHODS}
"""The cells of requests by method, then by status."""


class Recorder:
    """What one process counts and measures."""

    numbers: list[int]
    """The numbers of the row, by the places in cells.py; times in nanoseconds."""

    def __init__(self, rows: SharedRows, row: int) -> None:
        """Continue the counters of a row, which belongs to this process."""
        self._rows = rows
        self.row = row
        """The number of the row."""
        self.numbers = list(rows.read(row))
        for place in GAUGES:
            self.numbers[place] = 0
        self._seconds = self.numbers[_DURATION] / 1e9
        self._uncached = sum(self.numbers[ALL_REQUESTS]) - self.numbers[_CACHE_HITS]

    def record(self, method: bytes, status: int, sent: int, started_at: float, cached: int) -> None:
        """Count an exchange whose response is sent now; status, sent and started_at: as Exchange has them.

        cached: not 0 if the response was in the cache.
        """
        numbers = self.numbers
        duration = time() - started_at
        try:
            numbers[_CELLS[method][status]] += 1
        except KeyError:
            numbers[_rare_cell(method, status)] += 1
        numbers[_CONTENT_BYTES] += sent
        if not cached:
            self._uncached += 1
        if duration > 0:  # the clock may have been set back
            self._seconds += duration
            if duration > _FASTEST:
                numbers[_FIRST_BUCKET + bisect_left(BOUNDS, duration)] += 1

    def count(self, name: str, number: int = 1) -> None:
        """Add to a counter, and let all processes see it."""
        self.numbers[CELL[name]] += number
        self.flush()

    def flush(self) -> None:
        """Let all processes see the numbers."""
        numbers = self.numbers
        requests = sum(numbers[ALL_REQUESTS])
        numbers[_CACHE_HITS] = requests - self._uncached
        numbers[_FIRST_BUCKET] = requests - sum(numbers[SLOWER_BUCKETS])
        numbers[_DURATION] = min(int(self._seconds * 1e9), MAX_NUMBER)  # the clock may have been set forward by decades
        self._rows.write(self.row, numbers)


def _rare_cell(method: bytes, status: int) -> int:
    """The cell of a request whose method or status is not counted apart."""
    by_status = _CELLS.get(method, _CELLS[b""])
    return by_status.get(status, by_status[0])
