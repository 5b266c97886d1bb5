"""The client of a row: bytes to the server, and everything that comes back within a time."""

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from .server import Address

WAIT: Final = 3.0
"""Seconds without a byte after which nothing more is expected."""
SOON: Final = 0.2
"""Seconds in which further bytes would follow a complete response."""
LONGEST: Final = 15.0
"""Seconds that reading takes at most."""
MOST: Final = 32 << 20
"""Bytes that are read at most."""


class Answer(NamedTuple):
    """What a client got."""

    data: bytes
    end: str
    """closed, silence, reset or refused; the last three are kinds of a Finding."""


def exchange(
    address: Address, pieces: Sequence[bytes], is_complete: Callable[[bytes], bool], wait: float = WAIT
) -> Answer:
    """Send pieces, end its side of the connection, and read to the end.

    is_complete: whether bytes are a response to which nothing needs to follow; a server may keep the connection open.
    """
    try:
        client = socket.create_connection(address, wait)
    except OSError:
        return Answer(b"", "refused")
    with client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(OSError):  # it has responded before the end of the request, and closed
            _send(client, pieces)
            client.shutdown(socket.SHUT_WR)
        return _receive(client, is_complete, wait)


def _send(client: socket.socket, pieces: Sequence[bytes]) -> None:
    """Send the first piece, and the others when the server has had time to read it alone."""
    for number, piece in enumerate(pieces):
        if number == 1:
            time.sleep(0.01)
        client.sendall(piece)


def _receive(client: socket.socket, is_complete: Callable[[bytes], bool], wait: float) -> Answer:
    data, end = b"", time.monotonic() + LONGEST
    while len(data) < MOST and (left := end - time.monotonic()) > 0:
        client.settimeout(min(left, SOON if data and is_complete(data) else wait))
        try:
            piece = client.recv(1 << 20)
        except TimeoutError:
            break
        except OSError:
            return Answer(data, "reset")
        if not piece:
            return Answer(data, "closed")
        data += piece
    return Answer(data, "silence")
