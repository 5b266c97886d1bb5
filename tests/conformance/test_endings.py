"""How connections end: half-closed, reset, or with bytes that are never read (hazards A8, A11, A13; RFC 9112 9.6)."""

import asyncio
import hashlib

import pytest

from .peer import Peer, run_together, send_request
from .server import Server
from .tree import ALPHABET, BIG, FILES
from .wire import get, parse_responses

ANSWER_TO_POST = 405


async def test_half_closed_client_gets_all_of_30_mb_a8(server: Server) -> None:
    async with Peer(server.address) as peer:
        await peer.send(get("/30m.bin", "Connection: close"))
        peer.half_close()
        response = await peer.read_response()
        assert await peer.read_to_end() == b""
    assert len(response.content) == BIG
    assert hashlib.sha256(response.content).digest() == hashlib.sha256(FILES[b"30m.bin"]).digest()


async def test_half_closed_client_gets_every_answer_a8(server: Server) -> None:
    async with Peer(server.address) as peer:
        await peer.send(get("/100k.bin") + get("/missing") + get())
        peer.half_close()
        responses = parse_responses(await peer.read_to_end())
    expected = [FILES[b"100k.bin"], None, ALPHABET] if server.design.keeps_alive else [FILES[b"100k.bin"]]
    assert [response.content if response.status == 200 else None for response in responses] == expected


async def test_half_closed_before_a_word_ends_in_silence_a8(server: Server) -> None:
    async with Peer(server.address) as peer:
        peer.half_close()
        assert await peer.read_to_end() == b""


@pytest.mark.quiet
async def test_waiting_for_a_half_closed_client_costs_nothing_a8_l15(server: Server) -> None:
    """The client has closed its sending side and does not read: the server must not spin on the end of file."""
    async with Peer(server.address, receive_buffer=4096) as peer:
        await peer.send(get("/30m.bin"))
        peer.half_close()
        await peer.read_at_least(1)
        await asyncio.sleep(0.2)  # until the socket's buffers are full
        before = server.processor_time()
        await asyncio.sleep(0.5)
        assert server.processor_time() - before < 0.1
        peer.reset()


async def test_reset_in_the_middle_a11_e10(server: Server) -> None:
    """No resource is held for clients that disconnected, and none is reported: standard error is checked at the end."""

    async def disconnect(count: int) -> None:
        for _ in range(count):
            async with Peer(server.address) as peer:
                await peer.send(get("/30m.bin"))
                await peer.read_at_least(4096)
                peer.reset()

    await disconnect(2)
    assert (await send_request(server.address, get())).content == ALPHABET
    before = await server.wait_for_resources(lambda resources: resources.processes == 1)
    await run_together(*(disconnect(10) for _ in range(4)))
    assert (await send_request(server.address, get())).content == ALPHABET
    await server.wait_for_resources(lambda resources: resources.descriptors <= before.descriptors)


async def test_reset_at_once_l15(server: Server) -> None:
    """epoll reports EPOLLIN together with EPOLLHUP and EPOLLERR; the book's server kept such a connection for ever."""
    assert (await send_request(server.address, get())).content == ALPHABET
    before = await server.wait_for_resources(lambda resources: resources.processes == 1)
    for number in range(300):
        async with Peer(server.address) as peer:
            if number % 3:
                await peer.send(get() if number % 3 == 1 else b"GET / HT")
            peer.reset()
    assert (await send_request(server.address, get())).content == ALPHABET
    await server.wait_for_resources(lambda resources: resources.descriptors <= before.descriptors)


@pytest.mark.parametrize("reads", ["afterwards", "meanwhile"])
async def test_post_of_8_mb_gets_the_whole_answer_a13_l8(reads: str, server: Server) -> None:
    """Closing a socket with unread bytes sends a reset, which destroys a response that the client has not read yet."""
    content = bytes(8 << 20)
    for _ in range(4):
        async with Peer(server.address) as peer:
            await peer.send(get("/a.txt", f"Content-Length: {len(content)}", method="POST"))
            sending = asyncio.create_task(peer.send(content))
            if reads == "afterwards":
                await sending
            response = await peer.read_response()
            await sending
            assert await peer.read_to_end() == b""
        assert response.status == ANSWER_TO_POST
        assert response["Connection"] == "close"


async def test_bytes_behind_the_last_request_do_not_cost_its_answer_a13_l8(server: Server) -> None:
    async with Peer(server.address) as peer:
        await peer.send(get("/100k.bin", "Connection: close") + bytes(1 << 20))
        response = await peer.read_response()
        assert response.content == FILES[b"100k.bin"]
        assert await peer.read_to_end() == b""


async def test_head_of_200_kb_gets_the_whole_answer_a13_l8(server: Server) -> None:
    """Repeated twenty times, because a premature reset occurs only sometimes."""
    for _ in range(20):
        async with Peer(server.address) as peer:
            await peer.send(b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 200_000 + b"\r\n\r\n")
            assert (await peer.read_response()).status == 431
            assert await peer.read_to_end() == b""
