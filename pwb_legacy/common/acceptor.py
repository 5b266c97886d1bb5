"""The way in: who connects is let in, who is to go is seen off. The door never blocks on a client, so nobody who stands
in it can hold up those behind (hazards A9, A13).
"""

import logging
import select
import socket
import time
from collections.abc import Iterator
from typing import ClassVar, Final

from pwb_async.core.events import CLOSED
from pwb_async.network.listeners import client_address
from pwb_async.runtime.context import ServerContext

from .client import RECEIVE, Client

logger: Final = logging.getLogger("pwb")
_PAUSE: Final = 0.1
"""Seconds without accept() when descriptors or memory have run out (hazard E1)."""
_TURN: Final = 64
"""Clients let in before those who are seen off have their turn."""
_MOST_LEAVING: Final = 64
"""Clients seen off at the same time; with one more the first is let go without further ado."""


class Acceptor:
    """listeners: by descriptor. wake: a socket that becomes readable when a signal has come. failed: the last accept()
    did, so that trying again at once would only make the server spin. clients: what they are to it."""

    clients: ClassVar[type[Client]] = Client

    def __init__(self, context: ServerContext, wake: socket.socket) -> None:
        self._context = context
        self._wake = wake
        self.listeners = {sock.fileno(): sock for sock in context.sockets}
        self._leaving: dict[int, Client] = {}
        self._complained = 0.0
        self.failed = False
        self._poll = select.poll()
        self._events = context.traced_wait(self._poll.poll)
        for sock in (wake, *context.sockets):
            sock.setblocking(False)
            self._poll.register(sock, select.POLLIN)

    def wait(self) -> Iterator[Client]:
        """Waits until something happens; if it is that clients have come in, gives them all, one by one."""
        now = time.monotonic()
        first = min((client.deadline.at for client in self._leaving.values()), default=None)
        for fd, _ in self._events(None if first is None else max(0.0, first - now) * 1000):
            listener = self.listeners.get(fd)
            if listener is not None:
                yield from self._let_in(listener)
            elif fd in self._leaving:
                self._attend(self._leaving[fd])
            elif fd == self._wake.fileno():
                self._wake.recv(RECEIVE)
        now = time.monotonic()
        for client in [client for client in self._leaving.values() if client.deadline.at <= now]:
            self._let_go(client)

    def _let_in(self, listener: socket.socket) -> Iterator[Client]:
        for _ in range(_TURN):
            client = self.accept(listener)
            if client is None:
                break
            yield client
        if self.failed and self._leaving:
            self._let_go(next(iter(self._leaving.values())))
        elif self.failed:
            time.sleep(_PAUSE)

    def accept(self, listener: socket.socket) -> Client | None:
        """The next client; None: there is none, or it cannot come in. In the book, the latter was the end (L9)."""
        self.failed = False
        while True:
            try:
                sock, address = listener.accept()
                if address:  # a Unix socket has none
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            except BlockingIOError:
                return None
            except ConnectionAbortedError:  # this one is gone already, the next may wait
                continue
            except OSError as error:
                if listener.fileno() < 0:  # shut() came in between
                    return None
                self.failed = True
                if time.monotonic() - self._complained > 1:
                    self._complained = time.monotonic()
                    logger.error("cannot accept connections: %s", error.strerror)
                return None
            return self.clients(self._context, sock, client_address(address))

    def see_off(self, client: Client) -> None:
        """Stays with a client that has its last answer until it has read it, and closes it."""
        client.leaving = True
        client.socket.setblocking(False)
        client.deadline.arm(client.connection.state, time.monotonic())
        self._leaving[client.socket.fileno()] = client
        self._poll.register(client.socket, select.POLLIN)
        if len(self._leaving) > _MOST_LEAVING:
            self._let_go(next(iter(self._leaving.values())))

    def _attend(self, client: Client) -> None:
        try:
            client.connection.receive_data(client.socket.recv(RECEIVE))
            gone = client.connection.next_event() is CLOSED
        except BlockingIOError:
            return
        except OSError:
            gone = True
        if gone:
            self._let_go(client)
        else:
            client.deadline.arm(client.connection.state, time.monotonic())

    def _let_go(self, client: Client) -> None:
        del self._leaving[client.socket.fileno()]
        self._poll.unregister(client.socket)
        client.close()

    def shut(self) -> None:
        """No more clients."""
        while self.listeners:
            fd, sock = self.listeners.popitem()
            self._poll.unregister(fd)
            sock.close()

    def close(self) -> None:
        """Lets everybody go, too."""
        self.shut()
        for client in list(self._leaving.values()):
            self._let_go(client)
