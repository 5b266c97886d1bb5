"""The rows of the one suite over HTTP/2: the responses are those of HTTP/1.1."""

import asyncio

import pytest

from pwb_legacy.compare.checks.rows import Expected, Row
from tests.conformance.peer import Peer
from tests.conformance.server import Server
from tests.conformance.wire import Response, method_of

from .client import Answer, Client
from .rows import HTTP2Request, rows_with_a_meaning

NO_ERROR = 0
ROWS = rows_with_a_meaning()


def ask(address: tuple[str, int], requests: list[HTTP2Request]) -> list[Answer]:
    """Sends requests at once on one connection, and reads the responses."""
    with Client(address) as client:
        streams = [client.request(request.fields, request.content, flush=False) for request in requests]
        client.flush()
        answers = client.wait(*streams)
        assert not client.goaways
        again = client.get("/marker")
        assert client.wait(again)[0].content == b"MARKER"
        return answers


async def ask_http_1(address: tuple[str, int], row: Row) -> list[Response]:
    async with Peer(address) as peer:
        await peer.send(b"".join(row.requests))
        return [await peer.read_response(method_of(request)) for request in row.requests]


def comparable(fields: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name not in ("date", "connection")}


def check(expected: Expected, answer: Answer) -> None:
    fields = {name: value for name, value in expected.fields.items() if name != "connection"}
    exact = expected._replace(fields=fields, also=())
    assert exact.mismatches(answer.status, answer.named, answer.content) == []


def test_most_rows_have_a_meaning() -> None:
    assert len(ROWS) > 450


@pytest.mark.parametrize(("row", "requests"), ROWS, ids=lambda value: value.id if isinstance(value, Row) else "")
async def test_row(row: Row, requests: list[HTTP2Request], server: Server) -> None:
    answers = await asyncio.to_thread(ask, server.address, requests)
    assert all(answer.reset in (None, NO_ERROR) for answer in answers)
    for expected, answer in zip(row.responses, answers, strict=True):
        check(expected, answer)
    for answer, response in zip(answers, await ask_http_1(server.address, row), strict=True):
        assert (answer.status, answer.content) == (response.status, response.content)
        assert comparable(answer.named) == comparable(dict(response.fields))
        assert list(answer.named) == [name for name, _ in response.fields if name != "connection"]
