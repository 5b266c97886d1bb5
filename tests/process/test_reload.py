"""SIGHUP: new options for later requests, and no client is disturbed (hazard F1). SIGUSR1: the log is opened again (E8)."""

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance.peer import TIMEOUT, Peer, run_together
from tests.conformance.server import Server, Start, environment, eventually
from tests.conformance.wire import get
from tests.conformance.wrappers import BACKGROUND, nohup

from .command import launched
from .helpers import BIG, TEXT, fetch, fetch_fresh, wait_for_field, wait_for_message, workers
from .service_manager import manager

process_models = pytest.mark.parametrize(
    "process_options", [(), ("--workers", "2"), ("--sandbox",)], ids=["alone", "two", "confined"]
)
RELOAD_MESSAGES = "^pwb: (nothing is )?reloaded|still"
Write = Callable[[str], None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the configuration file."""

    def write(toml: str) -> None:
        (tmp_path / "pwb.new").write_text(toml)
        (tmp_path / "pwb.new").rename(tmp_path / "pwb.toml")

    return write


async def reload(server: Server) -> None:
    """Sends SIGHUP and waits until the server reports that the reload has ended."""
    before = server.error_output().count("reloaded")
    server.signal(signal.SIGHUP)
    await wait_for_message(server, "reloaded", before + 1)


@process_models
async def test_new_options_apply(process_options: tuple[str, ...], run: Start, write: Write) -> None:
    write("max-age = 1")
    async with run(*process_options, allowed_errors=RELOAD_MESSAGES) as server:
        assert (await fetch_fresh(server))["Cache-Control"] == "max-age=1"
        write("max-age = 2\nserver-version = true")
        await reload(server)
        await wait_for_field(server, "Cache-Control", "max-age=2")
        assert ((await fetch_fresh(server))["Server"] or "").startswith("PWB/")
        write("")
        await reload(server)
        await wait_for_field(server, "Cache-Control", "no-cache")


@process_models
async def test_a_new_root_and_a_new_log(process_options: tuple[str, ...], write: Write, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)

    def tell(name: str) -> None:
        write(f"root = '{name}'\naccess-log = '{name}.log'\nport = 0")

    tell("one")
    async with launched(*process_options, folder=tmp_path) as server:
        assert (await fetch_fresh(server)).content == b"one"
        tell("two")
        await reload(server)
        count = 1
        async with asyncio.timeout(TIMEOUT):
            while (await fetch_fresh(server)).content != b"two":
                count += 1
    assert (tmp_path / "one.log").read_bytes().count(b"\n") == count
    assert (tmp_path / "two.log").read_bytes().count(b"\n") == 1


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ("prot = 1", "pwb.toml: unknown key 'prot'"),
        ("max-age = 3", "pwb.toml: cannot be read"),
        ("root = 'nowhere'", "cannot serve nowhere: No such file or directory"),
        ("access-log = 'nowhere/log'", "cannot write the access log nowhere/log: No such file or directory"),
        ("user = 'nobody-of-that-name'", "cannot become nobody-of-that-name: there is no such user"),
    ],
    ids=["key", "toml", "root", "log", "user"],
)
@process_models
async def test_invalid_options_change_nothing_f1(
    toml: str, why: str, process_options: tuple[str, ...], write: Write, root: Path, tmp_path: Path
) -> None:
    """One line gives the reason, and open connections are served as before."""
    write("max-age = 1\nroot = 'root'\nport = 0")
    async with launched(*process_options, folder=tmp_path) as server, Peer(server.address) as peer:
        assert (await fetch(peer))["Cache-Control"] == "max-age=1"
        before = workers(server)
        write("max-age = 2\nport = 0\n" + toml + ("" if toml.startswith("root") else "\nroot = 'root'"))
        await reload(server)
        if "user" in toml and not process_options:
            assert "pwb: --user is still not set: only a restart can change it" in server.error_output()
            return
        assert "pwb: nothing is reloaded: " in server.error_output()
        assert why in server.error_output()
        answer = await fetch(peer)
        assert (answer["Cache-Control"], answer["Connection"]) == ("max-age=1", None)
        assert (await fetch_fresh(server))["Cache-Control"] == "max-age=1"
        assert workers(server) == before


@process_models
async def test_a_missing_root_changes_nothing_f1(
    process_options: tuple[str, ...], run: Start, write: Write, root: Path
) -> None:
    async with run(*process_options, allowed_errors=RELOAD_MESSAGES) as server:
        root.rename(root.with_name("elsewhere"))
        await reload(server)
        assert "nothing is reloaded: cannot serve" in server.error_output()
        root.with_name("elsewhere").rename(root)
        assert (await fetch_fresh(server)).content == TEXT


@pytest.mark.parametrize("count", [1, 2])
async def test_new_workers_that_cannot_serve_change_nothing_f1(
    count: int, write: Write, root: Path, tmp_path: Path
) -> None:
    """The supervisor may enter the root, but the user of the new workers may not; their log is closed again."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    root.chmod(0o700)
    write("workers = 2")
    async with launched(root, "--port", "0", folder=tmp_path) as server:
        before, descriptors = workers(server), os.listdir(f"/proc/{server.pid}/fd")
        write(f"user = 'nobody'\nworkers = {count}\naccess-log = 'another'")
        await reload(server)
        assert "nothing is reloaded: cannot serve" in server.error_output()
        await eventually(lambda: os.listdir(f"/proc/{server.pid}/fd") == descriptors, 5)
        await eventually(lambda: workers(server) == before, 5)
        assert (await fetch_fresh(server)).content == TEXT


@process_models
async def test_the_address_does_not_change(process_options: tuple[str, ...], run: Start, write: Write) -> None:
    async with run(*process_options, allowed_errors=RELOAD_MESSAGES) as server:
        write("host = '127.0.0.9'\nmax-age = 3")
        await reload(server)
        assert "pwb: --host is still 127.0.0.1: only a restart can change it" in server.error_output()
        await wait_for_field(server, "Cache-Control", "max-age=3")


async def test_the_number_of_workers_changes(run: Start, write: Write) -> None:
    write("workers = 2")
    async with run(allowed_errors=RELOAD_MESSAGES) as server:
        for count in (4, 1, 3):
            write(f"workers = {count}")
            await reload(server)
            await eventually(lambda count=count: len(workers(server)) == count, 5)
        assert (await fetch_fresh(server)).content == TEXT


@process_models
async def test_no_client_is_cut_off_f1(process_options: tuple[str, ...], run: Start) -> None:
    """One connection is in the middle of a response, one in the middle of a request, one idle."""
    async with (
        run(*process_options, allowed_errors=RELOAD_MESSAGES) as server,
        Peer(server.address, receive_buffer=64 * 1024) as reader,
        Peer(server.address) as writer,
        Peer(server.address) as idler,
    ):
        await reader.send(get("/big.bin"))
        head = await reader.read_at_least(1)
        await writer.send_pieces([b"GET /a.txt HTTP/1.1\r\n"])
        await fetch(idler)
        await reload(server)
        await writer.send(b"Host: h\r\n\r\n")
        assert (await writer.read_response()).content == TEXT
        answer = await fetch(idler)
        assert answer.content == TEXT
        assert answer["Connection"] == ("close" if process_options else None)
        count = len(head)
        while count < BIG:
            count += len(await reader.read_at_least(1))
        assert count < BIG + 1000


@pytest.mark.quiet
async def test_idle_connections_are_closed_after_a_delay_f1(run: Start) -> None:
    """They stay open for a moment, so that a request sent just then is not cut off."""
    async with run("--workers", "2", allowed_errors=RELOAD_MESSAGES) as server, Peer(server.address) as idler:
        await fetch(idler)
        before = workers(server)
        await reload(server)
        start = time.monotonic()
        assert await idler.read_to_end() == b""
        assert 1 < time.monotonic() - start < 3
        await eventually(lambda: len(workers(server)) == 2 and not set(before) & set(workers(server)), 5)


@process_models
async def test_a_storm_of_reloads_f1(process_options: tuple[str, ...], run: Start, write: Write) -> None:
    async with run(*process_options, allowed_errors=RELOAD_MESSAGES) as server:
        idle = server.resources()
        stop = asyncio.Event()

        async def fetch_until_closed() -> int:
            count = 0
            async with Peer(server.address) as peer:
                while not stop.is_set():
                    answer = await fetch(peer)
                    assert answer.content == TEXT
                    count += 1
                    if answer["Connection"]:
                        break
            return count

        async def fetch_until_stopped() -> int:
            count = 0
            while not stop.is_set():
                count += await fetch_until_closed()
            return count

        asking = asyncio.create_task(run_together(*(fetch_until_stopped() for _ in range(4))))
        for number in range(30):
            write(f"max-age = {number}")
            server.signal(signal.SIGHUP)
            await asyncio.sleep(0.01)
        write("max-age = 99")
        server.signal(signal.SIGHUP)
        await wait_for_field(server, "Cache-Control", "max-age=99")
        stop.set()
        assert min(await asking) > 10
        # `idle` may lack what a worker opens after the server's first line; a leak would be there thirty times.
        await server.wait_for_resources(
            lambda resources: resources.processes == idle.processes and resources.descriptors <= idle.descriptors + 10
        )


FAULT = """
import runpy, sys
from pwb_async.runtime import opening

def fail(*arguments):
    raise RuntimeError("injected")

opening.reload_context = fail
del sys.argv[:3]
runpy.run_module("pwb_async", run_name="__main__", alter_sys=True)
"""


@process_models
async def test_a_fault_in_a_reload_f1(process_options: tuple[str, ...], root: Path, tmp_path: Path) -> None:
    """The server serves on, and its service manager learns that the reload has ended."""
    with manager(tmp_path / "n") as service_manager:
        async with launched(
            root,
            *("--port", "0", *process_options),
            folder=tmp_path,
            wrapper=(sys.executable, "-c", FAULT),
            environ={"NOTIFY_SOCKET": str(service_manager.path)},
        ) as server:
            assert await service_manager.receive() == "READY=1"
            for _ in range(2):
                server.signal(signal.SIGHUP)
                assert (await service_manager.receive()).startswith("RELOADING=1\n")
                assert await service_manager.receive() == "READY=1"
                assert (await fetch_fresh(server)).content == TEXT
            assert server.error_output().count("RuntimeError: injected") == 2


# -- the log


@process_models
async def test_a_reopened_log_loses_no_line_e8(process_options: tuple[str, ...], run: Start, tmp_path: Path) -> None:
    """As with logrotate, under load: every response has its line, in one of the files."""
    async with run(*process_options) as server:
        counts = []
        for number in range(10):
            os.rename(server.log, tmp_path / f"log.{number}")
            server.signal(signal.SIGUSR1)
            counts += await run_together(*(fetch_times(server, 20) for _ in range(4)))
            await eventually(server.log.exists, 5)
    lines = sum(path.read_bytes().count(b"\n") for path in tmp_path.glob("log.*")) + server.log.read_bytes().count(
        b"\n"
    )
    assert lines == sum(counts) == 800


async def fetch_times(server: Server, times: int) -> int:
    async with Peer(server.address) as peer:
        for _ in range(times):
            assert (await fetch(peer)).content == TEXT
    return times


@process_models
async def test_a_log_that_cannot_be_reopened_e8(process_options: tuple[str, ...], run: Start, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "log"
    async with run(*process_options, "--access-log", str(log), allowed_errors="cannot be reopened") as server:
        await fetch_fresh(server)
        (tmp_path / "logs").rename(tmp_path / "old")
        server.signal(signal.SIGUSR1)
        await wait_for_message(
            server, "the access log cannot be reopened, the old file stays in use: No such file or directory"
        )
        await fetch_fresh(server)
    assert (tmp_path / "old" / "log").read_bytes().count(b"\n") == 2


@process_models
async def test_a_log_pipe_without_a_reader_e8(
    process_options: tuple[str, ...], write: Write, root: Path, tmp_path: Path
) -> None:
    """The server does not wait for a reader at the start, at SIGUSR1, at a reload or at the end."""
    one, two = tmp_path / "one", tmp_path / "two"
    os.mkfifo(one)
    os.mkfifo(two)
    write(f"access-log = '{one}'")
    async with launched(root, "--port", "0", *process_options, folder=tmp_path) as server:
        assert (
            server.error_output().count(f"no process reads the access log {one}: its lines are kept until one does")
            == 1
        )
        for _ in range(3):
            assert (await fetch_fresh(server)).content == TEXT
        server.signal(signal.SIGUSR1)
        assert (await fetch_fresh(server)).content == TEXT
        with open(os.open(one, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as reader:
            lines = b""

            def all_came() -> bool:
                nonlocal lines
                lines += reader.read() or b""
                return lines.count(b"\n") == 4

            await eventually(all_came, 3, lambda: str(lines))
        assert (await fetch_fresh(server)).content == TEXT
        write(f"access-log = '{two}'")
        await reload(server)
        assert f"no process reads the access log {two}: " in server.error_output()
        assert (await fetch_fresh(server)).content == TEXT
        server.signal()
        assert await server.exited(within=3) == 0
    assert server.error_output().count("no process reads the access log") in (2, 3), (
        "the first pipe's reader has gone meanwhile"
    )
    lost = re.findall(r"^pwb: (\d+) lines of the access log were lost$", server.error_output(), re.MULTILINE)
    assert sum(map(int, lost)) == 2, "each pipe's last"


@process_models
async def test_options_in_a_pipe_without_a_writer_f1(
    process_options: tuple[str, ...], root: Path, tmp_path: Path
) -> None:
    """The start reads them, as from <(...) of a shell. A reload finds no writer, and changes nothing."""
    os.mkfifo(tmp_path / "pipe")
    keeper = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(tmp_path / "pipe", os.O_WRONLY)
    os.write(writer, b"max-age = 7")
    os.close(writer)
    async with launched(root, "--port", "0", "--config", "pipe", *process_options, folder=tmp_path) as server:
        assert (await fetch_fresh(server))["Cache-Control"] == "max-age=7"
        await reload(server)
        assert (
            "nothing is reloaded: pipe: cannot be read: it is a pipe that no process writes to" in server.error_output()
        )
        assert (await fetch_fresh(server))["Cache-Control"] == "max-age=7"
    os.close(keeper)


# -- the terminal


@pytest.mark.parametrize("worker_count", ["1", "2"])
def test_it_ends_with_its_terminal(worker_count: str, root: Path, tmp_path: Path) -> None:
    """SIGHUP also means that the terminal was closed, and then the server ends."""
    master, slave = pty.openpty()

    def take_terminal() -> None:
        import fcntl

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    with subprocess.Popen(
        [sys.executable, "-m", "pwb_async", root, "--port", "0", "--access-log", "off", "--workers", worker_count],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment(),
        start_new_session=True,
        preexec_fn=take_terminal,
    ) as process:
        os.close(slave)
        assert process.stdout is not None
        assert b"listening" in process.stdout.readline()
        os.close(master)
        try:
            assert process.wait(5) == 0
        finally:
            process.kill()


async def test_it_outlives_its_terminal_under_nohup(run: Start) -> None:
    """Also with a supervisor. SIGHUP is a reload then."""
    terminal, wrapper = nohup()
    async with run("--workers", "2", wrapper=wrapper, allowed_errors=f"{RELOAD_MESSAGES}|^nohup: ") as server:
        assert (await fetch_fresh(server)).content == TEXT
        before = workers(server)
        os.close(terminal)
        await wait_for_message(server, "reloaded")
        assert (await fetch_fresh(server)).content == TEXT
        await eventually(lambda: len(workers(server)) == 2 and not set(before) & set(workers(server)), 5)
        await reload(server)
        assert (await fetch_fresh(server)).content == TEXT


async def test_a_background_job_ignores_ctrl_c(run: Start) -> None:
    """Ctrl-C is meant neither for it nor for its workers."""
    async with run("--workers", "2", wrapper=BACKGROUND) as server, Peer(server.address) as kept:
        before = workers(server)
        for _ in range(3):
            os.killpg(server.pid, signal.SIGINT)
            assert (await fetch(kept)).content == TEXT
        assert workers(server) == before
