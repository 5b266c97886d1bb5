"""One client as a driver on raw sockets sees it, and the bytes of an answer as they go out."""

import logging
import os
import socket
from collections.abc import Iterator, Sequence
from typing import Final

from pwb_async.core.connection import Connection, Waiting
from pwb_async.core.deadline import Deadline
from pwb_async.core.messages import Part
from pwb_async.setup import Setup

logger: Final = logging.getLogger("pwb")
RECEIVE: Final = 64 * 1024
"""Bytes read from a socket at once."""
PIECE: Final = 64 * 1024
"""Bytes read from a file at once: the book read it whole, so each client cost the file's size in memory (L6)."""


class CutShortError(Exception):
    """The promised length cannot be kept: the file has become shorter, or the disk failed (hazard D1)."""


class Client:
    """One client: its socket, its Connection, and the deadline on what it must do next."""

    def __init__(self, setup: Setup, sock: socket.socket, peer: str) -> None:
        self.socket = sock
        self.peer = peer
        self.connection = Connection(setup.reader, setup.name)
        self.deadline = Deadline(setup.timeouts)

    @property
    def idle_since(self) -> float | None:
        """Orders idle clients, the oldest first; None while anything is under way."""
        return self.deadline.at if self.connection.waiting is Waiting.IDLE else None

    def stop(self) -> None:
        """No more requests: an idle client is closed now, any other after the answer under way (hazard F2)."""
        self.connection.last = True
        if self.connection.quiet:
            try:  # shutdown, not close: it wakes whoever waits in recv
                self.socket.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                logger.debug("%s: %s", self.peer, error)


def pieces(parts: Sequence[Part]) -> Iterator[memoryview]:
    """The bytes of an answer in the order they go out, read from the disk as they are asked for."""
    for part in parts:
        if isinstance(part, bytes):
            yield memoryview(part)
            continue
        file, start, left = part
        while left:
            try:
                piece = os.pread(file.fileno(), min(left, PIECE), start)
            except OSError as error:
                raise CutShortError(error.strerror) from error
            if not piece:
                raise CutShortError("the file has become shorter")
            yield memoryview(piece)
            start += len(piece)
            left -= len(piece)
