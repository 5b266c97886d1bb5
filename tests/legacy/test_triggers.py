"""--trigger: for what each value registers a client with epoll, seen in the system calls of the server."""

import re
from pathlib import Path

import pytest

from tests.conformance.designs import DESIGNS
from tests.conformance.peer import Peer
from tests.conformance.server import eventually, running
from tests.conformance.strace import needs_strace
from tests.conformance.wire import get

BIG = 30_000_000
"""Bytes, more than the kernel takes for a client that does not read."""
TIMEOUT = 10

ONCE = r"ADD EPOLLIN\|EPOLLOUT\|EPOLLET"
"""Edge-triggered: for every change, and never again."""
WHEN_IT_CHANGES = "ADD EPOLLIN, MOD EPOLLOUT, MOD EPOLLIN"
"""Level-triggered: for reading, across several requests; for writing, while the client does not read; for reading."""
EACH_TIME = (
    r"ADD EPOLLIN\|EPOLLONESHOT(, MOD EPOLLIN\|EPOLLONESHOT)*"
    r"(, MOD EPOLLOUT\|EPOLLONESHOT)+(, MOD EPOLLIN\|EPOLLONESHOT)+"
)
"""One report each: for reading, for writing as often as the client is slow, for reading again."""


@needs_strace
@pytest.mark.parametrize(
    ("name", "pattern"), [("epoll", ONCE), ("epoll-level", WHEN_IT_CHANGES), ("epoll-oneshot", EACH_TIME)]
)
async def test_for_what_a_client_is_registered(name: str, pattern: str, tmp_path: Path) -> None:
    """The client makes two small requests, then one for a large file that it begins to read late, then a small one."""
    root, calls = tmp_path / "root", tmp_path / "calls"
    root.mkdir()
    (root / "small").write_bytes(b"x")
    (root / "large").write_bytes(bytes(BIG))
    design = next(design for design in DESIGNS if design.name == name)
    wrapper = ("strace", "-D", "-qq", "-o", str(calls), "-e", "trace=accept4,epoll_ctl,sendto")
    async with running(design, root, log_dir=tmp_path, wrapper=wrapper) as server, Peer(server.address) as peer:
        for target in ("/small", "/small", "/large", "/small"):
            await peer.send(get(target))
            if target == "/large":
                await eventually(lambda: "EAGAIN" in _sends(calls), TIMEOUT, lambda: calls.read_text()[-2000:])
            response = await peer.read_response()
            assert (response.status, len(response.content)) == (200, BIG if target == "/large" else 1)
    registered = re.findall(rf"EPOLL_CTL_(ADD|MOD), {_client(calls)}, {{events=([A-Z|]+)", calls.read_text())
    assert re.fullmatch(pattern, ", ".join(map(" ".join, registered)))


def _sends(calls: Path) -> str:
    return "\n".join(line for line in calls.read_text().splitlines() if line.partition("sendto(")[1])


def _client(calls: Path) -> str:
    """The descriptor of the only client."""
    (fd,) = re.findall(r"accept4\(.* = (\d+)$", calls.read_text(), re.MULTILINE)
    return fd
