"""The way in: who connects is let in, who is one too many is told so and seen off. The door never blocks on a client,
so nobody who stands in it can hold up those behind (hazards A9, A13).
"""

import errno
import logging
import select
import socket
import time
from typing import Final

from pwb_async.core.messages import CLOSED
from pwb_async.setup import Setup

from .client import RECEIVE, Client

logger: Final = logging.getLogger("pwb")
_OUT_OF_SOMETHING: Final = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)
_PAUSE: Final = 0.1
"""Seconds without accept() when descriptors or memory have run out (hazard E1)."""
_MOST_LEAVING: Final = 64
"""Clients seen off at the same time; with one more the first is let go without further ado."""


class Door:
    """The listening sockets. wake: a socket that becomes readable when a signal has come."""

    def __init__(self, setup: Setup, wake: socket.socket) -> None:
        self._setup = setup
        self._wake = wake
        self._listeners = {sock.fileno(): sock for sock in setup.sockets}
        self._leaving: dict[int, Client] = {}
        self._complained = 0.0
        self._poll = select.poll()
        for sock in (wake, *setup.sockets):
            sock.setblocking(False)
            self._poll.register(sock, select.POLLIN)

    def wait(self) -> list[Client]:
        """Waits for something to happen; returns the clients that have come in, if any."""
        arrived: list[Client] = []
        now = time.monotonic()
        first = min((client.deadline.at for client in self._leaving.values()), default=None)
        for fd, _ in self._poll.poll(None if first is None else max(0, first - now) * 1000):
            if fd in self._listeners:
                arrived += self._accept(self._listeners[fd])
            elif fd == self._wake.fileno():
                self._wake.recv(RECEIVE)
            else:
                self._see_off(self._leaving[fd])
        now = time.monotonic()
        for client in [client for client in self._leaving.values() if client.deadline.at <= now]:
            self._let_go(client)
        return arrived

    def _accept(self, listener: socket.socket) -> list[Client]:
        try:
            sock, address = listener.accept()
        except OSError as error:
            # One client that is gone already, or no descriptor left: in the book it was the end (L9).
            if error.errno in _OUT_OF_SOMETHING:
                if time.monotonic() - self._complained > 1:
                    self._complained = time.monotonic()
                    logger.error("cannot accept connections: %s", error.strerror)
                time.sleep(_PAUSE)
            return []
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        return [Client(self._setup, sock, address[0])]

    def turn_away(self, client: Client, answer: bytes) -> None:
        """Sends `answer`, a few hundred bytes, and stays until the client has read it."""
        try:
            client.socket.setblocking(False)
            client.socket.send(answer)
            client.socket.shutdown(socket.SHUT_WR)
            self._poll.register(client.socket, select.POLLIN)
        except OSError as error:
            logger.debug("%s: %s", client.peer, error)
            client.socket.close()
            return
        self._leaving[client.socket.fileno()] = client
        client.deadline.watch(client.connection.waiting, time.monotonic())
        if len(self._leaving) > _MOST_LEAVING:
            self._let_go(next(iter(self._leaving.values())))

    def _see_off(self, client: Client) -> None:
        try:
            client.connection.receive_data(client.socket.recv(RECEIVE))
        except OSError:
            self._let_go(client)
            return
        if client.connection.next_event() is CLOSED:
            self._let_go(client)

    def _let_go(self, client: Client) -> None:
        self._poll.unregister(client.socket)
        del self._leaving[client.socket.fileno()]
        client.socket.close()

    def close(self) -> None:
        """No more clients."""
        for client in list(self._leaving.values()):
            self._let_go(client)
        for sock in self._listeners.values():
            sock.close()
