"""sendfile(2) fails, in a file system or a sandbox, or is switched off: large files are read instead, with the same
responses and the same bounds on memory and time (hazard C16)."""

import asyncio
import hashlib
import os
import re
import time
from pathlib import Path

import pytest

from .designs import DESIGNS
from .peer import Peer, connect_many, run_together, send_request
from .server import Server, Start, eventually
from .strace import needs_strace, strace
from .test_large import read_slowly, serve_others
from .test_log import LINE
from .tree import ALPHABET, BIG, FILES, random_bytes
from .wire import get

MEGABYTE = 1 << 20
CONTENT = FILES[b"30m.bin"]
REFUSED = "sendfile is refused on device"
ERRORS = ["EINVAL", "ENOSYS", "EOPNOTSUPP", "EPERM", "EACCES"]

only_async = pytest.mark.parametrize(
    "design",
    [design for design in DESIGNS if design.program == "pwb"],
    ids=lambda design: design.name,
    indirect=True,
    scope="session",
)
"""Marks tests of the async design; the others never use sendfile."""


def failing_sendfile(error: str, when: str, calls: Path) -> tuple[str, ...]:
    """A wrapper under which sendfile(2) fails. calls: a file that receives a line for each call."""
    return strace("-o", str(calls), "-e", "trace=sendfile", "-e", f"inject=sendfile:error={error}:when={when}")


async def answers_are_right(server: Server) -> None:
    """Checks the whole and parts of a large file, and the next response on the same connection."""
    async with Peer(server.address) as peer:
        for field, ranges in (
            ("Range: bytes=3000000-12999999", [(3_000_000, 13_000_000)]),
            ("Range: bytes=-5", [(BIG - 5, BIG)]),
            ("Range: bytes=0-99999,20000000-29999999,5-6", [(0, 100_000), (20_000_000, 30_000_000), (5, 7)]),
        ):
            await peer.send(get("/30m.bin", field))
            response = await peer.read_response()
            assert response.status == 206
            for first, end in ranges:
                assert CONTENT[first:end] in response.content
            assert len(response.content) < sum(end - first for first, end in ranges) + 1000
        await peer.send(get("/30m.bin", method="HEAD") + get("/30m.bin") + get())
        assert (await peer.read_response("HEAD"))["Content-Length"] == str(BIG)
        assert (await peer.read_response()).content == CONTENT
        assert (await peer.read_response()).content == ALPHABET


def logged_bytes(log: Path) -> list[int]:
    """The number of content bytes of each exchange, from the access log."""
    lines = [LINE.fullmatch(line) for line in log.read_bytes().splitlines()]
    return [int(line[3]) for line in lines if line]


@needs_strace
@only_async
@pytest.mark.parametrize("error", ERRORS)
async def test_refused_from_the_start_c16(error: str, start: Start, tmp_path: Path) -> None:
    """It is tried for one response, and never again for this file system."""
    calls = tmp_path / "calls"
    async with start(wrapper=failing_sendfile(error, "1+", calls), allowed_errors=REFUSED) as server:
        await answers_are_right(server)
        await run_together(*(answers_are_right(server) for _ in range(3)))
        assert server.error_output().count(REFUSED) == 1
    assert 1 <= calls.read_text().count("(INJECTED)") <= 2
    assert sorted(logged_bytes(server.log))[-4:] == [BIG] * 4


@needs_strace
@only_async
@pytest.mark.parametrize("when", ["2", "4", "9"])
async def test_refused_in_the_middle_c16(when: str, start: Start, tmp_path: Path) -> None:
    async with start(wrapper=failing_sendfile("EINVAL", when, tmp_path / "calls"), allowed_errors=REFUSED) as server:
        response = await send_request(server.address, get("/30m.bin"))
        assert hashlib.sha256(response.content).digest() == hashlib.sha256(CONTENT).digest()
        await answers_are_right(server)
    assert logged_bytes(server.log)[0] == BIG
    assert (tmp_path / "calls").read_text().count("INJECTED") == 1


@needs_strace
@only_async
@pytest.mark.parametrize("error", ["EIO", "ENOMEM", "ESTALE"])
async def test_a_disk_that_fails_is_not_read_again_d1(error: str, start: Start, tmp_path: Path) -> None:
    async with start(
        wrapper=failing_sendfile(error, "2+", tmp_path / "calls"), allowed_errors="content cut short"
    ) as server:
        async with Peer(server.address) as peer:
            await peer.send(get("/30m.bin") + get())
            data = await peer.read_to_end_or_reset()
        assert data.count(b"HTTP/1.1 ") == 1
        assert len(data) < BIG
        assert (await send_request(server.address, get())).content == ALPHABET
    assert logged_bytes(server.log)[0] < BIG


@needs_strace
@only_async
async def test_switched_off_c16(start: Start, tmp_path: Path) -> None:
    wrapper = strace("-o", str(tmp_path / "calls"), "-e", "trace=sendfile")
    async with start("--no-sendfile", wrapper=wrapper) as server:
        await answers_are_right(server)
    assert "sendfile(" not in (tmp_path / "calls").read_text()
    assert logged_bytes(server.log)[-2:] == [BIG, len(ALPHABET)]


@only_async
async def test_slow_readers_get_every_byte_and_delay_no_client_l5_a15(start: Start) -> None:
    async with start("--no-sendfile") as server:
        readers = asyncio.create_task(run_together(*(read_slowly(server, 0.0005) for _ in range(2))))
        assert await serve_others(server, readers) > 3
        await readers


@pytest.mark.quiet
@needs_strace
@only_async
async def test_a_slow_disk_delays_no_client_a15(start: Start, served_root: Path) -> None:
    """The event loop never reads a file: each of 120 pieces takes 50 ms to read, 6 s in all."""
    wrapper = strace("-P", str(served_root / "30m.bin"), "-e", "trace=preadv", "-e", "inject=preadv:delay_enter=50000")
    async with start("--no-sendfile", wrapper=wrapper) as server, Peer(server.address) as peer:
        assert (await send_request(server.address, get())).content == ALPHABET
        await peer.send(get("/30m.bin"))
        reading = asyncio.create_task(peer.read_at_least(4 * MEGABYTE))
        times = []
        while not reading.done():
            begin = time.monotonic()
            assert (await send_request(server.address, get("/a.txt"))).content == ALPHABET
            times.append(time.monotonic() - begin)
        assert await reading
        assert sorted(times)[len(times) // 2] < 0.03, "half of them waited for the disk"
        peer.reset()


@only_async
async def test_clients_that_read_nothing_cost_little_memory_l6(start: Start) -> None:
    async with start("--no-sendfile") as server:
        await send_request(server.address, get("/30m.bin"))
        before = server.memory()
        async with connect_many(server.address, 20, receive_buffer=64 * 1024) as peers:
            for peer in peers:
                await peer.send(get("/5g.bin"))
            for peer in peers:
                assert len(await peer.read_at_least(MEGABYTE)) >= MEGABYTE
            assert server.memory() - before < 20 * MEGABYTE
            for peer in peers:
                peer.reset()


@only_async
async def test_a_client_that_never_reads_is_cut_off_a4(start: Start) -> None:
    async with start("--no-sendfile", "--send-timeout", "0.6") as server:
        async with Peer(server.address, receive_buffer=4096) as peer:
            begin = time.monotonic()
            await peer.send(get("/30m.bin"))
            await eventually(lambda: peer.server_socket() is None, 5, "it still holds the server")
            assert time.monotonic() - begin > 0.5
            assert len(await peer.read_to_end_or_reset()) < BIG
        await eventually(lambda: server.log.read_bytes().endswith(b"\n"), 3)
        # The log counts the bytes that the kernel's buffer took, and none that waited for it.
        assert logged_bytes(server.log)[0] < 6 * MEGABYTE


@only_async
async def test_a_client_below_the_minimum_rate_is_cut_off_a5(start: Start) -> None:
    options = ("--no-sendfile", "--min-send-rate", "1M", "--send-timeout", "0.8")
    async with start(*options) as server, Peer(server.address, receive_buffer=16 * 1024) as peer:
        await peer.send(get("/30m.bin"))
        begin, count = time.monotonic(), 0
        with pytest.raises(ConnectionError):
            while data := await peer.read_at_least(1):
                count += len(data)
                await asyncio.sleep(0.05)
        assert time.monotonic() - begin < 6
        assert count < BIG


@only_async
async def test_truncated_while_sent_d1(start: Start, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "shrinks").write_bytes(random_bytes(24 * MEGABYTE, 2))
    (root / "still.txt").write_bytes(b"still")
    async with start("--no-sendfile", root=root, allowed_errors="content cut short") as server:
        async with Peer(server.address, receive_buffer=16 * 1024) as peer:
            await peer.send(get("/shrinks") + get("/still.txt"))
            begun = await peer.read_at_least(1)
            os.truncate(root / "shrinks", MEGABYTE)
            data = begun + await peer.read_to_end_or_reset()
        assert b"Content-Length: 25165824\r\n" in data
        assert len(data) < 24 * MEGABYTE
        assert data.count(b"HTTP/1.1 ") == 1
        assert (await send_request(server.address, get("/still.txt"))).content == b"still"
        assert re.search("cut short: the file has become shorter", server.error_output())


@only_async
async def test_a_client_that_vanishes_leaves_nothing_a11(start: Start) -> None:
    async with start("--no-sendfile") as server:
        await send_request(server.address, get("/30m.bin"))
        before = await server.wait_for_resources(lambda resources: resources.processes == 1)
        for _ in range(10):
            async with Peer(server.address, receive_buffer=4096) as peer:
                await peer.send(get("/30m.bin"))
                await peer.read_at_least(1)
                peer.reset()
        await server.wait_for_resources(lambda resources: resources.descriptors <= before.descriptors)
        assert (await send_request(server.address, get("/30m.bin"))).content == CONTENT
