"""running(): a server on a thread of its own."""

import asyncio
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import pwb_async
from pwb_async.embedding.blocking import on_thread

from .resources import fetch, resources


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("text")
    return tmp_path


def test_it_serves_as_long_as_the_block_lasts(root: Path) -> None:
    before = resources()
    with pwb_async.running(root) as server:
        assert fetch(server.port) == b"text"
        threads = [thread for thread in threading.enumerate() if thread.name == "pwb-server"]
        assert [thread.daemon for thread in threads] == [True]
    after = resources()
    assert after._replace(descriptors={}) == before._replace(descriptors={})
    with pytest.raises(ConnectionRefusedError):
        fetch(server.port)


def test_many_side_by_side(root: Path) -> None:
    with pwb_async.running(root) as first, pwb_async.running(root, loop="asyncio") as second:
        assert first.port != second.port
        assert fetch(first.port) == fetch(second.port) == b"text"


def test_uvloop_runs_it_where_it_is_installed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert loop_of(root) == "uvloop"
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_of(root) == "asyncio"
    with pytest.raises(pwb_async.StartupError, match="uvloop is not installed"), pwb_async.running(root, loop="uvloop"):
        pass


def loop_of(root: Path, **keywords: Any) -> str:
    """The package of the event loop that runs a server."""
    modules: list[str] = []

    def note(exchange: object) -> None:
        modules.append(type(asyncio.get_running_loop()).__module__.partition(".")[0])

    with pwb_async.running(root, observers=[note], **keywords) as server:
        fetch(server.port)
    return modules[0]


def test_what_prevents_a_start_is_raised_where_it_was_asked_for(root: Path) -> None:
    before = set(threading.enumerate())
    with (
        pytest.raises(pwb_async.StartupError, match="cannot serve /no/such/folder"),
        pwb_async.running("/no/such/folder"),
    ):
        pass
    assert set(threading.enumerate()) == before


def test_an_error_in_the_block_ends_the_server(root: Path) -> None:
    with pytest.raises(ZeroDivisionError), pwb_async.running(root) as server:
        raise ZeroDivisionError
    with pytest.raises(ConnectionRefusedError):
        fetch(server.port)


def test_the_program_keeps_its_signals(root: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pwb_async.running(root):
        assert signal.getsignal(signal.SIGINT) is before


def test_an_interrupt_of_the_end_does_not_wait_for_responses(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the thread is joined: the end that would take the grace period is immediate."""
    import socket

    with open(root / "big.bin", "wb") as file:
        file.truncate(1 << 30)
    join = threading.Thread.join
    interrupted: list[threading.Thread] = []

    def interrupt(thread: threading.Thread, timeout: float | None = None) -> None:
        if not interrupted and thread.name == "pwb-server":
            interrupted.append(thread)
            raise KeyboardInterrupt
        join(thread, timeout)

    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with pytest.raises(KeyboardInterrupt), pwb_async.running(root, grace_period=100) as server:
        client.connect(("127.0.0.1", server.port))
        client.sendall(b"GET /big.bin HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert client.recv(15) == b"HTTP/1.1 200 OK"
        monkeypatch.setattr(threading.Thread, "join", interrupt)
    assert not interrupted[0].is_alive()
    client.close()


def test_what_ends_the_server_early_is_raised_at_the_end(root: Path) -> None:
    class Faulty(pwb_async.Server):
        async def close(self) -> None:
            await super().close()
            raise ZeroDivisionError

    from pwb_async.embedding.keywords import settings_of

    with pytest.raises(ZeroDivisionError), on_thread(Faulty.of(settings_of(root, {})), None) as server:
        assert fetch(server.port) == b"text"


def test_inside_of_a_program_with_a_loop(root: Path) -> None:
    """Its thread has a loop of its own, so that a coroutine may use it, as slow as the end may be."""

    async def main() -> bytes:
        with pwb_async.running(root) as server:
            return await asyncio.to_thread(fetch, server.port)

    assert asyncio.run(main()) == b"text"
