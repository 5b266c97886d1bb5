"""One client, as the book calls a connection: its socket, and the state of its conversation."""

import logging
import socket
from collections.abc import Callable
from typing import Final

from pwb_async.core.deadlines import Deadline
from pwb_async.core.events import ConnectionState
from pwb_async.core.http1.connection import Connection
from pwb_async.network.sockets import reset_on_close
from pwb_async.runtime.context import ServerContext

from .outgoing import ResponseSender

logger: Final = logging.getLogger("pwb")
RECEIVE_SIZE: Final = 64 * 1024
"""Bytes read from a socket at once."""


class Client:
    """A connection of a server on raw sockets, and what the server needs to serve it."""

    __slots__ = ("_on_close", "connection", "deadline", "lingering", "outgoing", "peer", "sock")

    sock: socket.socket
    peer: str
    """The address at its other end; "-" on a Unix socket."""
    connection: Connection
    """The HTTP state machine, which does no I/O."""
    deadline: Deadline
    """When the client must have done what the server waits for."""
    outgoing: ResponseSender | None
    """The response that is being sent."""
    lingering: bool
    """The acceptor does the lingering close, and the design has no more to do for this client."""

    def __init__(
        self, context: ServerContext, sock: socket.socket, peer: str, on_close: Callable[["Client"], None]
    ) -> None:
        """on_close: called by close(), as long as the socket is still open."""
        self.sock = sock
        self.peer = peer
        self._on_close = on_close
        self.connection = context.connection_class(context.parser, context.server_field)
        self.deadline = Deadline(context.timeouts)
        self.outgoing = None
        self.lingering = False

    @property
    def address(self) -> str:
        """The address that its requests are from: that of the peer, or the one that the PROXY protocol names."""
        return self.connection.source or self.peer

    @property
    def idle_order(self) -> float | None:
        """A number that orders idle clients, the longest idle first; None while a request or response is under way."""
        idle = (
            self.connection.state is ConnectionState.IDLE
            and self.outgoing is None
            and not self.connection.close_after_response
        )
        return self.deadline.at if idle else None

    def stop(self) -> None:
        """Accept no more requests: end now if idle, otherwise after the current response (F2).

        A thread may be waiting in recv(). shutdown(SHUT_RD) wakes it, which close() would not, and a request that has
        arrived already is still read (A7).
        """
        self.connection.close_after_response = True
        if self.connection.safe_to_close and self.outgoing is None:
            try:
                self.sock.shutdown(socket.SHUT_RD)
            except OSError as error:
                logger.debug("%s: %s", self.peer, error)

    def close(self, reset: bool = False) -> None:
        """Close the socket. reset: discard what the client has not taken yet, and send RST (A4).

        The client's place is free before the socket is closed: a client that sees the end may connect again at once.
        """
        try:
            if reset:
                reset_on_close(self.sock)
            self._on_close(self)
            self.sock.close()
        except OSError as error:
            logger.debug("%s: %s", self.peer, error)
