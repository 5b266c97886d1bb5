"""Descriptors, places, patience, threads for the disk: what runs out is refused in words, and is there again at once
(hazards A4, A5, A9, A10, A12, E1, E2, E6)."""

import asyncio
import os
import resource
import threading
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from pwb_async.core.site.lookup import NOT_FOUND, UNAVAILABLE, Candidate, Finding, Lookup
from pwb_async.network.listeners import client_address, client_prefix
from pwb_async.server.async_storage import AsyncStorage
from pwb_async.storage.disk import Disk
from tests.conformance.applies import Start
from tests.conformance.designs import Design
from tests.conformance.peer import TIMEOUT, Peer, connect_many
from tests.conformance.server import Server, running
from tests.conformance.strace import needs_strace, strace
from tests.conformance.wire import Response, get

from .helpers import BIG, TEXT, fetch, fresh

LACK = "cannot accept connections"
BOOK = ("thread", "gevent", "epoll", "epoll-thread")


def check_503(answer: Response) -> None:
    assert answer.status == 503
    assert answer["Retry-After"] == "1"
    assert answer["Cache-Control"] == "no-store"


def legacy(mode: str) -> Design:
    return Design(mode, ("pwb_legacy", "--mode", mode))


async def told(server: Server, source: str = "127.0.0.1") -> int:
    """The status of a request from an address of this machine; 0: the connection ended without one."""
    reader, writer = await asyncio.open_connection(*server.address, local_addr=(source, 0))
    try:
        async with asyncio.timeout(TIMEOUT):
            writer.write(get("/a.txt", "Connection: close"))
            return int((await reader.readline() or b"x 0").split()[1])
    except ConnectionError:
        return 0
    finally:
        writer.close()


# -- descriptors


def leave(server: Server, spare: int) -> None:
    """Lets a running server have only so many descriptors more than it has."""
    _, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    used = max(int(name) for name in os.listdir(f"/proc/{server.pid}/fd")) + 1
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (used + spare, hard))


@pytest.mark.quiet
async def test_no_descriptors_for_connections_e1(run: Start) -> None:
    """A hundred and fifty silent clients where there is room for forty: it lives, it rests, and recovers at once."""
    async with run("--header-timeout", "60", allowed_errors=LACK) as server:
        leave(server, 56)
        await asyncio.sleep(0.3)  # the server looks at its limit five times a second
        async with connect_many(server.address, 150):
            begin, spent = time.monotonic(), server.processor_time()
            await asyncio.sleep(2)  # what is measured is how little it does in this time
            assert server.processor_time() - spent <= 0.05 * (time.monotonic() - begin)
            assert server.error_output().count(LACK) <= 4
        begin = time.monotonic()
        while await told(server) != 200:
            pass
        assert time.monotonic() - begin < 0.5


async def test_with_few_descriptors_it_is_503_not_404_e2(run: Start) -> None:
    async with run(allowed_errors=LACK) as server, AsyncExitStack() as stack:
        leave(server, 40)
        await asyncio.sleep(0.3)
        statuses = []
        for _ in range(60):
            peer = await stack.enter_async_context(Peer(server.address, receive_buffer=4096))
            await peer.send(get("/big.bin"))
            statuses.append(int((await peer.read_at_least(12)).split()[1]))
        assert set(statuses) == {200, 503}


@needs_strace
async def test_accept_fails_for_a_while_e1(run: Start) -> None:
    calls = "accept,accept4"
    wrapper = strace("-e", f"trace={calls}", "-e", f"inject={calls}:error=ENFILE:when=2..6")
    async with run(wrapper=wrapper, allowed_errors=LACK) as server:
        assert await told(server) == 200
        async with asyncio.timeout(TIMEOUT):
            while await told(server) != 200:  # uvloop closes who comes then
                pass
        assert server.error_output().count(LACK) <= 2


# -- places


async def test_so_many_of_one_address_a10(run: Start) -> None:
    async with run("--max-connections-per-ip", "3") as server, connect_many(server.address, 3) as peers:
        for peer in peers:
            assert (await fetch(peer)).status == 200
        async with Peer(server.address) as peer:
            check_503(await fetch(peer))
        assert await told(server, "127.0.0.2") == 200
        for peer in peers:
            assert (await fetch(peer)).status == 200, "nobody made room"
        peers[0].reset()
        async with asyncio.timeout(3):
            while await told(server) != 200:
                pass


@pytest.mark.parametrize("mode", [*BOOK, "process"])
async def test_so_many_of_one_address_in_the_book_a10(mode: str, root: Path, tmp_path: Path) -> None:
    options = ("--max-connections-per-ip", "3")
    async with (
        running(legacy(mode), root, *options, log_dir=tmp_path) as server,
        connect_many(server.address, 3) as peers,
    ):
        for peer in peers:
            assert (await fetch(peer)).status == 200
        assert await told(server) == 503
        assert await told(server, "127.0.0.2") == 200


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("127.0.0.1", "127.0.0.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_who_counts_as_one_address_a10(one: str, other: str, same: bool) -> None:
    assert (client_prefix(one) == client_prefix(other)) is same


@pytest.mark.parametrize(
    ("name", "address"),
    [
        (("127.0.0.1", 1), "127.0.0.1"),
        (("::1", 1, 0, 0), "::1"),
        (("::ffff:10.0.0.1", 1, 0, 0), "10.0.0.1"),
        (("::ffff:0:a00:1", 1, 0, 0), "::ffff:0:a00:1"),
        (("fe80::1%eth0", 1, 0, 2), "fe80::1%eth0"),
        ("", "-"),
        ("/run/client", "-"),
        (b"\0abstract", "-"),
        (None, "-"),
    ],
)
def test_address_of_a_client(name: object, address: str) -> None:
    assert client_address(name) == address


def test_a_unix_socket_has_no_address() -> None:
    assert client_prefix("-") == b""


async def test_max_connections_is_shared_by_the_workers(run: Start) -> None:
    async with run("--max-connections", "4", "--workers", "2") as server, AsyncExitStack() as stack:
        statuses = []
        for _ in range(20):
            peer = await stack.enter_async_context(Peer(server.address, receive_buffer=4096))
            await peer.send(get("/big.bin"))
            statuses.append(int((await peer.read_at_least(12)).split()[1]))
        assert 1 <= statuses.count(200) <= 4


# -- patience


async def cut_off_after(peer: Peer) -> float:
    """Seconds until a client that reads a little now and then is cut off."""
    await peer.send(get("/big.bin"))
    begin = time.monotonic()
    with pytest.raises(ConnectionResetError):
        async with asyncio.timeout(TIMEOUT):
            while await peer.read_at_least(1):
                await asyncio.sleep(0.05)
    return time.monotonic() - begin


async def test_who_reads_too_slowly_is_cut_off_a5(run: Start) -> None:
    async with (
        run("--min-send-rate", "8M", "--send-timeout", "0.5") as server,
        Peer(server.address, receive_buffer=4096) as slow,
        Peer(server.address) as fast,
    ):
        assert await cut_off_after(slow) < 4
        assert len((await fetch(fast, "/big.bin")).content) == BIG


@pytest.mark.parametrize("mode", BOOK)
async def test_who_reads_too_slowly_is_cut_off_in_the_book_a5(mode: str, root: Path, tmp_path: Path) -> None:
    options = ("--min-send-rate", "8M", "--send-timeout", "0.5")
    async with (
        running(legacy(mode), root, *options, log_dir=tmp_path) as server,
        Peer(server.address, receive_buffer=4096) as slow,
    ):
        assert await cut_off_after(slow) < 8


async def test_slow_is_no_fault_a4(run: Start) -> None:
    """The kernel says that there is room again only when a third of its buffer is free; the client reads on."""
    async with run("--send-timeout", "0.5") as server, Peer(server.address, receive_buffer=4096) as slow:
        await slow.send(get("/big.bin"))
        end = time.monotonic() + 3
        while time.monotonic() < end:
            assert await slow.read_at_least(1)
            await asyncio.sleep(0.05)


@pytest.mark.quiet
async def test_who_never_reads_is_cut_off_in_time_a4(run: Start) -> None:
    async with run("--send-timeout", "1") as server, Peer(server.address, receive_buffer=4096) as deaf:
        await deaf.send(get("/big.bin"))
        begin = time.monotonic()
        await server.wait_for_resources(lambda _: deaf.server_socket() is not None and deaf.server_socket().unread == 0)  # type: ignore[union-attr]
        async with asyncio.timeout(TIMEOUT):
            while deaf.server_socket() is not None:
                await asyncio.sleep(0.02)
        assert 0.8 < time.monotonic() - begin < 2


# -- the disk


def lookup() -> Lookup:
    return Lookup(None, b"a", (Candidate(b"a"),))  # type: ignore[arg-type]


class Stuck(Disk):
    """It answers when it is free."""

    def __init__(self, root: Path) -> None:
        super().__init__(str(root))
        self.free = threading.Event()

    def find(self, lookup: Lookup) -> Finding:
        self.free.wait()
        return NOT_FOUND


@pytest.mark.quiet
async def test_disk_that_does_not_answer_e6(tmp_path: Path) -> None:
    """Whoever waits is told so after a time, whoever comes when the queue is full at once; then it goes on."""
    stuck = Stuck(tmp_path)
    files = AsyncStorage(stuck, 0.5)
    try:
        waiting = [asyncio.ensure_future(files.find(lookup())) for _ in range(4096)]
        await asyncio.sleep(0)
        begin = time.monotonic()
        assert await files.find(lookup()) is UNAVAILABLE
        assert time.monotonic() - begin < 0.2
        assert set(await asyncio.gather(*waiting)) == {UNAVAILABLE}
        stuck.free.set()
        async with asyncio.timeout(TIMEOUT):
            while await files.find(lookup()) is not NOT_FOUND:
                pass
    finally:
        stuck.free.set()
        files.close()


@pytest.mark.quiet
@needs_strace
async def test_files_on_the_shelf_are_answered_meanwhile_e6(run: Start, root: Path) -> None:
    for number in range(40):
        (root / f"{number}.txt").write_bytes(TEXT)
    wrapper = strace("-e", "trace=openat2", "-e", "inject=openat2:delay_enter=800000:when=1+")
    options = ("--cache-ttl", "60", "--disk-timeout", "5")
    async with (
        run(*options, wrapper=wrapper, allowed_errors="^strace:") as server,
        connect_many(server.address, 40) as peers,
    ):
        assert (await fresh(server)).content == TEXT
        for number, peer in enumerate(peers):
            await peer.send(get(f"/{number}.txt"))
        begin = time.monotonic()
        assert (await fresh(server)).content == TEXT
        assert time.monotonic() - begin < 0.5
        for peer in peers:
            assert (await peer.read_response()).status in (200, 503)


@needs_strace
async def test_who_leaves_while_the_file_is_opened_a12(run: Start, root: Path) -> None:
    for number in range(50):
        (root / f"{number}.txt").write_bytes(TEXT)
    wrapper = strace("-e", "trace=openat2", "-e", "inject=openat2:delay_exit=20000")
    async with run("--cache", "off", wrapper=wrapper, allowed_errors="^strace:") as server:
        assert (await fresh(server)).content == TEXT
        before = server.resources().descriptors
        for number in range(300):
            async with Peer(server.address) as peer:
                await peer.send(get(f"/{number % 50}.txt"))
                peer.reset()
        await server.wait_for_resources(lambda resources: resources.descriptors <= before, 10)
        assert (await fresh(server)).content == TEXT
