"""Whole exchanges: requests on one connection, their responses, and a proof of the connection's state after them."""

from collections.abc import Iterable, Sequence
from typing import Final

from pwb_legacy.compare.checks.rows import Expected

from .peer import Peer
from .server import Server
from .wire import Response, get, method_of

PROBE: Final = get("/marker", "Connection: close")
PROBED: Final = b"MARKER"


async def exchange(
    server: Server, requests: Sequence[bytes], count: int, ends: bool, pieces: Iterable[bytes] | None = None
) -> list[Response]:
    """Sends `requests` on one connection, and returns the responses, of which there must be `count`.

    ends: True if the server must close the connection after the last response; if False, one more request is sent, and
    must be answered. A design that keeps no connection alive sends one response and closes. pieces: the bytes of the
    requests, cut as they are to be sent; each is sent once the server has read the one before it.
    """
    if not server.design.keeps_alive:
        count, ends = min(count, 1), True
    async with Peer(server.address) as peer:
        if pieces is None:
            await peer.send(b"".join(requests))
        else:
            try:
                await peer.send_pieces(pieces)
            except ConnectionError:
                assert ends
        responses = [await peer.read_response(method_of(request)) for request in requests[:count]]
        assert len(responses) == count
        for response in responses[:-1]:
            assert response["Connection"] != "close"
        if ends:
            assert not responses or responses[-1]["Connection"] == "close"
            assert await peer.read_to_end() == b"", "bytes after the last response"
            return responses
        assert not responses or responses[-1]["Connection"] != "close"
        await peer.send(PROBE)
        probed = await peer.read_response()
        assert (probed.status, probed.content) == (200, PROBED), "the connection is out of step"
        assert await peer.read_to_end() == b""
        return responses


def assert_same(responses: Sequence[Response], reference: Sequence[Response], server: Server) -> None:
    """Fails unless the responses equal those of the reference, but for the field Connection (Design.keeps_alive)."""
    if server.design.keeps_alive:
        assert [response.without_date for response in responses] == [response.without_date for response in reference]
    else:
        assert [response.without_date_and_connection for response in responses] == [
            response.without_date_and_connection for response in reference[:1]
        ]
        assert all(response["Connection"] == "close" for response in responses)


def check(expected: Expected, response: Response, keeps_alive: bool = True) -> None:
    """Fails where a response is not exactly the expected one, which is stricter than what other servers are judged by.

    keeps_alive: False for a design that keeps no connection alive, whose responses all hold `Connection: close`.
    """
    fields = dict(expected.fields)
    if "connection" in fields and not keeps_alive:
        fields["connection"] = "close"
    exact = expected._replace(fields=fields, also=())
    assert exact.mismatches(response.status, dict(response.fields), response.content) == []
