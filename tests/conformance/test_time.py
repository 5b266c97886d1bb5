"""Deadlines, set short (hazards A1 to A7): each expires in time, and slowly sent bytes do not postpone it.

The sleeps here are those of a slow client, never a way to wait for the server.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from .designs import Design, concurrent
from .peer import Peer, run_together, send_request
from .server import Server, eventually, running
from .sockets import CLOSE_WAIT, ESTABLISHED
from .tree import ALPHABET, BIG
from .wire import get

pytestmark = pytest.mark.quiet

HEADER, IDLE, SEND, LINGER_IDLE, LINGER = 0.4, 0.5, 0.6, 0.3, 0.5
LATE = 0.9
"""Seconds that a deadline may be late: a quarter of one for the sweep, the rest for a busy machine."""


@pytest.fixture(scope="session")
async def short_timeouts(
    design: Design, served_root: object, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    """A server with short timeouts."""
    options = {
        "--header-timeout": HEADER,
        "--idle-timeout": IDLE,
        "--send-timeout": SEND,
        "--linger-idle": LINGER_IDLE,
        "--linger-timeout": LINGER,
    }
    arguments = [word for name, value in options.items() for word in (name, str(value))]
    async with running(
        design, str(served_root), *arguments, log_dir=tmp_path_factory.mktemp("short-timeouts")
    ) as server:
        yield server


class Watch:
    """Measures the time since its creation."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def time(self) -> float:
        return time.monotonic() - self._start

    def check(self, seconds: float) -> None:
        assert seconds - 0.05 < self.time < seconds + LATE


async def test_silence_ends_in_silence_a1_l10(short_timeouts: Server) -> None:
    async with Peer(short_timeouts.address) as peer:
        watch = Watch()
        assert await peer.read_to_end() == b""
        watch.check(HEADER)


@pytest.mark.parametrize("drip", [b"X: y\r\n", b"x"], ids=["fields", "bytes"])
async def test_slow_head_is_408_at_the_deadline_a2_l10(drip: bytes, short_timeouts: Server) -> None:
    """The deadline counts from the beginning of the request: further bytes do not postpone it."""
    async with Peer(short_timeouts.address) as peer:
        await peer.send(b"GET / HTTP/1.1\r\nHost: h\r\n" if b":" in drip else b"GET /")
        watch = Watch()
        reading = asyncio.create_task(peer.read_response())
        while not reading.done() and watch.time < 5:
            await peer.send(drip)
            await asyncio.wait([reading], timeout=0.1)
        response = await reading
        watch.check(HEADER)
        assert (response.status, response.reason) == (408, "Request Timeout")
        assert response["Connection"] == "close"
        assert await peer.read_to_end() == b""


@concurrent
async def test_second_head_has_a_deadline_too_a2(short_timeouts: Server) -> None:
    async with Peer(short_timeouts.address) as peer:
        await peer.send(get() + b"GET / HTTP/1.1\r\n")
        assert (await peer.read_response()).content == ALPHABET
        watch = Watch()
        assert (await peer.read_response()).status == 408
        watch.check(HEADER)


async def test_slow_content_is_not_waited_for_a3(short_timeouts: Server) -> None:
    """The response is immediate; after it, an occasional byte does not keep the connection open."""
    async with Peer(short_timeouts.address) as peer:
        watch = Watch()
        await peer.send(get("/a.txt", "Content-Length: 1000", method="POST"))
        assert (await peer.read_response()).status == 405
        assert watch.time < 0.3
        ending = asyncio.create_task(peer.read_to_end_or_reset())
        while not ending.done() and watch.time < 5:
            try:
                await peer.send(b"x")
            except ConnectionError:
                break
            await asyncio.wait([ending], timeout=0.1)
        await ending
        assert watch.time < max(LINGER, LINGER_IDLE) + LATE


async def test_slow_chunks_are_408_a3(short_timeouts: Server) -> None:
    """Chunks are checked before the response, which waits for them, but not for ever."""
    async with Peer(short_timeouts.address) as peer:
        await peer.send(get("/a.txt", "Transfer-Encoding: chunked", method="POST") + b"5\r\nhel")
        watch = Watch()
        response = await peer.read_response()
        watch.check(LINGER_IDLE)
        assert response.status == 408
        assert response["Connection"] == "close"


@concurrent
async def test_idle_connection_is_closed_cleanly_a6(short_timeouts: Server) -> None:
    async with Peer(short_timeouts.address) as peer:
        for _ in range(2):
            await peer.send(get())
            assert (await peer.read_response()).content == ALPHABET
            await asyncio.sleep(IDLE / 2)
        watch = Watch()
        assert await peer.read_to_end() == b""
        assert watch.time < IDLE / 2 + LATE


async def test_client_that_never_reads_is_cut_off_a4_l10(short_timeouts: Server) -> None:
    """After the timeout neither its descriptors nor the kernel's buffers remain."""
    assert (await send_request(short_timeouts.address, get())).content == ALPHABET
    before = await short_timeouts.wait_for_resources(lambda resources: resources.processes == 1)
    async with Peer(short_timeouts.address, receive_buffer=4096) as peer:
        watch = Watch()
        await peer.send(get("/30m.bin"))
        await eventually(lambda: _gone(peer), SEND + 2 + LATE, "it still holds the server")
        assert watch.time > SEND - 0.05
        await short_timeouts.wait_for_resources(lambda resources: resources.descriptors <= before.descriptors)
        await eventually(lambda: peer.server_socket() is None, 2, "the kernel keeps its bytes: FIN-WAIT-1")
        assert len(await peer.read_to_end_or_reset()) < BIG


@concurrent
async def test_clients_that_never_read_many_answers_are_cut_off_a4(short_timeouts: Server) -> None:
    """The timeout applies to small responses and to parts of a large file, which alternate here."""
    async with AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(Peer(short_timeouts.address, receive_buffer=4096)) for _ in range(8)]
        watch = Watch()
        for number, peer in enumerate(peers):
            last = 50_000 + 1009 * number
            await peer.send((get("/64k-1.bin") + get("/30m.bin", f"Range: bytes=0-{last}")) * 50)
        await eventually(lambda: all(map(_gone, peers)), len(peers) * (SEND + LATE), "some still hold the server")
        assert watch.time > SEND - 0.05


def _gone(peer: Peer) -> bool:
    far = peer.server_socket()
    return far is None or far.state not in (ESTABLISHED, CLOSE_WAIT)


async def test_slow_reader_that_goes_on_reading_is_served_a4(short_timeouts: Server) -> None:
    """A slow client that reads some bytes in each period gets them all."""
    async with Peer(short_timeouts.address, receive_buffer=64 * 1024) as peer:
        await peer.send(get("/30m.bin", "Connection: close"))
        watch = Watch()
        count = 0
        while watch.time < 1.5 * SEND:
            count += len(await peer.read_at_least(256 * 1024))
            await asyncio.sleep(SEND / 6)
        count += len(await peer.read_to_end())
    assert count > BIG


async def test_client_that_reads_too_little_to_make_room_in_the_kernel_is_served_a4(short_timeouts: Server) -> None:
    """The kernel reports room only when a third of its buffer is free, which takes such a client minutes."""
    async with Peer(short_timeouts.address, receive_buffer=4096) as peer:
        await peer.send(get("/30m.bin"))
        watch = Watch()
        while watch.time < 4 * SEND:
            assert await peer.read_at_least(1)
            await asyncio.sleep(SEND / 12)
        peer.reset()


async def test_client_that_does_not_close_is_left_a13(short_timeouts: Server) -> None:
    """The client keeps its side open after the last response: the server closes after a while."""
    async with Peer(short_timeouts.address) as peer:
        await peer.send(b"?\r\n\r\n")
        assert (await peer.read_response()).status == 400
        assert await peer.read_to_end() == b""
        watch = Watch()
        await eventually(lambda: _left(peer), LINGER + LATE + 1, "it lingers for ever")
        assert watch.time < LINGER + LATE


def _left(peer: Peer) -> bool:
    """No process holds the server's socket any more: the kernel keeps it in FIN-WAIT-2, without a descriptor."""
    far = peer.server_socket()
    return far is None or far.orphan


@concurrent
async def test_requests_around_the_idle_deadline_a7(short_timeouts: Server) -> None:
    """A request that arrives while the server closes gets a whole response or no byte, and can safely be repeated."""

    async def cross(number: int) -> None:
        async with Peer(short_timeouts.address) as peer:
            await peer.send(get())
            assert (await peer.read_response()).content == ALPHABET
            await asyncio.sleep(IDLE - 0.1 + number * 0.01)
            data = b""
            try:
                await peer.send(get("/a.txt", "Connection: close"))
                data = await peer.read_to_end_or_reset()
            except ConnectionError:
                pass
            assert data == b"" or data.endswith(b"\r\n\r\n" + ALPHABET)

    await run_together(*(cross(number) for number in range(45)))
