"""Limits: descriptors, connections, send timeouts, threads for the disk. Beyond a limit clients get a clear refusal, and the
server recovers at once (hazards A4, A5, A9, A10, A12, E1, E2, E6)."""

import asyncio
import os
import resource
import threading
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from pwb_async.config.modes import MODES
from pwb_async.core.site.findings import NOT_FOUND, Finding, Unavailable
from pwb_async.core.site.lookup import Candidate, Lookup
from pwb_async.network.listeners import peer_address, peer_prefix
from pwb_async.server.async_storage import AsyncStorage
from pwb_async.storage.disk import Disk
from tests.conformance.designs import Design
from tests.conformance.peer import TIMEOUT, Peer, connect_many
from tests.conformance.server import Server, Start, running
from tests.conformance.strace import needs_strace, strace
from tests.conformance.wire import Response, get

from .helpers import BIG, TEXT, fetch, fetch_fresh

CANNOT_ACCEPT = "cannot accept connections"
NO_DESCRIPTOR = "unavailable: .*EMFILE"
LEGACY_MODES = [name for name, mode in MODES.items() if mode.family != "one" and name != "process"]
"""The designs that serve many clients in one process."""


def assert_503(answer: Response) -> None:
    assert answer.status == 503
    assert answer["Retry-After"] == "1"
    assert answer["Cache-Control"] == "no-store"


def legacy(mode: str) -> Design:
    return Design(mode, ("pwb_legacy", "--mode", mode))


async def status_of(server: Server, source: str = "127.0.0.1") -> int:
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


def limit_descriptors(server: Server, spare: int) -> None:
    """Limits a running server to `spare` more descriptors than it has."""
    _, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    used = max(int(name) for name in os.listdir(f"/proc/{server.pid}/fd")) + 1
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (used + spare, hard))


@pytest.mark.quiet
async def test_too_few_descriptors_for_all_connections_e1(run: Start) -> None:
    """150 silent clients where about 40 fit: the server stays alive, uses hardly any processor time, and recovers at once."""
    async with run("--header-timeout", "60", allowed_errors=CANNOT_ACCEPT) as server:
        limit_descriptors(server, 56)
        await asyncio.sleep(0.3)  # the server looks at its limit five times a second
        async with connect_many(server.address, 150):
            begin, spent = time.monotonic(), server.processor_time()
            await asyncio.sleep(2)  # what is measured is how little it does in this time
            assert server.processor_time() - spent <= 0.05 * (time.monotonic() - begin)
            assert server.error_output().count(CANNOT_ACCEPT) <= 4
        begin = time.monotonic()
        while await status_of(server) != 200:
            pass
        assert time.monotonic() - begin < 0.5


@pytest.mark.parametrize("mode", LEGACY_MODES)
async def test_the_legacy_designs_keep_descriptors_for_files_e2(mode: str, root: Path, tmp_path: Path) -> None:
    """However many clients connect, one that is connected gets its file."""
    async with (
        running(legacy(mode), root, log_dir=tmp_path, allowed_errors=CANNOT_ACCEPT) as server,
        Peer(server.address) as peer,
    ):
        assert await status_of(server) == 200  # so `peer`, which connected earlier and is not idle, is admitted
        limit_descriptors(server, 56)
        async with connect_many(server.address, 150):
            assert await status_of(server) == 503  # the last one to connect
            await peer.send(get("/big.bin"))
            assert (await peer.read_response()).status == 200


async def test_a_lack_of_descriptors_is_503_not_404_e2(run: Start) -> None:
    async with run(allowed_errors=f"{CANNOT_ACCEPT}|{NO_DESCRIPTOR}") as server, AsyncExitStack() as stack:
        limit_descriptors(server, 40)
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
    async with run(wrapper=wrapper, allowed_errors=CANNOT_ACCEPT) as server:
        assert await status_of(server) == 200
        async with asyncio.timeout(TIMEOUT):
            while await status_of(server) != 200:  # uvloop closes connections that arrive meanwhile
                pass
        assert server.error_output().count(CANNOT_ACCEPT) <= 2


# -- connections


async def test_max_connections_per_ip_a10(run: Start) -> None:
    async with run("--max-connections-per-ip", "3") as server, connect_many(server.address, 3) as peers:
        for peer in peers:
            assert (await fetch(peer)).status == 200
        async with Peer(server.address) as peer:
            assert_503(await fetch(peer))
        assert await status_of(server, "127.0.0.2") == 200
        for peer in peers:
            assert (await fetch(peer)).status == 200, "no connection was closed"
        peers[0].reset()
        async with asyncio.timeout(3):
            while await status_of(server) != 200:
                pass


@pytest.mark.parametrize("mode", [*LEGACY_MODES, "process"])
async def test_max_connections_per_ip_of_the_legacy_designs_a10(mode: str, root: Path, tmp_path: Path) -> None:
    options = ("--max-connections-per-ip", "3")
    async with (
        running(legacy(mode), root, *options, log_dir=tmp_path) as server,
        connect_many(server.address, 3) as peers,
    ):
        for peer in peers:
            assert (await fetch(peer)).status == 200
        assert await status_of(server) == 503
        assert await status_of(server, "127.0.0.2") == 200


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("127.0.0.1", "127.0.0.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_addresses_that_count_as_one_client_a10(one: str, other: str, same: bool) -> None:
    assert (peer_prefix(one) == peer_prefix(other)) is same


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
    assert peer_address(name) == address


def test_a_unix_socket_has_no_address() -> None:
    assert peer_prefix("-") == b""


async def test_max_connections_is_shared_by_the_workers(run: Start) -> None:
    async with run("--max-connections", "4", "--workers", "2") as server, AsyncExitStack() as stack:
        statuses = []
        for _ in range(20):
            peer = await stack.enter_async_context(Peer(server.address, receive_buffer=4096))
            await peer.send(get("/big.bin"))
            statuses.append(int((await peer.read_at_least(12)).split()[1]))
        assert 1 <= statuses.count(200) <= 4


# -- send timeouts


async def seconds_until_reset(peer: Peer) -> float:
    """Seconds until a client that reads slowly is reset."""
    await peer.send(get("/big.bin"))
    begin = time.monotonic()
    with pytest.raises(ConnectionResetError):
        async with asyncio.timeout(TIMEOUT):
            while await peer.read_at_least(1):
                await asyncio.sleep(0.05)
    return time.monotonic() - begin


async def test_min_send_rate_a5(run: Start) -> None:
    async with (
        run("--min-send-rate", "8M", "--send-timeout", "0.5") as server,
        Peer(server.address, receive_buffer=4096) as slow,
        Peer(server.address) as fast,
    ):
        assert await seconds_until_reset(slow) < 4
        assert len((await fetch(fast, "/big.bin")).content) == BIG


@pytest.mark.parametrize("mode", ["single", "process", *LEGACY_MODES])
async def test_min_send_rate_of_the_legacy_designs_a5(mode: str, root: Path, tmp_path: Path) -> None:
    options = ("--min-send-rate", "8M", "--send-timeout", "0.5")
    async with (
        running(legacy(mode), root, *options, log_dir=tmp_path) as server,
        Peer(server.address, receive_buffer=4096) as slow,
    ):
        assert await seconds_until_reset(slow) < 8


async def test_a_slow_reader_is_not_reset_a4(run: Start) -> None:
    """The kernel reports free space only when a third of its buffer is free, so progress looks slower than it is."""
    async with run("--send-timeout", "0.5") as server, Peer(server.address, receive_buffer=4096) as slow:
        await slow.send(get("/big.bin"))
        end = time.monotonic() + 3
        while time.monotonic() < end:
            assert await slow.read_at_least(1)
            await asyncio.sleep(0.05)


@pytest.mark.quiet
async def test_a_client_that_never_reads_is_reset_in_time_a4(run: Start) -> None:
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


class BlockedDisk(Disk):
    """A disk whose lookups block until `free` is set."""

    def __init__(self, root: Path) -> None:
        super().__init__(str(root))
        self.free = threading.Event()

    def find(self, lookup: Lookup) -> Finding:
        self.free.wait()
        return NOT_FOUND


@pytest.mark.quiet
async def test_a_disk_that_does_not_respond_e6(tmp_path: Path) -> None:
    """Waiting lookups fail after the timeout, those beyond the full queue at once; afterwards lookups work again."""
    blocked = BlockedDisk(tmp_path)
    files = AsyncStorage(blocked, 0.5)
    try:
        waiting = [asyncio.ensure_future(files.find(lookup())) for _ in range(4096)]
        await asyncio.sleep(0)
        begin = time.monotonic()
        assert await files.find(lookup()) == Unavailable("too many wait for the disk")
        assert time.monotonic() - begin < 0.2
        assert set(await asyncio.gather(*waiting)) == {Unavailable("the disk does not answer")}
        blocked.free.set()
        async with asyncio.timeout(TIMEOUT):
            while await files.find(lookup()) is not NOT_FOUND:  # the calls that were late count until they have ended
                await asyncio.sleep(0.01)
    finally:
        blocked.free.set()
        files.close()


@pytest.mark.quiet
@needs_strace
async def test_cached_files_are_served_while_the_disk_is_slow_e6(run: Start, root: Path) -> None:
    for number in range(40):
        (root / f"{number}.txt").write_bytes(TEXT)
    wrapper = strace("-e", "trace=openat2", "-e", "inject=openat2:delay_enter=800000:when=1+")
    options = ("--cache-ttl", "60", "--disk-timeout", "5")
    async with (
        run(*options, wrapper=wrapper, allowed_errors="^strace:|the disk does not answer") as server,
        connect_many(server.address, 40) as peers,
    ):
        assert (await fetch_fresh(server)).content == TEXT
        for number, peer in enumerate(peers):
            await peer.send(get(f"/{number}.txt"))
        begin = time.monotonic()
        assert (await fetch_fresh(server)).content == TEXT
        assert time.monotonic() - begin < 0.5
        for peer in peers:
            assert (await peer.read_response()).status in (200, 503)


@needs_strace
async def test_clients_that_vanish_while_a_file_is_opened_a12(run: Start, root: Path) -> None:
    for number in range(50):
        (root / f"{number}.txt").write_bytes(TEXT)
    wrapper = strace("-e", "trace=openat2", "-e", "inject=openat2:delay_exit=20000")
    async with run("--cache", "off", wrapper=wrapper, allowed_errors="^strace:|the disk does not answer") as server:
        assert (await fetch_fresh(server)).content == TEXT
        before = server.resources().descriptors
        for number in range(300):
            async with Peer(server.address) as peer:
                await peer.send(get(f"/{number % 50}.txt"))
                peer.reset()
        await server.wait_for_resources(lambda resources: resources.descriptors <= before, 10)
        assert (await fetch_fresh(server)).content == TEXT
