"""What the application promises whatever server runs it: files that change, clients that leave or hardly read."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.conformance.designs import Design
from tests.conformance.peer import Peer
from tests.conformance.server import Server, eventually, running
from tests.conformance.tree import BIG, FILES
from tests.conformance.wire import get
from tests.http2.client import Client

from .answers import AnyPeer
from .servers import OTHERS_ERRORS, SERVERS

LARGE = 64 << 20
"""Bytes of a file that is larger than all buffers on the way."""


async def test_a_large_file(other: Server) -> None:
    async with AnyPeer(other.address) as peer:
        await peer.send(get("/30m.bin"))
        answer = await peer.read_answer("GET")
    assert answer is not None
    assert len(answer.content) == BIG
    assert answer.content == FILES[b"30m.bin"]


async def test_a_file_that_becomes_shorter_d1(other_design: Design, tmp_path: Path) -> None:
    """The connection ends; no byte is made up, and no other response takes the place of those that are missing."""
    root, log = tmp_path / "root", tmp_path / "log"
    root.mkdir()
    log.mkdir()
    (root / "large.bin").write_bytes(os.urandom(LARGE))
    (root / "a.txt").write_bytes(b"abc")
    async with running(other_design, root, log_dir=log, allowed_errors=OTHERS_ERRORS) as server:
        async with Peer(server.address, receive_buffer=4096) as peer:
            await peer.send(get("/large.bin") + get("/a.txt"))
            start = await peer.read_at_least(64 * 1024)
            os.truncate(root / "large.bin", LARGE // 2)
            rest = await peer.read_to_end_or_reset()
        assert len(start) + len(rest) < LARGE
        assert b"HTTP/1.1" not in rest
        async with AnyPeer(server.address) as peer:
            await peer.send(get("/a.txt"))
            answer = await peer.read_answer("GET")
            assert answer is not None
            assert answer.content == b"abc"


async def test_a_client_that_leaves(other_design: Design, tmp_path: Path) -> None:
    """The file is closed, and not read to its end first."""
    root, log = tmp_path / "root", tmp_path / "log"
    root.mkdir()
    log.mkdir()
    with open(root / "large.bin", "wb") as file:
        file.truncate(1 << 40)  # a hole of a terabyte, which takes minutes to read
    async with running(other_design, root, log_dir=log, allowed_errors=OTHERS_ERRORS) as server:
        async with Peer(server.address) as peer:
            await peer.send(get("/large.bin"))
            await peer.read_at_least(1 << 20)
            peer.reset()
        await eventually(lambda: not is_open(server, root / "large.bin"), 10, "the file is still open")


SPEAK_HTTP_2 = [design for design in SERVERS if design.name in ("hypercorn", "granian")]


@pytest.mark.parametrize("design", SPEAK_HTTP_2, ids=lambda design: design.name)
async def test_http_2(design: Design, served_root: Path, tmp_path: Path) -> None:
    """The server hands over the pseudo-header field :authority as Host."""

    def ask(address: tuple[str, int]) -> list[tuple[int, bytes]]:
        with Client(address) as client:
            streams = [client.get(target) for target in ("/a.txt", "/sub", "/none", "/30m.bin")]
            return [(answer.status, answer.content) for answer in client.wait(*streams)]

    async with running(design, served_root, log_dir=tmp_path, allowed_errors=OTHERS_ERRORS) as server:
        found, redirect, missing, large = await asyncio.to_thread(ask, server.address)
    assert found == (200, FILES[b"a.txt"])
    assert redirect[0] == 301
    assert missing[0] == 404
    assert large == (200, FILES[b"30m.bin"])


def is_open(server: Server, path: Path) -> bool:
    """Whether a process of a server has a file open."""
    for pid in server.process_ids():
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                if os.readlink(f"/proc/{pid}/fd/{fd}") == str(path):
                    return True
            except OSError:
                continue
    return False
