"""The load generator at real designs, what an open loop shows, its figures, and that it agrees with wrk."""

import asyncio
import os
import shutil
import statistics
import time
from functools import partial
from pathlib import Path

import pytest
from hdrh.histogram import HdrHistogram

from pwb_legacy.compare.load import Ask, Tally, burst, closed, open_loop, run, scheduled, wrk
from tests.conformance.designs import DESIGNS
from tests.conformance.server import Server, running

from . import hostile

PAGE = Ask(b"/index.html")
PATIENCE = 60.0
"""Seconds for tests that are not about time: all requests are due at once, and the last one waits for all others."""
BY_NAME = {design.name: design for design in DESIGNS}


def slower(histogram: HdrHistogram, seconds: float) -> int:
    """How many latencies are that long, or longer."""
    return sum(
        item.count_at_value_iterated_to
        for item in histogram.get_recorded_iterator()
        if item.value_iterated_to >= seconds * 1e6
    )


# --- answers


async def test_right_answers_of_every_design(server: Server) -> None:
    """More requests than one connection may have, so that each design says `Connection: close` at least once."""
    asks = [
        PAGE,
        Ask(b"/index.html", method=b"HEAD"),
        Ask(b"/index.html", b"Range: bytes=1-3\r\n", status=206),
        Ask(b"/nowhere", status=404),
    ]
    tally = await scheduled(server.address, [(0, ask) for ask in asks * 600], connections=2, timeout=PATIENCE)
    assert not tally.failures, tally.reasons
    assert tally.requests == tally.histogram.get_total_count() == 2400
    assert tally.rate > 0


async def test_a_connection_for_each_request(server: Server) -> None:
    tally = await closed(server.address, [PAGE], 4, 0.3, keep_alive=False)
    assert not tally.failures, tally.reasons
    assert tally.requests >= 4


async def test_a_burst(server: Server) -> None:
    tally = await burst(server.address, PAGE, 50)
    assert (tally.requests, tally.failures) == (50, 0), tally.reasons


# --- the loops


@pytest.mark.quiet
async def test_what_a_closed_loop_hides_an_open_loop_shows() -> None:
    """Half a second in which nobody is answered: 200 a second were meant to ask, two clients did."""
    stall = partial(hostile.stalling, after=50, seconds=0.5)
    async with hostile.server(stall()) as address:
        hidden = await closed(address, [PAGE], 2, 1.5)
    async with hostile.server(stall()) as address:
        shown = await open_loop(address, [PAGE], 200, 1.5, connections=2)
    assert hidden.requests > 600
    assert hidden.percentile(99) < 250 < shown.percentile(99)
    assert slower(shown.histogram, 0.25) >= 45
    assert slower(hidden.histogram, 0.25) <= 4
    assert (shown.requests, shown.failures) == (300, 0), shown.reasons
    assert shown.queued >= 45


async def test_a_run_up_does_not_count() -> None:
    """Each client waits long for its first answer, as where a process must start for it; that is not measured."""
    met: set[asyncio.StreamWriter] = set()
    began: list[int] = []

    async def manner(writer: asyncio.StreamWriter) -> None:
        if writer not in met:
            await asyncio.sleep(0.3)
            met.add(writer)
        writer.write(hostile.GOOD)

    async with hostile.server(manner) as address:
        tally = await closed(address, [PAGE], 2, 0.1, run_up=5, begin=lambda: began.append(len(met)))
    assert began == [2]
    assert tally.requests
    assert not tally.failures
    assert not slower(tally.histogram, 0.3)


async def test_requests_of_a_run_up_never_count_not_even_those_without_a_response() -> None:
    async with hostile.server(hostile.saying(b"")) as address:
        tally = await open_loop(address, [PAGE], 100, 0.2, connections=5, timeout=0.3, run_up=0.1)
    assert tally.failures == tally.histogram.get_total_count() == 20, tally.reasons
    assert tally.unfinished == 0


async def test_every_intended_request_is_counted() -> None:
    async with hostile.server(hostile.saying(b"")) as address:
        tally = await open_loop(address, [PAGE], 200, 0.5, connections=2, queue=10, timeout=0.4)
    assert tally.queued == 10
    assert tally.failures == 100
    assert tally.reasons["too many requests waited for a free client"] > 50
    assert set(tally.reasons) == {
        "too many requests waited for a free client",
        "no answer within 0.4 s",
        "no client was free within 0.4 s",
    }


@pytest.mark.quiet
async def test_a_schedule_is_kept() -> None:
    came: list[float] = []

    async def manner(writer: asyncio.StreamWriter) -> None:
        came.append(time.monotonic())
        writer.write(hostile.GOOD)

    async with hostile.server(manner) as address:
        began = time.monotonic()
        tally = await scheduled(address, [(0.3, PAGE), (0.0, PAGE), (0.1, PAGE)], connections=1)
    assert tally.requests == 3
    assert all(moment >= began + meant for moment, meant in zip(came, (0, 0.1, 0.3), strict=True))


async def test_the_seed_decides_the_order() -> None:
    asks = [Ask(b"/%d" % number) for number in range(20)]

    async def order(seed: int) -> list[bytes]:
        heads: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for _ in asks:
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(hostile.GOOD)
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as listener:
            await open_loop(listener.sockets[0].getsockname(), asks, 2000, 0.01, connections=1, seed=seed)
        return [head.split()[1] for head in heads]

    first = await order(1)
    assert sorted(first) == sorted(ask.target for ask in asks)
    assert first == await order(1) != await order(2)


# --- figures


def test_tallies_add_up_and_survive_json() -> None:
    one, two = Tally(requests=3, seconds=2, in_time=2.5), Tally(requests=1, seconds=2, in_time=1.5, queued=7)
    one.record(1000, 99)
    two.record(80_000)
    two.fail("why")
    one.add(Tally.from_json(two.to_json()))
    assert (one.requests, one.failures, one.reasons, one.rate, one.queued) == (4, 1, {"why": 1}, 1.0, 7)
    assert one.percentile(50) == pytest.approx(1, rel=0.001)
    assert one.percentile(100) == pytest.approx(80, rel=0.001)


def test_it_says_when_it_was_the_bottleneck() -> None:
    assert Tally(seconds=2, cpu=1.95).limited_by_load(server_busy=0.5)
    assert not Tally(seconds=2, cpu=1.5).limited_by_load(server_busy=0.5)
    assert not Tally(seconds=2, cpu=2.0).limited_by_load(server_busy=0.99)


def test_the_time_of_other_programs_is_not_its_own() -> None:
    """It is busier than the server only by what it did itself, and full where it had all that others left."""
    assert Tally(seconds=2, cpu=0.4, waited=1.5).busy == 0.2
    assert not Tally(seconds=2, cpu=0.4, waited=1.6).limited_by_load(server_busy=0.5)
    assert not Tally(seconds=2, cpu=0.4, waited=1.5).limited_by_load(server_busy=0.1)
    assert Tally(seconds=2, cpu=1.5, waited=0.45).limited_by_load(server_busy=0.5)


async def test_work_after_the_time_that_is_measured_is_no_part_of_its_share() -> None:
    """A queue that is worked off afterwards takes long, and would look like a generator that had no time to spare."""

    async def manner(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        writer.write(hostile.GOOD)
        end = time.thread_time() + 0.01
        while time.thread_time() < end:
            pass

    async with hostile.server(manner) as address:
        tally = await open_loop(address, [PAGE], 400, 0.1, connections=2, timeout=PATIENCE)
    assert tally.requests == 40
    assert tally.cpu <= 1.5 * tally.seconds


def schedule(pid: int) -> tuple[float, float]:
    """Seconds that a process with one thread has had a core, and has waited for one."""
    used, waited, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
    return int(used) / 1e9, int(waited) / 1e9


@pytest.mark.quiet
@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
async def test_it_agrees_with_wrk(served_root: Path, tmp_path: Path) -> None:
    """Within 15 %, where the server is the bottleneck: requests a second, without the time in which something else had
    the server's core. Each round is compared with its neighbour; more of them while the machine is too noisy."""
    cores = sorted(os.sched_getaffinity(0))
    rates: dict[str, list[float]] = {"closed": [], "wrk": []}
    async with running(BY_NAME["epoll"], served_root, log_dir=tmp_path) as server:
        os.sched_setaffinity(server.pid, cores[:1])
        for number in range(15):
            for kind, found in rates.items():
                before = schedule(server.pid)
                load = partial(run, kind, core=cores[-1], address=server.address, asks=[PAGE], connections=64)
                tally = await asyncio.to_thread(load, seconds=1.0)
                lost = schedule(server.pid)[1] - before[1]
                assert not tally.failures, tally.reasons
                found.append(tally.rate / (1 - min(lost / tally.seconds, 0.9)))
            ratio = statistics.median(own / other for own, other in zip(*rates.values(), strict=True))
            if number >= 2 and abs(ratio - 1) <= 0.15:
                break
    assert ratio == pytest.approx(1, rel=0.15), rates


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
async def test_wrk_is_told_all_of_it(served_root: Path, tmp_path: Path) -> None:
    asks = [PAGE, Ask(b"/nowhere", status=404)]
    async with running(BY_NAME["thread"], served_root, log_dir=tmp_path) as server:
        tally = await asyncio.to_thread(wrk, server.address, asks, 4, 0.5)
    half = tally.reasons["wrk: status from 400 on"]
    assert tally.failures == half == pytest.approx(tally.requests, abs=5)
    assert tally.histogram.get_total_count() >= tally.requests + half
    assert tally.seconds == pytest.approx(1, rel=0.5)
    assert tally.cpu > 0


async def test_without_wrk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(LookupError, match="wrk is not installed"):
        wrk(("127.0.0.1", 1), [PAGE], 1, 1)
