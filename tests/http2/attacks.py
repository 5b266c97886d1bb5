"""Attacks on HTTP/2: docs/hazards.md, the table of attacks on HTTP/2."""

import select
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final, NamedTuple

from pwb_async.core.http2.errors import ErrorCode
from pwb_async.core.http2.frames import GOAWAY, HEADER, RST_STREAM
from tests.core.http2.rfc9113 import BEGIN, CANCEL, PRIORITY_5, get, on, post, setting, update

ENOUGH: Final = 200 << 10
"""Bytes that an attacker sends; several times as many as end its connection, but not so many that the server resets it and
GOAWAY is lost."""
OPTIONS: Final = ("--send-timeout", "1")
"""Options of a server whose responses without a window end soon."""
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


def a_field_for_each_byte() -> Iterator[bytes]:
    """95 fields for 125 bytes, each of which costs memory again."""
    yield setting((4, 0))
    names = b"".join([b"\x40\x02%c%c\x00" % (97 + number // 16, 97 + number % 16) for number in range(95)])
    yield on(1, 1, 5, TABLE + names)
    references = bytes(range(0xBE, 0xFF)) + b"".join([b"\xff%c" % number for number in range(30)])
    for stream in range(3, 2**31, 2):
        yield on(stream, 1, 5, b"\x82\x86\x84\x01\x01h" + references)


class Attack(NamedTuple):
    """What an attacker sends, and the code of the GOAWAY that ends it, or codes where that depends on the reads."""

    pieces: Callable[[], Iterator[bytes]]
    codes: tuple[ErrorCode, ...] = (CALM,)

    @property
    def wire(self) -> bytes:
        """All that one attacker sends."""
        wire = bytearray(BEGIN)
        for piece in self.pieces():
            wire += piece
            if len(wire) > ENOUGH:
                break
        return bytes(wire)


ATTACKS: Final = (
    *map(Attack, (rapid_reset, resets_that_the_server_makes, malformed_requests, continuations, empty_continuations)),
    *map(Attack, (hpack_bomb, http2_bomb, cookie_crumbs, large_requests_without_a_window, streams_that_never_end)),
    *map(Attack, (pings, settings_frames, many_settings, priorities, unknown_frames, window_updates)),
    *map(Attack, (empty_data, data_of_one_byte)),
    Attack(windows_that_overflow, (ErrorCode.FLOW_CONTROL_ERROR,)),
    Attack(more_streams_than_are_allowed, (CALM, ErrorCode.NO_ERROR)),
)


def attack(address: tuple[str, int], wire: bytes) -> list[ErrorCode]:
    """Send until the server has closed its side, or everything; return the codes of its GOAWAY frames."""
    received = bytearray()
    left = memoryview(wire)
    with socket.create_connection(address, 10) as peer, suppress(ConnectionError):
        peer.setblocking(False)
        while True:
            readable, writable, _ = select.select([peer], [peer] if left else [], [], 10)
            assert readable or writable, "the server neither takes nor sends anything"
            if readable:
                data = peer.recv(1 << 16)
                if not data:
                    break
                received += data
            if writable:
                left = left[peer.send(left[:20_000]) :]
    return list(goaways(bytes(received)))


def goaways(data: bytes) -> Iterator[ErrorCode]:
    while len(data) >= HEADER.size:
        high, low, kind, _, _ = HEADER.unpack_from(data)
        end = HEADER.size + (high << 8 | low)
        if kind == GOAWAY:
            yield ErrorCode(int.from_bytes(data[HEADER.size + 4 : HEADER.size + 8], "big"))
        data = data[end:]
