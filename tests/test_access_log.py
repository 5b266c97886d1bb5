"""The access log by itself: what waits is bounded, and asks to be written before it is much (hazards A14, E8)."""

import os
from pathlib import Path

from pwb_async.access_log import AccessLog
from pwb_async.core.messages import BadRequest

EXCHANGE = ("127.0.0.1", BadRequest(400, "why", b"x" * 100), 400, 0, 0.0)


def test_many_lines_ask_for_a_flush_a14(tmp_path: Path) -> None:
    log = AccessLog(str(tmp_path / "log"))
    asked = []
    log.hurry = lambda: asked.append(log.flush())
    for _ in range(2500):
        log.note(*EXCHANGE)
    assert len(asked) == 2
    assert (tmp_path / "log").read_bytes().count(b"\n") == 2000
    log.close()
    assert (tmp_path / "log").read_bytes().count(b"\n") == 2500


def test_what_nobody_reads_is_bounded_e8(tmp_path: Path) -> None:
    """A pipe that is full: so many lines wait, the others are counted and forgotten."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        log = AccessLog(str(tmp_path / "pipe"))
        log.hurry = log.flush
        for _ in range(101_000):
            log.note(*EXCHANGE)
        written = 0
        while data := _some(reader):
            written += data.count(b"\n")
        assert 0 < log.dropped <= 1000 - written
        log.close()
    finally:
        os.close(reader)


def test_a_pipe_gets_whole_lines_and_a_long_one_in_pieces_e8(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        log = AccessLog(str(tmp_path / "pipe"))
        sizes = [*range(0, 3000, 100), 9000, 1, 4096, 5000, *range(100)]
        for size in sizes:
            log.note("h", BadRequest(400, "why", b"x" * size), 400, size, 0.0)
        written = b""
        while log.waiting:
            log.flush()
            written += _some(reader)
        lines = written.splitlines()
        assert [int(line.split()[-3]) for line in lines] == sizes
        assert [line.count(b"x") for line in lines] == sizes
        assert log.dropped == 0
        log.close()
    finally:
        os.close(reader)


def _some(reader: int) -> bytes:
    try:
        return os.read(reader, 1 << 16)
    except BlockingIOError:
        return b""


def test_moved_log_is_reopened_by_the_next_flush_e8(tmp_path: Path) -> None:
    log = AccessLog(str(tmp_path / "log"))
    log.note(*EXCHANGE)
    log.flush()
    (tmp_path / "log").rename(tmp_path / "old")
    log.moved = True
    log.note(*EXCHANGE)
    log.note(*EXCHANGE)
    log.close()
    assert (tmp_path / "old").read_bytes().count(b"\n") == 1
    assert (tmp_path / "log").read_bytes().count(b"\n") == 2
