"""The corpus of tests/core over a real wire: every valid and invalid request, on every design."""

import pytest

from tests.core.http1.test_corpus import CASES, FOLDER, Case

from .exchange import PROBE, PROBED, assert_same
from .peer import Peer, send_request
from .server import Server
from .tree import CANARY
from .wire import Response, get, parse_responses

LINES = (FOLDER / "targets.txt").read_bytes().splitlines()
TARGETS = [line.decode("latin-1").split(" ", 1) for line in LINES if line[:1] != b"#"]


async def replay(server: Server, case: Case) -> list[Response]:
    """Sends a case and returns all responses. What is sent after it depends on the state of the connection."""
    async with Peer(server.address) as peer:
        await peer.send(case.wire + (PROBE if case.end == "keep" else b""))
        if case.end in ("wait", "silent"):
            await peer.wait_until_read()
            peer.half_close()
        return parse_responses(await peer.read_to_end())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_case_l3(case: Case, server: Server, reference: Server) -> None:
    responses = await replay(server, case)
    expected = case.expected + {"keep": [200], "wait": [400]}.get(case.end, [])
    if not server.design.keeps_alive:
        expected = expected[:1]
    assert [response.status for response in responses] == expected
    if case.end == "keep" and server.design.keeps_alive:
        assert responses[-1].content == PROBED
    if server.design is not reference.design:
        assert_same(responses, await replay(reference, case), server)


@pytest.mark.parametrize(("status", "target"), TARGETS)
async def test_target_l1_c1(status: str, target: str, server: Server, reference: Server) -> None:
    """No path leads out of the site, however it is spelled."""
    request = get(target, "Connection: close")
    response = await send_request(server.address, request)
    assert response.status == int(status)
    assert CANARY not in response.content
    assert b"root:" not in response.content
    if server.design is not reference.design:
        assert response.without_date == (await send_request(reference.address, request)).without_date
