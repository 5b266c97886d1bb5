"""What a person at a terminal sees of a server, and what the keys do."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.conformance.peer import TIMEOUT, send_request
from tests.conformance.server import environment, eventually
from tests.conformance.wire import get

from .pseudo_terminal import Terminal, at_terminal


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("<p>x")
    (tmp_path / "\u4e2d.txt").write_text("y" * 3000)
    return tmp_path


async def fetch(terminal: Terminal, target: str = "/") -> int:
    return (await send_request(("127.0.0.1", terminal.port), get(target))).status


def answers(path: Path) -> bool:
    """Whether a server answers at a Unix socket."""
    with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
        client.connect(os.fspath(path))
        client.sendall(get("/"))
        return client.recv(12) == b"HTTP/1.1 200"
    return False


async def test_banner_log_status_and_quit(root: Path) -> None:
    async with at_terminal(root, "--port", "0", folder=root) as terminal:
        await terminal.shows("no request yet")
        shown = "\n".join(terminal.lines)
        assert re.search(r"^  PWB \S+  serves \S+$", shown, re.MULTILINE)
        assert f"Local    http://127.0.0.1:{terminal.port}/" in shown
        assert "this machine alone; --host 0.0.0.0 lets others in" in shown
        assert "q quit, o open, r reload" in shown
        assert "listening on" not in shown
        assert [await fetch(terminal, target) for target in ("/", "/none", "/%E4%B8%AD.txt")] == [200, 404, 200]
        await terminal.shows(r"^\d\d:\d\d:\d\d  200  GET         4 B  .{6}  /$")
        await terminal.shows(r"^\d\d:\d\d:\d\d  404  GET  +\d+ B  .{6}  /none$")
        await terminal.shows(r"  200  GET     2\.9 KiB  .{6}  /\u4e2d\.txt$")
        assert re.search(r"total 3, ", await terminal.shows("1 client"))
        assert terminal.lines[-1].count("req/s") == 1, "the status is the last line"
        assert not terminal.echoes
        terminal.type("q")
        assert await terminal.ended() == 0
        assert terminal.lines[-1] == "", "the status line is gone"
        assert terminal.echoes, "the terminal has its modes back"


async def test_the_status_agrees_with_the_line_above_it(root: Path) -> None:
    """The status line is written with the lines of the log, not up to a second later."""
    async with at_terminal(root, "--port", "0", folder=root) as terminal:
        await terminal.shows("no request yet")
        for number in range(3):
            assert await fetch(terminal, f"/?{number}") == 200
            await terminal.shows(rf"  /\?{number}$")
            await eventually(lambda: "q quit" in "".join(terminal.lines).rpartition("/?")[2], TIMEOUT)
            after = terminal.output.decode().rpartition(f"/?{number}")[2]
            assert re.findall("no request yet|total [0-9]+", after)[0] == f"total {number + 1}"


async def test_a_stop_that_waits_says_for_what(root: Path) -> None:
    (root / "large").write_bytes(bytes(64 << 20))
    async with at_terminal(root, "--port", "0", folder=root) as terminal:
        await terminal.shows("no request yet")
        reader, writer = await asyncio.open_connection("127.0.0.1", terminal.port, limit=1 << 10)
        writer.write(get("/large"))
        assert (await reader.read(12)) == b"HTTP/1.1 200"
        terminal.type("q")
        await terminal.shows(
            "^pwb: stopping: waiting up to 30 s for responses on 1 connection; asked again, it stops at"
        )
        terminal.type("q")
        assert await terminal.ended() == 0
        writer.close()


async def test_a_key_reloads(root: Path) -> None:
    (root / "pwb.toml").write_text("max_age = 1\n")
    async with at_terminal(root, "--port", "0", folder=root) as terminal:
        await terminal.shows("no request yet")
        (root / "pwb.toml").write_text("max_age = 2\n")
        terminal.type("r")
        await terminal.shows("^pwb: reloaded$")
        response = await send_request(("127.0.0.1", terminal.port), get("/"))
        assert response["Cache-Control"] == "max-age=2"
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert await terminal.ended() == 0


async def test_a_key_opens_a_browser(root: Path) -> None:
    opened = root / "opened"
    browser = root / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >{opened}\n')
    browser.chmod(0o755)
    async with at_terminal(root, "--port", "0", folder=root, environ={"BROWSER": f"{browser} %s"}) as terminal:
        await terminal.shows("no request yet")
        terminal.type("o")
        await eventually(lambda: opened.exists() and opened.read_text().endswith("\n"), TIMEOUT)
        assert opened.read_text() == f"http://127.0.0.1:{terminal.port}/\n"


async def test_without_a_display_nothing_takes_the_terminal(root: Path) -> None:
    nothing = dict.fromkeys(("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"), "")
    async with at_terminal(root, "--port", "0", "--open", folder=root, environ=nothing) as terminal:
        await terminal.shows("^pwb: there is no display in which a browser could open http://127")


async def test_errors_appear_above_the_status(root: Path) -> None:
    (root / "pwb.toml").write_text("")
    async with at_terminal(root, "--port", "0", folder=root) as terminal:
        await terminal.shows("no request yet")
        (root / "pwb.toml").write_text("prot = 1\n")
        terminal.type("r")
        await terminal.shows(r"^pwb: nothing is reloaded: pwb\.toml: unknown key 'prot' \(did you mean 'port'\?\)$")
        assert "no request yet" in terminal.lines[-1]


@pytest.mark.parametrize(
    ("environ", "colours", "status"),
    [
        ({}, True, True),
        ({"NO_COLOR": "1"}, False, True),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, False),
    ],
    ids=str,
)
async def test_colours_and_movements(root: Path, environ: dict[str, str], colours: bool, status: bool) -> None:
    async with at_terminal(root, "--port", "0", folder=root, environ=environ) as terminal:
        await terminal.shows("no request yet" if status else "Ctrl-C stops it")
        assert await fetch(terminal) == 200
        await terminal.shows("  200  GET ")
        assert (b"\x1b[3" in terminal.output) == colours
        assert (b"\x1b[K" in terminal.output) == status
        os.kill(terminal.process.pid, signal.SIGINT)
        assert await terminal.ended() == 0


async def test_chinese(root: Path) -> None:
    async with at_terminal(root, "--port", "0", folder=root, environ={"LANG": "zh_CN.UTF-8"}) as terminal:
        await terminal.shows("尚无请求")
        shown = "\n".join(terminal.lines)
        assert f"本机    http://127.0.0.1:{terminal.port}/" in shown
        assert "q退出 o打开 r重载" in shown
        assert "压缩、预压缩文件" in shown
        assert ", " not in shown


async def test_a_terminal_that_cannot_show_chinese_has_english(root: Path) -> None:
    variables = {"LANG": "zh_CN.GB2312", "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": ""}
    async with at_terminal(root, "--port", "0", folder=root, environ=variables) as terminal:
        await terminal.shows("no request yet")


@pytest.mark.parametrize("columns", [40, 80, 200])
async def test_no_line_of_the_banner_is_too_long(root: Path, columns: int) -> None:
    long = root / ("d" * 60) / ("e" * 60)
    long.mkdir(parents=True)
    async with at_terminal(long, "--port", "0", "--browse", folder=root, columns=columns) as terminal:
        await terminal.shows("no request yet")
        assert max(map(len, terminal.lines)) <= max(columns, 62), terminal.lines
        assert len(terminal.lines[-1]) < columns


async def test_several_workers_have_a_banner_and_no_keys(root: Path) -> None:
    options = ("--port", "0", "--workers", "2", "--admin", "127.0.0.1:0")
    async with at_terminal(root, *options, folder=root) as terminal:
        await terminal.shows("Ctrl-C stops it")
        await terminal.shows(r"^  Admin +http://127\.0\.0\.1:\d+/$")
        await terminal.shows("2 workers")
        assert await fetch(terminal) == 200
        await terminal.shows("  200  GET ")
        assert terminal.echoes
        os.kill(terminal.process.pid, signal.SIGINT)
        assert await terminal.ended() == 0


async def test_quiet(root: Path) -> None:
    async with at_terminal(root, "--unix", "socket", "--quiet", folder=root) as terminal:
        await eventually(lambda: answers(root / "socket"), TIMEOUT)
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert await terminal.ended() == 0
        assert terminal.output == b""


async def test_a_server_in_the_background_leaves_the_terminal_alone(root: Path) -> None:
    """It neither changes its modes, for which the system would stop it, nor shows a status line."""
    ours, theirs = os.openpty()
    shell = f"{sys.executable} -m pwb_async --port 0 . & echo process $!; wait"
    variables = environment() | {"TERM": "xterm-256color"}
    command = ["setsid", "--ctty", "bash", "-mc", shell]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=root, env=variables) as process:
        os.close(theirs)
        terminal = Terminal(process, ours)
        pid = int((await terminal.shows(r"^process \d+$")).split()[1])
        try:
            await terminal.shows("Local ")
            await terminal.shows(f"in the background; kill {pid} stops it")
            assert not any("q quit" in line for line in terminal.lines)
            assert await fetch(terminal) == 200
            await terminal.shows("  200  GET ")
            assert terminal.echoes
            assert b"\x1b[K" not in terminal.output
        finally:
            os.kill(pid, signal.SIGTERM)
            await terminal.ended()
    os.close(ours)


async def test_a_pipe_has_the_line_that_programs_wait_for(root: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "pwb_async", ".", "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=root,
        env=environment() | {"FORCE_COLOR": "1"},
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert re.fullmatch(rb"PWB serves '\.', listening on http://127\.0\.0\.1:\d+/ \(Ctrl-C stops it\)\n", line)
        port = int(re.findall(rb":(\d+)/", line)[0])
        await send_request(("127.0.0.1", port), get("/"))
        assert b'"GET / HTTP/1.1" 200 4 ' in process.stdout.readline()
        process.terminate()


@pytest.mark.parametrize("stopped", [False, True], ids=["", "ctrl-s"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
async def test_a_signal_gives_the_terminal_back(root: Path, number: signal.Signals, stopped: bool) -> None:
    """Also one whose output Ctrl-S has stopped: what hangs in a write to it stops neither responses nor the end."""
    async with at_terminal(root, "--port", "0", folder=root) as terminal:
        await terminal.shows("no request yet")
        assert not terminal.echoes
        if stopped:
            terminal.type("\x13")
        assert [await fetch(terminal) for _ in range(3)] == [200] * 3
        os.kill(terminal.process.pid, number)
        assert await terminal.ended() == 0
        assert terminal.echoes


async def test_many_lines_above_the_status(root: Path) -> None:
    async with at_terminal(root, "--port", "0", folder=root) as terminal:
        await terminal.shows("no request yet")
        for _ in range(3):
            reader, writer = await asyncio.open_connection("127.0.0.1", terminal.port)
            writer.write(get("/") * 300)
            for _ in range(300):
                await reader.readuntil(b"<p>x")
            writer.close()
        line = re.compile(r"^\d\d:\d\d:\d\d  200  GET         4 B  .{6}  /$", re.MULTILINE)
        await eventually(lambda: len(line.findall("\n".join(terminal.lines))) == 900, TIMEOUT)
        await terminal.shows("total 900, ")
        lines = terminal.lines
        assert "total 900, " in lines[-1]
        assert sum("req/s" in line for line in lines) == 1, "the status is nowhere else"
