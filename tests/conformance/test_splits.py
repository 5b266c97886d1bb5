"""A request is the same however it is cut into segments (hazard B10). For the book's servers
each recv() returned one request."""

import pytest

from .designs import concurrent
from .exchange import exchange
from .peer import Peer, run_together
from .server import Server
from .tree import ALPHABET
from .wire import Response, get

_CONTENT = b"5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n"
REQUESTS = {
    "get": ((get("/%61.txt?x", "Accept: */*"),), 1, False),
    "content": ((get("/a.txt", "Content-Length: 5", method="POST") + b"\r\n\r\n-", get("/one.txt")), 2, False),
    "chunked": ((get("/a.txt", "Transfer-Encoding: chunked", method="PUT") + _CONTENT, get("/one.txt")), 2, False),
    "pipelined": ((get(method="HEAD"), get("/a.txt", "Range: bytes=1-2"), get("/missing")), 3, False),
    "bad": ((b"GET /a.txt HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n",), 1, True),
}


def _masked(responses: list[Response]) -> list[bytes]:
    return [response.without_date for response in responses]


@pytest.mark.parametrize("name", REQUESTS)
async def test_cut_in_two_anywhere_b10_l2(name: str, server: Server) -> None:
    requests, count, ends = REQUESTS[name]
    wire = b"".join(requests)
    whole = _masked(await exchange(server, requests, count, ends))
    for at in range(1, len(wire)):
        assert _masked(await exchange(server, requests, count, ends, [wire[:at], wire[at:]])) == whole, f"cut at {at}"


@pytest.mark.parametrize("name", REQUESTS)
async def test_byte_by_byte_b10_l2(name: str, server: Server) -> None:
    requests, count, ends = REQUESTS[name]
    wire = b"".join(requests)
    whole = _masked(await exchange(server, requests, count, ends))
    pieces = [wire[at : at + 1] for at in range(len(wire))]
    assert _masked(await exchange(server, requests, count, ends, pieces)) == whole


@concurrent
async def test_the_answer_does_not_wait_for_content_9110_15_5_6(server: Server) -> None:
    """The response follows from the head; the missing content is skipped when it arrives."""
    async with Peer(server.address) as peer:
        await peer.send(get("/a.txt", "Content-Length: 10", method="POST") + b"hello")
        assert (await peer.read_response()).status == 405
        await peer.send(b"world" + get())
        assert (await peer.read_response()).content == ALPHABET


@concurrent
async def test_two_segments_one_answer_l16(server: Server) -> None:
    """The book's seventh server gave the second segment to a second thread."""

    async def halves(times: int) -> None:
        async with Peer(server.address) as peer:
            request = get()
            for number in range(times):
                at = 1 + number % (len(request) - 1)
                await peer.send_pieces([request[:at], request[at:]])
                assert (await peer.read_response()).content == ALPHABET
            peer.half_close()
            assert await peer.read_to_end() == b"", "more answers than requests"

    await run_together(*(halves(100) for _ in range(4)))
