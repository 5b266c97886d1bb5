"""Descriptors: a server that has none left reports it, and a child holds only its own (hazards E2, G4, L11)."""

import os
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from .designs import DESIGNS
from .peer import Peer, connect_many, send_request
from .server import Server, Start, eventually
from .tree import ALPHABET, FILES
from .wire import get


@contextmanager
def no_descriptor_free(server: Server) -> Iterator[None]:
    """Lowers the limit so that no descriptor can be opened; open ones stay open."""
    before = {pid: resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in server.process_ids()}
    try:
        for pid, (_, hard) in before.items():
            used = set(map(int, os.listdir(f"/proc/{pid}/fd")))
            free = next(number for number in range(len(used) + 1) if number not in used)
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, hard))
        yield
    finally:
        for pid, limits in before.items():
            with suppress(ProcessLookupError):  # a child that has ended meanwhile
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)


async def test_no_descriptor_for_the_file_e2_g4(start: Start) -> None:
    """The response is 503 with Retry-After, not 404, which caches and crawlers would believe; the log has the reason."""
    # The root can be opened if the descriptor of a connection has just been closed, and then not the file.
    reason = r"'/64k\+1\.bin': unavailable: (the root cannot be opened: )?EMFILE"
    async with start(
        allowed_errors=f"cannot accept connections|{reason}"
    ) as server:  # single, which accepts the next one at once
        assert (await send_request(server.address, get())).content == ALPHABET
        async with Peer(server.address) as peer:
            await eventually(lambda: (far := peer.server_socket()) is not None and not far.orphan, 2, "not accepted")
            await eventually(lambda: len(server.process_ids()) in (1, 2), 2)
            if server.design.keeps_alive:
                await peer.send(get())
                assert (await peer.read_response()).content == ALPHABET
            with no_descriptor_free(server):
                await peer.send(get("/64k+1.bin"))
                response = await peer.read_response()
            assert (response.status, response["Retry-After"], response["Cache-Control"]) == (503, "1", "no-store")
            assert len(re.findall(reason, server.error_output())) == 1
            if server.design.keeps_alive:
                await peer.send(get("/64k+1.bin"))
                assert (await peer.read_response()).content == FILES[b"64k+1.bin"]
        assert (await send_request(server.address, get())).content == ALPHABET


@pytest.mark.parametrize(
    "design", [one for one in DESIGNS if one.name == "process"], ids=["process"], indirect=True, scope="session"
)
async def test_child_has_only_its_own_descriptors_l11(server: Server) -> None:
    """A child of the book's server inherited the listening socket and those of all other clients: none ever closed."""
    async with connect_many(server.address, 4) as peers:
        for peer in peers:
            await peer.send(get())
            assert (await peer.read_response()).content == ALPHABET
        children = [pid for pid in server.process_ids() if pid != server.pid]
        assert len(children) == 4
        own = sockets(server.pid)
        held = [sockets(child) for child in children]
        shared = set.union(*held) & own
        assert len(shared) == 2, "what wakes the parent, and what carries lines of the log to it"
        assert not shared & listening()
        for each in held:
            assert len(each - shared) == 1, "its client's, and no other"
        assert len(set.union(*held) - shared) == 4


def listening() -> set[str]:
    """The inodes of the listening TCP sockets of this machine (proc_net_tcp(5): state 0A)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return {f"socket:[{row[9]}]" for row in rows if row[3] == "0A"}


def sockets(pid: int) -> set[str]:
    """The inodes of the sockets that a process has open."""
    links = {os.readlink(f"/proc/{pid}/fd/{number}") for number in os.listdir(f"/proc/{pid}/fd")}
    return {link for link in links if link.startswith("socket:")}
