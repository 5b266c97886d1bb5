"""The admin address: health and metrics across the processes of a server."""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pwb_async import Server as EmbeddedServer
from tests.conformance.designs import COLUMNS, Design
from tests.conformance.peer import TIMEOUT, Peer, run_together
from tests.conformance.server import Server, Start, eventually, running
from tests.conformance.wire import get
from tests.interop.programs import needs
from tests.interop.programs import run as program
from tests.interop.proxies import free_port

from .admin import Admin, total
from .helpers import BIG, TEXT, fetch, fetch_fresh, wait_for_message, workers
from .service_manager import manager

ENDED = r"^pwb: worker \d+ (was killed by signal \d+|ended with status 0)$"
INFO = r"^pwb: (reloaded|stopping in .* s; a second signal stops it at once|process \d+ (is starting to take|has taken) over)$"
REQUESTS = 'pwb_http_requests_total{method="GET",status="200"}'
COUNT = "http_server_request_duration_seconds_count"
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can switch to another user")


@pytest.fixture
def admin(tmp_path: Path) -> Admin:
    return Admin(tmp_path)


@pytest.fixture
def open_root() -> Iterator[Path]:
    """A folder that every user may read; pytest's own folders are root's alone."""
    with tempfile.TemporaryDirectory(prefix="pwb-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "a.txt").write_bytes(TEXT)
        yield Path(folder)


PROCESSES = [
    (),
    ("--workers", "2"),
    ("--sandbox",),
    pytest.param(("--user", "nobody", "--workers", "2"), marks=as_root),
]


@pytest.mark.parametrize("options", PROCESSES, ids=lambda options: "".join(options[:1]) or "alone")
async def test_requests_are_counted_in_all_processes(
    options: tuple[str, ...], run: Start, admin: Admin, open_root: Path
) -> None:
    async with run(*admin.options, *options, root=open_root) as server:
        assert await admin.status("/livez") == await admin.status("/readyz") == 200
        for _ in range(20):
            await fetch_fresh(server)
        assert (await fetch_fresh(server, "/missing")).status == 404
        metrics = await admin.wait_for(lambda metrics: metrics["pwb_connections_accepted_total"] == 21)
        assert total(metrics, "pwb_http_requests_total") == 21
        assert metrics[REQUESTS] == 20
        assert metrics['pwb_http_requests_total{method="GET",status="404"}'] == 1
        assert metrics[COUNT] == 21
        assert metrics['http_server_request_duration_seconds_bucket{le="+Inf"}'] == 21
        assert metrics["pwb_http_response_content_bytes_total"] > 20 * len(TEXT)
        assert metrics["pwb_cache_hits_total"] + metrics["pwb_cache_misses_total"] == 21
        assert metrics["pwb_workers"] == len(workers(server))
        assert metrics["process_open_fds"] > 5
        assert metrics["process_resident_memory_bytes"] > 1e6


async def test_the_log_and_the_metrics_have_the_same_numbers(run: Start, admin: Admin) -> None:
    """Also with pipelining, errors of clients and a response that is cut off."""
    async with run(*admin.options, "--workers", "2") as server:
        async with Peer(server.address) as peer:
            await peer.send(get("/a.txt") * 100)
            for _ in range(100):
                assert (await peer.read_response()).content == TEXT
        async with Peer(server.address) as peer:
            await peer.send(b"rubbish\r\n\r\n")
            assert (await peer.read_response()).status == 400
        async with Peer(server.address, receive_buffer=64 * 1024) as peer:
            await peer.send(get("/big.bin"))
            await peer.read_at_least(1)
        metrics = await admin.wait_for(lambda metrics: total(metrics, "pwb_http_requests_total") == 102)
        await eventually(lambda: server.log.read_bytes().count(b"\n") == 102, 5)
        lines = server.log.read_text().splitlines()
    sent = sum(int(line.split('"')[2].split()[1]) for line in lines)
    assert metrics["pwb_http_response_content_bytes_total"] == sent
    assert metrics['pwb_http_requests_total{method="_OTHER",status="400"}'] == 1
    assert 0 < sent < BIG


async def test_lines_that_are_not_to_be_logged_are_counted(run: Start, admin: Admin) -> None:
    async with run(*admin.options, "--workers", "2", "--log-exclude", "/a.txt") as server:
        for _ in range(5):
            await fetch_fresh(server)
        assert (await fetch_fresh(server, "/missing")).status == 404
        metrics = await admin.wait_for(lambda metrics: metrics["pwb_log_lines_skipped_total"] == 5)
        assert metrics["pwb_log_lines_dropped_total"] == 0
        await eventually(lambda: server.log.read_bytes().count(b"\n") == 1, 5)


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["alone", "workers"])
async def test_counters_do_not_go_back_at_a_reload(options: tuple[str, ...], run: Start, admin: Admin) -> None:
    async with run(*admin.options, *options, allowed_errors=INFO) as server:
        for reloads in range(1, 3):
            before = await admin.metrics()
            await fetch_fresh(server)
            server.signal(signal.SIGHUP)
            metrics = await admin.wait_for(
                lambda metrics, reloads=reloads: metrics['pwb_reloads_total{result="success"}'] == reloads
            )
            await fetch_fresh(server)
            metrics = await admin.wait_for(lambda metrics, reloads=reloads: metrics.get(REQUESTS) == 2 * reloads)
            for name, value in before.items():
                if name.partition("{")[0].endswith(("_total", "_bucket", "_count", "_sum")):
                    assert metrics[name] >= value, name
            assert metrics["pwb_cache_misses_total"] >= 1


async def test_counters_do_not_go_back_when_a_worker_is_replaced(run: Start, admin: Admin) -> None:
    async with run(*admin.options, "--workers", "2", allowed_errors=ENDED) as server:
        async with Peer(server.address) as peer:
            for _ in range(10):
                await fetch(peer)
            await admin.wait_for(lambda metrics: metrics.get(REQUESTS) == 10)
            for victim in workers(server):
                os.kill(victim, signal.SIGKILL)
                await eventually(lambda victim=victim: victim not in workers(server) and len(workers(server)) == 2, 5)
        metrics = await admin.wait_for(lambda metrics: metrics["pwb_workers"] == 2)
        assert metrics[REQUESTS] == 10
        assert metrics["pwb_worker_deaths_total"] == 2
        assert total(metrics, "pwb_connections") == 0
        await fetch_fresh(server)
        await admin.wait_for(lambda metrics: metrics[REQUESTS] == 11)


async def test_connections_are_counted_by_state(run: Start, admin: Admin) -> None:
    async with run(*admin.options, "--workers", "2") as server:
        async with (
            Peer(server.address) as idle,
            Peer(server.address) as silent,
            Peer(server.address, receive_buffer=64 * 1024) as slow,
        ):
            await fetch(idle)
            await silent.send(b"GET")
            await slow.send(get("/big.bin"))
            await slow.read_at_least(1)
            metrics = await admin.wait_for(lambda metrics: total(metrics, "pwb_connections") == 3)
            await admin.wait_for(
                lambda metrics: all(
                    metrics[f'pwb_connections{{state="{state}"}}'] == 1 for state in ("responding", "idle", "other")
                )
            )
            assert metrics["pwb_connections_allowed"] >= 32
        await admin.wait_for(lambda metrics: total(metrics, "pwb_connections") == 0)


async def test_a_worker_that_is_stuck_is_not_live(run: Start, admin: Admin) -> None:
    async with run(*admin.options, "--workers", "2") as server:
        sleeper, *_ = workers(server)
        os.kill(sleeper, signal.SIGSTOP)
        try:
            response = await admin.wait_for_status("/livez", 503)
            assert response.content == b"no: 1 of 2 processes do not respond\n"
            assert await admin.status("/readyz") == 200
        finally:
            os.kill(sleeper, signal.SIGCONT)
        await admin.wait_for_status("/livez", 200)


SLOW_WORKER = """
import os, runpy, sys, time
from pwb_async.server.server import Server
made = Server.__init__

def make(*arguments):
    made(*arguments)
    try:
        os.mkdir("slow")
    except FileExistsError:
        return
    time.sleep(3)

Server.__init__ = make
del sys.argv[:3]
runpy.run_module("pwb_async", run_name="__main__", alter_sys=True)
"""
"""A program of which the first worker takes three seconds to start."""


async def test_a_slow_client_of_workers_that_wait_for_others_is_closed(run: Start, admin: Admin) -> None:
    """They respond on the admin address, and give signs of life."""

    async def ask() -> bytes:
        await eventually(admin.path.exists, TIMEOUT)
        reader, writer = await asyncio.open_unix_connection(str(admin.path))
        writer.write(b"GET /metrics HTTP/1.1\r\n")
        content = await reader.read()
        writer.close()
        return content

    asking = asyncio.create_task(ask())
    options = ("--header-timeout", "300ms", "--workers", "2")
    async with run(*admin.options, *options, wrapper=(sys.executable, "-c", SLOW_WORKER)):
        assert asking.done()
        assert (await asking).startswith(b"HTTP/1.1 408 ")
        assert await admin.status("/livez") == await admin.status("/readyz") == 200


async def test_it_is_answered_while_the_public_address_is_full(run: Start, admin: Admin) -> None:
    options = (*admin.options, "--max-connections", "4", "--max-load", "50", "--health", "/up")
    async with run(*options) as server:
        async with Peer(server.address) as first:
            assert (await fetch(first, "/up")).content == b"ok\n"
            async with Peer(server.address) as second:
                await second.send(b"GET")
                response = await admin.wait_for_status("/readyz", 503)
                assert response.content == b"no: 2 of 4 connections are open\n"
                assert (await fetch(first, "/up")).status == 503
                async with Peer(server.address) as third, Peer(server.address) as fourth:
                    for peer in (first, third, fourth):
                        await peer.send(b"GET")
                    await admin.wait_for(lambda metrics: total(metrics, "pwb_connections") == 4)
                    async with Peer(server.address) as refused:
                        assert (await refused.read_response()).status == 503
                    metrics = await admin.wait_for(lambda metrics: metrics["pwb_connections_refused_total"] == 1)
                    assert metrics["pwb_ready"] == 0
        await admin.wait_for_status("/readyz", 200)
        assert await admin.status("/livez") == 200


async def test_health_on_the_public_address_needs_no_password(run: Start, tmp_path: Path) -> None:
    (tmp_path / "users").write_text("alice:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC\n")
    options = ("--htpasswd", str(tmp_path / "users"), "--allowed-host", "a.example", "--health", "/health/up")
    async with run(*options, "--workers", "2") as server:
        assert (await fetch_fresh(server, "/health/up")).content == b"ok\n"
        assert (await fetch_fresh(server, "/health")).status != 200
        assert (await fetch_fresh(server, "/metrics")).status != 200


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["alone", "workers"])
async def test_after_sigterm_it_serves_on_for_the_delay(options: tuple[str, ...], run: Start, admin: Admin) -> None:
    delay = ("--shutdown-delay", "1.5s", "--health", "/up")
    async with run(*admin.options, *delay, *options, allowed_errors=INFO) as server:
        async with Peer(server.address) as peer:
            await fetch(peer)
            server.signal()
            started = asyncio.get_running_loop().time()
            response = await admin.wait_for_status("/readyz", 503)
            assert response.content == b"no: it is stopping\n"
            await wait_for_message(server, "pwb: stopping in 1.5 s; a second signal stops it at once\n")
            assert asyncio.get_running_loop().time() - started < 1
            assert await admin.status("/livez") == 200
            assert (await fetch(peer)).content == TEXT
            assert (await fetch_fresh(server)).content == TEXT
            assert (await fetch_fresh(server, "/up")).status == 503
            assert await peer.read_to_end() == b""
        assert await server.exited() == 0
        assert 1.5 <= asyncio.get_running_loop().time() - started < 5


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["alone", "workers"])
async def test_a_second_signal_ends_the_delay(options: tuple[str, ...], run: Start, admin: Admin) -> None:
    async with (
        run(*admin.options, "--shutdown-delay", "1h", *options, allowed_errors=INFO) as server,
        Peer(server.address) as peer,
    ):
        await peer.send(b"GET")
        server.signal()
        await admin.wait_for_status("/readyz", 503)
        server.signal()
        assert await server.exited(within=5) == 0


async def test_the_health_is_shown_while_responses_are_finished(run: Start, admin: Admin) -> None:
    async with run(*admin.options, "--workers", "2") as server:
        async with Peer(server.address, receive_buffer=64 * 1024) as peer:
            await peer.send(get("/big.bin"))
            head = await peer.read_at_least(1)
            server.signal()
            await admin.wait_for_status("/readyz", 503)
            assert await admin.status("/livez") == 200
            assert len(head) + len(await peer.read_to_end()) > BIG
        assert await server.exited() == 0


async def test_what_is_not_there(run: Start, admin: Admin) -> None:
    async with run(*admin.options) as server:
        assert await admin.status("/a.txt") == 404
        assert (await fetch_fresh(server, "/metrics")).status == 404
        assert await admin.status("/metrics/") in (200, 404)


async def test_an_address_that_is_taken(run: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(AssertionError, match=f"pwb: cannot listen on {address}: Address already in use"):
            async with run("--admin", address):
                pass


# -- SIGUSR2


async def hand_over(server: Server) -> None:
    server.signal(signal.SIGUSR2)
    await wait_for_message(server, "has taken over")


async def test_a_client_of_the_admin_address_gets_its_response_while_another_process_takes_over(
    run: Start, admin: Admin
) -> None:
    """It was connected, and its request comes when the old process has left its sockets to the new one."""
    async with (
        run(*admin.options, allowed_errors=INFO) as server,
        Peer(server.address, receive_buffer=64 * 1024) as peer,
    ):
        old = server.process_ids()
        await peer.send(get("/big.bin"))
        await peer.read_at_least(1)
        reader, writer = await asyncio.open_unix_connection(str(admin.path))
        await admin.status("/livez")  # which is accepted behind it
        await hand_over(server)
        writer.write(get("/livez"))
        async with asyncio.timeout(TIMEOUT):
            response = await reader.read()  # to the end, which follows
        writer.close()
        assert response.startswith(b"HTTP/1.1 200 ")
        assert b"\r\nConnection: close\r\n" in response
        await peer.read_to_end()
        assert await server.exited() == 0
        await eventually(lambda: not set(old) & set(server.process_ids()), 5)
        os.kill(min(server.process_ids()), signal.SIGTERM)
        await eventually(lambda: not server.process_ids(), 10)


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["alone", "workers"])
async def test_sigusr2_hands_the_sockets_over(options: tuple[str, ...], run: Start, admin: Admin) -> None:
    """A response that is under way is finished by the old process; the new one has the same addresses."""
    async with run(*admin.options, *options, allowed_errors=INFO) as server:
        old = server.process_ids()
        async with Peer(server.address, receive_buffer=64 * 1024) as peer:
            await peer.send(get("/big.bin"))
            head = await peer.read_at_least(1)
            started = (await admin.metrics())["process_start_time_seconds"]
            await hand_over(server)
            await admin.wait_for(lambda metrics: metrics["process_start_time_seconds"] > started)
            async with asyncio.timeout(TIMEOUT):
                while not (await admin.metrics()).get(REQUESTS):  # at first the old process may accept as well
                    await fetch_fresh(server)
            new = min(set(server.process_ids()) - set(old))
            parent = int(Path(f"/proc/{new}/stat").read_text().rpartition(")")[2].split()[1])
            assert parent not in old, "systemd kills a main process that is not its child, in place of stopping it"
            assert len(head) + len(await peer.read_to_end()) > BIG
        assert await server.exited() == 0
        await eventually(lambda: not set(old) & set(server.process_ids()), 5)
        assert (await fetch_fresh(server)).content == TEXT
        new = server.process_ids()
        assert len(new) == len(old)
        os.kill(min(new), signal.SIGTERM)
        await eventually(lambda: not server.process_ids(), 10)
        assert not admin.path.exists()


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["alone", "workers"])
async def test_a_new_process_that_cannot_start_changes_nothing(
    options: tuple[str, ...], run: Start, admin: Admin, root: Path, tmp_path: Path
) -> None:
    rules = tmp_path / "pwb.toml"
    rules.write_text("")
    allowed = INFO + r"|the new process does not serve|unknown key"
    async with run(*admin.options, *options, allowed_errors=allowed) as server:
        for times in (1, 2):
            rules.write_text("bad.key = 1\n")
            server.signal(signal.SIGUSR2)
            await wait_for_message(server, "the new process does not serve; this one serves on", times)
            assert (await fetch_fresh(server)).content == TEXT
            assert await admin.status("/readyz") == 200
        await eventually(lambda: not server.resources().zombies, 5)


HESITANT = """
import os, runpy, signal, sys
from pwb_async.runtime import handover
if handover._VARIABLE in os.environ:
    handover.leave_parent()
    signal.pause()
del sys.argv[:3]
runpy.run_module("pwb_async", run_name="__main__", alter_sys=True)
"""
"""A program that never takes over from another one."""


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["alone", "workers"])
async def test_a_stop_ends_the_new_process_too(options: tuple[str, ...], run: Start, admin: Admin) -> None:
    wrapper = (sys.executable, "-c", HESITANT)
    async with run(*admin.options, *options, allowed_errors=INFO, wrapper=wrapper) as server:
        server.signal(signal.SIGUSR2)
        await wait_for_message(server, "is starting to take over")
        server.signal()
        assert await server.exited() == 0
        await eventually(lambda: not server.process_ids(), 10)


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["alone", "workers"])
async def test_a_process_that_was_replaced_has_no_delay_and_no_successor(
    options: tuple[str, ...], run: Start, admin: Admin
) -> None:
    async with run(*admin.options, "--shutdown-delay", "1h", *options, allowed_errors=INFO) as server:
        async with Peer(server.address, receive_buffer=64 * 1024) as peer:
            await peer.send(get("/big.bin"))
            await peer.read_at_least(1)
            await hand_over(server)
            server.signal(signal.SIGUSR2)
            server.signal(signal.SIGHUP)
            server.signal()
            await wait_for_message(server, "stopping: waiting")
            server.signal()
            assert await server.exited() == 0
        assert server.error_output().count("is starting to take over") == 1
        assert await admin.status("/readyz") == 200
        new = min(server.process_ids())
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(new, number)
        await eventually(lambda: not server.process_ids(), 10)


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["alone", "workers"])
async def test_with_a_timeline_no_new_process_is_started(options: tuple[str, ...], run: Start, tmp_path: Path) -> None:
    async with run("--trace", str(tmp_path / "t"), *options, allowed_errors="with --trace no new process") as server:
        processes = server.process_ids()
        server.signal(signal.SIGUSR2)
        await wait_for_message(server, "with --trace no new process can take over: it would empty the timeline")
        assert (await fetch_fresh(server)).content == TEXT
        assert server.process_ids() == processes


async def test_no_request_is_lost_while_processes_are_replaced(run: Start, admin: Admin) -> None:
    async with run(*admin.options, "--workers", "2", allowed_errors=INFO) as server:
        ended = asyncio.Event()
        answered = 0

        async def ask() -> None:
            nonlocal answered
            while not ended.is_set():
                assert (await fetch_fresh(server)).content == TEXT
                answered += 1

        async def replace() -> None:
            await hand_over(server)
            assert await server.exited() == 0
            before = answered
            await eventually(lambda: answered > before + 20, 5)
            ended.set()

        await run_together(replace(), *(ask() for _ in range(8)))
        os.kill(min(server.process_ids()), signal.SIGTERM)


# -- other protocols


@needs("curl")
@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
async def test_requests_over_tls_are_counted(version: str, root: Path, admin: Admin, tmp_path: Path) -> None:
    """The admin address has no TLS. A large file is counted when it has been sent, and one in the cache as a hit."""
    async with running(COLUMNS[0], root, *admin.options, log_dir=tmp_path) as server:
        urls = [f"{server.url}/{name}" for name in ("a.txt", "a.txt", "a.txt", "missing", "big.bin")]
        ran = await program("curl", "-sk", version, *(word for url in urls for word in ("-o", "/dev/null", url)))
        assert ran.status == 0
        metrics = await admin.wait_for(lambda metrics: total(metrics, "pwb_http_requests_total") == 5)
        assert metrics[REQUESTS] == 4
        assert metrics["pwb_http_response_content_bytes_total"] > BIG
        assert metrics["pwb_cache_hits_total"] >= 1
        await eventually(lambda: server.log.read_bytes().count(b"\n") == 5, 5)


async def test_a_reload_does_not_change_where_it_listens(run: Start, admin: Admin, tmp_path: Path) -> None:
    config = tmp_path / "pwb.toml"
    config.write_text(f'admin = "{admin.path}"\nmax-load = 1\nmax-connections = 16')
    allowed = INFO + "|is still"
    async with run(allowed_errors=allowed) as server:
        async with Peer(server.address) as peer:
            await peer.send(b"GET")
            await admin.wait_for_status("/readyz", 503)
            config.write_text('admin = "127.0.0.1:1"\nmax-load = 50\nmax-connections = 16')
            server.signal(signal.SIGHUP)
            await wait_for_message(server, "reloaded")
            await admin.wait_for_status("/readyz", 200)
        assert f"--admin is still {admin.path}: only a restart can change it" in server.error_output()


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["alone", "workers"])
async def test_the_service_manager_gets_to_know_the_new_process(
    options: tuple[str, ...], run: Start, root: Path, tmp_path: Path
) -> None:
    with manager(tmp_path / "n") as service_manager:
        environ = ("env", f"NOTIFY_SOCKET={service_manager.path}")
        async with run(*options, "--shutdown-delay", "1ms", wrapper=environ, allowed_errors=INFO) as server:
            assert await service_manager.receive() == "READY=1"
            await hand_over(server)
            new = (await service_manager.receive()).removeprefix("MAINPID=")
            assert await server.exited() == 0
            assert int(new) == min(server.process_ids())
            os.kill(int(new), signal.SIGTERM)
            assert await service_manager.receive() == "STOPPING=1"


# -- what is counted where it happens


async def test_a_disk_that_does_not_answer(run: Start, admin: Admin) -> None:
    options = ("--delay-disk", "/a.txt=10s", "--disk-timeout", "200ms")
    allowed = "delay|disk|slowed"
    async with run(*admin.options, *options, allowed_errors=allowed) as server:
        asking = asyncio.ensure_future(fetch_fresh(server))
        await admin.wait_for(lambda metrics: metrics["pwb_disk_calls_waiting"] == 1)
        assert (await asking).status == 503
        metrics = await admin.wait_for(lambda metrics: metrics["pwb_disk_timeouts_total"] == 1)
        assert metrics['pwb_http_requests_total{method="GET",status="503"}'] == 1
        assert metrics['http_server_request_duration_seconds_bucket{le="0.1"}'] == 0


async def test_files_that_leave_the_cache(run: Start, admin: Admin, root: Path) -> None:
    for number in range(40):
        (root / f"{number}.txt").write_bytes(b"x" * 2000)
    async with run(*admin.options, "--cache", "64K") as server:
        async with Peer(server.address) as peer:
            for number in range(40):
                await fetch(peer, f"/{number}.txt")
        metrics = await admin.wait_for(lambda metrics: metrics["pwb_cache_misses_total"] == 40)
        assert metrics["pwb_cache_evictions_total"] + metrics["pwb_cache_files"] == 40
        assert 0 < metrics["pwb_cache_size_bytes"] <= 65536
        assert 0 <= metrics["pwb_cache_age_seconds"] < 60


async def test_without_cache_and_log(run: Start, admin: Admin) -> None:
    async with run(*admin.options, "--cache", "off", "--access-log", "off") as server:
        await fetch_fresh(server)
        metrics = await admin.wait_for(lambda metrics: metrics.get(REQUESTS) == 1)
        assert metrics["pwb_cache_hits_total"] == metrics["pwb_cache_misses_total"] == 0


async def test_lines_of_the_log_that_are_lost(run: Start, admin: Admin) -> None:
    async with run(*admin.options, "--access-log", "/dev/full", allowed_errors="lines of the access log") as server:
        await fetch_fresh(server)
        await admin.wait_for(lambda metrics: metrics["pwb_log_lines_dropped_total"] == 1)


async def test_a_slow_client_of_the_admin_address_is_closed(run: Start, admin: Admin) -> None:
    async with run(*admin.options, "--header-timeout", "300ms") as server:
        async with asyncio.timeout(TIMEOUT):
            reader, writer = await asyncio.open_unix_connection(str(admin.path))
            writer.write(b"GET /metrics HTTP/1.1\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
            writer.close()
            await writer.wait_closed()
        assert not server.log.read_bytes()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n", 400),
        (b"GET /metrics HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12345", 405),
        (b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 403),
        (b"GET http://evil.example/metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 403),
        (b"GET /readyz HTTP/1.0\r\n\r\n", 200),  # HAProxy's own check
        (b"GET /readyz HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n", 200),
        (b"GET /readyz HTTP/1.1\r\nHost: here.example\r\nConnection: close\r\n\r\n", 200),
    ],
)
async def test_what_strangers_send(sent: bytes, status: int, run: Start) -> None:
    """On an address of this machine alone, where a page in a browser may ask under another name (DNS rebinding)."""
    port = free_port()
    async with run("--admin", f"127.0.0.1:{port}", "--allowed-host", "here.example") as server:
        async with Peer(("127.0.0.1", port)) as peer:
            await peer.send(sent)
            assert (await peer.read_response()).status == status
        assert server.log.read_bytes() == b""


async def test_a_thousand_clients_of_the_admin_address(run: Start, admin: Admin) -> None:
    """They send nothing; most are refused, and it serves on."""
    async with run(*admin.options, "--header-timeout", "1s") as server:
        descriptors = server.resources().descriptors
        connections = [await asyncio.open_unix_connection(str(admin.path)) for _ in range(1000)]
        assert (await fetch_fresh(server)).content == TEXT
        assert server.resources().descriptors < descriptors + 400
        for _, writer in connections[:900]:
            writer.close()
        await admin.wait_for_status("/livez", 200)
        for _, writer in connections:
            writer.close()
        await eventually(lambda: server.resources().descriptors <= descriptors, 5)


async def test_many_clients_of_the_admin_address(run: Start, admin: Admin) -> None:
    """Idle ones make room, so that there is an answer for the next one."""
    async with run(*admin.options) as server:
        writers = []
        try:
            for _ in range(80):
                reader, writer = await asyncio.open_unix_connection(str(admin.path))
                writers.append(writer)
                writer.write(b"HEAD /livez HTTP/1.1\r\nHost: a\r\n\r\n")
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            assert total(await admin.metrics(), "pwb_connections") == 0
        finally:
            for writer in writers:
                writer.close()
                await writer.wait_closed()
        await fetch_fresh(server)


async def test_the_designs_have_no_admin_address(root: Path, admin: Admin, tmp_path: Path) -> None:
    """Also if a file that they share with pwb names one."""
    (tmp_path / "pwb.toml").write_text(f'admin = "{admin.path}"\nhealth = "/up"\n')
    async with running(Design("thread", ("pwb_legacy", "--mode", "thread")), root, log_dir=tmp_path) as server:
        assert (await fetch_fresh(server)).content == TEXT
        assert (await fetch_fresh(server, "/up")).status == 404
        assert not admin.path.exists()


async def test_a_server_in_another_program_is_ready_too(root: Path, admin: Admin) -> None:
    """It leaves no descriptor behind."""
    descriptors = len(os.listdir("/proc/self/fd"))
    async with EmbeddedServer(root, port=0, access_log="off", admin=str(admin.path)):
        assert await admin.status("/readyz") == await admin.status("/livez") == 200
        assert (await admin.metrics())["pwb_workers"] == 1
    assert not admin.path.exists()
    assert len(os.listdir("/proc/self/fd")) <= descriptors
