"""The access log: one line for each exchange, whatever it contains, and no failed write stops the server
(hazards G1, E8, L20)."""

import asyncio
import fcntl
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from .designs import Design
from .peer import TIMEOUT, Peer, send_request
from .server import Start, command, environment, eventually
from .tree import ALPHABET, BIG
from .wire import get

UNREAD = "no process reads the access log .*: its lines are kept until one does|lines of the access log were lost"
LINE = re.compile(
    rb'127\.0\.0\.1 - - \[[^\]"]+\] "((?:[^"\\]|\\.)*)" (\d{3}) (\d+) "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"'
)


async def test_one_line_for_each_exchange_g1(start: Start) -> None:
    """Every status and every way to end: the line holds the status and the number of content bytes sent."""
    requests = [
        (get("/a.txt", "Referer: http://r/", "User-Agent: u"), b"GET /a.txt HTTP/1.1", 200, 26),
        (get("/a.txt", method="HEAD"), b"HEAD /a.txt HTTP/1.1", 200, 0),
        (get("/a.txt", "If-None-Match: *"), b"GET /a.txt HTTP/1.1", 304, 0),
        (get("/a.txt", "Range: bytes=0-1"), b"GET /a.txt HTTP/1.1", 206, 2),
        (get("/30m.bin"), b"GET /30m.bin HTTP/1.1", 200, BIG),
        (get("/sub"), b"GET /sub HTTP/1.1", 301, None),
        (get("/missing"), b"GET /missing HTTP/1.1", 404, None),
        (get("/a.txt", method="DELETE"), b"DELETE /a.txt HTTP/1.1", 405, None),
        (b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", b"GET  / HTTP/1.1", 400, None),
        (b"?\r\n\r\n", b"?", 400, None),
    ]
    async with start() as server:
        for request, _, status, _ in requests:
            assert (await send_request(server.address, request)).status == status
    written = server.log.read_bytes().splitlines()
    # A thread may log its response after another thread's later one.
    lines = {(line[1], int(line[2])): line for line in map(LINE.fullmatch, written) if line}
    assert len(written) == len(lines) == len(requests)
    for _, first, status, sent in requests:
        length = int(lines[first, status][3])
        assert length == sent or sent is None
    assert lines[b"GET /a.txt HTTP/1.1", 200].group(4, 5) == (b"http://r/", b"u")
    assert lines[b"HEAD /a.txt HTTP/1.1", 200].group(4, 5) == (b"-", b"-")


async def test_nothing_breaks_out_of_a_line_g1(start: Start) -> None:
    requests = [
        get("/%0a%1b[31m%22"),
        get('/"quoted"', 'User-Agent: " 200 0 "-" "-'),
        get("/a.txt", "User-Agent: \xff\xfe\x80 caf\xe9"),
        get("/a.txt", "Referer: \\\\x0a\t\\"),
        b'GET /\x1b[31m" HTTP/1.1\r\nHost: h\r\n\r\n',
        b"\x00\x01\xff\r\n\r\n",
        b"GET /\x85\xe2\x80\xa8 HTTP/1.1\r\n\r\n",
        b"GET /a.txt HTTP/1.1\r\nHost: h\r\nUser-Agent: a\rb\nc\r\n\r\n",
    ]
    async with start() as server:
        for request in requests:
            await send_request(server.address, request)
    data = server.log.read_bytes()
    assert data.count(b"\n") == len(requests)
    for line in data.splitlines():
        assert LINE.fullmatch(line), line
        assert not re.search(rb"[^ -~]", line), line


async def test_client_that_disconnected_has_its_line_g1_a11(start: Start) -> None:
    """The line holds fewer bytes than Content-Length."""
    async with start() as server:
        async with Peer(server.address, receive_buffer=4096) as peer:
            await peer.send(get("/30m.bin"))
            await peer.read_at_least(1)
            peer.reset()
        await eventually(lambda: server.log.read_bytes().count(b"\n") == 1, 3)
        line = LINE.fullmatch(server.log.read_bytes().rstrip())
        assert line is not None
        assert int(line[3]) < BIG


async def test_log_is_rotated_e8(start: Start) -> None:
    """The log is renamed, and SIGUSR1 is sent: no line is lost, and none is written to the old file any more, not even
    for a client that was connected before."""
    async with start() as server, Peer(server.address) as kept:
        keeps = server.design.keeps_alive
        for _ in range(3):
            if keeps:
                await kept.send(get("/before"))
                assert (await kept.read_response()).status == 404
        old = server.log.rename(server.log.with_name("access.log.1"))
        server.signal(signal.SIGUSR1)
        if not keeps:
            kept.half_close()  # the design serves no other client while this one is connected
        await eventually(server.log.exists, 3)
        if keeps:
            await kept.send(get("/after"))
            assert (await kept.read_response()).status == 404
        for _ in range(3):
            assert (await send_request(server.address, get("/after"))).status == 404
    before, after = old.read_bytes(), server.log.read_bytes()
    assert (before + after).count(b'"GET /before ') == 3 * keeps
    assert after.count(b'"GET /after ') == 3 + keeps
    assert b"/after" not in before


async def test_requests_that_are_not_logged(start: Start) -> None:
    """--log-exclude keeps out what it names, --log-sample all but errors; a request without a valid path is an error."""
    requests = [get("/a.txt"), get("/missing"), get("/%68ealth?x"), get("/sub/health"), b"?\r\n\r\n"]
    async with start("--log-exclude", "/health", "--log-exclude", "/sub/*", "--log-sample", "0") as server:
        statuses = [(await send_request(server.address, request)).status for request in requests]
    assert statuses == [200, 404, 404, 404, 400]
    lines = [LINE.fullmatch(line) for line in server.log.read_bytes().splitlines()]
    assert sorted(line and line[1] for line in lines) == [b"?", b"GET /missing HTTP/1.1"]


async def test_a_share_of_the_requests_is_logged(start: Start) -> None:
    async with start("--log-sample", "50") as server:
        for _ in range(60):
            assert (await send_request(server.address, get("/a.txt"))).status == 200
    assert 5 < server.log.read_bytes().count(b"\n") < 55, "each with a chance of 1 in 10**10 of failing"


async def test_storm_of_signals_e9(start: Start) -> None:
    """Hundreds of signals a second interrupt the server: each client gets its response, and each response its line."""

    async def send_signals() -> None:
        while True:
            server.signal(signal.SIGUSR1)
            server.signal(signal.SIGCHLD)
            await asyncio.sleep(0.001)

    async with start() as server:
        storming = asyncio.create_task(send_signals())
        for _ in range(200):
            assert (await send_request(server.address, get())).content == ALPHABET
        storming.cancel()
    assert server.log.read_bytes().count(b"\n") == 200


@pytest.mark.parametrize("log", ["/dev/full", "-", "/dev/stdout"])
async def test_log_that_cannot_be_written_e8_l20(log: str, start: Start) -> None:
    """A full disk, or a pipe whose reader has closed it: print() ended the book's servers."""
    async with start("--access-log", log, keep_output=False, allowed_errors=UNREAD) as server:
        for _ in range(50):
            assert (await send_request(server.address, get())).content == ALPHABET


async def test_pipe_that_is_not_read_delays_no_client_e8(start: Start, tmp_path: Path) -> None:
    """The pipe is full after forty lines: later lines are buffered, and lost at the end, but no request is delayed."""
    lost = "lines of the access log were lost"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
        async with start("--access-log", str(tmp_path / "pipe"), allowed_errors=lost) as server, asyncio.timeout(5):
            for _ in range(60):
                assert (
                    await send_request(server.address, get("/a.txt", f"User-Agent: {'x' * 100}"))
                ).content == ALPHABET
    finally:
        os.close(reader)


async def test_named_pipe_with_changing_readers_e8(start: Start, tmp_path: Path) -> None:
    """A pipe without a reader, at the start, a rotation, the end: one message each time, and requests are served."""
    os.mkfifo(pipe := tmp_path / "pipe")
    async with start("--access-log", str(pipe), allowed_errors=UNREAD) as server:
        for times in (1, 2):
            server.signal(signal.SIGUSR1)
            for _ in range(3):
                assert (await send_request(server.address, get())).content == ALPHABET
            await eventually(
                lambda times=times: server.error_output().count("no process reads") == times, 3, server.error_output
            )
            with open(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as reader:
                assert (await send_request(server.address, get("/read"))).status == 404
                await eventually(lambda reader=reader: b'"GET /read ' in (reader.read() or b""), 3)
        server.signal(signal.SIGUSR1)
        assert (await send_request(server.address, get())).content == ALPHABET
        server.signal()
        assert await server.exited(within=2) == 0


def pipe_reader(pipe: Path) -> tuple[Callable[[], int], int]:
    """A function that counts the lines read from a named pipe so far, and the descriptor that reads it."""
    reader, read = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK), bytearray()

    def lines() -> int:
        with suppress(BlockingIOError):
            while data := os.read(reader, 1 << 16):
                read.extend(data)
        return read.count(b"\n")

    return lines, reader


async def test_lines_are_written_to_a_new_reader_of_an_idle_server_e8(start: Start, tmp_path: Path) -> None:
    """Waiting lines are written although no request arrives and no client is connected any more."""
    os.mkfifo(pipe := tmp_path / "pipe")
    async with start("--access-log", str(pipe), allowed_errors="no process reads the access log") as server:
        for _ in range(5):
            assert (await send_request(server.address, get())).content == ALPHABET
        await eventually(lambda: "no process reads" in server.error_output(), 3)
        for _ in range(2):
            lines, reader = pipe_reader(pipe)
            await eventually(lambda lines=lines: lines() == 5, 3, lambda lines=lines: f"{lines()} lines")
            os.close(reader)
            for _ in range(5):
                assert (await send_request(server.address, get())).content == ALPHABET
        lines, reader = pipe_reader(pipe)
        await eventually(lambda: lines() == 5, 3, lambda: f"{lines()} lines")
    os.close(reader)


async def test_pipe_that_is_full_for_a_moment_loses_nothing_e8(start: Start, tmp_path: Path) -> None:
    """Each client has a connection of its own, so with `process` its lines must outlive the child that wrote them."""
    os.mkfifo(pipe := tmp_path / "pipe")
    lines, reader = pipe_reader(pipe)
    fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
    try:
        async with start("--access-log", str(pipe)) as server:
            for _ in range(60):
                assert (
                    await send_request(server.address, get("/a.txt", f"User-Agent: {'x' * 100}"))
                ).content == ALPHABET
            await eventually(lambda: lines() == 60, 5, lambda: f"{lines()} lines")
    finally:
        os.close(reader)


def start_server(design: Design, output: int, root: Path, folder: Path) -> "subprocess.Popen[bytes]":
    """A server on the Unix socket s, whose standard output is `output`."""
    arguments = command(design, root, "--unix", "s")
    return subprocess.Popen(arguments, stdout=output, stderr=subprocess.PIPE, cwd=folder, env=environment())


@pytest.mark.parametrize("output", ["full disk", "no reader", "full pipe"])
async def test_start_whose_listening_line_cannot_be_written_e8(
    output: str, design: Design, served_root: Path, tmp_path: Path
) -> None:
    """The server serves although nothing reads its standard output."""
    reader, writer = os.pipe()
    if output == "full disk":
        os.dup2(full := os.open("/dev/full", os.O_WRONLY), writer)
        os.close(full)
    elif output == "no reader":
        os.close(reader)
    else:
        os.write(writer, b"." * fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ))
    process = start_server(design, writer, served_root, tmp_path)
    try:
        await eventually((tmp_path / "s").exists, TIMEOUT)
        with socket.socket(socket.AF_UNIX) as client:
            await eventually(lambda: client.connect_ex(str(tmp_path / "s")) == 0, TIMEOUT)
            client.sendall(get("/a.txt", "Connection: close"))
            response = b"".join(iter(lambda: client.recv(65536), b""))
        assert response.endswith(b"\r\n\r\n" + ALPHABET)
        process.terminate()
        _, error_output = await asyncio.to_thread(process.communicate, timeout=TIMEOUT)
        assert process.returncode == 0
    finally:
        process.kill()
    why = {"full disk": b"No space left on device", "no reader": b"Broken pipe", "full pipe": b"it is full"}[output]
    assert [line.partition(b": ")[2] for line in error_output.splitlines()] == [
        b"cannot write to standard output: " + why,
        b"1 lines of the access log were lost",
    ]
