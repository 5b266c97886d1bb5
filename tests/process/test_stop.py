"""A stop of pwb_async, with TLS and without: what is under way to it is answered."""

import asyncio
from pathlib import Path

import pytest

from tests.conformance.designs import COLUMNS, Design
from tests.conformance.peer import Peer
from tests.conformance.server import running
from tests.conformance.test_stop import wait_until_refused
from tests.conformance.wire import get

PLAIN = (Design("uvloop", ("pwb_async",)), Design("asyncio", ("pwb_async", "--loop", "asyncio")))


@pytest.mark.quiet
@pytest.mark.parametrize("each", [*PLAIN, *COLUMNS], ids=lambda each: each.name)
async def test_requests_that_are_under_way_are_answered_f2(each: Design, tmp_path: Path) -> None:
    """On an idle connection, on one without a request, and on one that has not been accepted."""
    (tmp_path / "a.txt").write_bytes(b"abc")
    async with running(each, tmp_path, log_dir=tmp_path) as server:
        async with Peer(server.address) as idle, Peer(server.address) as silent:
            await idle.send(get("/a.txt"))
            assert (await idle.read_response()).content == b"abc"
            unaccepted = Peer(server.address)
            with server.suspended():
                await asyncio.get_running_loop().sock_connect(unaccepted.socket, tuple(server.address))
                for peer in (idle, silent):
                    await peer.send(get("/a.txt"))
                server.signal()
            await unaccepted._shake_hands()
            await unaccepted.send(get("/a.txt"))
            for peer in (idle, silent, unaccepted):
                assert (await peer.read_response()).content == b"abc"
                assert await peer.read_to_end() == b""
            unaccepted.socket.close()
        assert await server.exited(within=1) == 0


@pytest.mark.quiet
async def test_a_handshake_that_is_under_way_is_completed_f2(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"abc")
    async with running(COLUMNS[0], tmp_path, log_dir=tmp_path) as server:
        peer = Peer(server.address)
        assert peer.tls is not None
        await asyncio.get_running_loop().sock_connect(peer.socket, tuple(server.address))
        assert not peer.tls.shake_hands()
        await peer.send_raw(peer.tls.take())
        peer.tls.feed(await peer._receive_raw())
        server.signal()
        await wait_until_refused(server)
        assert peer.tls.shake_hands()
        await peer.send_raw(peer.tls.take() + peer.encrypt(get("/a.txt")))
        response = await peer.read_response()
        assert response.content == b"abc"
        assert await peer.read_to_end() == b""
        peer.socket.close()
        assert await server.exited(within=1) == 0
