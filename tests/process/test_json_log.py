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
    assert {line["cache"] for line in logged[-2:]} == {"miss"}
    assert len({line["request_id"] for line in logged}) == 11
    assert [line["status"] for line in logged[-2:]] == [404, 400]
    assert all(0 <= line["duration"] < 5 for line in logged)


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
