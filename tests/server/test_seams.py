"""The places where features attach to the server: guards, observers, the client of a request, the transport."""

import asyncio
import os
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pwb_async.config.loader import read_options
from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import FileSlice, Request, Response
from pwb_async.observability.exchange import Exchange
from pwb_async.runtime.context import open_context
from pwb_async.server.async_storage import AsyncStorage
from pwb_async.server.http_protocol import HTTPProtocol
from pwb_async.server.response_writer import ResponseWriter
from pwb_async.server.send_queue import SendQueueWatcher
from pwb_async.server.sendfile import SendfileSupport
from pwb_async.server.server import Server
from pwb_async.storage.disk import Disk
from pwb_async.workers.worker import loop_factory

from .test_async_storage import opened


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


def tls_contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The context of a server with a new certificate, and that of a client that trusts it."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    options = ("-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost")
    subprocess.run(
        ["openssl", "req", "-x509", *options, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    served, trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context(cafile=certificate)
    served.load_cert_chain(certificate, key)
    return served, trusted


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_the_last_response_of_a_connection_is_whole_under_tls(tmp_path: Path, loop: str) -> None:
    """TLS transports of asyncio and uvloop have no write_eof(): the lingering close ends such a connection otherwise."""

    async def converse() -> bytes:
        faults: list[object] = []
        running_loop = asyncio.get_running_loop()
        running_loop.set_exception_handler(lambda _, context: faults.append(context))
        served, trusted = tls_contexts(tmp_path)
        async with serving(tmp_path) as server, asyncio.timeout(20):
            tls = await running_loop.create_server(lambda: HTTPProtocol(server.state), "127.0.0.1", 0, ssl=served)
            port = tls.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted, server_hostname="localhost")
            writer.write(b"GET /a.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            response = await reader.read()
            writer.close()
            tls.close()
        assert not faults
        return response

    with asyncio.Runner(loop_factory=loop_factory(loop)) as runner:
        assert runner.run(converse()).endswith(b"\r\n\r\nhello")


async def test_a_file_is_never_sent_beneath_tls(tmp_path: Path) -> None:
    served, trusted = tls_contexts(tmp_path)
    content = os.urandom(3 << 20)
    (tmp_path / "big.bin").write_bytes(content)
    storage, queue = AsyncStorage(Disk(tmp_path)), SendQueueWatcher(asyncio.get_running_loop())
    file = await opened(storage, b"big.bin")
    writers: list[ResponseWriter] = []

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            writers.append(ResponseWriter(transport, queue, SendfileSupport()))  # type: ignore[arg-type]
            writers[0].limit_buffer()

        def pause_writing(self) -> None:
            writers[0].pause()

        def resume_writing(self) -> None:
            writers[0].resume()

        def connection_lost(self, exc: Exception | None) -> None:
            writers[0].lose()

    server = await asyncio.get_running_loop().create_server(Protocol, "127.0.0.1", 0, ssl=served)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted, server_hostname="localhost")
    async with asyncio.timeout(20):
        while not writers:
            await asyncio.sleep(0)
        reading = asyncio.create_task(reader.readexactly(4 + len(content)))
        parts = [b"head", FileSlice(file, 0, len(content))]
        await writers[0].send(writers[0].start(parts), storage)
        assert await reading == b"head" + content
    writer.close()
    server.close()
    file.close()
    queue.close()
    storage.close()
