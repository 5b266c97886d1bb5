"""--trace: what is in the file, for each design; and what may happen to the file."""

import asyncio
import json
import logging
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest

import pwb_async
from pwb_async.observability.trace_events import TraceWriter
from tests.conformance.designs import CONCURRENT, DESIGNS, FIXED, REFERENCE, Design
from tests.conformance.peer import TIMEOUT, Peer, send_request
from tests.conformance.server import Server, environment, eventually, running
from tests.conformance.wire import get

from . import timeline
from .command import launched
from .helpers import BIG, TEXT, fetch, fetch_fresh
from .test_privileges import needs_landlock

designs = pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
concurrent = pytest.mark.parametrize("design", CONCURRENT, ids=lambda design: design.name)


async def send_requests(server: Server) -> None:
    """One client sends four requests while another one, whose request head arrives in two pieces, waits."""
    if not server.design.keeps_alive:
        for target in ("/a.txt", "/none", "/big.bin"):
            await send_request(server.address, get(target))
        return
    async with Peer(server.address) as slow, Peer(server.address) as peer:
        await slow.send_pieces([get()[:20]])
        assert (await fetch(peer)).content == TEXT
        assert (await fetch(peer, "/none")).status == 404
        assert len((await fetch(peer, "/big.bin")).content) == BIG
        await slow.send(get()[20:])
        assert (await slow.read_response()).content == TEXT


@designs
async def test_every_design(design: Design, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    async with running(design, root, "--trace", str(path), log_dir=tmp_path) as server:
        await send_requests(server)
    events = timeline.read(path)
    timeline.check_order(events)
    steps = timeline.steps(events)
    assert {event["name"] for event in steps} >= timeline.KINDS
    lines = [event["args"]["line"] for event in steps if event["name"] == "head" and event["args"]["line"]]
    assert lines.count("GET /big.bin HTTP/1.1") == lines.count("GET /none HTTP/1.1") == 1
    found = [event["args"]["found"] for event in steps if event["name"] == "find" and "found" in event["args"]]
    assert found.count("NotFound") == 1
    assert sum(event["args"]["bytes"] for event in steps if event["name"] == "send") > BIG
    if design.keeps_alive:
        assert sum(event["name"] == "accept" for event in steps) == 2
        partial = [event for event in steps if event["name"] == "head" and not event["args"]["line"]]
        assert [event["args"]["bytes"] for event in partial] == [20]
    assert sum(event["ph"] == "f" for event in events) == sum(event["name"] == "accept" for event in steps)


async def test_the_fixed_page(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    async with running(FIXED, root, "--trace", str(path), log_dir=tmp_path) as server:
        await send_request(server.address, get())
    assert {event["name"] for event in timeline.steps(timeline.read(path))} - {"wait"} == {"accept", "head", "send"}


def lanes_of(events: list[timeline.Event], *kinds: str) -> set[str]:
    """The names of the lanes with steps of these kinds."""
    tracks = {(event["pid"], event["tid"]) for event in timeline.steps(events, *kinds)}
    named = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e["name"] == "thread_name"}
    return {named[track] for track in tracks}


LANES = {
    # the lane of find, the lane of send
    "async-uvloop": ("pwb-disk_", "event loop"),
    "async-asyncio": ("pwb-disk_", "event loop"),
    "thread": ("Thread-", "Thread-"),
    "process": ("MainThread", "MainThread"),
    "gevent": ("greenlet ", "greenlet "),
    "epoll": ("MainThread", "MainThread"),
    "epoll-level": ("MainThread", "MainThread"),
    "epoll-oneshot": ("MainThread", "MainThread"),
    "epoll-thread": ("pwb-disk_", "MainThread"),
}


@concurrent
async def test_each_step_is_on_its_lane(design: Design, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    async with running(design, root, "--trace", str(path), log_dir=tmp_path) as server:
        await send_requests(server)
    events = timeline.read(path)
    finds, sends = LANES[design.name]
    assert all(name.startswith(finds) for name in lanes_of(events, "find") if name != "pwb-revalidate_0")
    assert all(name.startswith(sends) for name in lanes_of(events, "send"))
    accepting = {event["pid"] for event in timeline.steps(events, "accept")}
    sending = {event["pid"] for event in timeline.steps(events, "send")}
    assert len(accepting) == 1
    assert (not accepting & sending and len(sending) == 2) if design.name == "process" else accepting == sending


@designs
async def test_a_step_has_the_cpu_time_of_its_own_lane(design: Design, root: Path, tmp_path: Path) -> None:
    """It is never more than the step took, but for the precision of the clocks; and a wait uses next to none."""
    path = tmp_path / "trace.json"
    async with running(design, root, "--trace", str(path), "--header-timeout", "0.5", log_dir=tmp_path) as server:
        await send_request(server.address, get("/big.bin"))
        if server.design.keeps_alive:
            async with Peer(server.address) as peer:
                await peer.send(get()[:20])
                await peer.read_response()  # 408, after half a second in which the server only waits
    events = timeline.read(path)
    for step in timeline.steps(events):
        assert 0 <= step["tdur"] <= step["dur"] + 200, step
    waits = timeline.steps(events, "wait")
    assert sum(step["tdur"] for step in waits) < 0.5 * sum(step["dur"] for step in waits)
    assert timeline.max_overlap(timeline.steps(events, "run")) <= 1, "one greenlet has the thread"
    assert bool(timeline.steps(events, "run")) == (design.name == "gevent")


SOURCES = Path(pwb_async.__file__).parents[1]


@designs
async def test_a_step_has_the_lines_that_were_executed(design: Design, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    async with running(design, root, "--trace", str(path), log_dir=tmp_path) as server:
        await send_requests(server)
    calls = {"locate": (".locate(",), "find": (".find(",), "head": (".next_event(", ".receive(data)")}
    for step in timeline.steps(timeline.read(path), *calls):
        if "stack" in step["args"] and "revalidated" not in step["args"]:
            file, _, line = step["args"]["stack"][0].partition(":")
            executed = (SOURCES / file).read_text().splitlines()[int(line) - 1]
            assert any(call in executed for call in calls[step["name"]]), step


async def test_workers_share_the_file(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"

    def sending() -> set[int]:
        return {event["pid"] for event in timeline.steps(timeline.read_partial(path), "send")}

    async with running(REFERENCE, root, "--trace", str(path), "--workers", "2", log_dir=tmp_path) as server:
        async with asyncio.timeout(TIMEOUT):
            while len(sending()) < 2:
                await asyncio.gather(*(fetch_fresh(server) for _ in range(8)))
        assert server.pid not in sending()
    titles = {e["pid"]: e["args"]["name"] for e in timeline.read(path) if e["name"] == "process_name"}
    assert sorted(titles.values()) == sorted(["pwb", *(f"pwb, child {pid}" for pid in titles if pid != server.pid)])


@needs_landlock
async def test_in_the_sandbox(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    async with launched(root, "--port", "0", "--sandbox", "--trace", path, folder=tmp_path) as server:
        assert (await fetch_fresh(server)).content == TEXT
    assert {event["name"] for event in timeline.steps(timeline.read(path))} >= timeline.KINDS


@designs
async def test_a_server_that_is_killed_leaves_whole_lines(design: Design, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    async with running(design, root, "--trace", str(path), log_dir=tmp_path, status=-signal.SIGKILL) as server:
        assert (await fetch_fresh(server)).content == TEXT
        server.kill()
    timeline.check(timeline.read_partial(path))


@concurrent
async def test_a_client_that_vanishes_during_a_lookup(design: Design, root: Path, tmp_path: Path) -> None:
    """Its steps end, and no arrow leads on from its last step."""
    path = tmp_path / "trace.json"
    slow = ("--delay-disk", "/a.txt=100ms")
    async with running(
        design, root, "--trace", str(path), *slow, log_dir=tmp_path, allowed_errors="slowed down"
    ) as server:
        async with Peer(server.address) as peer:
            await peer.send_pieces([get()])
            peer.reset()
        assert (await fetch_fresh(server, "/none")).status == 404
        await eventually(lambda: len(timeline.steps(timeline.read_partial(path), "find")) == 2, TIMEOUT)
    timeline.read(path)


async def test_an_old_file_is_replaced_and_a_reload_keeps_the_file(root: Path, tmp_path: Path) -> None:
    path, toml = tmp_path / "trace.json", tmp_path / "pwb.toml"
    path.write_text("older, and longer than nothing")
    toml.write_text(f'trace = "{path}"')
    async with launched(root, "--port", "0", folder=tmp_path) as server:
        toml.write_text(f'trace = "{tmp_path}/other"')
        server.signal(signal.SIGHUP)
        await eventually(lambda: "reloaded" in server.error_output(), TIMEOUT)
        await fetch_fresh(server)
    assert f"pwb: --trace is still {path}: " in server.error_output()
    assert timeline.steps(timeline.read(path), "send")
    assert not (tmp_path / "other").exists()


# -- the file


def startup_error(command: tuple[str, ...], path: Path, root: Path) -> str:
    """The message of a server that cannot write its trace there."""
    words = [sys.executable, "-m", *command, root, "--port", "0", "--trace", path]
    done = subprocess.run(words, env=environment(), cwd=root, capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 1
    assert not done.stdout
    return done.stderr


@pytest.mark.parametrize("command", [("pwb_async",), ("pwb_legacy", "--mode", "epoll")], ids=["pwb", "pwb-legacy"])
def test_a_file_that_cannot_be_written(command: tuple[str, ...], root: Path, tmp_path: Path) -> None:
    name = "pwb" if command == ("pwb_async",) else "pwb-legacy"
    os.mkfifo(tmp_path / "fifo")
    for path, why in (
        (tmp_path / "none" / "trace", "No such file or directory"),
        (tmp_path, "Is a directory"),
        (tmp_path / "fifo", "it is no regular file"),
        (Path(os.devnull), "it is no regular file"),
    ):
        assert startup_error(command, path, root) == f"{name}: cannot write the timeline {path}: {why}\n"


def write(trace: TraceWriter, count: int) -> None:
    flow = trace.flow()
    for number in range(count):
        trace.end("send", trace.begin(), flow, number=number, text="\x00\xe9\ud800\n")


def test_the_file_is_bounded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "trace"
    trace = TraceWriter(str(path), "title", max_bytes=4000)
    with caplog.at_level(logging.WARNING):
        write(trace, 100)
    trace.close()
    assert [record.getMessage() for record in caplog.records] == [f"{path} is full: the timeline ends here"]
    assert 4000 <= path.stat().st_size < 5000
    events = timeline.read(path)
    assert 0 < len(timeline.steps(events)) < 100
    assert [event["name"] for event in events if event["ph"] == "i"] == ["the timeline is full"]
    assert stat.S_IMODE(path.stat().st_mode) & 0o111 == 0


def run_in_threads(work: Callable[[], None]) -> None:
    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run_in_processes(work: Callable[[], None]) -> None:
    children = []
    for _ in range(4):
        if not (pid := os.fork()):
            work()
            os._exit(0)
        children.append(pid)
    for pid in children:
        assert os.waitpid(pid, 0)[1] == 0


def test_threads_write_at_the_same_time(tmp_path: Path) -> None:
    trace = TraceWriter(str(tmp_path / "trace"), "title")
    run_in_threads(lambda: write(trace, 500))
    trace.close()
    assert len(timeline.steps(timeline.read(tmp_path / "trace"))) == 2000


def test_processes_write_at_the_same_time(tmp_path: Path) -> None:
    script = f"""
from tests.process.test_trace import *
trace = TraceWriter({str(tmp_path / "trace")!r}, "title")
run_in_processes(lambda: write(trace, 500))
trace.close()
"""
    tests = os.fspath(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-c", script], env=environment(), cwd=tests, check=True, timeout=TIMEOUT)
    events = timeline.read(tmp_path / "trace")
    assert len(timeline.steps(events)) == 2000
    assert len({event["id"] for event in events if event["ph"] == "s"}) == 4


def test_a_full_disk_ends_the_trace_only(tmp_path: Path) -> None:
    script = f"""
import logging, resource, signal
from tests.process.test_trace import *
logging.basicConfig(format="%(message)s")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
trace = TraceWriter({str(tmp_path / "trace")!r}, "title")
write(trace, 100)
trace.close()
"""
    tests = os.fspath(Path(__file__).parents[2])
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, env=environment(), cwd=tests, check=True, timeout=TIMEOUT, capture_output=True)
    assert done.stderr.decode().count("\n") == 1
    assert b"trace: File too large: the timeline ends here" in done.stderr
    whole = (tmp_path / "trace").read_bytes().split(b",\n")[1:-1]
    assert [json.loads(line) for line in whole]
