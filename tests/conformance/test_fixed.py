"""`fixed`, the book's first server: one page in response to any request, one client at a time."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .designs import FIXED
from .peer import Peer, send_request
from .server import Server, running
from .tree import CANARY
from .wire import get

PAGE = b"hello PWB"


@pytest.fixture(scope="module")
async def fixed(served_root: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with running(FIXED, served_root, log_dir=tmp_path_factory.mktemp("fixed")) as server:
        yield server


@pytest.mark.parametrize(
    "request_",
    [
        get("/"),
        get("/a.txt"),
        get("/../secret.txt"),
        get("/.env"),
        get("/fifo"),
        get("/", "Range: bytes=0-0"),
        get("/", "If-None-Match: *"),
        get("/", method="POST"),
        get("/", "Content-Length: 5", method="POST") + b"hello",
        get("/", method="BREW"),
        get("/", version="HTTP/1.0"),
    ],
    ids=lambda request: request[:25].decode().replace(" ", "-").split("\r")[0],
)
async def test_one_page_for_everything(request_: bytes, fixed: Server) -> None:
    if b"/../" in request_:
        assert (await send_request(fixed.address, request_)).status == 400
        return
    async with Peer(fixed.address) as peer:
        await peer.send(request_)
        response = await peer.read_response()
        assert await peer.read_to_end() == b""
    assert (response.status, response.content) == (200, PAGE)
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Connection"] == "close"
    assert CANARY not in response.wire


async def test_head_has_the_fields_and_no_page(fixed: Server) -> None:
    response = await send_request(fixed.address, get(method="HEAD"))
    assert (response.status, response["Content-Length"], response.content) == (200, str(len(PAGE)), b"")


@pytest.mark.parametrize("data", [b"?\r\n\r\n", b"\xff\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
async def test_malformed_requests_are_rejected_l3(data: bytes, fixed: Server) -> None:
    """A byte of 0xff ended the book's server."""
    assert (await send_request(fixed.address, data)).status in (400, 505)
    assert (await send_request(fixed.address, get())).content == PAGE


async def test_only_the_first_of_a_pipeline(fixed: Server) -> None:
    async with Peer(fixed.address) as peer:
        await peer.send(get() * 3)
        assert (await peer.read_response()).content == PAGE
        assert await peer.read_to_end() == b""
