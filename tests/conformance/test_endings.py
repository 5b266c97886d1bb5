"""How connections end: half-closed, reset, or with bytes that nobody reads (hazards A8, A11, A13; RFC 9112 9.6)."""

import asyncio
import hashlib

import pytest

from .peer import Peer, ask, together
from .server import Server
from .tree import BIG, FILES, LETTERS
from .wire import get, split

ANSWER_TO_POST = 405


async def test_half_closed_client_gets_all_of_30_mb_a8(server: Server) -> None:
    async with Peer(server.address) as peer:
        await peer.send(get("/30m.bin", "Connection: close"))
        peer.finish()
        answer = await peer.answer()
        assert await peer.rest() == b""
    assert len(answer.content) == BIG
    assert hashlib.sha256(answer.content).digest() == hashlib.sha256(FILES[b"30m.bin"]).digest()


async def test_half_closed_client_gets_every_answer_a8(server: Server) -> None:
    async with Peer(server.address) as peer:
        await peer.send(get("/100k.bin") + get("/missing") + get())
        peer.finish()
        answers = split(await peer.rest())
    expected = [FILES[b"100k.bin"], None, LETTERS] if server.design.keeps_alive else [FILES[b"100k.bin"]]
    assert [answer.content if answer.status == 200 else None for answer in answers] == expected


async def test_half_closed_before_a_word_ends_in_silence_a8(server: Server) -> None:
    async with Peer(server.address) as peer:
        peer.finish()
        assert await peer.rest() == b""


@pytest.mark.quiet
async def test_waiting_for_a_half_closed_client_costs_nothing_a8_l15(server: Server) -> None:
    """It has said everything and does not read: the server must not spin on the end of file."""
    async with Peer(server.address, window=4096) as peer:
        await peer.send(get("/30m.bin"))
        peer.finish()
        await peer.some(1)
        await asyncio.sleep(0.2)  # until the socket's buffers are full
        before = server.processor_time()
        await asyncio.sleep(0.5)
        assert server.processor_time() - before < 0.1
        peer.reset()


async def test_reset_in_the_middle_a11_e10(server: Server) -> None:
    """Nothing is left of those who went away, and nothing was said about it: standard error is read at the end."""

    async def vanish(count: int) -> None:
        for _ in range(count):
            async with Peer(server.address) as peer:
                await peer.send(get("/30m.bin"))
                await peer.some(4096)
                peer.reset()

    await vanish(2)
    assert (await ask(server.address, get())).content == LETTERS
    before = await server.settles(lambda vitals: vitals.processes == 1)
    await together(*(vanish(10) for _ in range(4)))
    assert (await ask(server.address, get())).content == LETTERS
    await server.settles(lambda vitals: vitals.descriptors <= before.descriptors)


async def test_reset_at_once_l15(server: Server) -> None:
    """EPOLLIN comes together with EPOLLHUP and EPOLLERR: in the book such a connection was kept for ever."""
    assert (await ask(server.address, get())).content == LETTERS
    before = await server.settles(lambda vitals: vitals.processes == 1)
    for number in range(300):
        async with Peer(server.address) as peer:
            if number % 3:
                await peer.send(get() if number % 3 == 1 else b"GET / HT")
            peer.reset()
    assert (await ask(server.address, get())).content == LETTERS
    await server.settles(lambda vitals: vitals.descriptors <= before.descriptors)


@pytest.mark.parametrize("reads", ["afterwards", "meanwhile"])
async def test_post_of_8_mb_gets_the_whole_answer_a13_l8(reads: str, server: Server) -> None:
    """Closing with unread bytes would be a reset, and a reset destroys an answer that was not read yet."""
    content = bytes(8 << 20)
    for _ in range(4):
        async with Peer(server.address) as peer:
            await peer.send(get("/a.txt", f"Content-Length: {len(content)}", method="POST"))
            sending = asyncio.create_task(peer.send(content))
            if reads == "afterwards":
                await sending
            answer = await peer.answer()
            await sending
            assert await peer.rest() == b""
        assert answer.status == ANSWER_TO_POST
        assert answer["Connection"] == "close"


async def test_bytes_behind_the_last_request_do_not_cost_its_answer_a13_l8(server: Server) -> None:
    async with Peer(server.address) as peer:
        await peer.send(get("/100k.bin", "Connection: close") + bytes(1 << 20))
        answer = await peer.answer()
        assert answer.content == FILES[b"100k.bin"]
        assert await peer.rest() == b""


async def test_head_of_200_kb_gets_the_whole_answer_a13_l8(server: Server) -> None:
    """Twenty times: a reset that comes too early comes only sometimes."""
    for _ in range(20):
        async with Peer(server.address) as peer:
            await peer.send(b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 200_000 + b"\r\n\r\n")
            assert (await peer.answer()).status == 431
            assert await peer.rest() == b""
