"""Limits on requests across processes, over HTTP/2 and TLS, at a reload, and under attack."""

import signal
import struct
from pathlib import Path

import pytest

from tests.conformance.peer import Peer, run_together
from tests.conformance.server import Server, Start, eventually
from tests.conformance.tls import certificate_options
from tests.conformance.wire import Response, get, parse_responses
from tests.http2.client import Client

from .admin import Admin
from .helpers import fetch, fetch_fresh, wait_for_message, workers

RELOADED = r"^pwb: (reloaded|worker \d+ ended with status 0|dry run: .*)$"


async def ask(server: Server, client: str, target: str = "/a.txt") -> int:
    async with Peer(server.address) as peer:
        await peer.send(get(target, f"X-Forwarded-For: {client}"))
        return (await peer.read_response()).status


async def test_workers_count_together(run: Start, tmp_path: Path) -> None:
    admin = Admin(tmp_path)
    async with run(*admin.options, "--workers", "3", "--max-request-rate", "60/h", allowed_errors=RELOADED) as server:
        responses = [
            response for responses in await run_together(*(many(server) for _ in range(10))) for response in responses
        ]
        statuses = [response.status for response in responses]
        assert len(statuses) == 120
        assert 60 <= statuses.count(200) <= 66  # exact but for requests that two processes count at the same time
        refused = statuses.count(429)
        assert refused == 120 - statuses.count(200)
        limited = 'pwb_requests_limited_total{result="refused"}'
        await admin.wait_for(lambda metrics: metrics[limited] == refused)


async def many(server: Server) -> list[Response]:
    """Responses on four connections, which different workers accept."""
    responses = []
    for _ in range(4):
        async with Peer(server.address) as peer:
            responses += [await fetch(peer) for _ in range(3)]
    return responses


async def test_a_reload_changes_limits_and_keeps_counts(run: Start, tmp_path: Path) -> None:
    for more in ([], ["--workers", "2"]):
        config = tmp_path / "pwb.toml"
        config.write_text('max-request-rate = "5/h"')
        async with run(*more, "--trusted-proxy", "127.0.0.1/32", allowed_errors=RELOADED) as server:
            assert [(await fetch_fresh(server)).status for _ in range(6)] == [200] * 5 + [429]
            config.write_text('max-request-rate = "8/h"')
            await reload(server, 1)
            assert (await fetch_fresh(server)).status == 429  # its bucket is still empty
            other = [await ask(server, "127.0.0.9") for _ in range(9)]
            assert other == [200] * 8 + [429]
            config.write_text('max-request-rate = "8/h"\nlimit-dry-run = true')
            await reload(server, 2)
            assert (await fetch_fresh(server)).status == 200
            config.write_text("")
            await reload(server, 3)
            assert [(await fetch_fresh(server)).status for _ in range(9)] == [200] * 9


async def reload(server: Server, times: int) -> None:
    before = workers(server)
    server.signal(signal.SIGHUP)
    await wait_for_message(server, "pwb: reloaded", times)
    if server.pid not in before:
        await eventually(lambda: not set(before) & set(workers(server)), 10.0)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_each_stream_of_http_2_counts(tls: bool, run: Start) -> None:
    options = ("--http2", *(certificate_options() if tls else ()))
    async with run(*options, "--max-request-rate", "60/h") as server:
        with Client(server.address) as client:
            streams = [client.get("/a.txt", flush=False) for _ in range(90)]
            client.flush()
            answers = client.wait(*streams)
        assert [answer.status for answer in answers] == [200] * 60 + [429] * 30
        assert all(answer.named["retry-after"] in ("59", "60") for answer in answers[60:])


async def test_clients_behind_the_proxy_protocol(run: Start) -> None:
    async with run("--proxy-protocol", "--trusted-proxy", "127.0.0.0/8", "--max-request-rate", "2/h") as server:

        async def statuses(source: bytes) -> list[int]:
            header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack("!H4s4sHH", 12, source, bytes(4), 1, 2)
            async with Peer(server.address) as peer:
                await peer.send(header + get("/a.txt") * 2 + get("/a.txt", "Connection: close"))
                return [each.status for each in parse_responses(await peer.read_to_end())]

        for number in range(20):
            assert await statuses(bytes((192, 0, 2, number))) == [200, 200, 429]
        assert await statuses(bytes((192, 0, 2, 7))) == [429] * 3


async def test_a_thousand_clients_and_one_that_sends_too_much(run: Start) -> None:
    """Each client is counted by itself, and memory is bounded: the table has 2 MiB, and some caches fill."""
    options = ("--trusted-proxy", "127.0.0.1/32", "--max-request-rate", "3/h", "--requests-per-connection", "0")
    async with run(*options) as server, Peer(server.address) as peer:
        await fetch(peer)
        memory = server.memory()
        flood, expected = [], []
        for number in range(1000):
            client = f"X-Forwarded-For: 10.0.{number >> 8}.{number & 255}"
            flood += [get("/a.txt", client), get("/a.txt", "X-Forwarded-For: 192.0.2.1")]
            expected += [200, 200 if number < 3 else 429]
        for start in range(0, 2000, 50):
            await peer.send(b"".join(flood[start : start + 50]))
            assert [(await peer.read_response()).status for _ in range(50)] == expected[start : start + 50]
        assert server.memory() - memory < 8 << 20


async def test_the_health_check_is_never_limited(run: Start) -> None:
    async with run("--health", "/up", "--max-request-rate", "1/h") as server:
        assert [(await fetch_fresh(server, "/up")).status for _ in range(4)] == [200] * 4
        assert [(await fetch_fresh(server)).status for _ in range(2)] == [200, 429]


async def test_sites_count_apart(run: Start, tmp_path: Path) -> None:
    (tmp_path / "pwb.toml").write_text(
        'max-request-rate = "4/h"\n[[limits]]\nfor = "/none/*"\nmax-request-rate = "1/h"\n'
        '[[sites]]\nhosts = ["b.example"]\nroot = "root"\n[[sites.limits]]\nfor = "/none/*"\nmax-request-rate = "2/h"\n'
    )
    async with run() as server:

        async def statuses(host: str, target: str, times: int) -> list[int]:
            async with Peer(server.address) as peer:
                await peer.send(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode() * times)
                return [(await peer.read_response()).status for _ in range(times)]

        assert await statuses("a.example", "/none/x", 2) == [404, 429]
        assert await statuses("b.example", "/none/x", 3) == [404, 404, 429]
        assert await statuses("a.example", "/a.txt", 3) == [200] * 3
        assert await statuses("b.example", "/a.txt", 2) == [200, 429]  # the options have one count for all sites
