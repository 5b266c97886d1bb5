"""--log-format json on real connections: what each line tells, and that a stop under load loses none."""

import asyncio
import gzip
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.peer import Peer
from tests.conformance.server import Server, Start
from tests.conformance.wire import get
from tests.http2.client import Client

from .helpers import TEXT, fetch

JSON = ("--log-format", "json")


def lines(server: Server) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.log.read_bytes().splitlines()]


async def test_coding_cache_and_trace(run: Start, root: Path) -> None:
    (root / "page.html").write_bytes(b"<p>text" * 100)
    (root / "page.html.gz").write_bytes(gzip.compress(b"<p>text" * 100))
    trace = f"{1:032x}", f"{2:016x}"
    async with run(*JSON) as server, Peer(server.address) as peer:
        for fields in (("Accept-Encoding: gzip",), (), (f"traceparent: 00-{'-'.join(trace)}-01",)):
            for _ in range(3):
                await peer.send(get("/page.html", *fields))
                assert (await peer.read_response()).status == 200
        await peer.send(get("/missing"))
        await peer.read_response()
        await peer.send(b"rubbish\r\n\r\n")
        await peer.read_response()
    logged = lines(server)
    assert [line["coding"] for line in logged] == ["gzip"] * 3 + [None] * 8
    assert [line["trace_id"] for line in logged] == [None] * 6 + [trace[0]] * 3 + [None] * 2
    assert [line["parent_id"] for line in logged] == [None] * 6 + [trace[1]] * 3 + [None] * 2
    assert [line["cache"] for line in logged[:3]] == ["miss", "hit", "hit"]
    assert [line["cache"] for line in logged[-2:]] == ["miss", None]
    assert len({line["request_id"] for line in logged}) == 11
    assert [line["status"] for line in logged[-2:]] == [404, 400]
    assert all(0 <= line["duration"] < 5 for line in logged)


async def test_http2_has_the_same_fields(run: Start, root: Path) -> None:
    (root / "page.html").write_bytes(b"<p>text" * 100)
    (root / "page.html.gz").write_bytes(gzip.compress(b"<p>text" * 100))
    trace = f"{1:032x}", f"{2:016x}"

    def ask() -> None:
        with Client(server.address) as client:
            for fields in ((("accept-encoding", "gzip"),), (("traceparent", f"00-{'-'.join(trace)}-01"),)):
                for _ in range(2):
                    client.wait(client.get("/page.html", *fields))
            client.wait(client.get("/missing"))
            client.wait(client.get("/" + "a" * 8200))

    async with run("--http2", *JSON) as server:
        await asyncio.to_thread(ask)
    logged = lines(server)
    assert [line["status"] for line in logged] == [200] * 4 + [404, 414]
    assert {line["version"] for line in logged[:5]} == {"HTTP/2.0"}
    assert [line["coding"] for line in logged] == ["gzip"] * 2 + [None] * 4
    assert [line["trace_id"] for line in logged] == [None] * 2 + [trace[0]] * 2 + [None] * 2
    assert [line["cache"] for line in logged] == ["miss", "hit", "miss", "hit", "miss", None]
    assert "detail" in logged[5]


HOSTILE = (
    "\x85\xe2\x80\xa8\xe2\x80\xa9",
    '","status":200,"x":"',
    "\\",
    "\xff\xfe\x80",
    "\x7f\x1b[31m",
    "a\rb\nc",
    "\t",
    "\\" * 7900,
    "/" + "\xff" * 7900,
)
"""Bytes that break a line or a string, as Latin-1."""


async def test_hostile_strings_make_a_line_of_json_each(run: Start) -> None:
    async with run(*JSON) as server:
        for text in HOSTILE:
            for request in (get(f"/{text}"), get("/a.txt", f"User-Agent: {text}"), get("/a.txt", f"Referer: {text}")):
                async with Peer(server.address) as peer:
                    await peer.send(request)
                    await peer.read_response()
    check_hostile(server, 3 * len(HOSTILE))


async def test_hostile_strings_over_http2_make_a_line_of_json_each(run: Start) -> None:
    """A request that is malformed (RFC 9113 8.2.1) is reset: it has no response, and no line."""
    responses = 0

    def ask() -> None:
        nonlocal responses
        for text in (each.encode("latin-1") for each in HOSTILE):
            for fields in ([(b":path", b"/" + text)], [(b":path", b"/"), (b"user-agent", text), (b"x", b"y")]):
                with Client(server.address) as client:
                    pseudo = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"h")]
                    [answer] = client.wait(client.request([*pseudo, *fields]))
                    responses += bool(answer.fields)

    async with run("--http2", *JSON) as server:
        await asyncio.to_thread(ask)
    assert responses == 2 * (len(HOSTILE) - 3)
    check_hostile(server, responses)


def check_hostile(server: Server, count: int) -> None:
    data, logged = server.log.read_bytes(), lines(server)
    assert data.isascii()
    assert len(logged) == data.count(b"\n") == count
    assert not any("x" in line for line in logged)


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["alone", "workers"])
async def test_a_stop_under_load_loses_no_line(options: tuple[str, ...], run: Start) -> None:
    """Every response that a client has received has its line."""
    received = 0

    async def ask() -> None:
        nonlocal received
        while True:
            try:
                async with Peer(server.address) as peer:
                    while True:
                        response = await fetch(peer)
                        assert response.content == TEXT
                        received += 1
                        if response["Connection"] == "close":
                            break
            except (ConnectionError, AssertionError):  # the server has ended, or ends
                if server.process.poll() is not None or ending:
                    return
                raise

    ending = False
    async with run(*options, *JSON) as server:
        tasks = [asyncio.create_task(ask()) for _ in range(8)]
        async with asyncio.timeout(20):
            while received < 2000:
                await asyncio.sleep(0.01)
        ending = True
        server.signal(signal.SIGTERM)
        assert await server.exited() == 0
        await asyncio.gather(*tasks)
    logged = lines(server)
    assert len(logged) >= received >= 2000
    assert len({line["request_id"] for line in logged}) == len(logged)
