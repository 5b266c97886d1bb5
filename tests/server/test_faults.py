"""A fault of this server in the work for one connection: it ends that connection, and the others are worked for."""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pwb_async.network.send_rate import SendRate
from pwb_async.server.acceptor import Acceptor
from pwb_async.server.http_protocol import HTTPProtocol
from pwb_async.server.server import Server
from tests.conformance.peer import connect_many
from tests.conformance.server import eventually
from tests.conformance.wire import get

from .test_seams import serving


def address(server: Server) -> tuple[str, int]:
    host, port = server.context.sockets[0].getsockname()[:2]
    return str(host), int(port)


def fail_for_the_first(monkeypatch: pytest.MonkeyPatch, kind: type, method: str, argument: int = 0) -> None:
    """Make a method raise whenever it is called with the argument, by default `self`, of its first call."""
    real, first = getattr(kind, method), list[object]()

    def call(self: object, *arguments: Any) -> Any:
        first.append((self, *arguments)[argument])
        if first[-1] is first[0]:
            raise RuntimeError("injected")
        return real(self, *arguments)

    monkeypatch.setattr(kind, method, call)


async def test_a_deadline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    fail_for_the_first(monkeypatch, HTTPProtocol, "expire")
    async with serving(tmp_path, "--header-timeout", "0.1") as server, connect_many(address(server), 3) as peers:
        for peer in peers:
            assert await peer.read_to_end() == b""
    assert [record.exc_info is not None for record in caplog.records if record.levelno >= logging.ERROR] == [True]


@pytest.mark.parametrize(("method", "end"), [("stop", Server.shutdown), ("retire", Server.drain_connections)])
async def test_a_stop(
    method: str, end: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fail_for_the_first(monkeypatch, HTTPProtocol, method)
    async with serving(tmp_path) as server, connect_many(address(server), 3) as peers:
        for peer in peers:
            await peer.send(get("/a.html"))
            assert (await peer.read_response()).content == b"hello"
        end(server)
        for peer in peers:
            assert await peer.read_to_end() == b""
    assert "RuntimeError: injected" in caplog.text


async def test_the_minimum_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Two clients read too slowly, and the first one cannot be measured."""
    fail_for_the_first(monkeypatch, SendRate, "is_below", argument=3)
    (tmp_path / "big.bin").write_bytes(bytes(30_000_000))
    options = ("--min-send-rate", "10M", "--send-timeout", "0.5")
    async with (
        serving(tmp_path, *options) as server,
        connect_many(address(server), 2, receive_buffer=4096) as peers,
        asyncio.timeout(10),
    ):
        for peer in peers:
            await peer.send(get("/big.bin"))
        with suppress(ConnectionError):
            while len(server.state.admission.connections) == 2:  # each takes some bytes, so no send timeout acts
                for peer in peers:
                    await peer.read_at_least(1)
                await asyncio.sleep(0.02)
        await eventually(lambda: not server.state.admission.connections, 5)
    assert caplog.text.count("RuntimeError: injected") == 1


async def test_the_maintenance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that raises does not end the round: neither the deadlines nor the acceptor keep the log from being written."""
    flushed = asyncio.Event()
    for kind, method in ((Server, "_check_deadlines"), (Acceptor, "check")):
        fail_for_the_first(monkeypatch, kind, method)
    monkeypatch.setattr(Server, "_flush", lambda self: flushed.set())
    async with serving(tmp_path), asyncio.timeout(10):
        await flushed.wait()
