"""SIGHUP: other options for whoever asks from now on, and nobody notices anything else (hazard F1); SIGUSR1: another
log (E8)."""

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

from tests.conformance.applies import Start
from tests.conformance.peer import TIMEOUT, Peer, run_together
from tests.conformance.server import Server, environment, eventually
from tests.conformance.wire import get
from tests.conformance.wrappers import BACKGROUND, nohup

from .command import launched
from .helpers import BIG, TEXT, become, fetch, fresh, says, workers

alone_or_not = pytest.mark.parametrize(
    "many", [(), ("--workers", "2"), ("--sandbox",)], ids=["alone", "two", "confined"]
)
SAID = "^pwb: (nothing is )?reloaded|still"
Write = Callable[[str], None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the file of options."""

    def write(toml: str) -> None:
        (tmp_path / "pwb.new").write_text(toml)
        (tmp_path / "pwb.new").rename(tmp_path / "pwb.toml")

    return write


async def reload(server: Server) -> None:
    """Sends SIGHUP and waits until the server says that the reload has ended."""
    before = server.error_output().count("reloaded")
    server.signal(signal.SIGHUP)
    await says(server, "reloaded", before + 1)


@alone_or_not
async def test_other_options(many: tuple[str, ...], run: Start, write: Write) -> None:
    write("max-age = 1")
    async with run(*many, allowed_errors=SAID) as server:
        assert (await fresh(server))["Cache-Control"] == "max-age=1"
        write("max-age = 2\nserver-version = true")
        await reload(server)
        await become(server, "Cache-Control", "max-age=2")
        assert ((await fresh(server))["Server"] or "").startswith("PWB/")
        write("")
        await reload(server)
        await become(server, "Cache-Control", "no-cache")


@alone_or_not
async def test_another_root_and_another_log(many: tuple[str, ...], write: Write, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)

    def tell(name: str) -> None:
        write(f"root = '{name}'\naccess-log = '{name}.log'\nport = 0")

    tell("one")
    async with launched(*many, folder=tmp_path) as server:
        assert (await fresh(server)).content == b"one"
        tell("two")
        await reload(server)
        count = 1
        async with asyncio.timeout(TIMEOUT):
            while (await fresh(server)).content != b"two":
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
@alone_or_not
async def test_wrong_options_change_nothing_f1(
    toml: str, why: str, many: tuple[str, ...], write: Write, root: Path, tmp_path: Path
) -> None:
    """One line says why, and open connections are served as before."""
    write("max-age = 1\nroot = 'root'\nport = 0")
    async with launched(*many, folder=tmp_path) as server, Peer(server.address) as peer:
        assert (await fetch(peer))["Cache-Control"] == "max-age=1"
        before = workers(server)
        write("max-age = 2\nport = 0\n" + toml + ("" if toml.startswith("root") else "\nroot = 'root'"))
        await reload(server)
        if "user" in toml and not many:
            assert "pwb: --user is still not set: only a restart can change it" in server.error_output()
            return
        assert "pwb: nothing is reloaded: " in server.error_output()
        assert why in server.error_output()
        answer = await fetch(peer)
        assert (answer["Cache-Control"], answer["Connection"]) == ("max-age=1", None)
        assert (await fresh(server))["Cache-Control"] == "max-age=1"
        assert workers(server) == before


@alone_or_not
async def test_a_root_that_has_gone_changes_nothing_f1(
    many: tuple[str, ...], run: Start, write: Write, root: Path
) -> None:
    async with run(*many, allowed_errors=SAID) as server:
        root.rename(root.with_name("elsewhere"))
        await reload(server)
        assert "nothing is reloaded: cannot serve" in server.error_output()
        root.with_name("elsewhere").rename(root)
        assert (await fresh(server)).content == TEXT


@pytest.mark.parametrize("count", [1, 2])
async def test_new_workers_that_cannot_serve_change_nothing_f1(
    count: int, write: Write, root: Path, tmp_path: Path
) -> None:
    """The supervisor may enter the root, but the user of the new workers may not; their log is closed again."""
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")
    root.chmod(0o700)
    write("workers = 2")
    async with launched(root, "--port", "0", folder=tmp_path) as server:
        before, descriptors = workers(server), os.listdir(f"/proc/{server.pid}/fd")
        write(f"user = 'nobody'\nworkers = {count}\naccess-log = 'another'")
        await reload(server)
        assert "nothing is reloaded: cannot serve" in server.error_output()
        await eventually(lambda: os.listdir(f"/proc/{server.pid}/fd") == descriptors, 5)
        await eventually(lambda: workers(server) == before, 5)
        assert (await fresh(server)).content == TEXT


@alone_or_not
async def test_the_address_stays(many: tuple[str, ...], run: Start, write: Write) -> None:
    async with run(*many, allowed_errors=SAID) as server:
        write("host = '127.0.0.9'\nmax-age = 3")
        await reload(server)
        assert "pwb: --host is still 127.0.0.1: only a restart can change it" in server.error_output()
        await become(server, "Cache-Control", "max-age=3")


async def test_as_many_workers_as_the_new_options_say(run: Start, write: Write) -> None:
    write("workers = 2")
    async with run(allowed_errors=SAID) as server:
        for count in (4, 1, 3):
            write(f"workers = {count}")
            await reload(server)
            await eventually(lambda count=count: len(workers(server)) == count, 5)
        assert (await fresh(server)).content == TEXT


@alone_or_not
async def test_nobody_is_cut_off_f1(many: tuple[str, ...], run: Start) -> None:
    """One connection is in the middle of a response, one in the middle of a request, one idle."""
    async with (
        run(*many, allowed_errors=SAID) as server,
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
        assert answer["Connection"] == ("close" if many else None)
        count = len(head)
        while count < BIG:
            count += len(await reader.read_at_least(1))
        assert count < BIG + 1000


@pytest.mark.quiet
async def test_idle_connections_are_closed_a_little_later_f1(run: Start) -> None:
    """Not at once: a request that is sent at that very moment must not be cut off."""
    async with run("--workers", "2", allowed_errors=SAID) as server, Peer(server.address) as idler:
        await fetch(idler)
        before = workers(server)
        await reload(server)
        start = time.monotonic()
        assert await idler.read_to_end() == b""
        assert 1 < time.monotonic() - start < 3
        await eventually(lambda: len(workers(server)) == 2 and not set(before) & set(workers(server)), 5)


@alone_or_not
async def test_a_storm_of_reloads_f1(many: tuple[str, ...], run: Start, write: Write) -> None:
    async with run(*many, allowed_errors=SAID) as server:
        idle = server.resources()
        stop = asyncio.Event()

        async def ask_on() -> int:
            count = 0
            async with Peer(server.address) as peer:
                while not stop.is_set():
                    answer = await fetch(peer)
                    assert answer.content == TEXT
                    count += 1
                    if answer["Connection"]:
                        break
            return count

        async def ask_again() -> int:
            count = 0
            while not stop.is_set():
                count += await ask_on()
            return count

        asking = asyncio.create_task(run_together(*(ask_again() for _ in range(4))))
        for number in range(30):
            write(f"max-age = {number}")
            server.signal(signal.SIGHUP)
            await asyncio.sleep(0.01)
        write("max-age = 99")
        server.signal(signal.SIGHUP)
        await become(server, "Cache-Control", "max-age=99")
        stop.set()
        assert min(await asking) > 10
        await server.wait_for_resources(
            lambda resources: resources.processes == idle.processes and resources.descriptors <= idle.descriptors + 2
        )


# -- the log


@alone_or_not
async def test_reopened_log_loses_nothing_e8(many: tuple[str, ...], run: Start, tmp_path: Path) -> None:
    """What logrotate does, under load: every answer has its line, in one file or another."""
    async with run(*many) as server:
        counts = []
        for number in range(10):
            os.rename(server.log, tmp_path / f"log.{number}")
            server.signal(signal.SIGUSR1)
            counts += await run_together(*(ask_times(server, 20) for _ in range(4)))
            await eventually(server.log.exists, 5)
    lines = sum(path.read_bytes().count(b"\n") for path in tmp_path.glob("log.*")) + server.log.read_bytes().count(
        b"\n"
    )
    assert lines == sum(counts) == 800


async def ask_times(server: Server, times: int) -> int:
    async with Peer(server.address) as peer:
        for _ in range(times):
            assert (await fetch(peer)).content == TEXT
    return times


@alone_or_not
async def test_log_that_cannot_be_reopened_e8(many: tuple[str, ...], run: Start, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "log"
    async with run(*many, "--access-log", str(log), allowed_errors="cannot be opened anew") as server:
        await fresh(server)
        (tmp_path / "logs").rename(tmp_path / "old")
        server.signal(signal.SIGUSR1)
        await says(server, "the access log cannot be opened anew, the old one goes on: No such file or directory")
        await fresh(server)
    assert (tmp_path / "old" / "log").read_bytes().count(b"\n") == 2


@alone_or_not
async def test_named_pipe_without_a_reader_e8(many: tuple[str, ...], write: Write, root: Path, tmp_path: Path) -> None:
    """At the start, at SIGUSR1, at a reload to another one, at the end."""
    one, two = tmp_path / "one", tmp_path / "two"
    os.mkfifo(one)
    os.mkfifo(two)
    write(f"access-log = '{one}'")
    async with launched(root, "--port", "0", *many, folder=tmp_path) as server:
        assert (
            server.error_output().count(f"nobody reads the access log {one}: its lines wait until somebody does") == 1
        )
        for _ in range(3):
            assert (await fresh(server)).content == TEXT
        server.signal(signal.SIGUSR1)
        assert (await fresh(server)).content == TEXT
        with open(os.open(one, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as reader:
            lines = b""

            def all_came() -> bool:
                nonlocal lines
                lines += reader.read() or b""
                return lines.count(b"\n") == 4

            await eventually(all_came, 3, lambda: str(lines))
        assert (await fresh(server)).content == TEXT
        write(f"access-log = '{two}'")
        await reload(server)
        assert f"nobody reads the access log {two}: " in server.error_output()
        assert (await fresh(server)).content == TEXT
        server.signal()
        assert await server.exited(within=3) == 0
    assert server.error_output().count("nobody reads the access log") in (2, 3), (
        "the first pipe's reader has gone meanwhile"
    )
    lost = re.findall(r"^pwb: (\d+) lines of the access log were lost$", server.error_output(), re.MULTILINE)
    assert sum(map(int, lost)) == 2, "each pipe's last"


@alone_or_not
async def test_options_in_a_pipe_that_nobody_writes_to_f1(many: tuple[str, ...], root: Path, tmp_path: Path) -> None:
    """A start reads them, as from <(...) of a shell; a reload finds nothing, and changes nothing."""
    os.mkfifo(tmp_path / "pipe")
    keeper = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(tmp_path / "pipe", os.O_WRONLY)
    os.write(writer, b"max-age = 7")
    os.close(writer)
    async with launched(root, "--port", "0", "--config", "pipe", *many, folder=tmp_path) as server:
        assert (await fresh(server))["Cache-Control"] == "max-age=7"
        await reload(server)
        assert (
            "nothing is reloaded: pipe: cannot be read: it is a pipe that no process writes to" in server.error_output()
        )
        assert (await fresh(server))["Cache-Control"] == "max-age=7"
    os.close(keeper)


# -- the terminal


@pytest.mark.parametrize("many", ["1", "2"])
def test_it_ends_with_its_terminal(many: str, root: Path, tmp_path: Path) -> None:
    """SIGHUP also means that the terminal was closed, and then the server ends."""
    master, slave = pty.openpty()

    def take_terminal() -> None:
        import fcntl

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    with subprocess.Popen(
        [sys.executable, "-m", "pwb_async", root, "--port", "0", "--access-log", "off", "--workers", many],
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
        assert process.wait(5) == 0


async def test_nohup_outlives_its_terminal(run: Start) -> None:
    """With a supervisor, too; the signal that would end it is a reload then."""
    terminal, wrapper = nohup()
    async with run("--workers", "2", wrapper=wrapper, allowed_errors=f"{SAID}|^nohup: ") as server:
        assert (await fresh(server)).content == TEXT
        before = workers(server)
        os.close(terminal)
        await says(server, "reloaded")
        assert (await fresh(server)).content == TEXT
        await eventually(lambda: len(workers(server)) == 2 and not set(before) & set(workers(server)), 5)
        await reload(server)
        assert (await fresh(server)).content == TEXT


async def test_background_job_of_a_script(run: Start) -> None:
    """Ctrl-C is meant neither for it nor for its workers."""
    async with run("--workers", "2", wrapper=BACKGROUND) as server, Peer(server.address) as kept:
        before = workers(server)
        for _ in range(3):
            os.killpg(server.pid, signal.SIGINT)
            assert (await fetch(kept)).content == TEXT
        assert workers(server) == before
