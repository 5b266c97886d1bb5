"""What happens between two turns of a connection: resets, reloads, deadlines, and faults of the disk."""

import asyncio
import logging
import os
from pathlib import Path
from typing import cast

import pytest

from pwb_async.config.loader import read_options
from pwb_async.core.deadlines import NEVER
from pwb_async.core.http2 import frames
from pwb_async.observability.exchange import Exchange
from pwb_async.runtime.opening import open_context, reload_context
from pwb_async.server.faults import contain
from pwb_async.server.http2_prior_knowledge import PriorKnowledgeProtocol
from pwb_async.server.http2_protocol import HTTP2Protocol
from pwb_async.server.http2_shared import HTTP2Shared
from pwb_async.server.server import Server
from tests.core.http2.peer import number, read_frames
from tests.server.test_seams import serving

from .turns import Peer, Transport, broken_response, get, peer


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
    ends = sorted((each.status, each.sent) for each in exchanges if each.status != 206)
    assert ends == [(200, 65531), (200, 1_000_000), (200, 1_000_000), (499, 0)]


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


async def test_an_urgent_file_does_not_wait_for_downloads(tmp_path: Path) -> None:
    """Two large files have all places and an open window, but the connection's window is what holds them up."""
    for name in ("0", "1", "script"):
        (tmp_path / name).write_bytes(name[:1].encode() * 4_000_000)
    async with peer(tmp_path, connection_window=200_000) as client:
        for stream in (1, 3):
            client.send(get(stream, f"/{stream // 2}", (b"priority", b"u=7")))
            await client.until(lambda stream=stream: client.has_head(stream))
        await client.until(lambda: len(client.content(1)) == 200_000)
        client.send(get(5, "/script", (b"priority", b"u=0")))
        await client.until(lambda: client.has_head(5))
        client.send(frames.window_update(number(0), 4_000_000))
        await client.until(lambda: len(client.content(5)) == 4_000_000)
        assert len(client.content(1)) == 200_000
        client.send(frames.window_update(number(0), 8_000_000))
        await client.until(lambda: client.content(1) + client.content(3) == b"0" * 4_000_000 + b"1" * 4_000_000)


async def test_incremental_files_share_the_places(tmp_path: Path) -> None:
    for name in "012":
        (tmp_path / name).write_bytes(name.encode() * 6_000_000)
    async with peer(tmp_path, connection_window=9_000_003) as client:
        for index in range(3):  # so that they are in the cache
            client.send(get(1 + 2 * index, f"/{index}", (b"range", b"bytes=0-0")))
            await client.until(lambda stream=1 + 2 * index: client.content(stream) != b"")
        for stream in (7, 9, 11):
            client.send(get(stream, f"/{stream // 2 - 3}", (b"priority", b"i")))
        await client.until(lambda: sum(len(client.content(stream)) for stream in (7, 9, 11)) == 9_000_000)
        assert min(len(client.content(stream)) for stream in (7, 9, 11)) > 1_000_000
        client.send(frames.window_update(number(0), 12_000_000))
        for stream in (7, 9, 11):
            await client.until(
                lambda stream=stream: client.content(stream) == str(stream // 2 - 3).encode() * 6_000_000
            )


@pytest.mark.parametrize("cache", ["off", "64M"])
async def test_content_in_memory_is_bounded(cache: str, tmp_path: Path) -> None:
    """Without a window for it, only 1 MiB of content is made; what follows fits, or waits."""
    content = bytes(range(250)) * 400
    (tmp_path / "100k").write_bytes(content)
    async with peer(tmp_path, "--cache", cache, window=0) as client:
        client.send(*[get(2 * n + 1, "/100k", (b"range", b"bytes=%d-" % n)) for n in range(90)])
        await client.until(lambda: client.has_head(1) and not client.protocol._transfers.at_work)
        assert sum(client.has_head(2 * n + 1) for n in range(90)) == 11
        client.send(frames.settings(((frames.INITIAL_WINDOW_SIZE, 1 << 20),)))
        await client.until(lambda: all(client.content(2 * n + 1) == content[n:] for n in range(90)))


async def test_what_fits_the_windows_does_not_wait_for_memory(tmp_path: Path) -> None:
    """The streams of a slow reader behind a proxy do not hold up those of the others."""
    (tmp_path / "100k").write_bytes(bytes(100_000))
    async with peer(tmp_path, window=1000) as client:
        client.send(*[get(2 * n + 1, "/100k") for n in range(20)])
        await client.until(lambda: sum(client.has_head(2 * n + 1) for n in range(20)) >= 10)
        client.send(get(101, "/a.html"))
        await client.until(lambda: client.content(101) == b"hello")


async def test_a_slow_disk_is_not_the_clients_fault(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(1_000_000))
    options = ("--cache", "off", "--delay-disk", "0.2s", "--send-timeout", "0.1", "--min-send-rate", "9M")
    async with peer(tmp_path, *options) as client:
        client.send(get(1, "/large"))
        await client.until(lambda: client.has_head(1))
        assert client.protocol.deadline.at == NEVER, "a thread reads the file"
        client.protocol.eof_received()
        await asyncio.sleep(0)
        assert not client.transport.closed, "its client has closed its sending side, and wants the response"
        await client.until(lambda: len(client.content(1)) == 1_000_000)


async def test_a_half_closed_client_that_cannot_open_its_windows(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(1_000_000))
    async with peer(tmp_path, window=1000) as client:
        client.send(get(1, "/large"))
        await client.until(lambda: len(client.content(1)) == 1000)
        client.protocol.eof_received()
        await client.until(lambda: client.transport.closed)


async def test_each_frame_has_the_header_timeout(tmp_path: Path) -> None:
    async with peer(tmp_path) as client:
        skew = 0.0
        clock = client.server.state.clock
        client.server.state.clock = lambda: clock() + skew
        requests = b"".join([get(stream, "/a.html") for stream in range(1, 41, 2)])
        size = len(requests) // 20
        for start in range(5, len(requests) - size, size):  # each piece ends one request and begins another one
            client.send(requests[start - 5 if start == 5 else start : start + size])
            await client.until(lambda: not client.protocol.responding)
            skew += 3
            assert client.protocol.deadline.at > client.server.state.clock(), "no frame takes 10 s"
        client.send(requests[start + size : start + size + 1])
        assert client.protocol.deadline.at > client.server.state.clock()
        skew += 12
        assert client.protocol.deadline.at < client.server.state.clock(), "this one does"


async def test_a_request_that_is_reset_before_its_response_is_logged(tmp_path: Path) -> None:
    exchanges: list[Exchange] = []
    async with peer(tmp_path, "--cache", "off", "--delay-disk", "0.1s", observers=(exchanges.append,)) as client:
        client.send(get(1, "/a.html"))
        client.send(reset(1))
    assert [(each.status, each.sent) for each in exchanges] == [(499, 0)]


async def test_a_parked_file_that_has_changed_ends_in_its_turn(tmp_path: Path) -> None:
    exchanges: list[Exchange] = []
    for name in "012":
        (tmp_path / name).write_bytes(bytes(1_000_000))
    async with peer(tmp_path, "--cache", "off", window=1000, observers=(exchanges.append,)) as client:
        for stream in (1, 3, 5):
            client.send(get(stream, f"/{stream // 2}"))
            await client.until(lambda stream=stream: len(client.content(stream)) == 1000)
        client.send(reset(1, 5))
        (tmp_path / "new").write_bytes(bytes(1_000_001))
        (tmp_path / "new").rename(tmp_path / "1")
        client.send(frames.window_update(number(3), 1 << 20))
        await client.until(lambda: frames.RST_STREAM in client.kinds(3))
        await client.until(lambda: client.protocol.deadline.at < NEVER)
    assert [(each.status, each.sent) for each in exchanges] == [(200, 1000)] * 3


@pytest.mark.parametrize("stopping", [False, True])
async def test_a_connection_that_is_to_end_ends_though_its_preface_is_not_whole(stopping: bool, tmp_path: Path) -> None:
    async with serving(tmp_path) as server:
        transport = Transport()
        protocol = PriorKnowledgeProtocol(server.state, HTTP2Shared())
        protocol.connection_made(transport)
        protocol.data_received(frames.PREFACE[:5])
        server.state.stopping = stopping
        protocol.retire(0)
        protocol.data_received(frames.PREFACE[5:])
        taken_over = cast(HTTP2Protocol, transport.protocol)
        ends = [frame.payload for frame in read_frames(transport.written) if frame.kind == frames.GOAWAY]
        assert [int.from_bytes(payload[:4], "big") for payload in ends] == [0 if stopping else 2**31 - 1]
        taken_over.connection_lost(None)
        server.state.stopping = False


async def test_what_the_transport_has_lost_does_not_count_as_sent(tmp_path: Path) -> None:
    exchanges: list[Exchange] = []
    (tmp_path / "large").write_bytes(bytes(1_000_000))
    async with serving(tmp_path, observers=(exchanges.append,)) as server:
        client = Peer(server)
        client.send(get(1, "/large"))
        client.transport.fills = True  # from its next write on, which is the first one of content
        await client.until(lambda: client.protocol.writer.paused)
        client.transport.buffered = 10_000
        client.protocol.connection_lost(None)
    content = len(client.content(1))
    assert 0 < content < 1_000_000
    assert [each.sent for each in exchanges] == [content - 10_000]


async def test_a_parked_file_is_closed_though_the_cache_had_opened_it(tmp_path: Path) -> None:
    """Otherwise one client could keep as many descriptors as it has streams, when the cache has closed its own."""
    for name in "0123":
        (tmp_path / f"{name}.bin").write_bytes(bytes(1_000_000))

    def descriptors() -> int:
        names = [Path(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
        return sum(name.is_symlink() and os.readlink(name).endswith(".bin") for name in names)

    async with peer(tmp_path, "--cache-ttl", "0.1", window=1000) as client:
        for stream in (1, 3, 5, 7):
            client.send(get(stream, f"/{stream // 2}.bin"))
            await client.until(lambda stream=stream: len(client.content(stream)) == 1000)
        await client.until(lambda: descriptors() == 2)
        client.send(frames.settings(((frames.INITIAL_WINDOW_SIZE, 1 << 20),)))
        for stream in (1, 3, 5, 7):
            await client.until(lambda stream=stream: len(client.content(stream)) == 1_000_000)


async def test_a_file_gets_the_place_of_those_that_are_reset_while_a_thread_reads(tmp_path: Path) -> None:
    for name in "012":
        (tmp_path / name).write_bytes(bytes(1_000_000))
    async with peer(tmp_path, "--cache", "off", "--delay-disk", "0.1s") as client:
        for stream in (1, 3):
            client.send(get(stream, f"/{stream // 2}"))
            await client.until(lambda stream=stream: client.has_head(stream))
        client.send(get(5, "/2"))
        await client.until(lambda: len(client.content(1)) > 600_000)  # which takes longer than to find /2
        client.send(reset(1, 3))
        await client.until(lambda: len(client.content(5)) == 1_000_000)


async def test_hits_make_no_streams_and_leave_by_one_write(tmp_path: Path) -> None:
    async with peer(tmp_path) as client:
        for stream in (1, 3):
            client.send(get(stream, "/a.html"))
            await client.until(lambda stream=stream: client.has_head(stream))
        before = client.transport.writes
        client.send(*[get(stream, "/a.html") for stream in range(5, 205, 2)])
        assert client.transport.writes == before + 1
        assert not client.protocol._connection.streams
        client.take()
        assert all(client.content(stream) == b"hello" for stream in range(5, 205, 2))


async def test_an_error_of_the_client_is_a_message_for_developers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "pwb")
    async with peer(tmp_path) as client:
        client.send(get(1, "/a.html"), frames.window_update(number(0), 0))
        client.send(get(3, "/a.html"))
    assert [(each.levelname, each.message) for each in caplog.records if each.name == "pwb"] == [
        ("DEBUG", "a connection with HTTP/2 has failed: a window is increased by 0")
    ]
