"""Unix sockets, sockets that systemd passes to the server, and the messages that the server sends to systemd."""

import asyncio
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from pwb_async.config.modes import MODES
from tests.conformance.peer import TIMEOUT
from tests.conformance.server import Server, environment, eventually
from tests.conformance.strace import needs_strace

from .admin import Admin
from .command import launched
from .helpers import TEXT, fetch_fresh, wait_for_message, workers
from .service_manager import manager

worker_count = pytest.mark.parametrize("worker_count", ["1", "2"], ids=["alone", "two"])
loops = pytest.mark.parametrize("loop", ["uvloop", "asyncio"])


async def fetch_unix(path: Path, target: str = "/a.txt") -> bytes:
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
@worker_count
async def test_unix_socket(loop: str, worker_count: str, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "s"
    async with launched(root, "--unix", path, "--loop", loop, "--workers", worker_count, folder=tmp_path) as server:
        assert f"listening on unix:{path}".encode() in server.log.read_bytes()
        assert (await fetch_unix(path)).endswith(b"\r\n\r\n" + TEXT)
        assert len(await fetch_unix(path, "/big.bin")) > 30_000_000
        server.signal(signal.SIGHUP)
        await wait_for_message(server, "reloaded")
        assert (await fetch_unix(path)).endswith(TEXT)
    assert not path.exists()
    assert (tmp_path / "output").read_text().count("- - - [") == 3, "a peer without an address"


async def test_the_umask_decides_the_mode(root: Path, tmp_path: Path) -> None:
    wrapper = ("sh", "-c", 'umask 007 && exec "$@"', "sh")
    async with launched(root, "--unix", "s", folder=tmp_path, wrapper=wrapper):
        assert stat.S_IMODE(os.stat(tmp_path / "s").st_mode) & 0o666 == 0o660


DESIGNS = ["pwb_async", *(f"pwb_legacy --mode {mode}" for mode in MODES)]


def listening(command: str, *options: str, folder: Path) -> subprocess.Popen[bytes]:
    """A server of any design that listens on the socket `s`."""
    words = [sys.executable, "-m", *command.split(), "root", "--unix", "s", *options]
    process = subprocess.Popen(words, cwd=folder, env=environment(), stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert b"listening on unix:" in process.stdout.readline()
    return process


@pytest.mark.parametrize("command", DESIGNS)
@pytest.mark.parametrize("mode", ["660", "0606"])
async def test_mode_and_group_of_the_socket_file(command: str, mode: str, root: Path, tmp_path: Path) -> None:
    """The mode may grant more than the umask would, or less."""
    group = max(os.getgroups() or [os.getgid()]) if os.geteuid() else 12345
    with listening(command, "--unix-mode", mode, "--unix-group", str(group), folder=tmp_path) as process:
        try:
            status = os.stat(tmp_path / "s")
            assert stat.S_IMODE(status.st_mode) == int(mode, 8)
            assert (status.st_uid, status.st_gid) == (os.geteuid(), group)
            assert b" 200 OK\r\n" in await fetch_unix(tmp_path / "s")
        finally:
            process.terminate()
        assert await asyncio.to_thread(process.wait, TIMEOUT) == 0
    assert not (tmp_path / "s").exists()


@needs_strace
async def test_mode_and_group_are_set_before_listen(root: Path, tmp_path: Path) -> None:
    """A socket wait_until_refused connections until listen(): that comes last, and the umask is never another one."""
    calls = "trace=bind,listen,umask,?chmod,?fchmod,?fchmodat,?fchmodat2,?chown,?fchown,?lchown,?fchownat"
    wrapper = ("strace", "-D", "-f", "-qq", "-o", str(tmp_path / "calls"), "-e", calls)
    options = ("--unix", "s", "--unix-mode", "660", "--unix-group", str(os.getgid()))
    async with launched(root, *options, folder=tmp_path, wrapper=wrapper):
        assert (await fetch_unix(tmp_path / "s")).endswith(TEXT)
    made = re.findall(r"^\d+ +(\w+)\(", (tmp_path / "calls").read_text(), re.MULTILINE)
    assert [name.removeprefix("f").removesuffix("at") for name in made[:4]] == ["bind", "chown", "chmod", "listen"]
    assert set(made[4:]) <= {"listen"}, "calls of the event loop"


async def test_a_reload_keeps_mode_and_group(root: Path, tmp_path: Path) -> None:
    """A reload keeps the socket."""
    async with launched(root, "--unix", "s", folder=tmp_path) as server:
        (tmp_path / "pwb.toml").write_text("unix-mode = '600'\nunix-group = 'nobody-of-that-name'")
        server.signal(signal.SIGHUP)
        await wait_for_message(server, "reloaded")
        assert "pwb: --unix-mode is still not set: only a restart can change it\n" in server.error_output()
        assert "pwb: --unix-group is still not set: only a restart can change it\n" in server.error_output()
        assert (await fetch_unix(tmp_path / "s")).endswith(TEXT)


async def test_an_unknown_group(root: Path, tmp_path: Path) -> None:
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
def test_an_impossible_group(command: str, group: str, why: str, root: Path, tmp_path: Path) -> None:
    """(gid_t)-1 makes chown(2) change nothing; digits that are not ASCII are the letters of a name."""
    options = ("--unix", "s", f"--unix-group={group}")
    words = [sys.executable, "-m", *command.split(), "root", *options]
    done = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=10)
    program = "pwb" if command == "pwb_async" else "pwb-legacy"
    assert done.stderr == f"{program}: cannot give the socket to the group {group}: {why}\n"
    assert done.returncode == 1
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("user", ["99999999999999:0", "4294967295:0", "0:4294967295", "\u0663\u0663:0"])
def test_an_impossible_user(user: str, root: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pwb_async", "root", "--unix", "s", "--user", user]
    done = subprocess.run(words, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=10)
    why = "the highest number is 4294967294" if user.isascii() else "there is no such user"
    assert done.stderr == f"pwb: cannot become {user}: {why}\n"
    assert done.returncode == 1
    assert not (tmp_path / "s").exists()


@needs_strace
@pytest.mark.parametrize("call", ["chmod", "chown"])
async def test_the_reason_is_the_system_s(call: str, root: Path, tmp_path: Path) -> None:
    """Membership of a group has nothing to do with a mode, nor with a group that the process is in."""
    wrapper = ("strace", "-D", "-f", "-qq", "-o", "calls", "-e", f"inject=/f?{call}:error=EPERM")
    options = ("--unix", "s", "--unix-mode", "660", "--unix-group", str(os.getgid()))
    async with launched(root, *options, folder=tmp_path, wrapper=wrapper, status=1) as server:
        await server.exited()
    assert server.error_output() == "pwb: cannot listen on s: Operation not permitted\n"
    assert not (tmp_path / "s").exists()


async def test_a_group_that_the_process_is_not_in(root: Path, tmp_path: Path) -> None:
    options = ("--unix", "s", "--unix-group", "12345")
    wrapper = ("setpriv", "--bounding-set=-chown") if os.geteuid() == 0 else ()  # root as others are
    async with launched(root, *options, folder=tmp_path, wrapper=wrapper, status=1) as server:
        await server.exited()
    assert server.error_output() == "pwb: cannot listen on s: only a member of a group may give the socket to it\n"
    assert not (tmp_path / "s").exists()


async def test_a_stale_socket_is_replaced(root: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "s"))
    async with launched(root, "--unix", "s", folder=tmp_path):
        assert (await fetch_unix(tmp_path / "s")).endswith(TEXT)


async def test_a_socket_in_use_is_not_replaced(root: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(tmp_path / "s"))
        taken.listen()
        async with launched(root, "--unix", "s", folder=tmp_path, status=1) as server:
            await server.exited()
    assert server.error_output() == "pwb: cannot listen on s: another process listens on it\n"
    assert (tmp_path / "s").exists()


async def test_another_kind_of_file_is_not_replaced(root: Path, tmp_path: Path) -> None:
    (tmp_path / "s").write_text("precious")
    async with launched(root, "--unix", "s", folder=tmp_path, status=1) as server:
        await server.exited()
    assert server.error_output() == "pwb: cannot listen on s: there is a file that is not a socket\n"
    assert (tmp_path / "s").read_text() == "precious"


async def test_the_socket_of_another_server_is_not_removed(root: Path, tmp_path: Path) -> None:
    """When the server stops, another server has taken the name."""
    async with launched(root, "--unix", "s", folder=tmp_path):
        (tmp_path / "s").unlink()
        other = socket.socket(socket.AF_UNIX)
        other.bind(str(tmp_path / "s"))
    assert (tmp_path / "s").exists()
    other.close()


# -- systemd


@loops
@worker_count
async def test_the_service_manager_is_notified(loop: str, worker_count: str, root: Path, tmp_path: Path) -> None:
    with manager(tmp_path / "n") as service_manager:
        async with launched(
            root,
            *("--port", "0", "--loop", loop, "--workers", worker_count),
            folder=tmp_path,
            environ={"NOTIFY_SOCKET": str(service_manager.path)},
        ) as server:
            assert await service_manager.receive() == "READY=1"
            assert (await fetch_fresh(server)).content == TEXT
            for toml in ("max-age = 1", "prot = 1"):  # one that succeeds, one that is rolled back
                (tmp_path / "pwb.toml").write_text(toml)
                server.signal(signal.SIGHUP)
                assert (await service_manager.receive()).startswith("RELOADING=1\nMONOTONIC_USEC=")
                assert await service_manager.receive() == "READY=1"
            server.signal()
            assert await service_manager.receive() == "STOPPING=1"
        assert service_manager.waiting() == [], "systemd logs a warning for each message of a worker"


async def test_a_missing_service_manager_does_no_harm(root: Path, tmp_path: Path) -> None:
    words = {"NOTIFY_SOCKET": str(tmp_path / "nowhere")}
    async with launched(root, "--port", "0", folder=tmp_path, environ=words) as server:
        assert (await fetch_fresh(server)).content == TEXT


PASS_SOCKETS = """
import os, sys
count = int(sys.argv[1])
for number, fd in enumerate([os.dup2(int(fd), 1000 + int(fd)) for fd in sys.argv[2 : 2 + count]]):
    os.dup2(fd, 3 + number)
    os.close(fd)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2 + count], sys.argv[2 + count :])
"""


def activated(
    root: Path, *options: str, folder: Path, sock: socket.socket, admin: socket.socket | None = None, status: int = 0
) -> AbstractAsyncContextManager[Server]:
    """A server to which a socket is passed as systemd does, and perhaps one before it that is named admin."""
    descriptors = [each.fileno() for each in (admin, sock) if each is not None]
    names = {"LISTEN_FDNAMES": "admin:pwb.socket"} if admin is not None else {}
    return launched(
        root,
        *options,
        folder=folder,
        wrapper=(sys.executable, "-c", PASS_SOCKETS, str(len(descriptors)), *map(str, descriptors)),
        environ={"LISTEN_FDS": str(len(descriptors))} | names,
        descriptors=descriptors,
        status=status,
    )


@loops
@worker_count
async def test_socket_activation(loop: str, worker_count: str, root: Path, tmp_path: Path) -> None:
    """A connection that was made before the server started is served."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as early:
        early.connect(listener.getsockname())
        early.settimeout(TIMEOUT)
        early.sendall(b"GET /a.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        async with activated(root, "--loop", loop, "--workers", worker_count, folder=tmp_path, sock=listener) as server:
            assert server.address == listener.getsockname()
            assert b"200 OK" in await asyncio.to_thread(early.recv, 4096)
            assert (await fetch_fresh(server)).content == TEXT


async def test_mode_of_an_inherited_socket_is_ignored(root: Path, tmp_path: Path) -> None:
    """systemd sets the mode, so a line reports that the options are ignored."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with activated(root, "--unix", "s", "--unix-mode", "660", folder=tmp_path, sock=listener) as server:
            assert (await fetch_fresh(server)).content == TEXT
    line = "pwb: --unix-mode and --unix-group are ignored: the sockets were handed over by systemd\n"
    assert server.error_output() == line


@worker_count
async def test_the_file_of_an_inherited_socket_stays(worker_count: str, root: Path, tmp_path: Path) -> None:
    """systemd created the file, and keeps listening there."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        async with activated(root, "--workers", worker_count, folder=tmp_path, sock=listener) as server:
            server.signal(signal.SIGHUP)
            await wait_for_message(server, "reloaded")
            assert (await fetch_unix(tmp_path / "s")).endswith(TEXT)
        assert (tmp_path / "s").exists()


@worker_count
async def test_an_admin_address_of_the_service_manager(worker_count: str, root: Path, tmp_path: Path) -> None:
    """The socket's name tells what it is for, also to the processes that take over; its file is the manager's."""
    admin = Admin(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket(socket.AF_UNIX) as managed:
        managed.bind(str(admin.path))
        managed.listen()
        for options in ((), ("--admin", "127.0.0.1:1", "--sandbox")):
            async with activated(
                root, "--workers", worker_count, *options, folder=tmp_path, sock=listener, admin=managed
            ) as server:
                assert (await fetch_fresh(server)).content == TEXT
                assert await admin.status("/readyz") == 200
                server.signal(signal.SIGHUP)
                await wait_for_message(server, "reloaded")
                await admin.wait_for(lambda metrics: metrics['pwb_reloads_total{result="success"}'] == 1)
                server.signal(signal.SIGUSR2)
                await wait_for_message(server, "has taken over")
                assert await server.exited() == 0
                assert (await fetch_fresh(server)).content == TEXT
                assert await admin.status("/readyz") == 200
                os.kill(min(server.process_ids()), signal.SIGTERM)
            assert admin.path.exists()


async def test_sockets_for_another_process_are_ignored(root: Path, tmp_path: Path) -> None:
    words = {"LISTEN_FDS": "1", "LISTEN_PID": "1"}
    async with launched(root, "--port", "0", folder=tmp_path, environ=words) as server:
        assert (await fetch_fresh(server)).content == TEXT


async def test_an_inherited_descriptor_that_does_not_listen(root: Path, tmp_path: Path) -> None:
    with socket.socket() as idle:
        async with activated(root, folder=tmp_path, sock=idle, status=1) as server:
            await server.exited()
    assert "descriptor 3 of LISTEN_FDS is not a listening socket" in server.error_output()
    assert len(server.error_output().splitlines()) == 1


async def test_a_unix_socket_survives_a_worker(root: Path, tmp_path: Path) -> None:
    """The socket's file belongs to the supervisor, so it stays when a worker ends."""

    def replaced(server: Server, victim: int) -> bool:
        return victim not in workers(server) and len(workers(server)) == 2

    async with launched(root, "--unix", "s", "--workers", "2", folder=tmp_path) as server:
        victim = workers(server)[0]
        os.kill(victim, signal.SIGKILL)
        await eventually(lambda: replaced(server, victim), 5)
        assert (await fetch_unix(tmp_path / "s")).endswith(TEXT)
