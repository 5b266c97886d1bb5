"""The numbers of a server: those of all its processes as one row."""

from typing import Final

from .cells import CELL, GAUGES, ROW_LENGTH
from .phase import Phase
from .shared_rows import SharedRows

_LARGEST: Final = (CELL["cache_age"], CELL["loop_lag"], CELL["store_disk"])
"""Gauges of which the largest is that of the server; of all others it is the sum."""


def totals(rows: SharedRows) -> list[int]:
    """The counters of all processes, also of those that have ended, and the gauges of those that live."""
    sums = [0] * ROW_LENGTH
    for row in range(rows.used):
        numbers = list(rows.read(row))
        if rows.phase_of(row) is Phase.NONE:
            for place in GAUGES:
                numbers[place] = 0
        for place in _LARGEST:
            numbers[place] = max(0, numbers[place] - sums[place])
        sums = [total + number for total, number in zip(sums, numbers, strict=True)]
    return sums
