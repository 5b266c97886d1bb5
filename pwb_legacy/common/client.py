"""One client as a driver on raw sockets sees it, and an answer on its way out, piece by piece."""

import logging
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Final

from pwb_async.core.deadlines import Deadline
from pwb_async.core.events import BadRequest, ConnectionState
from pwb_async.core.http1.connection import Connection
from pwb_async.core.semantics.messages import Part, Request, Response
from pwb_async.network.sockets import reset_on_close
from pwb_async.runtime.context import ServerContext

logger: Final = logging.getLogger("pwb")
RECEIVE: Final = 64 * 1024
"""Bytes read from a socket at once."""
PIECE: Final = 64 * 1024
"""Bytes read from a file at once: the book read it whole, so each client cost the file's size in memory (L6)."""
_NOTHING: Final = memoryview(b"")


class TruncatedError(Exception):
    """The promised length cannot be kept: the file has become shorter, or the disk failed (hazard D1)."""


class ResponseSender:
    """An answer on its way out. left: bytes still to go. sent: bytes that the kernel has taken. piece: read, not sent.

    began: seconds since the epoch.
    """

    __slots__ = ("_look", "_pieces", "_sent", "began", "event", "left", "piece", "response", "sent")

    def __init__(self, event: Request | BadRequest, response: Response, began: float) -> None:
        self.event, self.response, self.began = event, response, began
        self.left = self.sent = self._sent = 0
        self._look = time.monotonic()
        self.piece = _NOTHING

    def put(self, parts: Sequence[Part]) -> None:
        """What is to go out. The first piece is there at once, a head needs no disk."""
        self.left = sum(len(part) if isinstance(part, bytes) else part.length for part in parts)
        self._pieces = pieces(parts)
        self.load()

    def load(self) -> None:
        """Reads the next piece. Raises TruncatedError."""
        self.piece = next(self._pieces)

    def push(self, sock: socket.socket) -> None:
        """Hands over what the kernel takes of the piece: the book thought it takes everything (L5). Raises OSError."""
        taken = sock.send(self.piece)
        self.piece = self.piece[taken:] if taken < len(self.piece) else _NOTHING
        self.sent += taken
        self.left -= taken

    def crawls(self, rate: int, period: float) -> bool:
        """Whether, at the end of a period, fewer than `rate` bytes a second have gone out in it (hazard A5)."""
        now = time.monotonic()
        if now < self._look + period:
            return False
        slow = self.sent - self._sent < rate * (now - self._look)
        self._look, self._sent = now, self.sent
        return slow


class Client:
    """One client: its socket, its Connection, and the deadline on what it must do next.

    outgoing: the answer under way. leaving: the door sees it off, and closes it.
    """

    __slots__ = ("connection", "deadline", "leaving", "outgoing", "peer", "socket")

    def __init__(self, context: ServerContext, sock: socket.socket, peer: str) -> None:
        self.socket = sock
        self.peer = peer
        self.connection = Connection(context.parser, context.name)
        self.deadline = Deadline(context.timeouts)
        self.outgoing: ResponseSender | None = None
        self.leaving = False

    @property
    def idle_since(self) -> float | None:
        """Orders idle clients, the oldest first; None while anything is under way, and for one that was stopped."""
        idle = (
            self.connection.state is ConnectionState.IDLE
            and self.outgoing is None
            and not self.connection.close_after_response
        )
        return self.deadline.at if idle else None

    def stop(self) -> None:
        """No more requests: an idle client is closed now, any other after the answer under way (hazard F2).

        Another thread may be just about to receive. The end of reading, unlike close(), wakes it if it waits and
        still gives it a request that has come already (hazard A7).
        """
        self.connection.close_after_response = True
        if self.connection.safe_to_close and self.outgoing is None:
            try:
                self.socket.shutdown(socket.SHUT_RD)
            except OSError as error:
                logger.debug("%s: %s", self.peer, error)

    def close(self, forget: bool = False) -> None:
        """forget: what the kernel has not sent yet, too, for a peer that does not take it (hazard A4)."""
        try:
            if forget:
                reset_on_close(self.socket)
            self.socket.close()
        except OSError as error:
            logger.debug("%s: %s", self.peer, error)


def pieces(parts: Sequence[Part]) -> Iterator[memoryview]:
    """The bytes of an answer in the order they go out, read from the disk as they are asked for."""
    for part in parts:
        if isinstance(part, bytes):
            yield memoryview(part)
            continue
        file, start, left = part
        buffer = memoryview(bytearray(min(left, PIECE)))  # the same for all, each has gone before the next is read
        while left:
            try:
                size = file.read_into(buffer[:left], start)
            except OSError as error:
                raise TruncatedError(error.strerror) from error
            if not size:
                raise TruncatedError("the file has become shorter")
            yield buffer[:size]
            start += size
            left -= size
