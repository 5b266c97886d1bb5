"""Unix sockets, sockets that systemd passes to the server, and the messages that the server sends to systemd."""

import asyncio
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pwb_legacy.modes import MODES
from tests.conformance.peer import TIMEOUT
from tests.conformance.server import Server, environment, eventually
from tests.conformance.strace import needs_strace

from .command import launched
from .helpers import TEXT, fresh, says, workers

many = pytest.mark.parametrize("many", ["1", "2"], ids=["alone", "two"])
loops = pytest.mark.parametrize("loop", ["uvloop", "asyncio"])


async def ask(path: Path, target: str = "/a.txt") -> bytes:
    """The response to one request through a Unix socket."""
    async with asyncio.timeout(TIMEOUT):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" % target.encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    return answer


# -- Unix sockets


@loops
@many
async def test_unix_socket(loop: str, many: str, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with launched(root, "--unix", path, "--loop", loop, "--workers", many, folder=tmp_path) as server:
        assert f"listening on unix:{path}".encode() in server.log.read_bytes()
        assert (await ask(path)).endswith(b"\r\n\r\n" + TEXT)
        assert len(await ask(path, "/big.bin")) > 30_000_000
        server.signal(signal.SIGHUP)
        await says(server, "reloaded")
        assert (await ask(path)).endswith(TEXT)
    assert not path.exists()
    assert (tmp_path / "said").read_text().count("- - - [") == 3, "a peer without an address"


async def test_its_mode_is_the_umask_s(root: Path, tmp_path: Path) -> None:
    wrapper = ("sh", "-c", 'umask 007 && exec "$@"', "sh")
    async with launched(root, "--unix", "s", folder=tmp_path, wrapper=wrapper):
        assert stat.S_IMODE(os.stat(tmp_path / "s").st_mode) & 0o666 == 0o660


DESIGNS = ["pwb_async", *(f"pwb_legacy --mode {mode}" for mode in MODES)]


def listening(command: str, *options: str, folder: Path) -> subprocess.Popen[bytes]:
    """Any design, once it has said that it listens."""
    words = [sys.executable, "-m", *command.split(), "root", "--unix", "s", *options]
    process = subprocess.Popen(words, cwd=folder, env=environment(), stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert b"listening on unix:" in process.stdout.readline()
    return process


@pytest.mark.parametrize("command", DESIGNS)
@pytest.mark.parametrize("mode", ["660", "0606"])
async def test_mode_and_group_of_its_file(command: str, mode: str, root: Path, tmp_path: Path) -> None:
    """More than the umask would allow, and less."""
    group = max(os.getgroups() or [os.getgid()]) if os.geteuid() else 12345
    with listening(command, "--unix-mode", mode, "--unix-group", str(group), folder=tmp_path) as process:
        try:
            status = os.stat(tmp_path / "s")
            assert stat.S_IMODE(status.st_mode) == int(mode, 8)
            assert (status.st_uid, status.st_gid) == (os.geteuid(), group)
            assert b" 200 OK\r\n" in await ask(tmp_path / "s")
        finally:
            process.terminate()
        assert await asyncio.to_thread(process.wait, TIMEOUT) == 0
    assert not (tmp_path / "s").exists()


@needs_strace
async def test_nobody_connects_before_it_has_its_mode(root: Path, tmp_path: Path) -> None:
    """A socket refuses connections until listen(): that comes last, and the umask is never another one."""
    calls = "trace=bind,listen,umask,?chmod,?fchmod,?fchmodat,?fchmodat2,?chown,?fchown,?lchown,?fchownat"
    wrapper = ("strace", "-D", "-f", "-qq", "-o", str(tmp_path / "calls"), "-e", calls)
    options = ("--unix", "s", "--unix-mode", "660", "--unix-group", str(os.getgid()))
    async with launched(root, *options, folder=tmp_path, wrapper=wrapper):
        assert (await ask(tmp_path / "s")).endswith(TEXT)
    made = re.findall(r"^\d+ +(\w+)\(", (tmp_path / "calls").read_text(), re.MULTILINE)
    assert [name.removeprefix("f").removesuffix("at") for name in made[:4]] == ["bind", "chown", "chmod", "listen"]
    assert set(made[4:]) <= {"listen"}, "the loop's own"


async def test_mode_and_group_stay(root: Path, tmp_path: Path) -> None:
    """A reload makes no other socket."""
    async with launched(root, "--unix", "s", folder=tmp_path) as server:
        (tmp_path / "pwb.toml").write_text("unix-mode = '600'\nunix-group = 'nobody-of-that-name'")
        server.signal(signal.SIGHUP)
        await says(server, "reloaded")
        assert "pwb: --unix-mode is still not set: only a restart can change it\n" in server.error_output()
        assert "pwb: --unix-group is still not set: only a restart can change it\n" in server.error_output()
        assert (await ask(tmp_path / "s")).endswith(TEXT)


async def test_group_that_there_is_not(root: Path, tmp_path: Path) -> None:
    options = ("--unix", "s", "--unix-group", "nobody-of-that-name")
    async with launched(root, *options, folder=tmp_path, status=1) as server:
        await server.exited()
    assert (
        server.error_output()
        == "pwb: cannot give the socket to the group nobody-of-that-name: there is no such group\n"
    )
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("group", "why"),
    [
        ("99999999999999", "the highest number is 4294967294"),
        ("4294967295", "the highest number is 4294967294"),
        ("9" * 5000, "the highest number is 4294967294"),
        ("\u0663\u0663", "there is no such group"),
        ("-1", "there is no such group"),
    ],
    ids=lambda text: text[:20],
)
@pytest.mark.parametrize("command", ["pwb_async", "pwb_legacy --mode thread"])
def test_group_that_there_cannot_be(command: str, group: str, why: str, root: Path, tmp_path: Path) -> None:
    """(gid_t)-1 makes chown(2) change nothing; digits that are not ASCII are the letters of a name."""
    options = ("--unix", "s", f"--unix-group={group}")
    words = [sys.executable, "-m", *command.split(), "root", *options]
    done = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=10)
    program = "pwb" if command == "pwb_async" else "pwb-legacy"
    assert done.stderr == f"{program}: cannot give the socket to the group {group}: {why}\n"
    assert done.returncode == 1
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("user", ["99999999999999:0", "4294967295:0", "0:4294967295", "\u0663\u0663:0"])
def test_user_that_there_cannot_be(user: str, root: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pwb_async", "root", "--unix", "s", "--user", user]
    done = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=10)
    why = "the highest number is 4294967294" if user.isascii() else "there is no such user"
    assert done.stderr == f"pwb: cannot become {user}: {why}\n"
    assert done.returncode == 1
    assert not (tmp_path / "s").exists()


@needs_strace
@pytest.mark.parametrize("call", ["chmod", "chown"])
async def test_reason_is_that_of_the_system(call: str, root: Path, tmp_path: Path) -> None:
    """Membership of a group has nothing to do with a mode, nor with a group that the process is in."""
    wrapper = ("strace", "-D", "-f", "-qq", "-o", "calls", "-e", f"inject=/f?{call}:error=EPERM")
    options = ("--unix", "s", "--unix-mode", "660", "--unix-group", str(os.getgid()))
    async with launched(root, *options, folder=tmp_path, wrapper=wrapper, status=1) as server:
        await server.exited()
    assert server.error_output() == "pwb: cannot listen on s: Operation not permitted\n"
    assert not (tmp_path / "s").exists()


async def test_group_that_we_are_not_in(root: Path, tmp_path: Path) -> None:
    options = ("--unix", "s", "--unix-group", "12345")
    wrapper = ("setpriv", "--bounding-set=-chown") if os.geteuid() == 0 else ()  # root as others are
    async with launched(root, *options, folder=tmp_path, wrapper=wrapper, status=1) as server:
        await server.exited()
    assert server.error_output() == "pwb: cannot listen on s: only a member of a group may give the socket to it\n"
    assert not (tmp_path / "s").exists()


async def test_stale_socket_is_replaced(root: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "s"))
    async with launched(root, "--unix", "s", folder=tmp_path):
        assert (await ask(tmp_path / "s")).endswith(TEXT)


async def test_socket_that_somebody_listens_on_is_not(root: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(tmp_path / "s"))
        taken.listen()
        async with launched(root, "--unix", "s", folder=tmp_path, status=1) as server:
            await server.exited()
    assert server.error_output() == "pwb: cannot listen on s: somebody listens on it\n"
    assert (tmp_path / "s").exists()


async def test_other_files_are_not(root: Path, tmp_path: Path) -> None:
    (tmp_path / "s").write_text("precious")
    async with launched(root, "--unix", "s", folder=tmp_path, status=1) as server:
        await server.exited()
    assert server.error_output() == "pwb: cannot listen on s: there is a file, and no socket\n"
    assert (tmp_path / "s").read_text() == "precious"


async def test_somebody_else_s_socket_stays(root: Path, tmp_path: Path) -> None:
    """At the end, the name is another server's already."""
    async with launched(root, "--unix", "s", folder=tmp_path):
        (tmp_path / "s").unlink()
        other = socket.socket(socket.AF_UNIX)
        other.bind(str(tmp_path / "s"))
    assert (tmp_path / "s").exists()
    other.close()


# -- systemd


class Manager:
    """A service manager that collects the messages of the server."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.told: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(path))

    async def hears(self) -> str:
        async with asyncio.timeout(TIMEOUT):
            return (await asyncio.get_running_loop().sock_recv(self._socket, 4096)).decode()

    def close(self) -> None:
        self._socket.close()


@contextmanager
def manager(path: Path) -> Iterator[Manager]:
    manager = Manager(path)
    try:
        yield manager
    finally:
        manager.close()


@loops
@many
async def test_the_manager_is_told(loop: str, many: str, root: Path, tmp_path: Path) -> None:
    with manager(tmp_path / "n") as boss:
        async with launched(
            root,
            *("--port", "0", "--loop", loop, "--workers", many),
            folder=tmp_path,
            environ={"NOTIFY_SOCKET": str(boss.path)},
        ) as server:
            assert await boss.hears() == "READY=1"
            assert (await fresh(server)).content == TEXT
            for toml in ("max-age = 1", "prot = 1"):  # one that succeeds, one that is rolled back
                (tmp_path / "pwb.toml").write_text(toml)
                server.signal(signal.SIGHUP)
                assert (await boss.hears()).startswith("RELOADING=1\nMONOTONIC_USEC=")
                assert await boss.hears() == "READY=1"
            server.signal()
            assert await boss.hears() == "STOPPING=1"


async def test_manager_that_is_gone_does_no_harm(root: Path, tmp_path: Path) -> None:
    words = {"NOTIFY_SOCKET": str(tmp_path / "nowhere")}
    async with launched(root, "--port", "0", folder=tmp_path, environ=words) as server:
        assert (await fresh(server)).content == TEXT


HAND = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


def handed(sock: socket.socket) -> tuple[str, ...]:
    """A wrapper that passes a socket as systemd does."""
    return (sys.executable, "-c", HAND, str(sock.fileno()))


@loops
@many
async def test_socket_activation(loop: str, many: str, root: Path, tmp_path: Path) -> None:
    """A connection that was made before the server started is served."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as early:
        early.connect(listener.getsockname())
        early.settimeout(TIMEOUT)
        early.sendall(b"GET /a.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        async with launched(
            root,
            *("--loop", loop, "--workers", many),
            folder=tmp_path,
            wrapper=handed(listener),
            environ={"LISTEN_FDS": "1"},
            descriptors=[listener.fileno()],
        ) as server:
            assert server.address == listener.getsockname()
            assert b"200 OK" in await asyncio.to_thread(early.recv, 4096)
            assert (await fresh(server)).content == TEXT


async def test_mode_of_a_socket_that_was_handed_over(root: Path, tmp_path: Path) -> None:
    """It is systemd's to set, so a line says that the options are ignored."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with launched(
            root,
            *("--unix", "s", "--unix-mode", "660"),
            folder=tmp_path,
            wrapper=handed(listener),
            environ={"LISTEN_FDS": "1"},
            descriptors=[listener.fileno()],
        ) as server:
            assert (await fresh(server)).content == TEXT
    line = "pwb: --unix-mode and --unix-group are ignored: the sockets were handed over by systemd\n"
    assert server.error_output() == line


@many
async def test_file_of_a_socket_that_was_handed_over_stays(many: str, root: Path, tmp_path: Path) -> None:
    """systemd made it, and goes on listening there."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        async with launched(
            root,
            *("--workers", many),
            folder=tmp_path,
            wrapper=handed(listener),
            environ={"LISTEN_FDS": "1"},
            descriptors=[listener.fileno()],
        ) as server:
            server.signal(signal.SIGHUP)
            await says(server, "reloaded")
            assert (await ask(tmp_path / "s")).endswith(TEXT)
        assert (tmp_path / "s").exists()


async def test_sockets_for_somebody_else_are_left_alone(root: Path, tmp_path: Path) -> None:
    words = {"LISTEN_FDS": "1", "LISTEN_PID": "1"}
    async with launched(root, "--port", "0", folder=tmp_path, environ=words) as server:
        assert (await fresh(server)).content == TEXT


async def test_descriptor_that_does_not_listen(root: Path, tmp_path: Path) -> None:
    with socket.socket() as idle:
        async with launched(
            root,
            folder=tmp_path,
            wrapper=handed(idle),
            environ={"LISTEN_FDS": "1"},
            descriptors=[idle.fileno()],
            status=1,
        ) as server:
            await server.exited()
    assert "descriptor 3 of LISTEN_FDS is no socket that listens" in server.error_output()
    assert len(server.error_output().splitlines()) == 1


async def test_workers_of_a_unix_socket_can_die(root: Path, tmp_path: Path) -> None:
    """The name is the supervisor's: it does not go with them."""

    def replaced(server: Server, victim: int) -> bool:
        return victim not in workers(server) and len(workers(server)) == 2

    async with launched(root, "--unix", "s", "--workers", "2", folder=tmp_path) as server:
        victim = workers(server)[0]
        os.kill(victim, signal.SIGKILL)
        await eventually(lambda: replaced(server, victim), 5)
        assert (await ask(tmp_path / "s")).endswith(TEXT)
