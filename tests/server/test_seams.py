"""The places where features attach to the server: guards, observers, the client of a request, the transport."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pwb_async.config.loader import read_options
from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.observability.exchange import Exchange
from pwb_async.runtime.opening import open_context
from pwb_async.server.server import Server


@asynccontextmanager
async def serving(root: Path, *arguments: str, **seams: Any) -> AsyncIterator[Server]:
    """A server of `root` without an access log; seams: fields of its context."""
    (root / "a.html").write_bytes(b"hello")
    told = [str(root), "--port", "0", "--access-log", "off", *arguments]
    context = open_context("pwb", read_options("pwb", told, {}, str(root)))._replace(**seams)
    server = Server(context)
    running = asyncio.create_task(server.serve())
    yield server
    server.shutdown()
    async with asyncio.timeout(10):
        await running


async def ask(server: Server, *lines: str, host: str = "x") -> bytes:
    """The response to a GET of /a.html with these fields."""
    reader, writer = await asyncio.open_connection(*server.context.sockets[0].getsockname()[:2])
    head = "".join(f"{line}\r\n" for line in ("GET /a.html HTTP/1.1", f"Host: {host}", "Connection: close", *lines))
    writer.write(head.encode() + b"\r\n")
    async with asyncio.timeout(10):
        response = await reader.read()
    writer.close()
    return response


@pytest.mark.parametrize("cache", ["off", "1MiB"])
async def test_a_guard_is_asked_before_the_cache(tmp_path: Path, cache: str) -> None:
    refused: list[str] = []

    def guard(client: str, request: Request) -> Response | None:
        if request.fields.get(b"authorization"):
            return None
        refused.append(client)
        return Response(403, ((b"Content-Type", b"text/plain"), (b"Content-Length", b"2")), (b"no",))

    async with serving(tmp_path, "--cache", cache, guard=guard) as server:
        for _ in range(2):
            assert (await ask(server, "Authorization: Basic eA==")).startswith(b"HTTP/1.1 200 ")
        assert (await ask(server)).startswith(b"HTTP/1.1 403 "), "a cached response must not bypass the guard"
    assert refused == ["127.0.0.1"]


async def test_observers_get_one_exchange_for_each_response(tmp_path: Path) -> None:
    exchanges: list[Exchange] = []
    (tmp_path / "a.bin").write_bytes(os.urandom(1 << 20))
    async with serving(tmp_path) as server:
        assert server.state.observers == (), "nothing is called where nothing observes"
    async with serving(tmp_path, observers=(exchanges.append, exchanges.append)) as server:
        for _ in range(2):  # from the disk, and from the cache
            await ask(server)
        await ask(server, "broken field")
    assert exchanges[::2] == exchanges[1::2]
    assert [(each.status, each.client) for each in exchanges[::2]] == [(200, "127.0.0.1")] * 2 + [(400, "127.0.0.1")]
    assert [each.sent for each in exchanges[:4:2]] == [5, 5]
    assert all(type(each) is Exchange for each in exchanges)
    assert isinstance(exchanges[-1].request, BadRequest)


async def test_a_requests_client_is_not_the_connections_peer(tmp_path: Path) -> None:
    """Observers and guards see the client that a proxy reports; limits on connections count the peer."""
    exchanges: list[Exchange] = []
    guarded: list[str] = []

    def resolve(peer: str, request: Request | BadRequest) -> str:
        assert peer == "127.0.0.1"
        return ((request.fields and request.fields.get(b"x-forwarded-for")) or b"unknown").decode()

    def guard(client: str, request: Request) -> None:
        guarded.append(client)

    async with serving(tmp_path, guard=guard, resolve_client=resolve, observers=(exchanges.append,)) as server:
        clients = ["192.0.2.1", "192.0.2.2", "2001:db8::1"]
        for client in clients:
            await ask(server, f"X-Forwarded-For: {client}")
    assert [each.client for each in exchanges] == guarded == clients
