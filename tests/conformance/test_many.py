"""Many clients, many requests (hazards A14, F6, L13, L17)."""

import asyncio
import time

import pytest

from .designs import concurrent
from .peer import Peer, connect_many, run_together, send_request
from .server import Server, Start
from .tree import ALPHABET
from .wire import get, parse_responses

MEGABYTE = 1 << 20
PROMPT = 5.0
"""Seconds that a response may take, even on a busy machine."""


async def test_fifty_at_once_then_one_more_l13(server: Server) -> None:
    """Many clients connect while the server is stopped: edge-triggered epoll reports them once, and the book's
    server accepted one connection for each report."""
    with server.suspended():
        async with connect_many(server.address, 50) as peers:
            for peer in peers:
                await peer.send(get())
            server.resume()
            start = time.monotonic()
            for peer in peers:
                assert (await peer.read_response()).content == ALPHABET
                peer.socket.close()
            assert (await send_request(server.address, get())).content == ALPHABET
            assert time.monotonic() - start < PROMPT


async def test_burst_of_connects_f6_l19(server: Server) -> None:
    """More clients than the book's listen(128), while the server is stopped: the kernel queues them all."""
    with server.suspended():
        async with asyncio.timeout(1), connect_many(server.address, 250):
            server.resume()
    assert (await send_request(server.address, get())).content == ALPHABET


async def test_short_connections_one_after_the_other_l17(server: Server) -> None:
    """The kernel reuses a descriptor's number at once: code that still holds the old one must not close the new one."""

    async def connect_and_close(count: int) -> None:
        for _ in range(count):
            async with Peer(server.address) as peer:
                await peer.send(get("/a.txt", "Connection: close"))
                assert (await peer.read_response()).content == ALPHABET
                assert await peer.read_to_end() == b""

    await run_together(*(connect_and_close(5) for _ in range(4)))
    before = await server.wait_for_resources(lambda resources: resources.processes == 1)
    await run_together(*(connect_and_close(60) for _ in range(4)))
    await server.wait_for_resources(
        lambda resources: resources.processes == 1 and resources.descriptors <= before.descriptors
    )


async def test_disconnected_clients_leave_no_resources_e5_l11_l18(server: Server) -> None:
    """Forty clients at once, several times: descriptors, threads and processes are those after the first time."""

    async def client() -> None:
        async with Peer(server.address) as peer:
            await peer.send(get("/100k.bin") + get("/missing", "Connection: close"))
            assert (await peer.read_response()).status == 200
            await peer.read_to_end()

    await run_together(*(client() for _ in range(40)))
    before = await server.wait_for_resources(lambda resources: resources.processes == 1 and resources.threads < 40)
    for _ in range(2):
        await run_together(*(client() for _ in range(40)))
    after = await server.wait_for_resources(
        lambda resources: resources.descriptors <= before.descriptors and resources.processes == 1
    )
    assert after.zombies == 0
    assert after.threads < 40, "a pool has a bound"


@concurrent
async def test_a_thousand_requests_then_the_end_a6_a14(server: Server) -> None:
    """1200 pipelined requests: a thousand responses in order, of which the last has `Connection: close`."""
    targets = ["/a.txt", "/one.txt", "/missing"]
    async with Peer(server.address) as peer:
        sending = asyncio.create_task(peer.send(b"".join(get(targets[number % 3]) for number in range(1200))))
        responses = parse_responses(await peer.read_to_end())
        await sending
    assert [response.status for response in responses] == ([200, 200, 404] * 400)[:1000]
    assert [response["Content-Length"] for response in responses[:2]] == ["26", "1"]
    assert [response["Connection"] for response in responses] == [None] * 999 + ["close"]


@concurrent
async def test_requests_per_connection_a6(start: Start) -> None:
    async with start("--requests-per-connection", "3") as server, Peer(server.address) as peer:
        await peer.send(get() * 5)
        responses = parse_responses(await peer.read_to_end())
    assert [response["Connection"] for response in responses] == [None, None, "close"]


@concurrent
async def test_pipeline_without_reading_a14(start: Start) -> None:
    """A client sends requests without end and does not read: the server stops reading, buffers little, loses none."""
    count = 6000
    requests = b"".join(get("/1k.bin" if number % 2 else "/one.txt") for number in range(count))
    async with start("--requests-per-connection", "0") as server, Peer(server.address, receive_buffer=4096) as peer:
        await peer.send(get("/1k.bin"))  # the thread or process for this connection exists before memory is measured
        assert (await peer.read_response()).status == 200
        before = server.memory()
        sending = asyncio.create_task(peer.send(requests))
        await asyncio.sleep(0.3)  # time enough to buffer too much
        assert server.memory() - before < 4 * MEGABYTE
        lengths = [(await peer.read_response())["Content-Length"] for _ in range(count)]
        await sending
        peer.half_close()
        assert await peer.read_to_end() == b""
    assert lengths == ["1", "1024"] * (count // 2)


@pytest.mark.parametrize("target", ["/fifo", "/socket", "/link-zero", "/link-tty"])
async def test_special_files_delay_no_client_c5_l12(target: str, server: Server) -> None:
    """Opening a FIFO waits for a writer unless O_NONBLOCK is set: it stopped the book's servers for ever."""
    start = time.monotonic()
    responses = await run_together(*(send_request(server.address, get(target)) for _ in range(50)))
    assert {response.status for response in responses} == {404}
    assert (await send_request(server.address, get())).content == ALPHABET
    assert time.monotonic() - start < PROMPT
