"""The cells of a row: which number of a process has which place.

A row is a sequence of whole numbers from 0 to 2**64 - 1. Times are in nanoseconds.
"""

from typing import Final

from pwb_async.core.semantics.messages import REASONS

METHODS: Final = (b"GET", b"HEAD", b"OPTIONS", b"")
"""The methods that are counted apart; b"" stands for all others, and for requests without a method."""
STATUSES: Final = (*sorted({*REASONS, 499}), 0)
"""The status codes that are counted apart; 0 stands for all others. 499 is that of a request which was reset before its
response."""
BOUNDS: Final = (
    0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""The upper bounds of the buckets of durations, in seconds. Those of OpenTelemetry begin at 5 ms, which is a hundred
times what a small file takes."""

_NAMES: Final = (
    # counters
    "content_bytes",
    "duration",
    "accepted",
    "refused",
    "cache_hits",
    "cache_misses",
    "cache_evictions",
    "disk_calls",
    "disk_timeouts",
    "disk_rejections",
    "store_successes",
    "store_failures",
    "store_no_answers",
    "store_duration",
    "store_stale",
    "log_lines_dropped",
    "log_lines_skipped",
    "processor_time",
    "reloads",
    "failed_reloads",
    "worker_deaths",
    "limited",
    "over_limit",
    "send_delays",
    "send_delay_time",
    # gauges
    "responding",
    "idle",
    "other_connections",
    "allowed_connections",
    "cache_bytes",
    "cache_entries",
    "cache_age",
    "disk_calls_waiting",
    "store_memory",
    "store_disk",
    "loop_lag",
    "open_files",
    "resident_memory",
    "heartbeat",
)
_FIRST_GAUGE: Final = _NAMES.index("responding")

CELL: Final = {name: number for number, name in enumerate(_NAMES)}
"""The place of each number that has a name."""
GAUGES: Final = range(_FIRST_GAUGE, len(_NAMES))
"""The places of the gauges, which count only as long as their process lives."""
BUCKETS: Final = range(len(_NAMES), len(_NAMES) + len(BOUNDS) + 1)
"""The places of the buckets of durations; the last one has no upper bound."""
REQUESTS: Final = {
    (method, status): BUCKETS.stop + number
    for number, (method, status) in enumerate((method, status) for method in METHODS for status in STATUSES)
}
"""The place of the requests with a method and a status."""
ALL_REQUESTS: Final = slice(BUCKETS.stop, BUCKETS.stop + len(REQUESTS))
"""The places of all requests."""
SLOWER_BUCKETS: Final = slice(BUCKETS.start + 1, BUCKETS.stop)
"""The places of the buckets but the first."""
ROW_LENGTH: Final = BUCKETS.stop + len(REQUESTS)
"""Cells of a row."""
