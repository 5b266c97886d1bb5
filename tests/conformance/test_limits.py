"""Limits apply however slowly they are reached, and to clients that send without end (hazards B8, A14)."""

import pytest

from tests.conformance.rows.limits import TOO_LONG

from .exchange import assert_same, check
from .peer import Peer, send_request
from .server import Server
from .wire import get

MEGABYTE = 1 << 20


@pytest.mark.parametrize("name", TOO_LONG)
async def test_one_more_byte_by_byte_b8(name: str, server: Server, reference: Server) -> None:
    """Bytes sent in segments of one get the same response as all at once."""
    request, expected = TOO_LONG[name]
    async with Peer(server.address) as peer:
        for at in range(len(request)):
            try:
                peer.socket.send(peer.encrypt(request[at : at + 1]))
            except ConnectionError:
                break  # the server has responded and closed before the last byte
            if at % 512 == 511:
                await peer.wait_until_read()
        response = await peer.read_response()
        check(expected, response)
        assert response["Connection"] == "close"
        assert await peer.read_to_end() == b""
    assert_same([response], [await send_request(reference.address, request)], server)


@pytest.mark.parametrize(
    "start",
    [
        b"GET /",
        b"GET / HTTP/1.1\r\nHost: h\r\nX: ",
        b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;",
    ],
    ids=["line", "field", "chunk-extension"],
)
async def test_endless_head_b8(start: bytes, server: Server) -> None:
    """64 MB of it: the connection is closed long before the end, and the server buffers little."""
    before = server.memory()
    async with Peer(server.address) as peer:
        with pytest.raises(ConnectionError):
            await peer.send_each([start, *[b"x" * MEGABYTE] * 64])
        assert server.memory() - before < 4 * MEGABYTE
    assert (await send_request(server.address, get())).status == 200
