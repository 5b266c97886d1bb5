"""httpx: a common client library, with many requests at once."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.conformance.server import Server
from tests.conformance.tree import ALPHABET, BIG, FILES


@pytest.fixture
async def client(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=20)
    async with httpx.AsyncClient(base_url=server.url, limits=limits, trust_env=False, timeout=30) as client:
        yield client


async def test_many_at_once(client: httpx.AsyncClient) -> None:
    names = [b"a.txt", b"100k.bin", b"64k+1.bin", b"one.txt", b"empty.txt"] * 20
    responses = await asyncio.gather(*(client.get("/" + name.decode()) for name in names))
    assert [response.content for response in responses] == [FILES[name] for name in names]


async def test_stream_of_a_large_file(client: httpx.AsyncClient) -> None:
    count = 0
    async with client.stream("GET", "/30m.bin") as response:
        async for piece in response.aiter_bytes():
            count += len(piece)
    assert count == BIG


async def test_stream_that_is_given_up(client: httpx.AsyncClient) -> None:
    async with client.stream("GET", "/5g.bin") as response:
        async for _ in response.aiter_bytes():
            break
    assert (await client.get("/a.txt")).content == ALPHABET


async def test_revalidation(client: httpx.AsyncClient) -> None:
    first = await client.get("/a.txt")
    again = await client.get("/a.txt", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_redirect(client: httpx.AsyncClient) -> None:
    response = await client.get("/sub", follow_redirects=True)
    assert response.url.path == "/sub/"
    assert response.content == FILES[b"sub/index.html"]


async def test_upload_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/a.txt", content=bytes(8 << 20))
    assert response.status_code == 405
    assert (await client.get("/a.txt")).content == ALPHABET


async def test_names_that_must_be_escaped(client: httpx.AsyncClient) -> None:
    assert (await client.get("/grüße.txt")).content == FILES["grüße.txt".encode()]
    assert (await client.get("/a b")).content == FILES[b"a b"]
