"""A thousand requests with some bytes changed, each sent to all designs: they respond alike, and none dies."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.core.http1.test_corpus import CASES
from tests.short_run import MUTANTS

from .designs import DESIGNS
from .peer import Peer
from .server import Server, running
from .wire import parse_responses

ROUNDS = 1000
SPLICES = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b":",
    b",",
    b"\xff",
    b"%",
    b"%2e",
    b"..",
    b"/",
    b"\r\n\r\n",
    b"HTTP/1.1",
    b"0",
    b"-",
    b'"',
]


def mutants(seed: int) -> Iterator[bytes]:
    """Requests of the corpus with bytes changed, deleted, inserted or repeated, or with a second request appended."""
    chance = random.Random(seed)
    wires = [case.wire for case in CASES if 0 < len(case.wire) < 2000]
    while True:
        data = bytearray(chance.choice(wires))
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(data) + 1)
            match chance.randrange(6):
                case 0:
                    data[at : at + 1] = bytes([chance.randrange(256)])
                case 1:
                    del data[at : at + chance.randint(1, 4)]
                case 2:
                    data[at:at] = chance.choice(SPLICES)
                case 3:
                    data[at:at] = data[at : at + 8]
                case 4:
                    data += chance.choice(wires)
                case 5:
                    data[at:at] = bytes([data[at - 1] ^ 0x20]) if data else b"x"
        yield bytes(data)


@pytest.fixture
async def all_servers(served_root: Path, tmp_path: Path) -> AsyncIterator[list[Server]]:
    async with AsyncExitStack() as stack:
        servers = []
        for design in DESIGNS:
            log_dir = tmp_path / design.name
            log_dir.mkdir()
            servers.append(await stack.enter_async_context(running(design, served_root, log_dir=log_dir)))
        yield servers


async def responses_to(server: Server, data: bytes) -> list[bytes]:
    """All responses, up to the end of the connection, which the client closes."""
    async with Peer(server.address) as peer:
        try:
            await peer.send(data)
            peer.half_close()
        except OSError:
            assert data, "closed before its time"
        responses = parse_responses(await peer.read_to_end())
    assert all(response.status < 500 or response.status in (501, 505) for response in responses)
    keeps = server.design.keeps_alive
    return (
        [response.without_date for response in responses]
        if keeps
        else [response.without_date_and_connection for response in responses]
    )


async def test_a_thousand_mutants_b10_b11_l3(all_servers: list[Server], pytestconfig: pytest.Config) -> None:
    reference, *others = all_servers
    rounds = ROUNDS if pytestconfig.option.exhaustive else MUTANTS
    for number, data in zip(range(rounds), mutants(seed=20), strict=False):
        expected = await responses_to(reference, data)
        bare = [
            parse_responses(response.replace(b"Date: *", b"Date: x"))[0].without_date_and_connection
            for response in expected[:1]
        ]
        results = await asyncio.gather(*(responses_to(server, data) for server in others))
        for server, result in zip(others, results, strict=True):
            assert result == (expected if server.design.keeps_alive else bare), (number, server.design.name, data)
