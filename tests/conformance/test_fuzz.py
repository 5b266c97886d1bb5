"""A thousand requests with some bytes changed, each to every design at once: no answer differs, nobody dies."""

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
from .wire import split

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
    """Requests of the corpus with bytes changed, taken out, put in, said twice, or with a second one behind."""
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
async def everybody(site: Path, tmp_path: Path) -> AsyncIterator[list[Server]]:
    async with AsyncExitStack() as stack:
        servers = []
        for design in DESIGNS:
            papers = tmp_path / design.name
            papers.mkdir()
            servers.append(await stack.enter_async_context(running(design, site, papers=papers)))
        yield servers


async def told(server: Server, data: bytes) -> list[bytes]:
    """All answers, up to the end that the client brings about."""
    async with Peer(server.address) as peer:
        try:
            await peer.send(data)
            peer.finish()
        except OSError:
            assert data, "closed before its time"
        answers = split(await peer.rest())
    assert all(answer.status < 500 or answer.status in (501, 505) for answer in answers)
    keeps = server.design.keeps_alive
    return [answer.masked for answer in answers] if keeps else [answer.bare for answer in answers]


async def test_a_thousand_mutants_b10_b11_l3(everybody: list[Server], pytestconfig: pytest.Config) -> None:
    reference, *others = everybody
    rounds = ROUNDS if pytestconfig.option.exhaustive else MUTANTS
    for number, data in zip(range(rounds), mutants(seed=20), strict=False):
        expected = await told(reference, data)
        bare = [split(answer.replace(b"Date: *", b"Date: x"))[0].bare for answer in expected[:1]]
        results = await asyncio.gather(*(told(server, data) for server in others))
        for server, result in zip(others, results, strict=True):
            assert result == (expected if server.design.keeps_alive else bare), (number, server.design.name, data)
