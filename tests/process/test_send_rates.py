"""How fast responses are sent: over each version of HTTP, from memory and from files, with and without TLS."""

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conformance.peer import Peer, run_together
from tests.conformance.server import Server, Start
from tests.conformance.tls import certificate_options
from tests.conformance.wire import get, parse_responses
from tests.http2.client import Client

from .admin import Admin
from .helpers import TEXT, fetch, fetch_fresh, wait_for_message

RELOADED = r"^pwb: reloaded$"
LARGE, SMALL = 3_000_000, 300_000
CONFIG = """
access-log = "access.log"
[[limits]]
for = "/large.bin"
max-send-rate = 4000000
[[limits]]
for = "/small.bin"
max-send-rate = 400000
[[limits]]
for = "/crawl.bin"
max-send-rate = "10K"
"""


class Way(NamedTuple):
    """How a client gets responses."""

    name: str
    options: tuple[str, ...] = ()
    tls: bool = False
    http2: bool = False


WAYS = [
    Way("sendfile"),
    Way("read", ("--no-sendfile",)),
    Way("tls", (), tls=True),
    Way("h2c", ("--http2",), http2=True),
    Way("h2", (), tls=True, http2=True),
]


@pytest.fixture
def files(root: Path) -> Path:
    (root / "large.bin").write_bytes(bytes(range(250)) * (LARGE // 250))
    (root / "small.bin").write_bytes(bytes(range(250)) * (SMALL // 250))
    (root / "crawl.bin").write_bytes(bytes(LARGE))
    return root


class Timed(NamedTuple):
    content: bytes
    seconds: float


async def timed(server: Server, target: str, peer: Peer | None = None) -> Timed:
    """A response over HTTP/1.1, and how long it took."""
    if peer is None:
        async with Peer(server.address) as peer:
            return await timed(server, target, peer)
    started_at = time.monotonic()
    response = await fetch(peer, target)
    assert response.status == 200
    return Timed(response.content, time.monotonic() - started_at)


def timed_by_http2(address: tuple[str, int], *targets: str) -> list[Timed]:
    """The responses on one connection of HTTP/2, asked for at once."""
    with Client(address) as client:
        started_at = time.monotonic()
        streams = {client.get(target): Timed(b"", 0) for target in targets}
        while not all(client.answers[stream].ended for stream in streams):
            assert client.receive()
            for stream, seen in streams.items():
                if client.answers[stream].ended and not seen.seconds:
                    streams[stream] = Timed(client.answers[stream].content, time.monotonic() - started_at)
    return list(streams.values())


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
async def test_rates_of_a_connection(way: Way, run: Start, files: Path, tmp_path: Path) -> None:
    """The first response that is not limited is not kept waiting, also on the connection of others that are."""
    (tmp_path / "pwb.toml").write_text(CONFIG)
    admin = Admin(tmp_path)
    async with run(*admin.options, *way.options, *(certificate_options() if way.tls else ())) as server:
        targets = ("/large.bin", "/small.bin", "/a.txt")
        if way.http2:
            results = await asyncio.to_thread(timed_by_http2, server.address, *targets)
        else:
            results = await run_together(*(timed(server, target) for target in targets))
        large, small, text = results
        assert text.content == TEXT
        assert text.seconds < 0.5
        for (content, seconds), target, rate in ((large, "large.bin", 4_000_000), (small, "small.bin", 400_000)):
            assert content == (files / target).read_bytes()
            assert len(content) / rate - 0.3 < seconds < len(content) / rate + 1.5
        metrics = await admin.wait_for(lambda metrics: metrics["pwb_send_delay_seconds_total"] > 0.5)
        assert metrics["pwb_send_delays_total"] > 5


async def test_large_files_with_a_rate_keep_no_other_waiting(run: Start, files: Path, tmp_path: Path) -> None:
    """Though an HTTP/2 connection has few large files open at a time."""
    (tmp_path / "pwb.toml").write_text(CONFIG)
    (files / "free.bin").write_bytes(bytes(LARGE))
    async with run("--http2") as server:
        with Client(server.address) as client:
            slow = [client.get("/crawl.bin") for _ in range(3)]
            started_at = time.monotonic()
            (answer,) = await asyncio.to_thread(client.wait, client.get("/free.bin"))
            assert len(answer.content) == LARGE
            assert time.monotonic() - started_at < 5
            assert not any(client.answers[stream].ended for stream in slow)
        results = await asyncio.to_thread(timed_by_http2, server.address, *["/large.bin"] * 4)
        assert {content for content, _ in results} == {(files / "large.bin").read_bytes()}
        assert 2.6 < max(seconds for _, seconds in results) < 5


@pytest.mark.parametrize("way", [WAYS[0], WAYS[2], WAYS[4]], ids=lambda way: way.name)
async def test_a_total_is_shared_by_all_connections_of_all_workers(way: Way, run: Start, files: Path) -> None:
    options = ("--workers", "2", "--max-total-send-rate", "10000000", *(certificate_options() if way.tls else ()))
    async with run(*options) as server:
        started_at = time.monotonic()
        if way.http2:
            found = await run_together(
                *(asyncio.to_thread(timed_by_http2, server.address, "/large.bin") for _ in range(6))
            )
            results = [result for (result,) in found]
        else:
            results = await run_together(*(timed(server, "/large.bin") for _ in range(6)))
        assert 1.6 < time.monotonic() - started_at < 4
        assert {content for content, _ in results} == {(files / "large.bin").read_bytes()}
        assert min(seconds for _, seconds in results) > 0.6  # all took turns; the first of a queue would need 0.3 s


async def test_pipelined_responses_keep_to_the_rate(run: Start, root: Path) -> None:
    """Also what a client asks for with many small requests; the responses come in order."""
    async with run("--max-send-rate", "16K") as server, Peer(server.address) as peer:
        started_at = time.monotonic()
        await peer.send(b"".join(get("/a.txt", f"Range: bytes={number % 5}-") for number in range(80)))
        contents = [(await peer.read_response()).content for _ in range(80)]
        assert contents == [TEXT[number % 5 :] for number in range(80)]
        assert 0.9 < time.monotonic() - started_at < 4
        assert (await fetch(peer)).content == TEXT
        await peer.send(get("/a.txt") * 20 + get("/a.txt", "Connection: close"))
        assert [each.content for each in parse_responses(await peer.read_to_end())] == [TEXT] * 21


async def test_a_client_is_not_cut_off_since_the_server_itself_sends_slowly(run: Start, files: Path) -> None:
    """Neither by --min-send-rate nor by --send-timeout nor by --idle-timeout."""
    options = ("--max-send-rate", "200K", "--min-send-rate", "5M", "--send-timeout", "0.5", "--idle-timeout", "0.3")
    for more in ((), certificate_options(), ("--http2",)):
        async with run(*options, *more) as server:
            if more == ("--http2",):
                (result,) = await asyncio.to_thread(timed_by_http2, server.address, "/small.bin")
            else:
                result = await timed(server, "/small.bin")
            assert result.content == (files / "small.bin").read_bytes()
            assert result.seconds > 1


@pytest.mark.parametrize(("target", "times"), [("/big.bin", 1), ("/small.bin", 90)], ids=["file", "pipelined"])
async def test_a_client_that_does_not_read_is_cut_off(target: str, times: int, run: Start, files: Path) -> None:
    options = ("--max-send-rate", "50M", "--min-send-rate", "1M", "--send-timeout", "0.5")
    async with run(*options) as server, Peer(server.address, receive_buffer=4096) as peer:
        await peer.send(get(target) * times)
        async with asyncio.timeout(10):
            while peer.server_socket() is not None:
                await asyncio.sleep(0.05)


async def test_a_client_that_leaves_and_a_server_that_stops(run: Start, files: Path, tmp_path: Path) -> None:
    (tmp_path / "pwb.toml").write_text(CONFIG)
    async with run() as server:
        before = (await server.wait_for_resources(lambda resources: True)).descriptors
        for _ in range(3):
            async with Peer(server.address) as peer:
                await peer.send(get("/crawl.bin"))
                await peer.read_at_least(2000)
        await server.wait_for_resources(lambda resources: resources.descriptors <= before + 3)
        async with Peer(server.address) as peer:
            await peer.send(get("/small.bin"))
            await peer.wait_for_response()
            server.signal(signal.SIGTERM)
            assert (await peer.read_response()).content == (files / "small.bin").read_bytes()
    lines = (tmp_path / "access.log").read_text().splitlines()
    sent = [int(line.split()[9]) for line in lines if "/crawl.bin" in line]
    assert len(sent) == 3
    assert all(1500 < each < 40_000 for each in sent)


@pytest.mark.parametrize("http2", [False, True], ids=["http1", "http2"])
async def test_a_reload_changes_rates(http2: bool, run: Start, files: Path, tmp_path: Path) -> None:
    """Also those of connections that are open."""
    config = tmp_path / "pwb.toml"
    config.write_text('max-send-rate = "200K"')
    async with run("--http2", allowed_errors=RELOADED) as server, AsyncExitStack() as opened:
        if http2:
            client = opened.enter_context(Client(server.address))
        else:
            peer = await opened.enter_async_context(Peer(server.address))

        async def is_slow() -> bool:
            started_at = time.monotonic()
            if http2:
                await asyncio.to_thread(lambda: client.wait(client.get("/small.bin")))
            else:
                await fetch(peer, "/small.bin")
            return time.monotonic() - started_at > 1

        assert await is_slow()
        texts = ("", 'max-send-rate = "200K"', 'max-send-rate = "50M"', 'max-total-send-rate = "200K"')
        for number, text in enumerate(texts, 1):
            config.write_text(text)
            server.signal(signal.SIGHUP)
            await wait_for_message(server, "pwb: reloaded", number)
            assert await is_slow() is (number in (2, 4))


async def test_exempt_clients(run: Start, files: Path) -> None:
    async with run("--max-total-send-rate", "100K", "--limit-exempt", "127.0.0.0/8") as server:
        assert (await timed(server, "/small.bin")).seconds < 1


async def test_a_timeline_has_no_rates(run: Start, root: Path) -> None:
    with pytest.raises(AssertionError, match="--trace and --max-send-rate: a timeline shows connections without such"):
        async with run("--trace", "t.json", "--max-send-rate", "1M", status=2) as server:
            await fetch_fresh(server)
