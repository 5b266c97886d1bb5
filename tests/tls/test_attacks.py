"""The attacks on TLS of docs/hazards.md, on the real server; an innocent client is answered meanwhile.

After each of them the server has no more descriptors and threads than before, and has written nothing to standard error.
"""

import asyncio
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import pytest

from pwb_async.core.semantics.messages import Request, Response
from pwb_async.server.http_protocol import HTTPProtocol
from pwb_async.server.server import Server as AsyncServer
from pwb_async.server.tls_layer import HandshakeTurns
from pwb_async.server.tls_transport import TLSTransport
from tests.conformance.designs import COLUMNS, Design
from tests.conformance.peer import Peer, connect_many, send_request
from tests.conformance.server import Server, eventually, running
from tests.conformance.tls import TLSAddress, TLSStream, certificate_options
from tests.conformance.wire import get
from tests.server.test_seams import serving

from .certificates import make
from .key_updates import Records, first_secret

TIMEOUT: Final = 1.0
"""The server's timeouts, in seconds."""
PROMPT: Final = 3.0
"""Seconds that a response to the innocent client may take, even on a busy machine."""
MEGABYTE: Final = 1 << 20
CONTENT: Final = bytes(1000)


@pytest.fixture(scope="module", params=[each for each in COLUMNS if each.tls], ids=lambda design: design.name)
async def attacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server with short timeouts, and with two certificates, so that it chooses one by name."""
    design: Design = request.param
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "a.bin").write_bytes(CONTENT)
    (folder / "30m.bin").write_bytes(bytes(30 * MEGABYTE))
    other = make("other.example").write(folder, ".other")
    timeouts = [f"--{name}-timeout={TIMEOUT}" for name in ("header", "idle", "send", "linger")]
    options = (*certificate_options(), "--tls-cert", str(other[0]), "--tls-key", str(other[1]), *timeouts)
    async with running(design._replace(tls=False), folder, *options, log_dir=folder) as server:
        await send_request(server.address, get("/a.bin"))
        yield server


@asynccontextmanager
async def under_attack(server: Server) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Gives a function that asks as an innocent client; checks that everything is as before at the end."""
    before, memory = server.resources(), server.memory()

    async def ask() -> None:
        began = time.monotonic()
        async with Peer(server.address) as peer:
            for _ in range(3):
                await peer.send(get("/a.bin"))
                assert (await peer.read_response()).content == CONTENT
        assert time.monotonic() - began < PROMPT

    yield ask
    await ask()
    await server.wait_for_resources(lambda now: now.descriptors <= before.descriptors, 5 * TIMEOUT)
    assert server.memory() - memory < 16 * MEGABYTE
    assert server.error_output() == ""


def plain(server: Server) -> tuple[str, int]:
    """The address, for clients that send bytes as they are."""
    host, port = server.address
    return host, port


def client_hello(name: str | None = None) -> bytes:
    """The first bytes of a client."""
    address = TLSAddress(("", 0))
    address.name = name
    stream = TLSStream(address)
    stream.shake_hands()
    return stream.take()


async def is_closed(peer: Peer, within: float = 3 * TIMEOUT) -> float:
    """Waits until the server has closed a connection; returns after how many seconds."""
    began = time.monotonic()
    async with asyncio.timeout(within):
        await peer.read_to_end_or_reset()
    return time.monotonic() - began


async def test_a_flood_of_handshakes_that_are_never_completed(attacked: Server) -> None:
    hello = client_hello()
    async with under_attack(attacked) as ask, connect_many(plain(attacked), 200) as peers:
        for number, peer in enumerate(peers):
            await peer.send((b"", hello[:1], hello[:100], hello)[number % 4])
        await ask()
        for peer in peers:
            await is_closed(peer, 5 * TIMEOUT)


async def test_a_flood_of_handshakes_that_are_completed(attacked: Server) -> None:
    async def shake_hands() -> None:
        for _ in range(10):
            async with Peer(attacked.address) as peer:
                peer.reset()

    async with under_attack(attacked) as ask, asyncio.TaskGroup() as group:
        flood = [group.create_task(shake_hands()) for _ in range(10)]
        while not all(each.done() for each in flood):
            await ask()


async def test_handshakes_leave_time_for_the_others() -> None:
    """At most four steps are taken between two turns of everything else."""
    loop = asyncio.get_running_loop()
    turns, order = HandshakeTurns(loop), ""

    def note(what: str) -> None:
        nonlocal order
        order += what

    def other() -> None:
        note("o")
        if order.count("o") < 5:
            loop.call_soon(other)

    other()
    for _ in range(14):
        turns.take(lambda: note("h"))
    await eventually(lambda: len(order) == 19, 5)
    assert max(map(len, order.split("o"))) <= 4
    assert order.count("h") == 14


@pytest.mark.parametrize("begun", [0, 1, 5, 50])
async def test_a_handshake_that_arrives_byte_by_byte(begun: int, attacked: Server) -> None:
    hello = client_hello()
    async with under_attack(attacked) as ask, Peer(plain(attacked)) as peer:
        await peer.send(hello[:begun])
        closing = asyncio.create_task(is_closed(peer))
        with suppress(ConnectionError):
            for byte in hello[begun:]:
                await asyncio.sleep(TIMEOUT / 5)
                if closing.done():
                    break
                await peer.send(bytes((byte,)))
        await ask()
        assert TIMEOUT / 2 < await closing < 3 * TIMEOUT


@pytest.mark.parametrize("requests", [0, 1])
async def test_a_record_that_arrives_byte_by_byte(requests: int, attacked: Server) -> None:
    """Bytes within a record move no deadline, neither of a first head nor of a later one."""
    async with under_attack(attacked) as ask, Peer(attacked.address) as peer:
        for _ in range(requests):
            await peer.send(get("/a.bin"))
            await peer.read_response()
        record = peer.encrypt(get("/a.bin"))
        closing = asyncio.create_task(is_closed(peer))
        with suppress(ConnectionError):
            for byte in record[:-1]:
                await peer.send_raw(bytes((byte,)))
                await asyncio.sleep(TIMEOUT / 5)
                if closing.done():
                    break
        await ask()
        assert TIMEOUT / 2 < await closing < 3 * TIMEOUT


async def test_new_keys_again_and_again(attacked: Server, tmp_path: Path) -> None:
    """KeyUpdate of TLS 1.3, which asks for an answer, by a client that reads none."""
    address = TLSAddress(plain(attacked))
    address.context.keylog_filename = os.fspath(tmp_path / "keys")
    async with under_attack(attacked) as ask, Peer(address) as peer:
        updates = Records(first_secret(tmp_path / "keys")).key_updates(5000)
        with suppress(ConnectionError):
            await peer.send_raw(b"".join(updates))
        assert await is_closed(peer) < TIMEOUT / 2
        await ask()


async def test_renegotiation(attacked: Server) -> None:
    """A client of TLS 1.2 asks for another handshake on its connection (CVE-2011-1473), here by s_client's R."""
    async with under_attack(attacked) as ask:
        host, port = attacked.address
        client = await asyncio.create_subprocess_exec(
            *("openssl", "s_client", "-connect", f"{host}:{port}", "-tls1_2"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert client.stdin is not None
        assert client.stdout is not None
        output = await client.stdout.readuntil(b"Verify return code")
        client.stdin.write(b"R\n")
        await client.stdin.drain()
        async with asyncio.timeout(10):
            output += await client.stdout.read()
            await client.wait()
        await ask()
    assert b"no renegotiation" in output


def oversized() -> Iterable[bytes]:
    """Records that are longer than any may be (RFC 8446 5.1), and a handshake message of 100 KiB in valid records."""
    yield b"\x16\x03\x01\xff\xff" + bytes(65_535)
    yield b"\x16\x03\x01\x48\x01" + bytes(18_433)
    message = b"\x01\x01\x90\x00" + b"\x03\x03" + bytes(102_398)
    yield b"".join(
        b"\x16\x03\x01\x40\x00" + message[at : at + 16384].ljust(16384) for at in range(0, len(message), 16384)
    )


async def test_huge_records(attacked: Server) -> None:
    async with under_attack(attacked) as ask:
        for data in oversized():
            async with Peer(plain(attacked)) as peer:
                with suppress(ConnectionError):
                    await peer.send(data)
                assert await is_closed(peer) < TIMEOUT
        async with Peer(attacked.address) as peer:
            with suppress(ConnectionError):
                await peer.send_raw(b"\x17\x03\x03\xff\xff" + bytes(65_535))
            assert await is_closed(peer) < TIMEOUT
        await ask()


async def test_records_that_hold_nothing(attacked: Server) -> None:
    async with under_attack(attacked) as ask, Peer(attacked.address) as peer:
        with suppress(ConnectionError):
            await peer.send_raw(b"\x17\x03\x03\x00\x00" * 100_000)
        assert await is_closed(peer) < TIMEOUT
        await ask()


@pytest.mark.parametrize(
    "name",
    [
        b"\xff\xfe\x80garbage.example",
        b"\0" * 20,
        b"%s%n../../etc/passwd",
        b"a..b..-.example....",
        b"127.0.0.1\r\nX: y\r\n\r\n",
    ],
    ids=["bytes", "nul", "path", "dots", "lines"],
)
async def test_garbage_as_the_servers_name(name: bytes, attacked: Server) -> None:
    placeholder = "x" * len(name)
    hello = client_hello(placeholder).replace(placeholder.encode(), name)
    async with under_attack(attacked) as ask:
        for _ in range(20):
            async with Peer(plain(attacked)) as peer:
                await peer.send(hello)
                assert (await peer.read_at_least(1))[0] in (0x15, 0x16), "neither an alert nor a handshake"
        await ask()


async def test_streams_that_end_anywhere(attacked: Server) -> None:
    hello = client_hello()
    async with under_attack(attacked) as ask:
        for cut in (0, 1, 4, 5, 6, 100, len(hello)):
            async with Peer(plain(attacked)) as peer:
                await peer.send(hello[:cut])
                peer.half_close()
                await is_closed(peer)
        for cut in (0, 1, 5, 20, 1000):
            async with Peer(attacked.address) as peer:
                await peer.send_raw(peer.encrypt(get("/30m.bin"))[:cut])
                peer.socket.shutdown(socket.SHUT_WR)
                await is_closed(peer)
        await ask()


async def test_clients_that_read_nothing(attacked: Server) -> None:
    async with under_attack(attacked) as ask, connect_many(attacked.address, 30, receive_buffer=4096) as peers:
        for peer in peers:
            await peer.send(get("/30m.bin"))
        await ask()
        await eventually(lambda: attacked.resources().descriptors < 100, 10 * TIMEOUT)


async def test_one_piece_is_encrypted_for_a_client_that_does_not_read(tmp_path: Path) -> None:
    """Of a long response from memory the rest waits as it is in the cache, and is shared by all clients."""
    content = os.urandom(8 * MEGABYTE)

    def guard(client: str, request: Request) -> Response | None:
        length = (b"Content-Length", b"%d" % len(content))
        return Response(200, (length,), (content,)) if request.target.segments == (b"long",) else None

    def buffered(server: AsyncServer) -> list[int]:
        transports = [each._transport for each in server.state.admission.connections if isinstance(each, HTTPProtocol)]
        return [each._transport.get_write_buffer_size() for each in transports if isinstance(each, TLSTransport)]

    async with serving(tmp_path, *certificate_options(), guard=guard) as server, AsyncExitStack() as stack:
        host, port = server.context.sockets[0].getsockname()[:2]
        address = TLSAddress((host, port))
        peers = [await stack.enter_async_context(Peer(address, receive_buffer=4096)) for _ in range(10)]
        for peer in peers:
            await peer.send(get("/long") + get("/a.html"))
        await eventually(lambda: len(buffered(server)) == 10 and all(buffered(server)), 10)
        assert max(buffered(server)) < 300_000
        for peer in peers[:2]:
            response = await peer.read_response()
            assert response.content == content
            assert (await peer.read_response()).content == b"hello"
        for peer in peers:
            peer.reset()
        await eventually(lambda: not server.state.admission.connections, 10)


def test_old_versions_are_refused() -> None:
    """Downgrades: nothing below TLS 1.2."""
    from pwb_async.tls.profile import new_context

    assert new_context(("http/1.1",)).minimum_version == ssl.TLSVersion.TLSv1_2
