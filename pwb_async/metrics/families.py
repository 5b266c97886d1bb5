"""The families of metrics that a server has, with their values.

No label has a value that a client can choose, such as a path or a host: a client could make any number of time series.

To add a family, step by step:
  1. Its number gets a name in cells.py, among the counters or the gauges; each value of a label is a number of its own.
  2. families() yields it. If the server's number is not the sum of those of its processes, totals.py names it, too.
  3. A part of the server that counts has a plain attribute, which Measuring (server/measuring.py) reads once a second:
     _set() for a gauge, _take_over() for a counter. What follows from an exchange is counted by Recorder.record(), for
     which each hit pays; what is rare, by Recorder.count().
  4. The table of docs/operation.md has it, or a test fails. A chart is one line of admin/dashboard.html.
"""

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from .cells import BOUNDS, BUCKETS, CELL, METHODS, REQUESTS, STATUSES

Number: TypeAlias = int | float
_NANOSECONDS: Final = 1e9


class Kind(Enum):
    """The type of a family, as OpenMetrics names it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


class Sample(NamedTuple):
    """One value of a family."""

    suffix: str
    """What follows the name of the family, such as _total."""
    labels: tuple[tuple[str, str], ...]
    value: Number


class Family(NamedTuple):
    """Metrics of one name."""

    name: str
    """The name without the suffix that its type has."""
    kind: Kind
    about: str
    """A sentence for people."""
    samples: tuple[Sample, ...]
    unit: str = ""
    """The unit, with which the name ends; "" for none."""


def families(numbers: Sequence[int]) -> Iterator[Family]:
    """The families that the numbers of a server, a row of cells, make."""

    def number(name: str) -> int:
        return numbers[CELL[name]]

    def seconds(name: str) -> float:
        return number(name) / _NANOSECONDS

    yield _requests(numbers)
    yield _durations(numbers)
    yield _counter("pwb_http_response_content_bytes", "Bytes of content sent.", number("content_bytes"), "bytes")
    yield Family(
        "pwb_connections",
        Kind.GAUGE,
        "Open connections; other: a head or a handshake is under way, or the connection is being closed.",
        tuple(
            Sample("", (("state", state),), number(cell))
            for state, cell in (("responding", "responding"), ("idle", "idle"), ("other", "other_connections"))
        ),
    )
    yield _gauge("pwb_connections_allowed", "Connections that may be open at once.", number("allowed_connections"))
    yield _counter("pwb_connections_accepted", "Connections accepted, refused ones included.", number("accepted"))
    yield _counter("pwb_connections_refused", "Connections refused, as too many were open.", number("refused"))
    yield _counter("pwb_cache_hits", "Requests whose response was in the cache.", number("cache_hits"))
    yield _counter(
        "pwb_cache_misses", "Requests whose response could have been in the cache, but was not.", number("cache_misses")
    )
    yield _counter("pwb_cache_evictions", "Files removed from the cache for want of space.", number("cache_evictions"))
    yield _gauge("pwb_cache_files", "Files in the cache.", number("cache_entries"))
    yield _gauge("pwb_cache_size_bytes", "Memory that the cache uses.", number("cache_bytes"), "bytes")
    yield _gauge(
        "pwb_cache_age_seconds",
        "Time since the last use of the file that would be removed from the cache next.",
        seconds("cache_age"),
        "seconds",
    )
    yield _counter("pwb_disk_calls", "Calls that may wait for the disk.", number("disk_calls"))
    yield _counter("pwb_disk_timeouts", "Calls that the disk did not answer in time.", number("disk_timeouts"))
    yield _counter("pwb_disk_rejections", "Calls refused, as too many waited.", number("disk_rejections"))
    yield _gauge("pwb_disk_calls_waiting", "Calls that wait for the disk now.", number("disk_calls_waiting"))
    yield from _stores(number, seconds("store_duration"))
    yield _gauge(
        "pwb_event_loop_lag_seconds",
        "The longest delay of an event loop within the last half minute to minute.",
        seconds("loop_lag"),
        "seconds",
    )
    yield _counter("pwb_log_lines_dropped", "Lines of the access log that were lost.", number("log_lines_dropped"))
    yield _counter(
        "pwb_log_lines_skipped", "Requests that --log-exclude and --log-sample kept out.", number("log_lines_skipped")
    )
    yield Family(
        "pwb_reloads",
        Kind.COUNTER,
        "Reloads of the configuration.",
        tuple(
            Sample("_total", (("result", result),), number(cell))
            for result, cell in (("success", "reloads"), ("failure", "failed_reloads"))
        ),
    )
    yield _counter("pwb_worker_deaths", "Workers that ended without being asked to.", number("worker_deaths"))
    yield Family(
        "pwb_requests_limited",
        Kind.COUNTER,
        "Requests beyond --max-request-rate: refused with 429, or in a dry run only counted.",
        tuple(
            Sample("_total", (("result", result),), number(cell))
            for result, cell in (("refused", "limited"), ("dry_run", "over_limit"))
        ),
    )
    yield _counter("pwb_send_delays", "Pieces of responses that waited for --max-send-rate.", number("send_delays"))
    yield _counter(
        "pwb_send_delay_seconds",
        "Time for which pieces of responses waited for it.",
        seconds("send_delay_time"),
        "seconds",
    )
    yield _gauge("process_open_fds", "Open descriptors of all processes.", number("open_files"))
    yield _gauge(
        "process_resident_memory_bytes",
        "Resident memory, with what workers share counted for each.",
        number("resident_memory"),
        "bytes",
    )
    yield _counter(
        "process_cpu_seconds", "Processor time of all processes that serve.", seconds("processor_time"), "seconds"
    )


def _stores(number: Callable[[str], int], duration: float) -> Iterator[Family]:
    """The families of object stores."""
    yield Family(
        "pwb_store_requests",
        Kind.COUNTER,
        "Requests to object stores; no_answer: none, or not a whole one in time.",
        tuple(
            Sample("_total", (("result", result),), number(cell))
            for result, cell in (
                ("success", "store_successes"),
                ("failure", "store_failures"),
                ("no_answer", "store_no_answers"),
            )
        ),
    )
    yield _counter("pwb_store_duration_seconds", "Time that all of these requests took.", duration, "seconds")
    yield _counter(
        "pwb_store_stale",
        "Times that what was known served longer, as the store failed or was slow.",
        number("store_stale"),
    )
    yield Family(
        "pwb_store_cache_bytes",
        Kind.GAUGE,
        "Content of object stores that is kept.",
        tuple(
            Sample("", (("place", place),), number(cell))
            for place, cell in (("memory", "store_memory"), ("disk", "store_disk"))
        ),
        "bytes",
    )


def _counter(name: str, about: str, value: Number, unit: str = "") -> Family:
    return Family(name, Kind.COUNTER, about, (Sample("_total", (), value),), unit)


def _gauge(name: str, about: str, value: Number, unit: str = "") -> Family:
    return Family(name, Kind.GAUGE, about, (Sample("", (), value),), unit)


def info(name: str, about: str, **labels: str) -> Family:
    """A family that consists of labels."""
    return Family(name, Kind.INFO, about, (Sample("_info", tuple(labels.items()), 1),))


def gauge(name: str, about: str, value: Number, unit: str = "") -> Family:
    """A family that has one value, which can go up and down."""
    return _gauge(name, about, value, unit)


def _requests(numbers: Sequence[int]) -> Family:
    """Requests by method and status, those that have been seen."""
    samples = tuple(
        Sample("_total", (("method", method.decode() or "_OTHER"), ("status", str(status or "other"))), numbers[place])
        for method in METHODS
        for status in STATUSES
        if numbers[place := REQUESTS[method, status]]
    )
    return Family("pwb_http_requests", Kind.COUNTER, "Requests that were responded to.", samples)


def _durations(numbers: Sequence[int]) -> Family:
    """The histogram that OpenTelemetry names http.server.request.duration."""
    samples, count = [], 0
    for bound, place in zip((*map(repr, BOUNDS), "+Inf"), BUCKETS, strict=True):
        count += numbers[place]
        samples.append(Sample("_bucket", (("le", bound),), count))
    total = numbers[CELL["duration"]] / _NANOSECONDS
    samples += [Sample("_sum", (), total), Sample("_count", (), count)]
    about = "Time from when a request was complete until its response was sent or, from memory, made."
    return Family("http_server_request_duration_seconds", Kind.HISTOGRAM, about, tuple(samples), "seconds")
