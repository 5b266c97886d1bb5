"""--delay-disk: what is delayed, by how much, and its effect on each design, as its timeline shows it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pwb_async.config.loader import read_options
from pwb_async.config.modes import MODES
from pwb_async.config.options import ConfigError, Options
from pwb_async.config.parsers import Delay
from pwb_async.core.site.findings import OpenFile
from pwb_async.core.site.lookup import Lookup, candidates_of
from pwb_async.storage import slow_disk
from pwb_async.storage.disk import Disk
from pwb_async.storage.slow_disk import SlowDisk
from tests.conformance.designs import DESIGNS, REFERENCE, Design
from tests.conformance.peer import Peer, run_together, send_request
from tests.conformance.server import environment, running
from tests.conformance.wire import get
from tests.storage.test_disk import a_day_later

from . import timeline
from .helpers import BIG, TEXT

SLOWED_DOWN = "slowed down on purpose"
designs = pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)


def parse_delays(*words: str, **environ: str) -> tuple[Delay, ...]:
    argv = [part for word in words for part in ("--delay-disk", word)]
    return read_options("pwb", argv, environ, "/").delay_disk


# -- values of the option


@pytest.mark.parametrize(
    ("text", "glob", "seconds", "jitter"),
    [
        ("20ms", "*", 0.02, 0.0),
        ("0.5", "*", 0.5, 0.0),
        ("0", "*", 0.0, 0.0),
        ("20ms~5ms", "*", 0.02, 0.005),
        ("1s~1s", "*", 1.0, 1.0),
        ("*.bin=200ms", "*.bin", 0.2, 0.0),
        ("/a=b/*=1ms~1ms", "/a=b/*", 0.001, 0.001),
    ],
)
def test_valid_values(text: str, glob: str, seconds: float, jitter: float) -> None:
    assert parse_delays(text) == parse_delays(PWB_DELAY_DISK=text) == (Delay(glob, seconds, jitter),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("20", "20 s"),
        ("20ms", "20 ms"),
        ("0.5", "500 ms"),
        ("1.5s", "1.5 s"),
        ("2m", "120 s"),
        ("0", "0 ms"),
        ("20ms~5ms", "15 to 25 ms"),
        ("1s~1s", "0 to 2 s"),
        ("*.bin=0.1ms", "0.1 ms for *.bin"),
    ],
)
def test_a_delay_is_announced_with_its_unit(text: str, words: str) -> None:
    assert [str(delay) for delay in parse_delays(text)] == [words]


def test_several_values(tmp_path: Path) -> None:
    several = parse_delays("1ms", "*.bin=2ms")
    assert [delay.glob for delay in several] == ["*", "*.bin"]
    assert parse_delays(PWB_DELAY_DISK="1ms *.bin=2ms") == several
    (tmp_path / "pwb.toml").write_text("delay-disk = ['1ms', '*.bin=2ms']")
    assert read_options("pwb-legacy", [], {}, tmp_path).delay_disk == several


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not a time such as"),
        ("fast", "is not a time such as"),
        ("-1ms", "is not a time such as"),
        ("20ms~", "is not a time such as"),
        ("20ms~x", "is not a time such as"),
        ("~5ms", "is not a time such as"),
        ("*.bin=", "is not a time such as"),
        ("=20ms", "has no glob before the ="),
        ("5ms~6ms", "has more jitter than delay"),
        ("600h", "is not above 0 and at most 2000000 seconds"),
    ],
)
def test_invalid_values(text: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_delays(text)
    assert str(caught.value).startswith(f"--delay-disk: {text!r} {why}")
    assert "\n" not in str(caught.value)


# -- what is delayed, and by how much


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds of each sleep; they are recorded, not slept."""
    noted: list[float] = []
    monkeypatch.setattr(slow_disk, "sleep", noted.append)
    return noted


def lookup(path: bytes, folder: bool = False, **more: Any) -> Lookup:
    request: Any = None  # a disk does not use it
    shown = path + b"/" if path and folder else path
    return Lookup(request, shown, candidates_of(path, folder, (b"index.html",)), **more)


@pytest.mark.parametrize(
    ("path", "folder", "seconds"),
    [
        (b"a.txt", False, [0.001]),
        (b"a.bin", False, [0.003]),
        (b"x/a.bin", False, [0.004]),
        (b"x/a.txt", False, [0.001]),
        (b"x", True, [0.005]),
        (b"", True, [0.006]),
        (b"fast", False, [0.0]),
        (b"\xff.bin", False, [0.003]),
    ],
)
def test_the_last_match_wins(root: Path, sleeps: list[float], path: bytes, folder: bool, seconds: list[float]) -> None:
    delays = parse_delays("1ms", "*.BIN=2ms", "*.bin=3ms", "/x/*.bin=4ms", "/x/=5ms", "/=6ms", "/fast=0")
    SlowDisk(Disk(root), delays).find(lookup(path, folder))
    assert sleeps == seconds


def test_other_paths_are_not_delayed(root: Path, sleeps: list[float]) -> None:
    disk = SlowDisk(Disk(root, clock=a_day_later), parse_delays("/none=1s"))
    found = disk.find(lookup(b"big.bin"))
    assert isinstance(found, OpenFile)
    assert disk.revalidate([(lookup(b"big.bin"), found)]) == [True]
    assert found.file is not None
    found.file.read_into(bytearray(10), 0)
    found.file.close()
    assert not sleeps


def test_each_call_is_delayed_except_for_reads_from_the_page_cache(root: Path, sleeps: list[float]) -> None:
    disk = SlowDisk(Disk(root, clock=a_day_later), parse_delays("1ms"))
    found = disk.find(lookup(b"big.bin"))
    assert isinstance(found, OpenFile)
    assert found.file is not None
    assert len(sleeps) == 1
    assert not found.file.in_page_cache(0, 10)
    assert found.file.read_into(bytearray(100), 0) == 100
    assert len(sleeps) == 2
    assert found.file.in_page_cache(0, 100)
    assert not found.file.in_page_cache(50, 51)
    found.file.read_into(bytearray(10), 90)
    assert len(sleeps) == 2
    found.file.read_into(bytearray(10), 100)
    assert len(sleeps) == 3
    assert disk.revalidate([(lookup(b"big.bin"), found)] * 3) == [True] * 3
    assert len(sleeps) == 6
    found.file.close()


def first_delays() -> list[float]:
    """The first delays of a process, and of two children that it forks."""
    script = """
import os
from pwb_async.storage import slow_disk
from pwb_async.config.parsers import Delay
slow_disk.sleep = lambda seconds: print(seconds, flush=True)
def wait(): slow_disk._wait(Delay("*", 0.02, 0.005))
wait()
wait()
for _ in range(2):
    if not (pid := os.fork()):
        wait()
        os._exit(0)
    os.waitpid(pid, 0)
"""
    done = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.splitlines()]


def test_jitter_is_the_same_in_each_run_and_differs_in_each_child() -> None:
    delays = first_delays()
    assert len(set(delays)) == len(delays) == 4
    assert all(0.015 <= delay <= 0.025 for delay in delays)
    assert first_delays() == delays


# -- the effect on each design


@designs
async def test_responses_do_not_change(design: Design, root: Path, tmp_path: Path) -> None:
    requests = [get("/a.txt"), get("/none"), get("/"), get("/big.bin"), get("/big.bin", "Range: bytes=5-9")]
    (tmp_path / "plain").mkdir()
    async with running(REFERENCE, root, log_dir=tmp_path / "plain") as server:
        expected = [(await send_request(server.address, request)).without_date_and_connection for request in requests]
    slow = ("--delay-disk", "2ms~2ms", "--delay-disk", "*.bin=0.1ms")
    async with running(design, root, *slow, log_dir=tmp_path, allowed_errors=SLOWED_DOWN) as server:
        assert [
            (await send_request(server.address, request)).without_date_and_connection for request in requests
        ] == expected
    assert server.error_output() == (
        f"{design.program}: the disk is slowed down on purpose, by 0 to 4 ms, 0.1 ms for *.bin\n"
    )


CONCURRENT_LOOKUPS = {"async-uvloop", "async-asyncio", *(name for name, mode in MODES.items() if mode.parallel_lookups)}
"""Designs whose lookups overlap; in the others a lookup delays all clients."""
CLIENTS = 4
DELAY_US = 100_000.0


@designs
async def test_lookups_overlap_where_the_design_allows(design: Design, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    for number in range(CLIENTS):
        (root / f"{number}.txt").write_bytes(TEXT)
    options = ("--delay-disk", "100ms", "--trace", str(path))
    async with running(design, root, *options, log_dir=tmp_path, allowed_errors=SLOWED_DOWN) as server:
        with server.suspended():  # so that all requests arrive before the first response
            peers = [Peer(server.address) for _ in range(CLIENTS)]
            for number, peer in enumerate(peers):
                await peer.__aenter__()
                await peer.send(get(f"/{number}.txt"))
        answers = await run_together(*(peer.read_response() for peer in peers))
        for peer in peers:
            peer.socket.close()
    assert [answer.content for answer in answers] == [TEXT] * CLIENTS
    finds = [find for find in timeline.steps(timeline.read(path), "find") if "connection" in find["args"]]
    assert len(finds) == CLIENTS
    assert all(find["dur"] >= DELAY_US for find in finds)
    if design.name in CONCURRENT_LOOKUPS:
        assert timeline.max_overlap(finds) > 1
    else:
        assert timeline.max_overlap(finds) == 1
        assert timeline.end(finds[-1]) - finds[0]["ts"] >= CLIENTS * DELAY_US


@designs
async def test_each_read_of_a_large_file_is_delayed(design: Design, root: Path, tmp_path: Path) -> None:
    """Every piece that is read from the disk is delayed, on the lane that reads it."""
    path = tmp_path / "trace.json"
    options = ("--delay-disk", "/big.bin=0.5ms", "--trace", str(path))
    async with running(design, root, *options, log_dir=tmp_path, allowed_errors=SLOWED_DOWN) as server:
        assert len((await send_request(server.address, get("/big.bin"))).content) == BIG
    steps = timeline.steps(timeline.read(path))
    reads = [step for step in steps if step["name"] == "read"]
    slow = [read for read in reads if read["dur"] >= 500.0]
    piece = 2048 if design.name.startswith("async") else 64  # KiB
    assert len(slow) >= BIG // (piece * 1024)
    sends = {(step["pid"], step["tid"]) for step in steps if step["name"] == "send"}
    own = {(step["pid"], step["tid"]) for step in reads}
    if design.name.startswith("async") or (design.name in CONCURRENT_LOOKUPS and MODES[design.name].family == "loop"):
        assert not own & sends, "the loop must never wait for the disk"
    else:
        assert own == sends


async def test_a_lookup_beyond_the_disk_timeout_is_503(root: Path, tmp_path: Path) -> None:
    options = ("--delay-disk", "*.txt=30s", "--disk-timeout", "50ms")
    reason = "'/a.txt': unavailable: the disk does not answer"
    async with running(REFERENCE, root, *options, log_dir=tmp_path, allowed_errors=f"{SLOWED_DOWN}|{reason}") as server:
        assert (await send_request(server.address, get())).status == 503
        assert server.error_output().count(reason) == 1
        assert (await send_request(server.address, get("/none"))).status == 404


def test_it_is_off_by_default() -> None:
    assert Options().delay_disk == ()
    script = "import sys, pwb_async.runtime.opening as s; s.open_context('pwb', s.Options(port=0, root='/')); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True)
    assert not {
        "pwb_async.storage.slow_disk",
        "pwb_async.observability.trace_events",
        "pwb_async.observability.tracing",
        "random",
    } & set(done.stdout.split())
