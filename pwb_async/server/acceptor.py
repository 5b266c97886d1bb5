"""Accepts connections on the event loop.

With uvloop, libuv accepts by itself, in C, which is about a quarter cheaper. But if accept() keeps failing (no memory,
network down), libuv retries in a tight loop. So check() watches it: if connections are waiting at two checks in a row,
none has been accepted in between, and accept() fails here too, uvloop's servers are closed, and connections are
accepted here from then on. Without descriptors libuv would drop clients; network/admission.py keeps a reserve.

asyncio's own loop is never asked to accept: on an error it retries some 2,000 times, logs a traceback each time, and
pauses for a second.
"""

import asyncio
import logging
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from pwb_async.network.accept import ACCEPT_PAUSE, AcceptErrors, accept
from pwb_async.network.listeners import BACKLOG

logger: Final = logging.getLogger("pwb")
_MAX_ACCEPTS: Final = 32
"""Connections accepted in a row before open ones get their turn."""


class Acceptor:
    """Accepts connections on listening sockets, from open() to close()."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: Callable[[], asyncio.Protocol]) -> None:
        """protocol: makes the protocol of each connection."""
        self._loop = loop
        self._protocol = protocol
        self._servers: dict[socket.socket, asyncio.AbstractServer] = {}
        """The servers of uvloop, which accept by themselves, by listening socket."""
        self._duplicates: dict[socket.socket, socket.socket] = {}
        """A duplicate of the listening socket of each of these servers, which close their own."""
        self._sockets: list[socket.socket] = []
        """The listening sockets on which this object accepts."""
        self._poll = select.poll()
        self._last_accepted = -1
        """Connections accepted until the last check, if others were waiting then; -1 otherwise."""
        self._connecting: set[asyncio.Task[object]] = set()
        """The tasks that make the transports of connections accepted here."""
        self._errors = AcceptErrors()

    async def open(self, sockets: list[socket.socket]) -> None:
        """Accept connections on these listening sockets."""
        for sock in sockets:
            sock.setblocking(False)
            if isinstance(self._loop, asyncio.SelectorEventLoop):
                self._sockets.append(sock)
                self._loop.add_reader(sock, self._accept, sock)
                continue
            self._poll.register(sock, select.POLLIN)
            self._duplicates[sock] = sock.dup()  # now, as there may be no descriptor when it is needed
            if sock.family == socket.AF_UNIX:
                # Keep the socket's file when one process closes it: other processes listen on it. (From CPython 3.13 on
                # the loop would remove it; uvloop has the argument in every version.)
                self._servers[sock] = await self._loop.create_unix_server(  # type: ignore[call-arg]
                    self._protocol, sock=sock, backlog=BACKLOG, cleanup_socket=False
                )
            else:
                self._servers[sock] = await self._loop.create_server(self._protocol, sock=sock, backlog=BACKLOG)

    def check(self, accepted: int) -> None:
        """Take over from uvloop if it fails. To be called a few times a second.

        accepted: how many connections have been accepted so far.
        """
        if not self._servers:
            return
        waiting = bool(self._poll.poll(0))
        if waiting and accepted == self._last_accepted and not self._try_accept():
            self._take_over()
        self._last_accepted = accepted if waiting else -1

    def _try_accept(self) -> bool:
        """Call accept() for each listening socket; return False if it fails.

        It does not fail if no connection is waiting any more because another worker has accepted it.
        """
        for listener in self._duplicates.values():
            try:
                if (accepted := accept(listener)) is not None:
                    self._connect(accepted[0])
            except OSError:
                return False
        return True

    def _take_over(self) -> None:
        """Accept connections here from now on, at a slightly higher cost."""
        while self._servers:
            sock, server = self._servers.popitem()
            duplicate = self._duplicates.pop(sock)
            server.close()  # which closes `sock`
            self._sockets.append(duplicate)
            self._loop.add_reader(duplicate, self._accept, duplicate)

    async def close(self, *, accept_waiting: bool = False) -> None:
        """Stop accepting and close the sockets. When this returns, every accepted connection has its protocol.

        accept_waiting: whether to accept the connections that wait in the kernel's queue, since no other process will.
        """
        if accept_waiting:
            for listener in (*self._duplicates.values(), *self._sockets):
                self._accept_waiting(listener)
        while self._servers:
            sock, server = self._servers.popitem()
            self._duplicates.pop(sock).close()
            server.close()
        while self._sockets:
            sock = self._sockets.pop()
            self._loop.remove_reader(sock)
            sock.close()
        await asyncio.gather(*self._connecting, return_exceptions=True)
        await asyncio.sleep(0)  # uvloop calls connection_made() in its next iteration

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_MAX_ACCEPTS):
            try:
                accepted = accept(listener)
            except OSError as error:
                self._pause(listener, error)
                return
            if accepted is None:
                return
            self._connect(accepted[0])

    def _accept_waiting(self, listener: socket.socket) -> None:
        with suppress(OSError):
            for _ in range(BACKLOG):
                if (accepted := accept(listener)) is None:
                    return
                self._connect(accepted[0])

    def _connect(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        connecting = self._loop.create_task(self._loop.connect_accepted_socket(self._protocol, sock))
        self._connecting.add(connecting)
        connecting.add_done_callback(partial(self._connected, sock))

    def _connected(self, sock: socket.socket, connecting: asyncio.Task[object]) -> None:
        self._connecting.discard(connecting)
        if not connecting.cancelled() and (error := connecting.exception()):
            logger.debug("an accepted connection failed: %s", error)
            sock.close()

    def _pause(self, listener: socket.socket, error: OSError) -> None:
        self._loop.remove_reader(listener)
        self._loop.call_later(ACCEPT_PAUSE, self._resume, listener)
        self._errors.report(error.strerror or "")

    def _resume(self, listener: socket.socket) -> None:
        if listener in self._sockets:
            self._loop.add_reader(listener, self._accept, listener)
