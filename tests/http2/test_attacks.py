"""Attacks on HTTP/2 against a real server: docs/hazards.md, the table of attacks on HTTP/2.

Each attack comes from several connections at once, which send as much as the server takes. Meanwhile another client gets
its responses, and afterwards the server has as many descriptors as before, and hardly more memory.
"""

import asyncio
import select
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from pwb_async.core.http2.errors import ErrorCode
from pwb_async.core.http2.frames import GOAWAY, HEADER, RST_STREAM
from tests.conformance.server import Server, Start, running
from tests.conformance.tree import ALPHABET
from tests.core.http2.rfc9113 import BEGIN, CANCEL, PRIORITY_5, get, on, post, setting, update

from .client import Client
from .conftest import H2C

CONNECTIONS: Final = 4
ENOUGH: Final = 2 << 20
"""Bytes after which an attacker gives up."""
OPTIONS: Final = ("--send-timeout", "1")
"""So that responses without a window end soon."""
KEPT: Final = 8 << 20
"""Bytes by which the memory of the server may grow when an attack is repeated."""
HELD: Final = 2 << 20
"""Bytes that 100 requests of one connection may take, of the largest number of fields or of the largest size."""
CALM: Final = ErrorCode.ENHANCE_YOUR_CALM
TABLE: Final = b"\x82\x86\x84\x41\x01h"


def streams() -> Iterator[int]:
    yield from range(1, 2**31, 2)


def rapid_reset() -> Iterator[bytes]:
    for stream in streams():
        yield get(stream) + on(stream, RST_STREAM, 0, CANCEL)


def resets_that_the_server_makes() -> Iterator[bytes]:
    for stream in streams():
        yield post(stream) + update(stream, 0)


def malformed_requests() -> Iterator[bytes]:
    for stream in streams():
        yield get(stream, (b"A", b"x"))


def continuations() -> Iterator[bytes]:
    yield get(1, flags=1)
    while True:
        yield on(1, 9, 0, b"\x00\x01a\x01b" * 100)


def empty_continuations() -> Iterator[bytes]:
    yield get(1, flags=1)
    while True:
        yield on(1, 9)


def hpack_bomb() -> Iterator[bytes]:
    """A list of 3.9 KiB for each byte."""
    yield on(1, 1, 5, TABLE + b"\x40\x01a\x7f\x81\x1e" + b"x" * 3968)
    for stream in range(3, 2**31, 2):
        yield on(stream, 1, 5, b"\x82\x86\x84\xbf" + b"\xbe" * 16_000)


def http2_bomb() -> Iterator[bytes]:
    """An almost empty field for each byte, in requests whose responses have no window."""
    yield setting((4, 0))
    yield on(1, 1, 5, TABLE + b"\x40\x01a\x00")
    for stream in range(3, 2**31, 2):
        yield on(stream, 1, 5, b"\x82\x86\x84\xbf" + b"\xbe" * 16_000)


def large_requests_without_a_window() -> Iterator[bytes]:
    """As large as may be, and new each time, so that nothing is remembered; their responses wait."""
    yield setting((4, 0))
    for stream in streams():
        names = [b"x-%d-%d" % (stream, number) for number in range(70)]
        yield on(
            stream, 1, 5, TABLE + b"".join([b"\0%c%b\x7f\x49%b" % (len(name), name, b"v" * 200) for name in names])
        )


def cookie_crumbs() -> Iterator[bytes]:
    for stream in streams():
        yield on(stream, 1, 5, TABLE + b"\x0f\x11\x03a=b" * 2_000)


def pings() -> Iterator[bytes]:
    while True:
        yield on(0, 6, 0, b"12345678") * 50


def settings_frames() -> Iterator[bytes]:
    while True:
        yield setting((4, 65_535)) * 50


def many_settings() -> Iterator[bytes]:
    while True:
        yield setting(*[(4, number) for number in range(1000)])


def priorities() -> Iterator[bytes]:
    for stream in streams():
        yield on(stream, 2, 0, PRIORITY_5)


def unknown_frames() -> Iterator[bytes]:
    while True:
        yield on(0, 0xEF) * 50


def window_updates() -> Iterator[bytes]:
    while True:
        yield update(0, 1) * 50


def empty_data() -> Iterator[bytes]:
    yield post(1)
    while True:
        yield on(1, 0) * 50


def data_of_one_byte() -> Iterator[bytes]:
    yield post(1)
    while True:
        yield on(1, 0, 0, b"x") * 50


def windows_that_overflow() -> Iterator[bytes]:
    while True:
        yield update(0, 2**31 - 1)


def more_streams_than_are_allowed() -> Iterator[bytes]:
    for stream in streams():
        yield get(stream)


def streams_that_never_end() -> Iterator[bytes]:
    for stream in streams():
        yield post(stream)


class Attack(NamedTuple):
    """What an attacker sends, and the code of the GOAWAY that ends it."""

    pieces: Callable[[], Iterator[bytes]]
    code: ErrorCode


ATTACKS: Final = (
    *(Attack(pieces, CALM) for pieces in (rapid_reset, resets_that_the_server_makes, malformed_requests)),
    *(Attack(pieces, CALM) for pieces in (continuations, empty_continuations, hpack_bomb, http2_bomb, cookie_crumbs)),
    *(Attack(pieces, CALM) for pieces in (pings, settings_frames, many_settings, priorities, unknown_frames)),
    *(Attack(pieces, CALM) for pieces in (window_updates, empty_data, data_of_one_byte, streams_that_never_end)),
    Attack(windows_that_overflow, ErrorCode.FLOW_CONTROL_ERROR),
    *(Attack(pieces, CALM) for pieces in (more_streams_than_are_allowed, large_requests_without_a_window)),
)


def attack(address: tuple[str, int], pieces: Iterator[bytes]) -> list[ErrorCode]:
    """Send until the server has closed its side, or for a while; return the codes of its GOAWAY frames."""
    received = bytearray()
    pending, sent = BEGIN, 0
    with socket.create_connection(address, 10) as peer, suppress(ConnectionError):
        peer.setblocking(False)
        while True:
            readable, writable, _ = select.select([peer], [peer] if sent < ENOUGH else [], [], 10)
            assert readable or writable, "the server neither takes nor sends anything"
            if readable:
                data = peer.recv(1 << 16)
                if not data:
                    break
                received += data
            if writable:
                while len(pending) < 20_000:
                    pending += next(pieces)
                size = peer.send(pending)
                pending, sent = pending[size:], sent + size
    return list(goaways(bytes(received)))


def goaways(data: bytes) -> Iterator[ErrorCode]:
    while len(data) >= HEADER.size:
        high, low, kind, _, _ = HEADER.unpack_from(data)
        end = HEADER.size + (high << 8 | low)
        if kind == GOAWAY:
            yield ErrorCode(int.from_bytes(data[HEADER.size + 4 : HEADER.size + 8], "big"))
        data = data[end:]


def innocent(address: tuple[str, int], count: int) -> None:
    with Client(address) as client:
        for _ in range(count):
            assert client.wait(client.get())[0].content == ALPHABET


async def attacked(server: Server, pieces: Callable[[], Iterator[bytes]]) -> list[list[ErrorCode]]:
    """The GOAWAY frames that each attacker got, while another client got its responses."""
    attackers = [asyncio.to_thread(attack, server.address, pieces()) for _ in range(CONNECTIONS)]
    *codes, _ = await asyncio.gather(*attackers, asyncio.to_thread(innocent, server.address, 20))
    return codes


@pytest.fixture(scope="module")
async def victim(served_root: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """A server for all attacks."""
    async with running(H2C, served_root, *OPTIONS, log_dir=tmp_path_factory.mktemp("victim")) as server:
        yield server


@pytest.mark.parametrize("case", ATTACKS, ids=lambda case: case.pieces.__name__)
async def test_an_attack_ends(case: Attack, victim: Server) -> None:
    codes = await attacked(victim, case.pieces)
    assert [each[-1:] for each in codes] == [[case.code]] * CONNECTIONS


@pytest.mark.parametrize("case", ATTACKS, ids=lambda case: case.pieces.__name__)
async def test_an_attack_leaves_nothing(case: Attack, start_h2c: Start) -> None:
    async with start_h2c(*OPTIONS) as server:
        await asyncio.to_thread(innocent, server.address, 5)
        before = server.resources()
        await attacked(server, case.pieces)
        await server.wait_for_resources(lambda now: now.descriptors <= before.descriptors)
        memory = server.memory()
        await attacked(server, case.pieces)
        await server.wait_for_resources(lambda now: now.descriptors <= before.descriptors)
        assert server.memory() - memory < KEPT


def a_field_for_each_byte() -> Iterator[bytes]:
    """95 fields for 125 bytes, each of which costs memory again."""
    yield setting((4, 0))
    names = b"".join([b"\x40\x02%c%c\x00" % (97 + number // 16, 97 + number % 16) for number in range(95)])
    yield on(1, 1, 5, TABLE + names)
    references = bytes(range(0xBE, 0xFF)) + b"".join([b"\xff%c" % number for number in range(30)])
    for stream in range(3, 2**31, 2):
        yield on(stream, 1, 5, b"\x82\x86\x84\x01\x01h" + references)


@pytest.mark.parametrize(
    "pieces", [a_field_for_each_byte, large_requests_without_a_window], ids=lambda pieces: pieces.__name__
)
async def test_requests_whose_responses_wait_hold_little(
    pieces: Callable[[], Iterator[bytes]], start_h2c: Start
) -> None:
    """The HTTP/2 bomb of 2026 keeps what requests have become in memory by a window of 0."""
    async with start_h2c() as server:
        await asyncio.to_thread(innocent, server.address, 5)
        memory = server.memory()
        with ExitStack() as stack:
            for _ in range(CONNECTIONS):
                peer = stack.enter_context(socket.create_connection(server.address, 10))
                frames = pieces()
                await asyncio.to_thread(peer.sendall, BEGIN + b"".join([next(frames) for _ in range(101)]))
                await asyncio.to_thread(innocent, server.address, 1)
            assert (server.memory() - memory) / CONNECTIONS < HELD
