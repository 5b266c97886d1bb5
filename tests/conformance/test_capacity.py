"""At capacity every design responds alike: it closes the connection that has been idle longest, or sends 503 to the
new client; no client remains without a response (hazards A9, E1, E4, L9, L18)."""

import asyncio
import time
from pathlib import Path

import pytest

from .designs import REFERENCE, concurrent
from .peer import Peer, connect_many, run_together, send_request
from .server import Server, Start, eventually, running
from .tree import ALPHABET
from .wire import Response, get

FULL = ("--max-connections", "3")


@concurrent
async def test_oldest_idle_connection_makes_room_a9(start: Start) -> None:
    async with start(*FULL) as server, connect_many(server.address, 3) as peers:
        for peer in peers:
            await peer.send(get())
            assert (await peer.read_response()).content == ALPHABET
            await asyncio.sleep(0.05)  # idle for longer than the next one
        assert (await send_request(server.address, get())).content == ALPHABET
        assert await peers[0].read_to_end() == b"", "the oldest one ends cleanly"
        for peer in peers[1:]:
            await peer.send(get())
            assert (await peer.read_response()).content == ALPHABET


@concurrent
async def test_without_an_idle_one_503_a9(start: Start) -> None:
    """While three clients receive responses, a fourth gets 503 with Retry-After, at once."""
    async with start(*FULL) as server, connect_many(server.address, 3, receive_buffer=4096) as peers:
        for peer in peers:
            await peer.send(get("/30m.bin"))
            await peer.read_at_least(1)
        start_time = time.monotonic()
        for _ in range(5):
            check_503(await rejected_response(server))
        assert time.monotonic() - start_time < 2
        for peer in peers:
            peer.reset()
        await wait_until_served(server)


@concurrent
async def test_clients_that_send_nothing_are_not_idle_a9(start: Start) -> None:
    """A connection that has just been accepted is not closed for the next one: otherwise a flood would close all."""
    async with start(*FULL) as server, connect_many(server.address, 3):
        check_503(await rejected_response(server))


@concurrent
async def test_every_client_gets_a_response_a9_l18(start: Start) -> None:
    """Forty clients at a limit of three: each gets 200 or 503, and threads and processes never exceed the limit."""
    async with start(*FULL) as server:
        idle = server.resources()

        async def request_status() -> int:
            async with Peer(server.address) as peer:
                await peer.send(get("/100k.bin", "Connection: close"))
                return (await peer.read_response()).status

        works = [request_status() for _ in range(40)]
        responses = asyncio.create_task(run_together(*works))
        most = 0
        while not responses.done():
            resources = server.resources()
            most = max(most, resources.threads - idle.threads + resources.processes - idle.processes)
            await asyncio.sleep(0.005)
        assert set(await responses) <= {200, 503}
        assert most <= 3 * 2 + 33, "a thread or a process for each of three, or one pool"
        await wait_until_served(server)


async def rejected_response(server: Server) -> Response:
    """The response to a client beyond the limit, which sends its request all the same, as real clients do."""
    async with Peer(server.address) as peer:
        await peer.send(get())
        response = await peer.read_response()
        assert await peer.read_to_end() == b""
        return response


def check_503(response: Response) -> None:
    assert (response.status, response.reason) == (503, "Service Unavailable")
    assert response["Retry-After"] == "1"
    assert response["Cache-Control"] == "no-store"
    assert response["Connection"] == "close"


async def wait_until_served(server: Server) -> None:
    async with asyncio.timeout(3):
        while (await send_request(server.address, get())).status != 200:
            await asyncio.sleep(0.02)


@concurrent
async def test_503_is_the_same_of_every_design_a9(
    start: Start, served_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log_dir = tmp_path_factory.mktemp("full")
    async with (
        running(REFERENCE, served_root, "--max-connections", "1", log_dir=log_dir) as server,
        Peer(server.address),
    ):
        expected = await rejected_response(server)
    async with start("--max-connections", "1") as server, Peer(server.address):
        assert (await rejected_response(server)).without_date == expected.without_date


@concurrent
async def test_few_of_the_rejected_are_kept_a9(start: Start) -> None:
    """They neither leave nor send anything, hundreds of them; as many as are served are waited for."""
    async with (
        start("--max-connections", "4", "--linger-idle", "30") as server,
        connect_many(server.address, 4, receive_buffer=4096) as busy,
    ):
        for peer in busy:
            await peer.send(get("/30m.bin"))
            await peer.read_at_least(1)
        before = server.resources().descriptors
        async with connect_many(server.address, 300) as rejected:
            for peer in rejected:
                check_503(await peer.read_response())
            await server.wait_for_resources(lambda resources: resources.descriptors <= before + 4)


@pytest.mark.quiet
async def test_no_descriptor_left_e1_e2_l9(start: Start) -> None:
    """A hundred clients at a limit of fifty descriptors: the server does not spin, never sends 404, and recovers."""
    few = ("sh", "-c", 'ulimit -n 50 && exec "$@"', "sh")
    async with start(
        wrapper=few, allowed_errors="cannot accept|out of system resource|Too many open files|unavailable: .*EMFILE"
    ) as server:
        known = Peer(server.address)
        async with known:
            if server.design.keeps_alive:
                await known.send(get())
                assert (await known.read_response()).content == ALPHABET
            async with connect_many(server.address, 100):
                before = server.processor_time()
                await asyncio.sleep(0.5)
                assert server.processor_time() - before < 0.15, "it spins"
                if server.design.keeps_alive:
                    try:
                        await known.send(get("/30m.bin", method="HEAD"))
                        assert (await known.read_response("HEAD")).status in (200, 503)
                    except (AssertionError, ConnectionError):
                        assert await known.read_to_end_or_reset() == b""
        await wait_until_served(server)
        await eventually(lambda: server.resources().descriptors < 40, 3)
