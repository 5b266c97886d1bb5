"""Accepts clients, and closes those that have had their last response. It never blocks on a client, so no client can
delay the next one (A9, A13).

Lingering close: a socket that is closed while the client still sends makes the kernel send RST, and the client may lose
the response. So after the last response the server only shuts down its own direction, discards what the client sends,
and closes the socket when the client has closed, or a timeout is over (RFC 9112 9.6).
"""

import select
import socket
import time
from collections.abc import Callable, Iterator
from typing import ClassVar, Final

from pwb_async.core.events import CLOSED
from pwb_async.network.accept import ACCEPT_PAUSE, AcceptErrors, accept
from pwb_async.network.listeners import peer_address
from pwb_async.observability.access_log import LOG_RETRY
from pwb_async.runtime.context import ServerContext

from .client import RECEIVE_SIZE, Client

MAX_ACCEPTS: Final = 64
"""Clients accepted in one round, before lingering clients get their turn."""


class Acceptor:
    """The listening sockets and the lingering clients, all watched by one poll()."""

    client_class: ClassVar[type[Client]] = Client
    """The class of an accepted client; overridden by tracing."""
    listeners: dict[int, socket.socket]
    """The listening sockets by descriptor; empty once the server stops."""
    failed: bool
    """The last accept() has failed, and the next one is due after ACCEPT_PAUSE."""

    def __init__(self, context: ServerContext, wakeup: socket.socket, on_close: Callable[[Client], None]) -> None:
        """wakeup: a byte on it ends a wait. on_close: called before the socket of any client is closed."""
        self._context = context
        self._wakeup = wakeup
        self._on_close = on_close
        self._before_close = self._forget  # one bound method for all clients, not one for each
        self.listeners = {sock.fileno(): sock for sock in context.sockets}
        self._lingering: dict[int, Client] = {}
        self._errors = AcceptErrors()
        self.failed = False
        self._poll = select.poll()
        self._wait = context.traced_wait(self._poll.poll)
        for sock in (wakeup, *context.sockets):
            sock.setblocking(False)
            self._poll.register(sock, select.POLLIN)

    def wait(self) -> Iterator[Client]:
        """Wait for an event once, and yield the clients that were accepted.

        A byte on `wakeup`, sent by a signal, ends the wait too.
        """
        now = time.monotonic()
        first = min((client.deadline.at for client in self._lingering.values()), default=None)
        if self._context.log is not None and self._context.log.pending:
            first = min(now + LOG_RETRY, first or now + LOG_RETRY)
        for fd, _ in self._wait(None if first is None else max(0.0, first - now) * 1000):
            listener = self.listeners.get(fd)
            if listener is not None:
                yield from self._accept_batch(listener)
            elif fd in self._lingering:
                self._discard_input(self._lingering[fd])
            elif fd == self._wakeup.fileno():
                self._wakeup.recv(RECEIVE_SIZE)
        now = time.monotonic()
        for client in [client for client in self._lingering.values() if client.deadline.at <= now]:
            client.close()

    def _accept_batch(self, listener: socket.socket) -> Iterator[Client]:
        for _ in range(MAX_ACCEPTS):
            client = self.accept(listener)
            if client is None:
                break
            yield client
        if self.failed:
            time.sleep(ACCEPT_PAUSE)

    def accept(self, listener: socket.socket) -> Client | None:
        """The next client, or None: no client is waiting, or accept() failed, which ended the book's server (L9)."""
        self.failed = False
        try:
            while (accepted := accept(listener)) is not None and not self._context.accepts(peer_address(accepted[1])):
                accepted[0].close()
            if accepted is None:
                return None
            sock, name = accepted
            if name:  # a Unix socket's peer has none
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        except OSError as error:
            if listener.fileno() >= 0:  # otherwise a signal handler has called close_listeners() meanwhile
                self.failed = True
                self._errors.report(error.strerror or "")
            return None
        return self.client_class(self._context, sock, peer_address(name), self._before_close)

    def start_lingering_close(self, client: Client) -> None:
        """Take over a client that has had its last response, and close it when it has closed its side."""
        client.lingering = True
        client.sock.setblocking(False)
        client.deadline.arm(client.connection.state, time.monotonic())
        self._lingering[client.sock.fileno()] = client
        self._poll.register(client.sock, select.POLLIN)

    def _discard_input(self, client: Client) -> None:
        try:
            client.connection.receive_data(client.sock.recv(RECEIVE_SIZE))
            closed = client.connection.next_event() is CLOSED
        except BlockingIOError:
            return
        except OSError:
            closed = True
        if closed:
            client.close()
        else:
            client.deadline.arm(client.connection.state, time.monotonic())

    def _forget(self, client: Client) -> None:
        if self._lingering.pop(client.sock.fileno(), None) is not None:
            self._poll.unregister(client.sock)
        self._on_close(client)

    def close_listeners(self) -> None:
        """Accept no more clients."""
        while self.listeners:
            fd, sock = self.listeners.popitem()
            self._poll.unregister(fd)
            sock.close()

    def close(self) -> None:
        """Accept no more clients, and close the lingering ones."""
        self.close_listeners()
        for client in list(self._lingering.values()):
            client.close()
