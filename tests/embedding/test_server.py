"""Server in the event loop of a program: it serves, ends as it was asked to, and leaves nothing behind."""

import asyncio
import logging
import os
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import uvloop

import pwb_async
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.observability.exchange import Exchange
from tests.conformance.peer import Peer
from tests.conformance.server import eventually
from tests.conformance.tls import TLSAddress
from tests.conformance.wire import get
from tests.live_reload.stream import event_stream
from tests.tls.certificates import Pair, make

from .resources import TIMEOUT, resources

Main = Callable[[Path], Awaitable[None]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("text")
    with open(tmp_path / "big.bin", "wb") as file:
        file.truncate(1 << 30)
    return tmp_path


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest, root: Path, capfd: pytest.CaptureFixture[str]) -> Callable[[Main], None]:
    """Runs a coroutine in a new loop, and asserts that the servers in it have left nothing behind."""

    def run_in_new_loop(main: Main) -> None:
        request.param().close()  # libuv opens a pipe with its first loop and keeps it for the process
        before, handlers = resources(), list(logging.getLogger().handlers)

        async def checked() -> None:
            await open_a_stream()
            inside = resources()
            async with asyncio.timeout(TIMEOUT):
                await main(root)
            assert resources() == inside

        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.get_loop().set_exception_handler(fail)
            runner.run(checked())
        assert resources() == before
        assert logging.getLogger().handlers == handlers
        assert capfd.readouterr() == ("", "")

    return run_in_new_loop


async def open_a_stream() -> None:
    """libuv opens /dev/null with the first stream of a loop, and keeps it for the loop."""
    one, other = socket.socketpair()
    _, writer = await asyncio.open_connection(sock=one)
    writer.close()
    await writer.wait_closed()
    other.close()


def fail(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    raise AssertionError(context)


async def content(server: pwb_async.Server, target: str = "/a.txt") -> bytes:
    async with Peer(("127.0.0.1", server.port or 0)) as peer:
        await peer.send(get(target))
        return (await peer.read_response()).content


async def slow_reader(server: pwb_async.Server) -> socket.socket:
    """A client that has asked for a large file, and reads nothing of it."""
    loop = asyncio.get_running_loop()
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    await loop.sock_connect(client, ("127.0.0.1", server.port))
    await loop.sock_sendall(client, get("/big.bin"))
    assert (await loop.sock_recv(client, 15)) == b"HTTP/1.1 200 OK"
    return client


def test_it_serves_as_long_as_the_block_lasts(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        async with pwb_async.Server(root) as server:
            assert server.url == f"http://127.0.0.1:{server.port}/"
            assert server.urls == (server.url,)
            assert await content(server) == b"text"
        assert server.url
        with pytest.raises(ConnectionRefusedError):
            await content(server)
        await server.close()  # again

    run(main)


def test_many_servers_in_one_loop(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        servers = [pwb_async.Server(root, prefix=f"/{number}/") for number in range(10)]
        await asyncio.gather(*(server.start() for server in servers))
        for number, server in enumerate(servers):
            assert await content(server, f"/{number}/a.txt") == b"text"
            assert server.url.endswith(f"/{number}/")
            await server.close()
            if number < 9:
                assert await content(servers[-1], "/9/a.txt") == b"text"

    run(main)


def test_idle_connections_do_not_hold_up_the_end(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        async with pwb_async.Server(root) as server, Peer(("127.0.0.1", server.port or 0)) as peer:
            await peer.send(get("/a.txt"))
            assert (await peer.read_response()).content == b"text"
            await server.close()
            assert await peer.read_to_end() == b""

    run(main)


def test_the_end_waits_for_a_response_but_not_longer_than_the_grace_period(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        loop = asyncio.get_running_loop()
        async with pwb_async.Server(root, grace_period=0.3) as server:
            client = await slow_reader(server)
            begin = loop.time()
        assert 0.25 < loop.time() - begin < 3
        client.close()

    run(main)


def test_a_response_under_way_is_finished(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        (root / "some.bin").write_bytes(bytes(30_000_000))
        async with pwb_async.Server(root) as server, Peer(("127.0.0.1", server.port or 0)) as peer:
            await peer.send(get("/some.bin"))
            await peer.wait_for_response()
            closing = asyncio.create_task(server.close())
            assert len((await peer.read_response()).content) == 30_000_000
            await closing

    run(main)


def test_close_that_is_cancelled_ends_at_once(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        server = pwb_async.Server(root, grace_period=100)
        await server.start()
        client = await slow_reader(server)
        closing = asyncio.create_task(server.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        client.close()

    run(main)


def test_a_block_that_is_cancelled_ends_the_server(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        async def serve() -> None:
            async with pwb_async.Server(root):
                begun.set()
                await asyncio.sleep(1000)

        begun = asyncio.Event()
        serving = asyncio.create_task(serve())
        await begun.wait()
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving

    run(main)


def test_serve_forever_is_a_task_among_others(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        server = pwb_async.Server(root)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.2), asyncio.TaskGroup() as tasks:
                tasks.create_task(server.serve_forever())
                tasks.create_task(pwb_async.Server(root).serve_forever())
        with pytest.raises(ConnectionRefusedError):
            await content(server)

    run(main)


def test_serve_forever_ends_when_the_server_is_closed(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        async with pwb_async.Server(root) as server:
            serving = asyncio.create_task(server.serve_forever())
            await asyncio.sleep(0)
            await server.close()
            await serving

    run(main)


@pytest.mark.parametrize("step", range(6))
def test_a_start_that_is_cancelled_leaves_nothing(run: Callable[[Main], None], step: int) -> None:
    async def main(root: Path) -> None:
        server = pwb_async.Server(root)
        starting = asyncio.create_task(server.start())
        for _ in range(step):
            await asyncio.sleep(0)
        if starting.cancel():
            with pytest.raises(asyncio.CancelledError):
                await starting
        await server.close()  # it may have started by then

    run(main)


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_loop_that_ends_ends_a_server_that_was_forgotten(
    new_loop: Callable[[], asyncio.AbstractEventLoop], root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """asyncio.run() cancels all tasks that are left."""

    async def main() -> socket.socket:
        server = pwb_async.Server(root, access_log=root / "log")
        await server.start()
        return await slow_reader(server)

    new_loop().close()
    before = resources()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main()).close()
    assert resources() == before
    assert capfd.readouterr() == ("", "")


def test_a_server_starts_once(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        server = pwb_async.Server(root)
        for attribute in ("url", "urls", "port"):
            with pytest.raises(RuntimeError, match="has not been started"):
                getattr(server, attribute)
        await server.close()  # nothing to do
        async with server:
            with pytest.raises(RuntimeError, match="only once"):
                await server.start()
        with pytest.raises(RuntimeError, match="only once"):
            await server.start()

    run(main)


def test_what_prevents_a_start_is_raised(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        with pytest.raises(pwb_async.StartupError, match="cannot serve /no/such/folder: "):
            await pwb_async.Server("/no/such/folder").start()
        async with pwb_async.Server(root) as server:
            with pytest.raises(pwb_async.StartupError, match=f"cannot listen on 127.0.0.1 port {server.port}: "):
                await pwb_async.Server(root, port=server.port).start()
        (root / "_redirects").write_text("nonsense\n")
        with pytest.raises(pwb_async.ConfigError, match="_redirects"):
            await pwb_async.Server(root).start()
        (root / "_redirects").unlink()

    run(main)


def test_live_reload(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        before = resources().descriptors
        async with (
            pwb_async.Server(root, port=0, live_reload=True) as server,
            event_stream(("127.0.0.1", server.port)) as stream,
        ):
            (root / "a.css").write_text("p {}")
            assert (await stream.next())["swap"] == ["/a.css"]
        # A thread of watchfiles closes its descriptors, and cannot be waited for.
        await eventually(lambda: resources().descriptors == before, 5)

    run(main)


def test_no_thread_can_be_started(run: Callable[[Main], None], monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(root: Path) -> None:
        def refuse(*arguments: object) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            with pytest.raises(pwb_async.StartupError, match="cannot start a thread"):
                await pwb_async.Server(root).start()

    run(main)


def test_a_unix_socket(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        path = root / "socket"
        async with pwb_async.Server(root, unix=path) as server:
            assert (server.url, server.port) == (f"unix:{path}", None)
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(get("/a.txt"))
            assert (await reader.readuntil(b"text")).startswith(b"HTTP/1.1 200 OK")
            writer.close()
            await writer.wait_closed()
        assert not path.exists()

    run(main)


def test_tls(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        pair = make("localhost")
        write_pair(root / "pair.pem", pair)
        async with pwb_async.Server(root, tls_cert=[root / "pair.pem"], redirect_https=0) as server:
            assert server.url == f"https://127.0.0.1:{server.port}/"
            async with Peer(TLSAddress(("127.0.0.1", server.port or 0))) as peer:
                await peer.send(get("/a.txt"))
                assert (await peer.read_response()).content == b"text"

    run(main)


def test_certificates_that_change_are_used(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        file = root / "pair.pem"
        first, second = make("one.test"), make("two.test")
        write_pair(file, first)
        async with pwb_async.Server(root, tls_cert=[file]) as server:
            assert await certificate(server) == ssl.PEM_cert_to_DER_cert(first.certificate_pem.decode())
            new = root / "new.pem"
            write_pair(new, second)
            new.rename(file)
            while await certificate(server) != ssl.PEM_cert_to_DER_cert(second.certificate_pem.decode()):
                await asyncio.sleep(0.05)

    run(main)


def write_pair(path: Path, pair: Pair) -> None:
    path.touch(0o600)
    path.write_bytes(pair.certificate_pem + pair.key_pem())


async def certificate(server: pwb_async.Server) -> bytes | None:
    """The certificate that a new connection gets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context)
    der: bytes | None = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()
    return der


def test_the_hooks_of_a_program(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        seen: list[tuple[str, int]] = []

        def guard(client: str, request: Request) -> Response | None:
            return Response(403, ((b"Content-Length", b"2"),), (b"no",)) if client == "10.0.0.1" else None

        def note(exchange: Exchange) -> None:
            seen.append((exchange.client, exchange.status))

        async with pwb_async.Server(
            root, guard=guard, resolve_client=lambda peer, event: "10.0.0.1", observers=[note]
        ) as server:
            assert await content(server) == b"no"
        assert seen == [("10.0.0.1", 403)]

    run(main)


def test_neither_systemd_nor_the_service_manager_is_asked(
    run: Callable[[Main], None], root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They belong to the program."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(root / "notify"))
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(root / "notify"))
        monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
        monkeypatch.setenv("LISTEN_FDS", "1")

        async def main(root: Path) -> None:
            async with pwb_async.Server(root) as server:
                assert await content(server) == b"text"

        run(main)
        assert os.environ["LISTEN_FDS"] == "1"
        with pytest.raises(BlockingIOError):
            manager.recv(100)


def test_the_rest_of_the_log_is_written(run: Callable[[Main], None]) -> None:
    async def main(root: Path) -> None:
        async with pwb_async.Server(root, access_log=root / "log") as server:
            for _ in range(3):
                await content(server)
        assert len((root / "log").read_text().splitlines()) == 3

    run(main)
