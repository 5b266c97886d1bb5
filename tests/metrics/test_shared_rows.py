"""The memory that processes share, with real processes."""

import os

import pytest

from pwb_async.metrics.cells import CELL, GAUGES, ROW_LENGTH
from pwb_async.metrics.metrics import Metrics
from pwb_async.metrics.phase import Phase
from pwb_async.metrics.shared_rows import MAX_ROWS, SharedRows
from pwb_async.metrics.totals import totals


def in_child(work: object) -> None:
    """Calls a function in a forked process, which ends at once."""
    pid = os.fork()
    if not pid:
        try:
            work()  # type: ignore[operator]
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0


def test_all_processes_see_what_each_has_counted() -> None:
    metrics = Metrics()
    rows = [metrics.rows.claim() for _ in range(3)]
    assert rows == [1, 2, 3]

    def count(row: int) -> None:
        metrics.use_row(row)
        metrics.recorder.count("reloads", 2**40 + row)

    for row in rows:
        in_child(lambda row=row: count(row))
    metrics.recorder.count("reloads")
    assert totals(metrics.rows)[CELL["reloads"]] == 3 * 2**40 + 6 + 1


def test_a_row_is_continued_by_the_next_process() -> None:
    metrics = Metrics()

    def count() -> None:
        metrics.use_row(1)
        metrics.recorder.numbers[CELL["idle"]] = 7
        metrics.recorder.count("accepted", 5)

    assert metrics.rows.claim() == 1
    in_child(count)
    assert totals(metrics.rows)[CELL["idle"]] == 7
    metrics.rows.set_phase_of(1, Phase.NONE)
    assert (totals(metrics.rows)[CELL["accepted"]], totals(metrics.rows)[CELL["idle"]]) == (5, 0)
    assert metrics.rows.claim() == 1
    in_child(count)
    assert totals(metrics.rows)[CELL["accepted"]] == 10
    assert metrics.rows.used == 2


def test_the_largest_of_some_gauges_counts() -> None:
    rows = SharedRows()
    for lag in (5, 9, 3):
        row = rows.claim()
        numbers = [0] * ROW_LENGTH
        numbers[CELL["loop_lag"]] = lag
        numbers[CELL["idle"]] = lag
        rows.write(row, numbers)
    assert (totals(rows)[CELL["loop_lag"]], totals(rows)[CELL["idle"]]) == (9, 17)


def test_phases() -> None:
    rows = SharedRows()
    assert rows.phase is Phase.STARTING
    rows.set_phase(Phase.SERVING)
    first, second = rows.claim(), rows.claim()
    rows.set_phase_of(second, Phase.SERVING)
    assert rows.rows_in(Phase.STARTING) == [first]
    assert rows.rows_in(Phase.SERVING, Phase.STARTING) == [first, second]
    assert rows.phase is Phase.SERVING


def test_there_is_no_row_for_any_number_of_processes() -> None:
    rows = SharedRows()
    for _ in range(MAX_ROWS - 1):
        rows.claim()
    with pytest.raises(OSError, match="1024 processes"):
        rows.claim()
    rows.set_phase_of(17, Phase.NONE)
    assert rows.claim() == 17


def test_rows_begin_at_cache_lines_and_end_before_the_next_one() -> None:
    rows = SharedRows()
    last = [2**64 - 1] * ROW_LENGTH
    rows.write(MAX_ROWS - 1, last)
    rows.write(1, last)
    assert rows.read(MAX_ROWS - 1) == rows.read(1) == tuple(last)
    assert not any(rows.read(0))
    assert not any(rows.read(2))
    assert rows.phase_of(0) is Phase.NONE
    assert max(GAUGES) < ROW_LENGTH
