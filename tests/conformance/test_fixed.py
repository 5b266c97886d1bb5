"""`fixed`, the book's first server: one page for whatever is asked, one client at a time."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .designs import FIXED
from .peer import Peer, ask
from .server import Server, running
from .tree import CANARY
from .wire import get

PAGE = b"hello PWB"


@pytest.fixture(scope="module")
async def fixed(site: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    async with running(FIXED, site, papers=tmp_path_factory.mktemp("fixed")) as server:
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
        assert (await ask(fixed.address, request_)).status == 400
        return
    async with Peer(fixed.address) as peer:
        await peer.send(request_)
        answer = await peer.answer()
        assert await peer.rest() == b""
    assert (answer.status, answer.content) == (200, PAGE)
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Connection"] == "close"
    assert CANARY not in answer.wire


async def test_head_has_the_fields_and_no_page(fixed: Server) -> None:
    answer = await ask(fixed.address, get(method="HEAD"))
    assert (answer.status, answer["Content-Length"], answer.content) == (200, str(len(PAGE)), b"")


@pytest.mark.parametrize("data", [b"?\r\n\r\n", b"\xff\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
async def test_what_is_no_request_is_told_so_l3(data: bytes, fixed: Server) -> None:
    """In the book a byte of 0xff was its end."""
    assert (await ask(fixed.address, data)).status in (400, 505)
    assert (await ask(fixed.address, get())).content == PAGE


async def test_only_the_first_of_a_pipeline(fixed: Server) -> None:
    async with Peer(fixed.address) as peer:
        await peer.send(get() * 3)
        assert (await peer.answer()).content == PAGE
        assert await peer.rest() == b""
