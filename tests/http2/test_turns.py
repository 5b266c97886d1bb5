"""What happens between two turns of a connection: resets, reloads, deadlines, and faults of the disk."""

import asyncio
import logging
from pathlib import Path

import pytest

from pwb_async.config.loader import read_options
from pwb_async.core.deadlines import NEVER
from pwb_async.core.http2 import frames
from pwb_async.observability.exchange import Exchange
from pwb_async.runtime.context import open_context, reload_context
from pwb_async.server.faults import contain
from pwb_async.server.server import Server
from tests.core.http2.peer import number

from .turns import Peer, broken_response, get, peer


def reset(*streams: int) -> bytes:
    return b"".join([frames.reset(number(stream), 8) for stream in streams])


async def test_a_request_that_waits_over_a_reload_is_not_cached_for_another_host(tmp_path: Path) -> None:
    """Two sites change places, and so the same key is that of the other one."""
    for name in ("root", "a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_bytes(name.encode())
        (tmp_path / name / "large").write_bytes(bytes(16000))
    config = tmp_path / "pwb.toml"

    def configure(*names: str) -> None:
        sites = [f'[[sites]]\nhosts = ["{name}.test"]\nroot = "{tmp_path}/{name}"\n' for name in names]
        config.write_text(f'root = "{tmp_path}/root"\nport = 0\naccess-log = "off"\n' + "".join(sites))

    def read():  # type: ignore[no-untyped-def]
        return read_options("pwb", ["--config", str(config)], {}, str(tmp_path))

    configure("a", "b")
    server = Server(open_context("pwb", read(), read))
    running = asyncio.create_task(server.serve())
    await asyncio.sleep(0)
    client = Peer(server)
    for stream in (1, 3):
        client.send(get(stream, "/large", host="a.test"))
        await client.until(lambda stream=stream: client.has_head(stream))
    client.send(*[get(stream, "/large", host="a.test") for stream in range(5, 17, 2)], get(17, "/x", host="a.test"))
    client.protocol.pause_writing()  # the client does not read
    await asyncio.sleep(0)
    client.take()
    assert not client.has_head(17), "it waits for its turn"
    configure("b", "a")
    server.reconfigure(reload_context(server.context))
    client.protocol.resume_writing()
    await client.until(lambda: client.has_head(17))
    client.send(get(19, "/x", host="b.test"))
    await client.until(lambda: client.has_head(19))
    assert (client.content(17), client.content(19)) == (b"a", b"b")
    client.protocol.connection_lost(None)
    server.shutdown()
    await running


@pytest.mark.parametrize("cache", ["off", "64M"])
async def test_streams_that_are_reset_together_stay_reset(cache: str, tmp_path: Path) -> None:
    exchanges: list[Exchange] = []
    for name in "0123":
        (tmp_path / name).write_bytes(name.encode() * 1_000_000)
    async with peer(tmp_path, "--cache", cache, connection_window=65535, observers=(exchanges.append,)) as client:
        for index in range(4):  # so that they are in the cache, if there is one
            client.send(get(101 + 2 * index, f"/{index}", (b"range", b"bytes=0-0")))
            await client.until(lambda stream=101 + 2 * index: client.content(stream) != b"")
        for stream in (111, 113):
            client.send(get(stream, f"/{stream % 4 // 2}"))
            await client.until(lambda stream=stream: client.has_head(stream))
        await client.until(lambda: len(client.content(111)) == 65531)
        client.send(get(115, "/2"), get(117, "/3"))
        client.take()
        client.send(reset(111, 115))
        assert not {111, 115} & {frame.stream for frame in client.take()}
        client.send(frames.window_update(number(0), 1 << 24))
        await client.until(lambda: len(client.content(113)) == len(client.content(117)) == 1_000_000)
        assert not client.transport.closed
        assert (len(client.content(111)), client.content(115)) == (65531, b"")
    assert sorted(each.sent for each in exchanges)[4:] == [65531, 1_000_000, 1_000_000]


async def test_a_reset_while_a_piece_is_read_ends_that_stream_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "large").write_bytes(bytes(1_000_000))
    with caplog.at_level(logging.ERROR, "pwb"):
        async with peer(tmp_path, "--cache", "off", "--delay-disk", "0.1s") as client:
            client.send(get(1, "/large"))
            await client.until(lambda: client.has_head(1))
            client.send(reset(1), get(3, "/a.html"))
            await client.until(lambda: client.content(3) == b"hello")
            client.send(get(5, "/large"))
            await client.until(lambda: client.has_head(5))
            client.protocol.connection_lost(None)  # in the middle of another piece
            await asyncio.sleep(0.15)
    assert not caplog.records


async def test_a_response_that_cannot_be_read_is_ended_in_its_turn(tmp_path: Path) -> None:
    exchanges: list[Exchange] = []

    def guard(client: str, request: object) -> object:
        return broken_response()

    async with peer(tmp_path, guard=guard, observers=(exchanges.append,)) as client:
        client.send(get(1, "/"))
        await client.until(lambda: len(client.kinds(1)) == 2)
        assert client.kinds(1) == [frames.HEADERS, frames.RST_STREAM], "its head leaves ahead of its reset"
        assert client.protocol.deadline.at < NEVER
        assert [(each.status, each.sent) for each in exchanges] == [(200, 0)]


async def test_the_end_of_a_connection_while_requests_wait_for_their_turn(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "large").write_bytes(bytes(16000))
    async with peer(tmp_path) as client:
        for stream in (1, 3):
            client.send(get(stream, "/large"))
            await client.until(lambda stream=stream: client.has_head(stream))
        client.send(*[get(stream, "/large") for stream in range(5, 25, 2)])
        assert client.protocol.deadline.at == NEVER, "the server does not wait for the client"
        with caplog.at_level(logging.ERROR, "pwb"):
            contain(client.protocol, client.protocol.expire)
        await client.until(lambda: client.transport.ended)
        assert not caplog.records
        assert client.kinds(0)[-1] == frames.GOAWAY
