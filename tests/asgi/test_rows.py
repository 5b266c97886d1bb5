"""The rows of the one suite through the servers of other projects: the responses are those of PWB's own server."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from pwb_legacy.compare.checks.rows import Row
from tests.conformance.designs import REFERENCE, Design
from tests.conformance.peer import Peer
from tests.conformance.rows import ROWS
from tests.conformance.server import Server, running
from tests.conformance.test_explain import ALL_SITES
from tests.conformance.wire import Response, method_of

from .answers import Answer, AnyPeer, answer_of
from .servers import DIFFERENCES, OTHERS_ERRORS, SERVERS, difference

_PATIENCE = 2.0
"""Seconds for the responses of a row that is named in differences.toml: some servers wait for what never arrives."""


async def ask(server: Server, row: Row) -> list[Answer | None]:
    async with AnyPeer(server.address) as peer:
        await peer.send(b"".join(row.requests))
        return [await peer.read_answer(method_of(request)) for request in row.requests[: len(row.responses)]]


async def ask_patiently(server: Server, row: Row) -> list[Answer | None]:
    """The same with None from the first response on that does not arrive."""
    found: list[Answer | None] = []
    async with AnyPeer(server.address) as peer:
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await peer.send(b"".join(row.requests))
                for request in row.requests[: len(row.responses)]:
                    answer = await peer.read_answer(method_of(request))
                    found.append(answer)
    return [*found, *[None] * (len(row.responses) - len(found))]


async def ask_reference(server: Server, row: Row) -> list[Response]:
    async with Peer(server.address) as peer:
        await peer.send(b"".join(row.requests))
        return [await peer.read_response(method_of(request)) for request in row.requests[: len(row.responses)]]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_row(row: Row, other: Server, reference: Server) -> None:
    await compare(row, other, reference)


async def compare(row: Row, other: Server, reference: Server) -> None:
    """Fails unless the responses are those of the reference, or the row is one whose responses have to differ."""
    expected = [answer_of(response) for response in await ask_reference(reference, row)]
    named = difference(other.design.name, row.id)
    if named is None:
        assert await ask(other, row) == expected
    else:
        responses, reason = named
        found = await ask_patiently(other, row)
        assert found != expected, f"they are those of pwb after all: {reason}"
        assert ["nothing" if answer is None else answer.summary for answer in found] == responses, reason


IN_ONE_OF_EACH_KIND = [design for design in SERVERS if design.name in ("uvicorn-httptools", "gunicorn")]


@pytest.mark.parametrize("design", IN_ONE_OF_EACH_KIND, ids=lambda design: design.name)
@pytest.mark.parametrize("name", ALL_SITES)
async def test_the_rows_of_a_site(name: str, design: Design, tmp_path: Path) -> None:
    """Sites with options, rules and files of their own, in one server of ASGI and one of WSGI."""
    site = ALL_SITES[name]
    folder, logs = tmp_path / "folder", tmp_path / "log"
    for each in (folder, logs, logs / "other"):
        each.mkdir()
    root = site.build(folder)
    async with (
        running(
            REFERENCE, root, *site.options, log_dir=logs, folder=folder, allowed_errors=site.allowed_errors
        ) as reference,
        running(
            design, root, *site.options, log_dir=logs / "other", folder=folder, allowed_errors=OTHERS_ERRORS
        ) as other,
    ):
        for row in site.rows:
            await compare(row, other, reference)


def test_every_difference_names_rows_and_servers() -> None:
    names = {design.name for design in SERVERS}
    rows = {row.id for row in ROWS} | {row.id for site in ALL_SITES.values() for row in site.rows}
    named = [
        (server, row) for each in DIFFERENCES for key in each.instead for server in key.split(", ") for row in each.rows
    ]
    assert len(named) == len(set(named))
    assert {server for server, _ in named} <= names
    assert {row for _, row in named} <= rows
