"""Limits on requests, on every design: each counts alike, whichever process or thread has the request."""

import asyncio
from pathlib import Path

from .peer import TIMEOUT, Peer, send_request
from .server import Server, Start
from .test_rules import build
from .wire import get, parse_responses

FILES = {"a.txt": b"some text\n", "down/b.bin": b"b" * 5000, "free/c.txt": b"free"}
DRY_RUN = r"^pwb(-legacy)?: dry run: \d+ requests over the limit since the last line of this process, .* for /tried/\*$"
CONFIG = """
max-request-rate = "6/h"
[[limits]]
for = "/down/*"
max-request-rate = "2/h"
request-burst = 3
[[limits]]
for = "/free/*"
max-request-rate = "off"
[[limits]]
for = "/tried/*"
max-request-rate = "1/h"
limit-dry-run = true
"""


async def status_of(server: Server, target: str, *fields: str, source: str = "127.0.0.1") -> int:
    """The status of a request on a new connection, from an address of this machine."""
    reader, writer = await asyncio.open_connection(*server.address, local_addr=(source, 0))
    try:
        async with asyncio.timeout(TIMEOUT):
            writer.write(get(target, "Connection: close", *fields))
            return int((await reader.readline()).split()[1])
    finally:
        writer.close()


async def test_requests_of_every_kind_count(start: Start, tmp_path: Path) -> None:
    root = build(tmp_path / "root", FILES)
    async with start("--max-request-rate", "6/h", root=root) as server:
        tag = (await send_request(server.address, get("/a.txt")))["ETag"]
        assert await status_of(server, "/a.txt", f"If-None-Match: {tag}") == 304
        assert await status_of(server, "/a.txt", "Range: bytes=0-3") == 206
        assert await status_of(server, "/none") == 404
        async with Peer(server.address) as peer:  # the rest in one packet, where the design keeps the connection
            await peer.send(get("/down") + get("/a.txt", method="HEAD") + get("/a.txt") + get("/a.txt"))
            responses = [await peer.read_response()]
            if server.design.keeps_alive:
                responses += [await peer.read_response(method) for method in ("HEAD", "GET", "GET")]
                assert [each.status for each in responses] == [301, 200, 429, 429]
            assert responses[0].status == 301
        if not server.design.keeps_alive:
            assert await status_of(server, "/a.txt") == 200
        for _ in range(2):
            refused = await send_request(server.address, get("/none"))
            assert refused.status == 429
            assert 590 < int(refused["Retry-After"] or 0) <= 600
            assert refused["Cache-Control"] == "no-store"
            assert b"<h1>429 Too Many Requests</h1>" in refused.content
        assert await status_of(server, "/a.txt", source="127.0.0.2") == 200
        # a client cannot make up an address, since no proxy is trusted
        assert await status_of(server, "/a.txt", "X-Forwarded-For: 192.0.2.7") == 429


async def test_limits_by_path(start: Start, tmp_path: Path) -> None:
    root = build(tmp_path / "root", FILES)
    (tmp_path / "pwb.toml").write_text(CONFIG)
    options = ("--trusted-proxy", "127.0.0.1/32", "--limit-exempt", "198.51.100.0/24")
    async with start(*options, root=root, allowed_errors=DRY_RUN) as server:

        async def statuses(client: str, target: str, times: int) -> list[int]:
            return [await status_of(server, target, f"X-Forwarded-For: {client}") for _ in range(times)]

        assert await statuses("192.0.2.1", "/down/b.bin", 4) == [200] * 3 + [429]
        assert await statuses("192.0.2.1", "/down/none", 1) == [429]
        assert await statuses("192.0.2.1", "/a.txt", 7) == [200] * 6 + [429]
        assert await statuses("192.0.2.1", "/free/c.txt", 9) == [200] * 9
        assert await statuses("192.0.2.1", "/tried/none", 3) == [404] * 3
        assert await statuses("198.51.100.9", "/down/b.bin", 5) == [200] * 5
        assert await statuses("2001:db8::1", "/down/b.bin", 2) == [200] * 2
        assert await statuses("2001:db8::2", "/down/b.bin", 2) == [200, 429]
        assert await statuses("2001:db8:0:1::1", "/down/b.bin", 1) == [200]
    assert "dry run: 1 requests over the limit" in server.error_output()


async def test_passwords_are_not_checked_for_requests_beyond_a_limit(start: Start, tmp_path: Path) -> None:
    root = build(tmp_path / "root", FILES)
    (tmp_path / "users").write_text("bob:$5$saltsalt$" + "x" * 43 + "\n")
    async with start("--max-request-rate", "2/h", "--htpasswd", "users", root=root) as server:
        assert [await status_of(server, "/a.txt") for _ in range(3)] == [401, 401, 429]


async def test_pipelined_requests(start: Start, tmp_path: Path) -> None:
    root = build(tmp_path / "root", FILES)
    async with start("--max-request-rate", "40/h", root=root) as server:
        async with Peer(server.address) as peer:
            await peer.send(get("/a.txt") * 99 + get("/a.txt", "Connection: close"))
            responses = parse_responses(await peer.read_to_end_or_reset())
        statuses = [each.status for each in responses]
        if server.design.keeps_alive:
            assert statuses == [200] * 40 + [429] * 60
        else:
            assert statuses == [200]
