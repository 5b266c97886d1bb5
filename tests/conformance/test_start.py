"""Starts that succeed, and starts that fail with one line and a status within a second (hazards F5, F7, B8)."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .designs import Design, concurrent
from .peer import Peer, send_request
from .server import Start, command, environment
from .tree import ALPHABET
from .wire import get

pytestmark = pytest.mark.quiet  # a start that fails ends within a second


def failed_start(design: Design, root: Path, *options: str, folder: Path) -> tuple[int, str]:
    """The exit status and the line of a server that cannot start, after at most a second (of two tries: the machine
    may be busy with something else)."""
    seconds = []
    for _ in range(2):
        begin = time.monotonic()
        done = subprocess.run(
            command(design, root, *options), cwd=folder, env=environment(), capture_output=True, timeout=10, check=False
        )
        seconds.append(time.monotonic() - begin)
        if seconds[-1] < 1:
            break
    assert min(seconds) < 1
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"{design.program}: ")
    return done.returncode, lines[0]


def test_port_in_use_f5(design: Design, served_root: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, line = failed_start(design, served_root, "--port", str(port), folder=tmp_path)
    assert status == 1
    assert str(port) in line


def test_address_of_another_machine_f5(design: Design, served_root: Path, tmp_path: Path) -> None:
    status, line = failed_start(design, served_root, "--port", "0", "--host", "192.0.2.77", folder=tmp_path)
    assert status == 1
    assert "cannot listen on 192.0.2.77 port 0: Cannot assign requested address (this machine does not have" in line


def test_missing_root_f5(design: Design, tmp_path: Path) -> None:
    status, line = failed_start(design, tmp_path / "nowhere", "--port", "0", folder=tmp_path)
    assert status == 1
    assert "nowhere" in line
    assert f"{design.program}" in line.partition(": ")[2], "the message shows how to name a folder"


def test_root_that_is_a_file_f5(design: Design, served_root: Path, tmp_path: Path) -> None:
    assert failed_start(design, served_root / "a.txt", "--port", "0", folder=tmp_path)[0] == 1


def test_log_that_cannot_be_written_f5(design: Design, served_root: Path, tmp_path: Path) -> None:
    status, line = failed_start(design, served_root, "--port", "0", "--access-log", "nowhere/log", folder=tmp_path)
    assert status == 1
    assert "nowhere/log" in line


@pytest.mark.parametrize("options", [("--config", "pipe"), ()], ids=["named", "pwb.toml"])
def test_options_in_a_pipe_without_a_writer_f5(
    options: tuple[str, ...], design: Design, served_root: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / (options[1] if options else "pwb.toml"))
    status, line = failed_start(design, served_root, *options, folder=tmp_path)
    assert status == 2
    assert line.endswith("cannot be read: it is a pipe that no process writes to")


def test_wrong_option_f5(design: Design, served_root: Path, tmp_path: Path) -> None:
    status, line = failed_start(design, served_root, "--idle-timeout", "-1", folder=tmp_path)
    assert status == 2
    assert "--idle-timeout" in line


def test_unknown_key_in_a_file_f5(design: Design, served_root: Path, tmp_path: Path) -> None:
    (tmp_path / "pwb.toml").write_text("prot = 80\n")
    status, line = failed_start(design, served_root, folder=tmp_path)
    assert status == 2
    assert "pwb.toml" in line


async def test_an_environment_that_was_made_for_others(start: Start) -> None:
    """Variables that Kubernetes sets for a Service called pwb, or that are no option, cost a warning and no more."""
    service = ("PWB_PORT=tcp://10.0.0.11:80", "PWB_SERVICE_HOST=10.0.0.11", "PWB_DOCS_PORT=tcp://[fd00::1]:80")
    pattern = "describe a Service of Kubernetes and are ignored$|PWB_SESSION: no such option; it is ignored$"
    async with start(wrapper=("env", *service, "PWB_SESSION=1"), allowed_errors=pattern) as server:
        assert (await send_request(server.address, get())).content == ALPHABET
    assert server.error_output().count("\n") == 2


def needs_ipv6() -> None:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError as error:
            pytest.skip(f"no IPv6 here: {error}")


async def test_ipv6_f7_l19(start: Start) -> None:
    needs_ipv6()
    async with start("--host", "::1") as server:
        assert server.address[0] == "::1"
        assert (await send_request(server.address, get())).content == ALPHABET
    assert b"::1 - - [" in server.log.read_bytes()


async def test_ipv4_client_of_an_ipv6_socket_is_logged_by_its_ipv4_address(start: Start) -> None:
    """An IPv4 client of an IPv6 socket, which the kernel calls ::ffff:127.0.0.1 (RFC 4291 2.5.5.2)."""
    needs_ipv6()
    async with start("--host", "::") as server:
        for host in ("127.0.0.1", "::1"):
            assert (await send_request((host, server.address[1]), get())).content == ALPHABET
    lines = server.log.read_bytes().splitlines()
    assert sorted(line.partition(b" ")[0] for line in lines) == [b"127.0.0.1", b"::1"]


@concurrent
async def test_ipv4_clients_of_an_ipv6_socket_are_counted_by_their_ipv4_address(start: Start) -> None:
    needs_ipv6()
    async with (
        start("--host", "::", "--max-connections-per-ip", "1") as server,
        Peer(("127.0.0.1", server.address[1])) as first,
    ):
        await first.send(get())
        assert (await first.read_response()).status == 200
        for source, status in (("127.0.0.1", 503), ("127.0.0.2", 200), ("::1", 200)):
            target = ("::1" if ":" in source else "127.0.0.1", server.address[1])
            reader, writer = await asyncio.open_connection(*target, local_addr=(source, 0))
            writer.write(get("/a.txt", "Connection: close"))
            assert (await reader.read()).startswith(b"HTTP/1.1 %d " % status), source
            writer.close()


WITHOUT = """
mount --bind "$1" /etc/hosts && ip link set lo up && echo 1 >/proc/sys/net/ipv6/conf/lo/disable_ipv6 && shift && exec "$@"
"""
"""A network of its own: /etc/hosts gives localhost the address ::1, and no interface has it, as in many containers."""


async def test_address_that_this_machine_does_not_have(start: Start, tmp_path: Path) -> None:
    """An address of a name that cannot be used does not prevent the others."""
    (tmp_path / "hosts").write_text("::1 localhost\n127.0.0.1 localhost\n")
    unshare = ("unshare", "--net", "--mount", "sh", "-c", WITHOUT, "sh", str(tmp_path / "hosts"))
    try:
        subprocess.run([*unshare, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no network of its own here: {error}")
    missing = "^pwb(-legacy)?: not listening on ::1, an address of localhost: Cannot assign requested address$"
    async with start("--host", "localhost", wrapper=unshare, allowed_errors=missing) as server:
        assert server.address[0] == "127.0.0.1"
        inside = ("nsenter", "--net", f"--target={server.pid}", sys.executable, "-c", FETCH, server.url + "/a.txt")
        assert subprocess.run(inside, capture_output=True, check=True, timeout=10).stdout == ALPHABET
        assert len(server.error_output().splitlines()) == 1


FETCH = "import sys, urllib.request as u; sys.stdout.buffer.write(u.urlopen(sys.argv[1], timeout=5).read())"


async def test_index_and_max_age_and_version(start: Start) -> None:
    """The options that change responses."""
    options = ("--index", "nowhere.html", "--index", "one.txt", "--max-age", "60", "--server-version")
    async with start(*options) as server:
        response = await send_request(server.address, get("/"))
    assert response.content == b"1"
    assert response["Cache-Control"] == "max-age=60"
    assert (response["Server"] or "").startswith("PWB/")
