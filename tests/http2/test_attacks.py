"""Attacks on HTTP/2 against a real server: they end, and another client gets its responses meanwhile.

Each comes from several connections at once, which send as much as the server takes. Afterwards the server has as many
descriptors as before, and hardly more memory.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from pwb_async.core.http2.errors import ErrorCode
from tests.conformance.server import Server, Start, running
from tests.conformance.tree import ALPHABET
from tests.core.http2.rfc9113 import BEGIN, update

from .attacks import ATTACKS, OPTIONS, Attack, a_field_for_each_byte, attack, large_requests_without_a_window
from .client import Client
from .conftest import H2C

CONNECTIONS: Final = 4
KEPT: Final = 24 << 20
"""Bytes by which the memory of the server may grow when an attack is repeated: it was up to 20 MiB more, and no more after 40
repetitions or 240."""
HELD: Final = 2 << 20
"""Bytes that 100 requests of one connection may take, of the largest number of fields or of the largest size."""


def innocent(address: tuple[str, int], count: int) -> None:
    with Client(address) as client:
        for _ in range(count):
            assert client.wait(client.get())[0].content == ALPHABET


async def attacked(server: Server, wire: bytes) -> list[list[ErrorCode]]:
    """The GOAWAY frames that each attacker got, while another client got its responses."""
    attackers = [asyncio.to_thread(attack, server.address, wire) for _ in range(CONNECTIONS)]
    *codes, _ = await asyncio.gather(*attackers, asyncio.to_thread(innocent, server.address, 20))
    return codes


@pytest.fixture(scope="module")
async def victim(served_root: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server for all attacks."""
    async with running(H2C, served_root, *OPTIONS, log_dir=tmp_path_factory.mktemp("victim")) as server:
        yield server


@pytest.mark.parametrize("case", ATTACKS, ids=lambda case: case.pieces.__name__)
async def test_an_attack_ends(case: Attack, victim: Server) -> None:
    for codes in await attacked(victim, case.wire):
        assert codes
        assert codes[-1] in case.codes


@pytest.mark.parametrize("case", ATTACKS, ids=lambda case: case.pieces.__name__)
async def test_an_attack_leaves_nothing(case: Attack, start_h2c: Start) -> None:
    async with start_h2c(*OPTIONS) as server:
        await asyncio.to_thread(innocent, server.address, 5)
        before = server.resources()
        await attacked(server, case.wire)
        await server.wait_for_resources(lambda now: now.descriptors <= before.descriptors)
        memory = server.memory()
        await attacked(server, case.wire)
        await server.wait_for_resources(lambda now: now.descriptors <= before.descriptors)
        assert server.memory() - memory < KEPT


@pytest.mark.parametrize(
    "pieces", [a_field_for_each_byte, large_requests_without_a_window], ids=lambda pieces: pieces.__name__
)
async def test_requests_whose_responses_wait_hold_little(
    pieces: Callable[[], Iterator[bytes]], start_h2c: Start
) -> None:
    """The HTTP/2 bomb of 2026 keeps what requests have become in memory by a window of 0."""
    async with start_h2c() as server:
        await asyncio.to_thread(innocent, server.address, 5)
        memory = server.memory()
        with ExitStack() as stack:
            for _ in range(CONNECTIONS):
                peer = stack.enter_context(socket.create_connection(server.address, 10))
                frames = pieces()
                await asyncio.to_thread(peer.sendall, BEGIN + b"".join([next(frames) for _ in range(101)]))
                await asyncio.to_thread(innocent, server.address, 1)
            assert (server.memory() - memory) / CONNECTIONS < HELD


def test_only_so_much_is_read_after_the_end(victim: Server) -> None:
    """A client that has got GOAWAY is read for a while, so that it can get it, but not for ever."""
    with socket.create_connection(victim.address, 10) as peer:
        peer.sendall(BEGIN + update(0, 0))
        with pytest.raises(ConnectionError):
            for _ in range(1000):
                peer.sendall(bytes(1 << 16))
