"""serve(): it blocks as the command does, and the signals are the program's unless it asks for handlers."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import pwb_async
from tests.conformance.server import REPOSITORY, environment

from .resources import TIMEOUT, fetch

SCRIPT = """
import signal, sys
import pwb_async

def mine(number, frame):  # uvloop would drop an exception in one of its callbacks
    print("mine", flush=True)

signal.signal(signal.SIGTERM, mine)
try:
    pwb_async.serve({root!r}, port=0, ready=lambda url: print(url, flush=True), {more})
except KeyboardInterrupt:
    print("interrupted")
else:
    print("returned")
assert signal.getsignal(signal.SIGTERM) is mine
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("text")
    return tmp_path


@contextmanager
def program(root: Path, more: str = "") -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A program that serves, and its port."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SCRIPT.format(root=str(root), more=more)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY, env=environment(),
    )  # fmt: skip
    assert process.stdout is not None
    try:
        url = process.stdout.readline()
        yield process, int(url.rpartition(":")[2].rstrip("/\n"))
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def end(process: subprocess.Popen[str], number: signal.Signals) -> tuple[str, str, int]:
    """What a program prints after a signal, and its exit status."""
    process.send_signal(number)
    out, err = process.communicate(timeout=TIMEOUT)
    return out, err, process.returncode


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_ctrl_c_is_a_keyboard_interrupt(root: Path, loop: str) -> None:
    with program(root, f"loop={loop!r}, access_log='off'") as (process, port):
        assert fetch(port) == b"text"
        assert end(process, signal.SIGINT) == ("interrupted\n", "", 0)


def test_other_signals_are_those_of_the_program(root: Path) -> None:
    with program(root, "access_log='off'") as (process, port):
        assert fetch(port) == b"text"
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert process.stdout.readline() == "mine\n"
        assert fetch(port) == b"text"
        assert end(process, signal.SIGINT) == ("interrupted\n", "", 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_handled_if_that_is_asked_for(root: Path, number: signal.Signals) -> None:
    check_that_signals_end(root, number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_workers_end_by_signals(root: Path, number: signal.Signals) -> None:
    check_that_signals_end(root, number, "workers=2, ")


def check_that_signals_end(root: Path, number: signal.Signals, more: str = "") -> None:
    with program(root, f"{more}handle_signals=True, access_log='off'") as (process, port):
        assert fetch(port) == b"text"
        assert end(process, number) == ("returned\n", "", 0)


def test_the_log_goes_to_standard_output_as_that_of_the_command_does(root: Path) -> None:
    with program(root) as (process, port):
        fetch(port)
        out, err, status = end(process, signal.SIGINT)
    assert out.startswith("127.0.0.1 - - [")
    assert out.endswith("interrupted\n")
    assert (err, status) == ("", 0)


def test_a_reload_by_sighup(root: Path) -> None:
    with program(root, "handle_signals=True, access_log='off', max_age=5") as (process, port):
        process.send_signal(signal.SIGHUP)
        assert fetch(port) == b"text"
        assert end(process, signal.SIGTERM) == ("returned\n", "", 0)


def test_signals_are_for_the_main_thread(root: Path) -> None:
    caught: list[BaseException] = []

    def serve() -> None:
        try:
            pwb_async.serve(root, port=0, handle_signals=True)
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    thread.join(TIMEOUT)
    assert str(caught[0]) == "only the main thread can handle signals"


@pytest.mark.parametrize("handle_signals", [False, True])
async def test_it_does_not_block_a_running_loop(root: Path, handle_signals: bool) -> None:
    """As in a notebook."""
    with pytest.raises(RuntimeError, match="use Server or running"):
        pwb_async.serve(root, port=0, handle_signals=handle_signals)


def test_what_prevents_a_start_is_raised(root: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    for keywords in ({}, {"handle_signals": True}, {"handle_signals": True, "workers": 2}):
        given: dict[str, Any] = {**keywords, "port": 0}
        with pytest.raises(pwb_async.StartupError, match="cannot serve /no/such/folder"):
            pwb_async.serve("/no/such/folder", **given)
    assert signal.getsignal(signal.SIGTERM) is before
