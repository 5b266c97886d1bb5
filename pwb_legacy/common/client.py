"""One client: its socket, and how far its conversation has come."""

import logging
import socket
from typing import Final

from pwb_async.core.deadlines import Deadline
from pwb_async.core.events import ConnectionState
from pwb_async.core.http1.connection import Connection
from pwb_async.network.sockets import reset_on_close
from pwb_async.runtime.context import ServerContext

from .outgoing import ResponseSender

logger: Final = logging.getLogger("pwb")
RECEIVE_SIZE: Final = 64 * 1024
"""bytes read from a socket at once"""


class Client:
    """One client, as a server on raw sockets sees it."""

    __slots__ = ("connection", "deadline", "lingering", "outgoing", "peer", "socket")

    peer: str
    """its address"""
    connection: Connection
    """the HTTP state machine, which does no I/O"""
    deadline: Deadline
    """when it must have done what the server waits for"""
    outgoing: ResponseSender | None
    """the response that is being sent"""
    lingering: bool
    """the acceptor does the lingering close, so nothing else closes the socket"""

    def __init__(self, context: ServerContext, sock: socket.socket, peer: str) -> None:
        self.socket = sock
        self.peer = peer
        self.connection = Connection(context.parser, context.name)
        self.deadline = Deadline(context.timeouts)
        self.outgoing = None
        self.lingering = False

    @property
    def idle_since(self) -> float | None:
        """A number that is smallest for the client idle longest; None while a request or response is under way."""
        idle = (
            self.connection.state is ConnectionState.IDLE
            and self.outgoing is None
            and not self.connection.close_after_response
        )
        return self.deadline.at if idle else None

    def stop(self) -> None:
        """Accept no more requests: close now if idle, otherwise after the current response (F2).

        Another thread may be about to call recv(). shutdown(SHUT_RD) wakes it, which close() would not, and a request
        that has arrived already is still read (A7).
        """
        self.connection.close_after_response = True
        if self.connection.safe_to_close and self.outgoing is None:
            try:
                self.socket.shutdown(socket.SHUT_RD)
            except OSError as error:
                logger.debug("%s: %s", self.peer, error)

    def close(self, reset: bool = False) -> None:
        """Close the socket. reset: discard what the client has not taken yet, and send RST (A4)."""
        try:
            if reset:
                reset_on_close(self.socket)
            self.socket.close()
        except OSError as error:
            logger.debug("%s: %s", self.peer, error)
