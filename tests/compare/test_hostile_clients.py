"""The hostile clients, at real designs: they connect, do what their names say, and count what happens to them."""

import asyncio
import os
import resource
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pwb_legacy.compare.load import Ask, closed, idle, slow_heads, slow_readers, vanishing
from tests.conformance.designs import DESIGNS
from tests.conformance.peer import Peer
from tests.conformance.server import Server, eventually, running

from . import hostile

BY_NAME = {design.name: design for design in DESIGNS}
PAGE, LARGE = Ask(b"/index.html"), Ask(b"/30m.bin")
FEW = 5


@pytest.fixture
async def epoll(served_root: Path, tmp_path: Path) -> AsyncIterator[Server]:
    async with running(BY_NAME["epoll"], served_root, log_dir=tmp_path) as server:
        yield server


@pytest.fixture
async def single(served_root: Path, tmp_path: Path) -> AsyncIterator[Server]:
    async with running(BY_NAME["single"], served_root, log_dir=tmp_path) as server:
        yield server


async def serves(server: Server) -> None:
    """The other clients are answered."""
    tally = await closed(server.address, [PAGE], 2, 0.1)
    assert tally.requests
    assert not tally.failures, tally.reasons


async def test_idle_clients_stay(epoll: Server) -> None:
    before = epoll.resources().descriptors
    async with idle(epoll.address, FEW) as outcome:
        assert (outcome.connected, outcome.open, outcome.answered) == (FEW, FEW, FEW)
        await epoll.wait_for_resources(lambda resources: resources.descriptors >= before + FEW)
        await serves(epoll)
        assert outcome.open == FEW
    await epoll.wait_for_resources(lambda resources: resources.descriptors == before)


async def test_idle_clients_that_are_sent_away_stay_away(single: Server) -> None:
    async with idle(single.address, FEW) as outcome:
        await eventually(lambda: outcome.closed == FEW, 5)
        assert (outcome.connected, outcome.open, outcome.answered) == (FEW, 0, FEW)
        assert outcome.reasons == {"closed by the server": FEW}


async def test_slow_heads(served_root: Path, tmp_path: Path) -> None:
    """The server ends each of them, and each comes back."""
    async with running(BY_NAME["epoll"], served_root, "--header-timeout", "0.5", log_dir=tmp_path) as server:
        async with slow_heads(server.address, FEW, 0.05) as outcome:
            assert (outcome.connected, outcome.open) == (FEW, FEW)
            await serves(server)
            await eventually(lambda: outcome.connected >= 2 * FEW, 10, lambda: str(outcome))
        assert outcome.closed >= FEW


async def test_a_slow_head_holds_who_serves_one_at_a_time(single: Server) -> None:
    async with slow_heads(single.address, 1, 0.1) as outcome:
        tally = await closed(single.address, [PAGE], 2, 0.1, timeout=0.4)
        assert outcome.open == 1
    assert tally.failures == tally.reasons["no answer within 0.4 s"] == 2


async def test_slow_readers(epoll: Server) -> None:
    async with slow_readers(epoll.address, FEW, LARGE, 20_000) as outcome:
        assert (outcome.open, outcome.answered) == (FEW, FEW)
        first = outcome.bytes
        await eventually(lambda: outcome.bytes >= first + FEW * 4000, 10)
        await serves(epoll)
        assert (outcome.connected, outcome.closed) == (FEW, 0)
        assert outcome.bytes < 1_000_000


async def test_slow_readers_ask_again(epoll: Server) -> None:
    async with Peer(epoll.address) as peer:
        await peer.send(b"GET /index.html HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        size = len(await peer.read_to_end())
    async with slow_readers(epoll.address, 1, PAGE, 1_000_000) as outcome:
        await eventually(lambda: outcome.bytes > 2 * size, 10)
        assert outcome.connected == 1


async def test_a_pause_of_the_server_is_not_the_end_of_a_response() -> None:
    """A slow reader asks again when it has as much as Content-Length promises, not when nothing has come for a while."""
    asked = 0

    async def manner(writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhal")
        if asked == 2:
            return  # the rest never comes
        await asyncio.sleep(0.4)
        writer.write(b"ves")

    async with hostile.server(manner) as address, slow_readers(address, 1, PAGE, 1_000_000) as outcome:
        await eventually(lambda: asked == 2, 10)
        assert outcome.bytes >= 44
        await asyncio.sleep(0.5)
        assert asked == 2


async def test_a_response_that_is_none_ends_a_slow_reader_s_connection() -> None:
    async with hostile.server(hostile.saying(b"SSH-2.0-OpenSSH\r\n\r\n")) as address:
        async with slow_readers(address, 1, PAGE, 1_000_000) as outcome:
            await eventually(lambda: outcome.reasons["no HTTP answer"] >= 2, 10)
        assert outcome.closed == 0


async def test_without_descriptors_it_says_so() -> None:
    free = os.dup(0)
    os.close(free)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))  # not one more
    try:
        async with idle(("127.0.0.1", 1), 3) as outcome:
            assert outcome.reasons == {"Too many open files": 3}
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


async def test_vanishing_clients(epoll: Server) -> None:
    before = epoll.resources().descriptors
    async with vanishing(epoll.address, FEW, LARGE) as outcome:
        await eventually(lambda: outcome.left >= 10 * FEW, 10)
        await serves(epoll)
    assert outcome.connected >= outcome.left
    assert outcome.bytes == outcome.answered
    await epoll.wait_for_resources(lambda resources: resources.descriptors == before)


async def test_nobody_listens() -> None:
    async with vanishing(("127.0.0.1", 1), 2, PAGE) as outcome:
        assert outcome.reasons["Connection refused"] >= 2
        assert outcome.connected == outcome.closed == 0
