"""Workers that share the sockets, and the supervisor that keeps them running (hazards F2, F3, E5)."""

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path

import pytest

from pwb_async.runtime.processors import processors
from tests.conformance.peer import TIMEOUT, Peer, connect_many, run_together
from tests.conformance.server import Server, Start, eventually
from tests.conformance.wire import get

from .command import launched
from .helpers import BIG, TEXT, fetch, fetch_fresh, wait_for_message, workers

TWO = ("--workers", "2")
ENDED = r"^pwb: worker \d+ (was killed by signal \d+|ended with status 0)$"


async def test_two_workers_and_a_supervisor(run: Start) -> None:
    async with run(*TWO) as server:
        assert len(server.process_ids()) == 3
        assert (await fetch_fresh(server)).content == TEXT


async def test_auto_is_one_for_each_processor(run: Start) -> None:
    async with run("--workers", "auto") as server:
        assert len(workers(server)) == processors()


async def test_auto_respects_affinity(run: Start) -> None:
    one = str(min(os.sched_getaffinity(0)))
    async with run("--workers", "auto", wrapper=("taskset", "--cpu-list", one)) as server:
        assert server.process_ids() == [server.pid]


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group of its own, whose processor time can be limited."""
    folders = [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("cpu*")]
    parent = next((each for each in folders if controls_time(each)), None)
    if parent is None or not os.access(parent, os.W_OK):
        pytest.skip("no control group can be made here")
    group = parent / f"pwb-{os.getpid()}"
    group.mkdir()
    yield group
    group.rmdir()


def controls_time(folder: Path) -> bool:
    """Whether the groups in a folder can have a quota: version 2 lists its controllers, version 1 has a file."""
    controllers = folder / "cgroup.subtree_control"
    if controllers.exists():
        return "cpu" in controllers.read_text().split()
    return (folder / "cpu.cfs_quota_us").exists()


@pytest.mark.parametrize(("percent", "count"), [(50, 1), (100, 1), (101, 2)])
async def test_auto_respects_the_quota(percent: int, count: int, run: Start, group: Path) -> None:
    """A fraction of a processor is rounded up."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("there is one processor")
    if (group / "cpu.max").exists():
        (group / "cpu.max").write_text(f"{percent * 1000} 100000")
    else:
        (group / "cpu.cfs_quota_us").write_text(f"{percent * 1000}")
    inside = ("sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(group))
    async with run("--workers", "auto", wrapper=inside) as server:
        assert len(workers(server)) == count
        assert (await fetch_fresh(server)).content == TEXT


async def test_one_worker_is_one_process(run: Start) -> None:
    async with run() as server:
        assert server.process_ids() == [server.pid]


async def test_all_workers_share_one_accept_queue(run: Start) -> None:
    """While one worker is suspended, the other serves all clients, even those that connected before."""
    async with run(*TWO) as server:
        sleeper, *_ = workers(server)
        os.kill(sleeper, signal.SIGSTOP)
        try:
            for _ in range(50):
                assert (await fetch_fresh(server)).content == TEXT
        finally:
            os.kill(sleeper, signal.SIGCONT)


async def test_dead_workers_are_replaced_f3_e5(run: Start) -> None:
    async with run(*TWO, allowed_errors=ENDED) as server:
        first, second = workers(server)
        async with Peer(server.address) as peer:
            for victim in (first, second):
                os.kill(victim, signal.SIGKILL)
                await eventually(lambda victim=victim: victim not in workers(server) and len(workers(server)) == 2, 5)
                assert (await fetch_fresh(server)).content == TEXT
            assert await peer.read_to_end_or_reset() == b""
        assert server.error_output().count("was killed by signal 9") == 2
        assert not server.resources().zombies


async def test_a_worker_finishes_its_responses_after_sigterm_f3(run: Start) -> None:
    async with run(*TWO, allowed_errors=ENDED) as server, Peer(server.address, receive_buffer=64 * 1024) as peer:
        await peer.send(get("/big.bin"))
        head = await peer.read_at_least(1)
        before = workers(server)
        for pid in before:
            os.kill(pid, signal.SIGTERM)
        assert BIG < len(head) + len(await peer.read_to_end()) < BIG + 1000
        await eventually(lambda: len(workers(server)) == 2 and not set(before) & set(workers(server)), 5)
        assert (await fetch_fresh(server)).content == TEXT


async def test_the_supervisor_gives_up_when_workers_keep_dying_f3(run: Start) -> None:
    async with run(*TWO, allowed_errors=ENDED + "|giving up", status=3) as server:
        async with asyncio.timeout(TIMEOUT):
            while server.process.poll() is None:
                for pid in workers(server):
                    if pid != server.pid:
                        with suppress(ProcessLookupError):
                            os.kill(pid, signal.SIGKILL)
                await asyncio.sleep(0.005)
        assert server.error_output().count("giving up") == 1
        assert server.error_output().count("was killed") < 20


async def test_workers_end_with_the_supervisor(run: Start) -> None:
    async with run(*TWO, status=-signal.SIGKILL) as server:
        os.kill(server.pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "control-group"])
async def test_a_signal_to_all_processes_is_graceful_f2(number: int, run: Start) -> None:
    """A terminal sends SIGINT to every process of its group, a service manager perhaps SIGTERM."""
    async with run(*TWO) as server, Peer(server.address, receive_buffer=64 * 1024) as peer:
        await peer.send(get("/big.bin"))
        head = await peer.read_at_least(1)
        os.killpg(server.pid, number)
        assert BIG < len(head) + len(await peer.read_to_end()) < BIG + 1000
        assert await server.exited(within=2) == 0


async def test_other_signals_to_all_processes_do_no_harm(run: Start) -> None:
    async with run(*TWO, allowed_errors="reloaded") as server:
        os.killpg(server.pid, signal.SIGUSR1)
        os.killpg(server.pid, signal.SIGHUP)
        await wait_for_message(server, "reloaded")
        assert (await fetch_fresh(server)).content == TEXT


async def wait_until_refused(server: Server) -> None:
    """Waits until connections are refused."""

    async def is_open() -> bool:
        try:
            async with Peer(server.address):
                return True
        except OSError:
            return False

    async with asyncio.timeout(TIMEOUT):
        while await is_open():
            pass


async def test_responses_under_way_are_finished_f2(run: Start) -> None:
    async with run(*TWO) as server, connect_many(server.address, 20, receive_buffer=64 * 1024) as peers:
        heads = []
        for peer in peers:
            await peer.send(get("/big.bin"))
            heads.append(len(await peer.read_at_least(1)))
        server.signal()
        await wait_until_refused(server)
        for head, rest in zip(heads, await run_together(*(peer.read_to_end() for peer in peers)), strict=True):
            assert BIG < head + len(rest) < BIG + 1000
        assert await server.exited(within=2) == 0


async def test_idle_connections_end_at_once_f2(run: Start) -> None:
    async with run(*TWO) as server, connect_many(server.address, 6) as peers:
        for peer in peers:
            await fetch(peer)
        server.signal()
        async with asyncio.timeout(1):
            for peer in peers:
                assert await peer.read_to_end() == b""
        assert await server.exited(within=1) == 0


async def test_a_second_signal_ends_it_f2(run: Start) -> None:
    async with run(*TWO) as server, Peer(server.address, receive_buffer=4096) as peer:
        await peer.send(get("/big.bin"))
        await peer.read_at_least(1)
        server.signal()
        await wait_until_refused(server)
        server.signal()
        assert await server.exited(within=1) == 0


async def test_the_grace_period_ends_it_f2(run: Start) -> None:
    async with run(*TWO, "--grace-period", "0.4") as server, Peer(server.address, receive_buffer=4096) as peer:
        await peer.send(get("/big.bin"))
        await peer.read_at_least(1)
        server.signal()
        assert await server.exited(within=1.4) == 0


async def test_a_worker_that_hangs_is_killed_f2(run: Start) -> None:
    """A suspended process cannot stop by itself, so it is killed."""
    async with run(*TWO, "--grace-period", "0.2") as server:
        os.kill(workers(server)[0], signal.SIGSTOP)
        server.signal()
        assert await server.exited(within=3) == 0


# -- lines of the access log that a pipe has not taken yet


def logging_to(pipe: Path, root: Path, *options: str) -> AbstractAsyncContextManager[Server]:
    """Two workers whose access log is a named pipe without a reader."""
    os.mkfifo(pipe)
    words = ("--port", "0", "--workers", "2", "--access-log", str(pipe), *options)
    return launched(root, *words, folder=pipe.parent)


async def test_lines_that_wait_in_old_workers_are_written_e8(root: Path, tmp_path: Path) -> None:
    """The new workers serve, and the old ones stay until there is a reader."""
    read = b""

    def lines() -> int:
        nonlocal read
        with suppress(BlockingIOError):
            read += os.read(reader, 1 << 16)
        return read.count(b"\n")

    async with logging_to(tmp_path / "pipe", root) as server:
        for _ in range(20):
            await fetch_fresh(server)
        old = workers(server)
        server.signal(signal.SIGHUP)
        await wait_for_message(server, "reloaded")
        assert (await fetch_fresh(server)).content == TEXT
        server.signal(signal.SIGUSR1)
        assert (await fetch_fresh(server)).content == TEXT
        reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        try:
            await eventually(lambda: lines() == 22, TIMEOUT, lambda: f"{lines()}: {server.error_output()}")
            await eventually(lambda: not set(old) & set(workers(server)), TIMEOUT)
        finally:
            os.close(reader)
    assert "lost" not in server.error_output()
    assert "Traceback" not in server.error_output()


async def test_old_workers_wait_for_a_reader_no_longer_than_the_grace_period_e8(root: Path, tmp_path: Path) -> None:
    async with logging_to(tmp_path / "pipe", root, "--grace-period", "0.3") as server:
        assert (await fetch_fresh(server)).content == TEXT
        old = workers(server)
        server.signal(signal.SIGHUP)
        await wait_for_message(server, "reloaded")
        await eventually(lambda: not set(old) & set(workers(server)), TIMEOUT)
        assert "pwb: 1 lines of the access log were lost\n" in server.error_output()


async def test_stop_does_not_wait_for_a_reader_e8(root: Path, tmp_path: Path) -> None:
    async with logging_to(tmp_path / "pipe", root) as server:
        assert (await fetch_fresh(server)).content == TEXT
        server.signal(signal.SIGHUP)
        await wait_for_message(server, "reloaded")
        server.signal()
        assert await server.exited(within=5) == 0
