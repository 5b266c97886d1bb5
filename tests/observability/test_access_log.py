"""The access log: the lines that are kept are limited, and a backlog is reported (hazards A14, E8)."""

import os
import socket
import subprocess
import sys
import time
import tracemalloc
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from pwb_async.core.events import BadRequest
from pwb_async.observability import combined_format
from pwb_async.observability.access_log import AccessLog
from pwb_async.observability.exchange import make_exchange
from tests.core.driver import ask, get

EXCHANGE = make_exchange("127.0.0.1", BadRequest(400, "why", b"x" * 100), 400, 0, 0.0)


def test_a_backlog_is_reported_a14(tmp_path: Path) -> None:
    log = AccessLog(str(tmp_path / "log"))
    calls = []
    log.on_backlog = lambda: calls.append(log.flush())
    for _ in range(2500):
        log.record(EXCHANGE)
    assert len(calls) == 2
    assert (tmp_path / "log").read_bytes().count(b"\n") == 2000
    log.close()
    assert (tmp_path / "log").read_bytes().count(b"\n") == 2500


def test_lines_for_a_full_pipe_are_kept_up_to_a_limit_e8(tmp_path: Path) -> None:
    """20 MiB of lines are kept, the others are dropped and counted."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        log = AccessLog(str(tmp_path / "pipe"))
        log.on_backlog = log.flush
        for _ in range(150_000):
            log.record(EXCHANGE)
        written = b""
        while log.pending:
            log.flush()
            written += _read_some(reader)
        assert 19 << 20 < len(written) <= 22 << 20
        assert 0 < log.dropped == 150_000 - written.count(b"\n")
        log.close()
    finally:
        os.close(reader)


def test_a_pipe_gets_whole_lines_and_long_ones_in_pieces_e8(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        log = AccessLog(str(tmp_path / "pipe"))
        sizes = [*range(0, 3000, 100), 9000, 1, 4096, 5000, *range(100)]
        for size in sizes:
            log.record(make_exchange("h", BadRequest(400, "why", b"x" * size), 400, size, 0.0))
        written = b""
        while log.pending:
            log.flush()
            written += _read_some(reader)
        lines = written.splitlines()
        assert [int(line.split()[-3]) for line in lines] == sizes
        assert [line.count(b"x") for line in lines] == sizes
        assert log.dropped == 0
        log.close()
    finally:
        os.close(reader)


def _read_some(reader: int) -> bytes:
    try:
        return os.read(reader, 1 << 16)
    except BlockingIOError:
        return b""


def test_a_renamed_log_is_reopened_by_the_next_flush_e8(tmp_path: Path) -> None:
    log = AccessLog(str(tmp_path / "log"))
    log.record(EXCHANGE)
    log.flush()
    (tmp_path / "log").rename(tmp_path / "old")
    log.reopen_requested = True
    log.record(EXCHANGE)
    log.record(EXCHANGE)
    log.close()
    assert (tmp_path / "old").read_bytes().count(b"\n") == 1
    assert (tmp_path / "log").read_bytes().count(b"\n") == 2


def test_long_lines_for_a_full_pipe_are_kept_up_to_a_limit_e8(tmp_path: Path) -> None:
    """A hostile client can cause few, but long lines."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        log = AccessLog(str(tmp_path / "pipe"))
        tracemalloc.start()
        for number in range(1000):
            log.record(make_exchange("h", BadRequest(400, "why", b"x" * (1 << 16)), 400, number, 0.0))
        kept, _ = tracemalloc.get_traced_memory()
        assert kept < 24 << 20
        numbers = []
        while log.pending:
            log.flush()
            while data := _read_some(reader):
                numbers += [int(line.split()[-3]) for line in data.splitlines() if line.endswith(b'"-"')]
        assert numbers == [*range(1000 - log.dropped)]
        assert 0 < log.dropped < 1000
        log.record(EXCHANGE)
        log.close()
        assert _read_some(reader).count(b"\n") == 1
    finally:
        tracemalloc.stop()
        os.close(reader)


def test_lost_lines_are_counted_once_e8(tmp_path: Path) -> None:
    """The reader of a pipe ends after it has read a part of a block."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    log = AccessLog(str(tmp_path / "pipe"))
    for _ in range(5000):
        log.record(EXCHANGE)
    log.flush()
    read = _count_lines(reader)
    os.close(reader)
    log.flush()
    assert read > 0
    log.close()
    assert log.dropped == 5000 - read


def test_lines_are_handed_over_to_another_process_e8(tmp_path: Path) -> None:
    """The pipe has no reader yet: the parent keeps the lines that it takes, the child those that it refuses."""
    os.mkfifo(tmp_path / "pipe")
    child, parent = AccessLog(str(tmp_path / "pipe")), AccessLog(str(tmp_path / "pipe"))
    sizes = [*range(0, 3000, 100), 100_000, 1, 70_000]
    for size in sizes:
        child.record(make_exchange("h", BadRequest(400, "why", b"x" * size), 400, size, 0.0))
    child.flush()
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    its.setblocking(False)
    ours.setblocking(False)
    while child.pending:
        child.hand_over(its.send)
        with suppress(BlockingIOError):
            while True:
                parent.append(ours.recv(1 << 17))
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    written = b""
    while parent.pending:
        parent.flush()
        written += _read_some(reader)
    assert [line.count(b"x") for line in written.splitlines()] == sizes
    for log in (child, parent):
        log.close()
        assert log.dropped == 0
    os.close(reader)
    ours.close()
    its.close()


def test_lines_are_kept_for_the_next_reader_e8(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The pipe has no reader at first, then one twice. Each time without one is reported once."""
    os.mkfifo(tmp_path / "pipe")
    log = AccessLog(str(tmp_path / "pipe"))
    read = 0
    for times in (1, 2, 3):
        for _ in range(1000):
            log.record(EXCHANGE)
            log.flush()
        assert [record.getMessage() for record in caplog.records] == [
            f"no process reads the access log {tmp_path / 'pipe'}: its lines are kept until one does"
        ] * times
        reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        while log.pending:
            log.flush()
            read += _count_lines(reader)
        read += _count_lines(reader)
        os.close(reader)
    log.close()
    assert read == 3000
    assert log.dropped == 0


@pytest.mark.quiet
@pytest.mark.parametrize("count", [1, 100_000], ids=["empty", "full"])
def test_a_pipe_without_a_reader_is_reopened_and_closed_without_waiting_e8(count: int, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    log = AccessLog(str(tmp_path / "pipe"))
    for _ in range(count):
        log.record(EXCHANGE)
    log.flush()
    os.close(reader)
    begin = time.monotonic()
    for _ in range(2):
        log.reopen_requested = True
        log.record(EXCHANGE)
        log.flush()
    log.close()
    assert time.monotonic() - begin < 0.9


@pytest.mark.quiet
def test_a_slow_reader_delays_close_by_a_second_at_most_e8(tmp_path: Path) -> None:
    """The timeout is for all lines together, not for each."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    log = AccessLog(str(tmp_path / "pipe"))
    for _ in range(50_000):
        log.record(EXCHANGE)
    closed = Event()

    def read_slowly() -> None:
        while not closed.wait(0.3):
            os.read(reader, 4096)

    slow = Thread(target=read_slowly)
    slow.start()
    begin = time.monotonic()
    log.close()
    took = time.monotonic() - begin
    closed.set()
    slow.join()
    os.close(reader)
    assert 0.9 < took < 2
    assert 0 < log.dropped < 50_000


def _count_lines(reader: int) -> int:
    """Empties the pipe and returns the number of lines."""
    read = b""
    while data := _read_some(reader):
        read += data
    assert not read or read.endswith(b"\n")
    return read.count(b"\n")


def test_threads_record_while_another_one_flushes(tmp_path: Path) -> None:
    log = AccessLog(str(tmp_path / "log"))

    def record(name: bytes) -> None:
        for number in range(3_000):
            log.record(make_exchange("h", BadRequest(400, "why", name), 400, number, 0.0))

    threads = [Thread(target=record, args=(name,)) for name in (b"one", b"two", b"x" * 5000)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        log.flush()
    log.close()
    seen: dict[bytes, list[int]] = {}
    for line in (tmp_path / "log").read_bytes().splitlines():
        words = line.split()
        seen.setdefault(words[-5], []).append(int(words[-3]))
    assert log.dropped == 0
    assert [*seen.values()] == [[*range(3_000)]] * 3


def test_close_forgets_requests(tmp_path: Path) -> None:
    """A program that starts and stops servers would keep those of all of them otherwise."""
    log = AccessLog(str(tmp_path / "log"))
    log.record(make_exchange("127.0.0.1", ask(get()).request, 200, 0, 0.0))
    assert combined_format._cache
    assert combined_format._cached_client_fields.cache_info().currsize
    log.close()
    assert not combined_format._cache
    assert not combined_format._cached_client_fields.cache_info().currsize


def test_close_closes_what_was_opened_for_standard_output() -> None:
    """A pipe is opened again, since another process may have it open for writing that blocks; a file is not."""
    script = """
import os, sys
from pwb_async.observability import combined_format
from pwb_async.observability.access_log import AccessLog
before = os.listdir("/proc/self/fd")
AccessLog("-").close()
assert os.listdir("/proc/self/fd") == before
print("open")
"""
    for stdout in (-1, None):
        done = subprocess.run([sys.executable, "-c", script], stdout=stdout, check=True, timeout=20)
        assert done.stdout in (None, b"open\n")
