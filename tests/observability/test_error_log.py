"""The error log of real processes whose standard error is a pipe, a closed descriptor or a file (hazard E8)."""

import os
import select
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Self

import pytest

from tests.conformance.server import environment

SCRIPT = """
import logging, os, sys
from pwb_async.observability.error_log import error_log_handler
logging.basicConfig(level=logging.WARNING, handlers=[error_log_handler("pwb")])
logger = logging.getLogger("pwb")
for line in sys.stdin:
    try:
        exec(line)
    except ZeroDivisionError:
        logger.exception("a fault")
    print("done", flush=True)
"""


class Program:
    """A process that runs one line of Python at a time. `errors` is the descriptor of its standard error."""

    def __init__(self, errors: int | None, wrapper: tuple[str, ...] = (), **variables: str) -> None:
        self.process = subprocess.Popen(
            [*wrapper, sys.executable, "-c", SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment() | variables,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the process in any case."""
        self.process.kill()
        self.process.communicate()

    def do(self, line: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(line, file=self.process.stdin, flush=True)
        assert select.select([self.process.stdout], [], [], 10)[0], "the program hangs"
        assert self.process.stdout.readline() == "done\n"

    def end(self) -> None:
        self.process.communicate(timeout=10)
        assert self.process.returncode == 0


def fill(pipe: int) -> int:
    os.set_blocking(pipe, False)
    written = 0
    try:
        while True:
            written += os.write(pipe, b"." * 4096)
    except BlockingIOError:
        os.set_blocking(pipe, True)
        return written


def test_messages_are_whole_lines() -> None:
    reader, writer = os.pipe()
    with Program(writer) as program:
        os.close(writer)
        program.do('logger.error("one")')
        program.do('logger.info("not worth it")')
        program.do('logger.error("a name: %s", os.fsdecode(b"\\xff"))')
        program.do('logger.error("long: " + "x" * 10_000)')
        program.do("1 / 0")
        program.end()
    with open(reader, "rb") as file:
        said = file.read()
    assert said.startswith(
        b"pwb: one\npwb: a name: \\udcff\npwb: long: " + b"x" * 10_000 + b"\npwb: a fault\nTraceback "
    )
    assert said.endswith(b"ZeroDivisionError: division by zero\n")


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_a_message_is_one_line_that_can_be_printed(encoding: str) -> None:
    """Characters that cannot be printed are escaped, in each line of a traceback, too."""
    reader, writer = os.pipe()
    with Program(writer, PYTHONIOENCODING=encoding) as program:
        os.close(writer)
        program.do(r'logger.error("gr\xf6\xdfe: %s", "a\nb\x1b[31m\u202e\udcff")')
        program.do(r'logger.error("a fault", exc_info=OSError("gr\xf6\xdfe\x1b[31m"))')
        program.end()
    with open(reader, "rb") as file:
        said = file.read()
    name = "größe".encode(encoding, "backslashreplace")
    assert said == b"pwb: %b: a\\nb\\x1b[31m\\u202e\\udcff\npwb: a fault\nOSError: %b\\x1b[31m\n" % (name, name)


@pytest.mark.parametrize("lines", [1, 3])
def test_a_full_pipe_blocks_nothing_and_lost_messages_are_counted(lines: int) -> None:
    reader, writer = os.pipe()
    full = fill(writer)
    with Program(writer) as program:
        for _ in range(lines):
            program.do('logger.error("lost")')
        assert os.read(reader, full) == b"." * full
        program.do('logger.error("written")')
        program.end()
    assert (
        os.read(reader, full)
        == b"pwb: standard error was not read for a while: %d messages were lost\npwb: written\n" % lines
    )
    os.close(reader)
    os.close(writer)


def test_a_pipe_without_a_reader_ends_nothing() -> None:
    reader, writer = os.pipe()
    with Program(writer) as program:
        os.close(reader)
        program.do('logger.error("lost")')
        program.do('logger.error("lost")')
        program.end()
    os.close(writer)


def test_nothing_is_written_to_a_file_that_reuses_descriptor_2(tmp_path: Path) -> None:
    with Program(None, ("sh", "-c", 'exec "$@" 2>&-', "sh")) as program:
        path = tmp_path / "precious"
        program.do(f"file = os.open({str(path)!r}, os.O_CREAT | os.O_WRONLY); os.dup2(file, 2)")
        program.do('logger.error("lost")')
        program.end()
    assert path.read_bytes() == b""


def test_a_server_whose_error_log_is_not_read_keeps_serving(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"xyz")
    reader, writer = os.pipe()
    server = subprocess.Popen(
        [sys.executable, "-m", "pwb_async", tmp_path, "--port", "0", "--access-log", "off"],
        stdout=subprocess.PIPE,
        stderr=writer,
        env=environment(),
        text=True,
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline().rpartition(":")[2].split("/")[0])
        full = fill(writer)
        server.send_signal(signal.SIGHUP)  # "reloaded", as soon as it is
        for _ in range(50):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
                client.sendall(b"GET /a.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                assert b"".join(iter(partial(client.recv, 65536), b"")).endswith(b"xyz")
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0
        assert os.read(reader, full) == b"." * full
    finally:
        server.kill()
        server.communicate()
    os.close(reader)
    os.close(writer)
