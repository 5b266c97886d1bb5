"""Measures the gauges of a process that serves, and takes over what its parts have counted.

beat()       ten times a second: the delay of the event loop, a sign of life, and the counters of exchanges
refresh()    once a second, and whenever this process is asked for the metrics: everything else
"""

import time
from typing import TYPE_CHECKING, Final

from pwb_async.metrics.cells import CELL
from pwb_async.metrics.metrics import Metrics

from .state import ServerState

if TYPE_CHECKING:
    from pwb_async.limits.limits import Limits

_REFRESH_INTERVAL: Final = 1.0
"""Seconds between two measurements of everything: to look at 10,000 connections takes 2 ms."""
_LAG_PERIOD: Final = 30.0
"""Seconds after which the longest delay of the period before is forgotten."""


class Growth:
    """How much a number has grown since it was read last, whose owner may be replaced by one that begins at 0."""

    def __init__(self) -> None:
        self._owner: object = None
        self._last = 0

    def since(self, owner: object, number: int) -> int:
        """The growth up to now. owner: the object that counts."""
        grown = number - (self._last if owner is self._owner else 0)
        self._owner, self._last = owner, number
        return grown


class Measuring:
    """The measurements of one server.

    Args:
        metrics: Where they go.
        state: The state of the server.
        interval: Seconds between two calls of beat().
    """

    def __init__(self, metrics: Metrics, state: ServerState, interval: float) -> None:
        self._metrics, self._state, self._interval = metrics, state, interval
        self._growth: dict[str, Growth] = {}
        self._processor_time = 0.0
        self._next_refresh = 0.0
        self._last_beat: float | None = None
        self._lag = self._lag_before = self._period_end = 0.0
        metrics.refresh = self.refresh

    def beat(self, now: float) -> None:
        """Give a sign of life. now: the loop's clock."""
        if self._last_beat is not None:
            self._note_lag(now - self._last_beat - self._interval, now)
        self._last_beat = now
        if now >= self._next_refresh:
            self._next_refresh = now + _REFRESH_INTERVAL
            self.refresh()
        self._metrics.beat()

    def _note_lag(self, lag: float, now: float) -> None:
        if now >= self._period_end:
            self._period_end = now + _LAG_PERIOD
            self._lag, self._lag_before = 0.0, self._lag
        self._lag = max(self._lag, lag)
        self._set("loop_lag", int(max(self._lag, self._lag_before) * 1e9))

    def refresh(self) -> None:
        """Measure everything."""
        self._measure_connections()
        self._measure_cache()
        self._measure_disk()
        self._measure_stores()
        self._measure_process()
        if (log := self._state.context.log) is not None:
            self._take_over("log_lines_dropped", log, log.dropped)
            self._take_over("log_lines_skipped", log, log.skipped)
        if (limits := self._state.context.limits) is not None:
            self._measure_limits(limits)
        self._metrics.recorder.flush()

    def _measure_limits(self, limits: "Limits") -> None:
        if (requests := limits.requests) is not None:
            self._take_over("limited", requests, requests.refused)
            self._take_over("over_limit", requests, requests.passed)
        if (rates := limits.send_rates) is not None:
            self._take_over("send_delays", rates.delays, rates.delays.count)
            self._take_over("send_delay_time", rates.delays, rates.delays.time)

    def _set(self, name: str, number: int) -> None:
        self._metrics.recorder.numbers[CELL[name]] = number

    def _take_over(self, name: str, owner: object, number: int) -> None:
        """Add what `owner` has counted since the last time."""
        self._metrics.recorder.numbers[CELL[name]] += self._growth.setdefault(name, Growth()).since(owner, number)

    def _measure_connections(self) -> None:
        admission = self._state.admission
        connections = list(admission.connections)
        responding = sum(each.responding for each in connections)
        idle = sum(each.idle_order is not None for each in connections)
        self._set("responding", responding)
        self._set("idle", idle)
        self._set("other_connections", len(connections) - responding - idle)
        self._set("allowed_connections", admission.max_connections)
        self._take_over("accepted", admission, admission.accepted)
        self._take_over("refused", admission, admission.refused)

    def _measure_cache(self) -> None:
        cache, now = self._state.cache, self._state.clock()
        if cache is None:
            return
        store = cache.store
        self._set("cache_bytes", store.used)
        self._set("cache_entries", len(store))
        oldest = store.oldest_use
        self._set("cache_age", 0 if oldest is None else max(0, int((now - oldest) * 1e9)))
        self._take_over("cache_misses", cache, cache.misses)
        self._take_over("cache_evictions", store, store.evicted)

    def _measure_disk(self) -> None:
        threads = self._state.storage.clients_threads
        self._set("disk_calls_waiting", threads.waiting)
        self._take_over("disk_calls", threads, threads.called)
        self._take_over("disk_timeouts", threads, threads.timed_out)
        self._take_over("disk_rejections", threads, threads.rejected)

    def _measure_stores(self) -> None:
        fetches = self._state.storage.fetches
        if fetches is None:
            return
        for name, number in (
            ("store_successes", fetches.succeeded),
            ("store_failures", fetches.failed),
            ("store_no_answers", fetches.unanswered),
            ("store_duration", int(fetches.seconds * 1e9)),
            ("store_stale", fetches.stale),
        ):
            self._take_over(name, fetches, number)
        caches = [each.slices for each in self._state.context.sites.object_stores]
        self._set("store_memory", sum(each.memory_used for each in caches))
        self._set("store_disk", max((each.disk_used for each in caches), default=0))

    def _measure_process(self) -> None:
        used = time.process_time()
        self._metrics.recorder.numbers[CELL["processor_time"]] += int((used - self._processor_time) * 1e9)
        self._processor_time = used
        if (figures := self._metrics.figures) is not None:
            self._set("open_files", figures.open_files())
            self._set("resident_memory", figures.resident_memory())
