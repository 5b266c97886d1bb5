"""The exhibits are harmless: where they listen, what they can open, and that nothing of them is left."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

import pytest

from pwb_legacy.book.client import ask, connect, request
from pwb_legacy.book.exhibits import guard
from pwb_legacy.book.programs import EXHIBITS, Program
from pwb_legacy.book.running import running, wait_until
from pwb_legacy.book.site import CANARY, temporary_site

ROOT = Path(__file__).parents[2]
ANSWERING = [program for program in EXHIBITS if program.name != "1"]
"""Those that serve files."""


def confined(folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    """What a Python program does whose first step is to be confined."""
    code = "\n".join(
        [
            "import os, socket, subprocess, sys",
            "from pwb_legacy.book.exhibits import guard",
            "guard.confine(sys.argv[1])",
            *lines,
        ]
    )
    words = [sys.executable, "-c", code, str(folder)]
    return subprocess.run(words, capture_output=True, text=True, timeout=20, cwd=ROOT, check=False)


@pytest.mark.parametrize("program", EXHIBITS, ids=lambda program: program.name)
def test_it_listens_on_the_loopback_interface_alone(program: Program) -> None:
    with temporary_site() as folder, running(program, folder, "L1") as server:
        listening = server.listening_sockets()
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        addresses = [row[1] for row in rows if f"socket:[{row[9]}]" in listening]
    assert addresses == [f"0100007F:{server.address[1]:04X}"]


@pytest.mark.parametrize("program", EXHIBITS, ids=lambda program: program.name)
def test_only_the_command_is_answered(program: Program) -> None:
    """A client from elsewhere is disconnected, and the exhibit goes on."""
    with temporary_site() as folder, running(program, folder, "L1") as server:
        with socket.create_connection(server.address, 2) as stranger, suppress(ConnectionError):
            stranger.sendall(request("/page.html"))
            assert stranger.recv(100) == b""
        if program.waits != "loop":  # there, accept() finds no other client, and raises
            assert ask(server.address, request("/page.html")).is_http


@pytest.mark.parametrize("program", ANSWERING, ids=lambda program: program.name)
@pytest.mark.parametrize("path", ["etc/passwd", "proc/self/environ", str(ROOT / "README.md").lstrip("/")])
def test_nothing_outside_of_its_folder_can_be_read(program: Program, path: str) -> None:
    """The canary can, which is the defect; what is beyond the folder of both cannot."""
    with temporary_site() as folder, running(program, folder, "L1") as server:
        assert CANARY in ask(server.address, request("/../canary.txt")).data
        answer = ask(server.address, request("/" + "../" * 20 + path), 0.5)
        assert not answer.data.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    "line",
    [
        "open('/etc/passwd')",
        "open('../canary.txt')",
        "open('link')",
        "open('new', 'w')",
        "os.open('new', os.O_CREAT | os.O_RDWR)",
        "os.remove('page')",
        "os.rename('page', 'other')",
        "os.mkdir('new')",
        "os.symlink('/etc/passwd', 'new')",
        "os.chmod('page', 0o777)",
        "os.truncate('page', 0)",
        "os.system('true')",
        "os.execv('/bin/true', ['true'])",
        "subprocess.run(['true'])",
        "socket.socket().bind(('0.0.0.0', 0))",
        "socket.socket().bind(('', 0))",
        "socket.socket(socket.AF_INET6).bind(('::', 0))",
        "socket.socket(socket.AF_UNIX).bind('socket')",
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
    ],
)
def test_the_guard_refuses(line: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "canary.txt").write_text("canary")
    (folder / "page").write_text("page")
    (folder / "link").symlink_to("/etc/passwd")
    done = confined(folder, line)
    assert "ForbiddenError: the guard of the exhibits refuses" in done.stderr, done.stderr
    assert sorted(os.listdir(folder)) == ["link", "page"]
    assert (folder / "page").read_text() == "page"


def test_the_guard_lets_an_exhibit_be_one(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("page")
    done = confined(tmp_path, "print(open('page').read())", "socket.socket().bind((guard.LOOPBACK, 0))")
    assert (done.returncode, done.stdout) == (0, "page\n"), done.stderr


@pytest.mark.parametrize("where", ["", "if os.fork(): os.wait()[1] == signal.SIGALRM and sys.exit(7)\n"])
def test_it_ends_in_time_and_so_do_its_children(where: str, tmp_path: Path) -> None:
    code = f"""import os, signal, sys, time
from pwb_legacy.book.exhibits import guard
guard.LIFETIME = 1
guard.confine(sys.argv[1])
{where}time.sleep(60)"""
    words = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, timeout=20, cwd=ROOT, check=False)
    assert done.returncode in ((-signal.SIGALRM,) if not where else (-signal.SIGALRM, 7)), done.stderr


def test_its_memory_descriptors_and_processor_time_are_limited() -> None:
    with temporary_site() as folder, running(EXHIBITS[3], folder, "L1") as server, connect(server.address):
        assert wait_until(server.children)
        for pid in server.processes():
            limits = Path(f"/proc/{pid}/limits").read_text()
            for name, value in (
                ("Max data size", guard.MEMORY),
                ("Max open files", guard.DESCRIPTORS),
                ("Max cpu time", guard.LIFETIME),
                ("Max core file size", 0),
            ):
                line = next(line for line in limits.splitlines() if line.startswith(name))
                assert line.removeprefix(name).split()[:2] == [str(value)] * 2


@pytest.mark.parametrize("program", EXHIBITS, ids=lambda program: program.name)
def test_nothing_is_left_of_it_when_an_attack_is_over(program: Program) -> None:
    """Neither of its children, nor of the socket: the port is free."""
    with temporary_site() as folder, running(program, folder, "L1") as server:
        clients = [connect(server.address) for _ in range(3)]
        wait_until(lambda: len(server.children()) == len(clients), 0.5)
    assert wait_until(lambda: not server.processes(), 5)
    with pytest.raises(ConnectionRefusedError):
        connect(server.address)
    for client in clients:
        client.close()


def test_an_exhibit_cannot_be_started_by_hand(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pwb_legacy.book.exhibits", "2", str(tmp_path)]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, cwd=ROOT, check=False
    )
    assert done.returncode == 1
    assert "started by `pwb-legacy book` alone" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_when_the_command_ends(end: signal.Signals, tmp_path: Path) -> None:
    """Neither a process, nor, unless it was killed, a file."""
    mark = f"BOOK_TEST={uuid.uuid4()}"
    name, _, value = mark.partition("=")
    words = [sys.executable, "-m", "pwb_legacy", "book"]
    environment = os.environ | {name: value, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=environment) as command:
        assert wait_until(lambda: len(marked(mark)) > 4, 20)
        command.send_signal(end)
        began = time.monotonic()
        command.communicate(timeout=30)
        assert command.returncode == (-end if end == signal.SIGKILL else 130)
        assert time.monotonic() - began < 15
    assert wait_until(lambda: not marked(mark), 5), marked(mark)
    if end != signal.SIGKILL:
        assert os.listdir(tmp_path) == []


def marked(mark: str) -> list[str]:
    """The command lines of processes with a variable in their environment."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if name.isdecimal() and mark.encode() in Path(f"/proc/{name}/environ").read_bytes():
                found.append(Path(f"/proc/{name}/cmdline").read_text())
        except OSError:
            continue
    return found
