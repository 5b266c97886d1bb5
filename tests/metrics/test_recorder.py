"""What is counted of an exchange."""

import time

import pytest

from pwb_async.metrics.cells import BOUNDS, BUCKETS, CELL, REQUESTS
from pwb_async.metrics.metrics import Metrics
from pwb_async.metrics.totals import totals

NOW = 1_700_000_000.0


@pytest.fixture
def metrics(monkeypatch: pytest.MonkeyPatch) -> Metrics:
    monkeypatch.setattr("pwb_async.metrics.recorder.time", lambda: NOW)
    return Metrics()


def record(
    metrics: Metrics, method: bytes, status: int, sent: int = 0, seconds: float = 0.0, cached: bool = False
) -> None:
    metrics.recorder.record(method, status, sent, NOW - seconds, cached)


def counted(metrics: Metrics) -> dict[tuple[bytes, int], int]:
    metrics.recorder.flush()
    numbers = totals(metrics.rows)
    return {key: numbers[place] for key, place in REQUESTS.items() if numbers[place]}


def test_methods_and_statuses(metrics: Metrics) -> None:
    for method, status in (
        (b"GET", 200), (b"GET", 200), (b"HEAD", 304), (b"OPTIONS", 204), (b"PURGE", 405), (b"", 400), (b"GET", 499),
        (b"GET", 299), (b"x" * 99, 599),
    ):  # fmt: skip
        record(metrics, method, status)
    assert counted(metrics) == {
        (b"GET", 200): 2, (b"HEAD", 304): 1, (b"OPTIONS", 204): 1, (b"", 405): 1, (b"", 400): 1, (b"GET", 499): 1,
        (b"GET", 0): 1, (b"", 0): 1,
    }  # fmt: skip


def test_a_method_of_a_client_takes_no_memory(metrics: Metrics) -> None:
    from pwb_async.metrics.recorder import _CELLS

    size = len(_CELLS)
    record(metrics, b"BREW", 405)
    assert len(_CELLS) == size


def test_content_and_hits(metrics: Metrics) -> None:
    record(metrics, b"GET", 200, 1000, cached=True)
    record(metrics, b"GET", 200, 234)
    metrics.recorder.flush()
    numbers = totals(metrics.rows)
    assert (numbers[CELL["content_bytes"]], numbers[CELL["cache_hits"]]) == (1234, 1)


@pytest.mark.parametrize("place", range(len(BOUNDS) + 1))
def test_buckets(place: int, metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound belongs to its bucket (OpenMetrics 1.0, Histogram)."""
    monkeypatch.setattr("pwb_async.metrics.recorder.time", lambda: 0.0)
    seconds = BOUNDS[place] if place < len(BOUNDS) else 11.0
    metrics.recorder.record(b"", 400, 0, -seconds, False)
    metrics.recorder.flush()
    numbers = totals(metrics.rows)
    assert [numbers[each] for each in BUCKETS] == [int(each == place) for each in range(len(BOUNDS) + 1)]
    assert numbers[CELL["duration"]] == pytest.approx(seconds * 1e9, abs=1)


def test_a_clock_that_is_set_back(metrics: Metrics) -> None:
    record(metrics, b"GET", 200, seconds=2.0)
    record(metrics, b"GET", 200, seconds=-3600.0)
    metrics.recorder.flush()
    numbers = totals(metrics.rows)
    assert numbers[CELL["duration"]] == 2_000_000_000
    assert sum(numbers[place] for place in BUCKETS) == 2


def test_the_time_goes_on_in_the_row_of_another_process(metrics: Metrics) -> None:
    record(metrics, b"GET", 200, seconds=2.5)
    metrics.recorder.flush()
    metrics.use_row(0)
    record(metrics, b"GET", 200, seconds=1.5)
    metrics.recorder.flush()
    assert totals(metrics.rows)[CELL["duration"]] == 4_000_000_000


def test_a_sign_of_life(metrics: Metrics) -> None:
    before = time.monotonic_ns()
    metrics.beat()
    assert before <= metrics.rows.read(0)[CELL["heartbeat"]] <= time.monotonic_ns()


def test_a_clock_that_is_set_forward_by_decades(metrics: Metrics) -> None:
    """So many seconds that their sum fits into no row: the other numbers are counted all the same."""
    for _ in range(20):
        record(metrics, b"GET", 200, seconds=NOW)
    assert counted(metrics) == {(b"GET", 200): 20}
    metrics.use_row(0)
    record(metrics, b"GET", 200, seconds=NOW)
    assert counted(metrics) == {(b"GET", 200): 21}
