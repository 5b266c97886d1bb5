"""The transport of TLS beneath the real server, in this process, on both event loops."""

import asyncio
import hashlib
import os
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import pytest

from pwb_async.core.semantics.messages import File
from pwb_async.server import response_writer
from pwb_async.server.server import Server
from pwb_async.server.tls_transport import TLSTransport
from pwb_async.workers.worker import loop_factory
from tests.conformance.peer import Peer
from tests.conformance.server import eventually
from tests.conformance.tls import TLSAddress, certificate_options
from tests.server.test_seams import serving

from .key_updates import Records, first_secret

VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
CLOSE: Final = b"GET /a.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
KEEP: Final = CLOSE.replace(b"close", b"keep-alive")
Scene = Callable[[Server, TLSAddress, Path], Coroutine[Any, Any, None]]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., None]:
    """Runs a scene with a server, on one of the loops; nothing may be left open, and the loop must report nothing."""

    def run(scene: Scene, *options: str) -> None:
        async def play() -> None:
            faults: list[object] = []
            asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
            async with serving(tmp_path, *certificate_options(), *options) as server, asyncio.timeout(20):
                host, port = server.context.sockets[0].getsockname()[:2]
                await scene(server, TLSAddress((host, port)), tmp_path)
                await eventually(lambda: not server.state.admission.connections, 5, "a connection is left")
            assert not faults

        with asyncio.Runner(loop_factory=loop_factory(request.param)) as runner:
            runner.run(play())

    return run


@pytest.mark.parametrize("version", VERSIONS)
def test_the_last_response_is_whole_and_ends_with_close_notify(run: Callable[..., None], version: str) -> None:
    async def scene(server: Server, address: TLSAddress, root: Path) -> None:
        address.context.maximum_version = VERSIONS[version]
        async with Peer(address) as peer:
            assert peer.tls is not None
            assert peer.tls.ssl_object.version() == f"TLSv{version}"
            await peer.send(CLOSE)
            assert (await peer.read_to_end()).endswith(b"\r\n\r\nhello")

    run(scene)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_that_has_sent_close_notify_gets_its_responses(run: Callable[..., None], version: str) -> None:
    async def scene(server: Server, address: TLSAddress, root: Path) -> None:
        address.context.maximum_version = VERSIONS[version]
        async with Peer(address) as peer:
            await peer.send(KEEP * 3)
            peer.half_close()
            assert (await peer.read_to_end()).count(b"\r\n\r\nhello") == 3

    run(scene)


def test_a_stream_that_ends_without_close_notify_is_cut_off(run: Callable[..., None]) -> None:
    """The end of a TCP stream may be made up by anybody on the way (RFC 8446 6.1), so it does not count as an end."""

    async def scene(server: Server, address: TLSAddress, root: Path) -> None:
        (root / "big.bin").write_bytes(bytes(30 << 20))
        async with Peer(address) as peer:
            await peer.send(KEEP.replace(b"a.html", b"big.bin"))
            await peer.read_at_least(1)
            peer.socket.shutdown(1)
            with pytest.raises(ConnectionResetError):
                await peer.read_to_end(len)

    run(scene)


def test_a_response_that_is_cut_short_has_no_close_notify(run: Callable[..., None]) -> None:
    async def scene(server: Server, address: TLSAddress, root: Path) -> None:
        (root / "big.bin").write_bytes(bytes(30 << 20))
        async with Peer(address, receive_buffer=4096) as peer:
            await peer.send(KEEP.replace(b"a.html", b"big.bin"))
            await peer.read_at_least(1)
            os.truncate(root / "big.bin", 1000)
            with pytest.raises(ConnectionResetError):
                await peer.read_to_end(len)

    run(scene)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_invalid_record_after_the_last_response_is_no_fault(run: Callable[..., None], version: str) -> None:
    """The sending side is closed by then, and OpenSSL has no alert for it."""

    async def scene(server: Server, address: TLSAddress, root: Path) -> None:
        address.context.maximum_version = VERSIONS[version]
        async with Peer(address) as peer:
            await peer.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
            assert (await peer.read_response()).status == 405
            assert await peer.read_to_end() == b""
            await peer.send_raw(b"\x17\x03\x03\x00\x20" + bytes(32))
            await eventually(lambda: not server.state.admission.connections, 5)

    run(scene)


def test_nothing_is_read_while_answers_to_new_keys_wait(run: Callable[..., None]) -> None:
    """A client that reads nothing could have the server keep as much as it sends."""

    async def scene(server: Server, address: TLSAddress, root: Path) -> None:
        (root / "big.bin").write_bytes(bytes(6 << 20))
        address.context.keylog_filename = os.fspath(root / "keys")
        async with Peer(address, receive_buffer=4096) as peer:
            records = Records(first_secret(root / "keys"))
            await peer.send_raw(records.data(KEEP.replace(b"a.html", b"big.bin")))
            received = len(await peer.read_at_least(1))
            [connection] = server.state.admission.connections
            transport = connection._transport  # type: ignore[attr-defined]
            assert isinstance(transport, TLSTransport)
            await eventually(lambda: transport._paused, 5)
            await peer.send_raw(b"".join(records.key_updates(1000)))
            await eventually(lambda: transport._held_back, 5)
            transport.pause_reading()  # as the protocol may, too
            transport.resume_reading()
            assert transport._held_back
            await peer.send_raw(b"".join(records.key_updates(100)) + records.data(CLOSE))
            rest = await peer.read_to_end()
            assert received + len(rest) > 6 << 20
            assert rest.endswith(b"\r\n\r\nhello")

    run(scene)


def test_new_keys_after_the_last_response_are_no_fault(run: Callable[..., None]) -> None:
    """The sending side is closed by then, but OpenSSL has an answer."""

    async def scene(server: Server, address: TLSAddress, root: Path) -> None:
        address.context.keylog_filename = os.fspath(root / "keys")
        async with Peer(address) as peer:
            records = Records(first_secret(root / "keys"))
            await peer.send_raw(records.data(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"))
            assert (await peer.read_response()).status == 405
            assert await peer.read_to_end() == b""
            await peer.send_raw(records.key_update())
            await peer.wait_until_read()

    run(scene)


def test_a_file_is_sent_encrypted(run: Callable[..., None]) -> None:
    """sendfile(2) would put plaintext between the records."""

    async def scene(server: Server, address: TLSAddress, root: Path) -> None:
        content = os.urandom(3 << 20)
        (root / "big.bin").write_bytes(content)
        async with Peer(address) as peer:
            for _ in range(2):
                await peer.send(KEEP.replace(b"a.html", b"big.bin"))
                response = await peer.read_response()
                assert hashlib.sha256(response.content).digest() == hashlib.sha256(content).digest()
            await peer.send(CLOSE)
            await peer.read_to_end()

    def refuse(fd: int, file: File, start: int, length: int) -> int:
        raise AssertionError("sendfile(2) beneath TLS")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(response_writer, "sendfile", refuse)
        run(scene)
