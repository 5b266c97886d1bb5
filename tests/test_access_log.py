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
        log(*EXCHANGE)
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
            log(*EXCHANGE)
        written = 0
        while data := _some(reader):
            written += data.count(b"\n")
        assert 0 < log.dropped <= 1000 - written
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
    log(*EXCHANGE)
    log.flush()
    (tmp_path / "log").rename(tmp_path / "old")
    log.moved = True
    log(*EXCHANGE)
    log(*EXCHANGE)
    log.close()
    assert (tmp_path / "old").read_bytes().count(b"\n") == 1
    assert (tmp_path / "log").read_bytes().count(b"\n") == 2
