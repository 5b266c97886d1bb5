"""The way in: new connections on the event loop.

uvloop accepts by itself, in C, and a quarter cheaper; when descriptors run out it closes whoever comes, so the server
sees to it that they do not (room.py). Whatever else accept() says again and again (no memory, no network: hazard E7),
it would try again and again, at full speed; so when somebody waits, two looks in a row, and we fail too, we take over.
asyncio's own loop never accepts by itself: it would try two thousand times in a row then, write a traceback each time,
and come back a second later (E1).
Tried and rejected: to have the kernel wake one of several workers for a connection, not all who wait (EPOLLEXCLUSIVE in
uvloop's epoll): a quarter fewer switches between two workers on one core, and nothing cheaper (1.12 against 1.09 times
what one worker takes, medians of 9 rounds).
"""

import asyncio
import logging
import select
import socket
from collections.abc import Callable
from functools import partial
from typing import Final

from pwb_async.network.listeners import BACKLOG

logger: Final = logging.getLogger("pwb")
_TURN: Final = 32
"""Connections accepted before those that are there have their turn."""
_PAUSE: Final = 0.1
"""Seconds without accept() when descriptors or memory have run out, or whatever else it said."""


class Acceptor:
    """protocol: makes one for each connection. It is open after open(), until close()."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: Callable[[], asyncio.Protocol]) -> None:
        self._loop = loop
        self._protocol = protocol
        self._servers: dict[socket.socket, asyncio.AbstractServer] = {}
        self._sockets: list[socket.socket] = []
        self._spare: dict[socket.socket, socket.socket] = {}
        self._poll = select.poll()
        self._came = -1
        self._coming: set[asyncio.Task[object]] = set()
        self._silent_until = 0.0

    async def open(self, sockets: list[socket.socket]) -> None:
        """Lets in whoever comes to these listening sockets."""
        for sock in sockets:
            sock.setblocking(False)
            if isinstance(self._loop, asyncio.SelectorEventLoop):
                self._sockets.append(sock)
                self._loop.add_reader(sock, self._accept, sock)
                continue
            self._poll.register(sock, select.POLLIN)
            self._spare[sock] = sock.dup()  # now: when it is needed there may be none
            if sock.family == socket.AF_UNIX:
                # Its file stays when one process closes the socket: other processes listen on it. (From CPython 3.13 on
                # the loop would remove it; uvloop has the argument in every version.)
                self._servers[sock] = await self._loop.create_unix_server(  # type: ignore[call-arg]
                    self._protocol, sock=sock, backlog=BACKLOG, cleanup_socket=False
                )
            else:
                self._servers[sock] = await self._loop.create_server(self._protocol, sock=sock, backlog=BACKLOG)

    def check(self, came: int) -> None:
        """Takes over from uvloop where it fails. Called a few times a second; came: connections so far."""
        if not self._servers:
            return
        waits = bool(self._poll.poll(0))
        if waits and came == self._came and not self._try():
            self._take_over()
        self._came = came if waits else -1

    def _try(self) -> bool:
        """Lets in whoever waits, if no other worker did meanwhile. False: nobody can be let in."""
        for listener in self._spare.values():
            try:
                self._let_in(listener.accept()[0])
            except (BlockingIOError, ConnectionAbortedError):
                continue
            except OSError:
                return False
        return True

    def _take_over(self) -> None:
        """From now on connections are accepted here, a little dearer; there is no way back."""
        while self._servers:
            sock, server = self._servers.popitem()
            mine = self._spare.pop(sock)
            server.close()  # it closes the one that it had
            self._sockets.append(mine)
            self._loop.add_reader(mine, self._accept, mine)

    async def close(self) -> None:
        """Nobody comes in any more, and those who were about to are in; the sockets are closed."""
        while self._servers:
            sock, server = self._servers.popitem()
            self._spare.pop(sock).close()
            server.close()
        while self._sockets:
            sock = self._sockets.pop()
            self._loop.remove_reader(sock)
            sock.close()
        await asyncio.gather(*self._coming, return_exceptions=True)
        await asyncio.sleep(0)  # uvloop has accepted, and tells the protocol on its next round

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_TURN):
            try:
                sock = listener.accept()[0]
            except BlockingIOError:
                return
            except ConnectionAbortedError:  # this one is gone already, the next may wait
                continue
            except OSError as error:
                self._pause(listener, error)
                return
            self._let_in(sock)

    def _let_in(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        coming = self._loop.create_task(self._loop.connect_accepted_socket(self._protocol, sock))
        self._coming.add(coming)
        coming.add_done_callback(partial(self._arrived, sock))

    def _arrived(self, sock: socket.socket, coming: asyncio.Task[object]) -> None:
        self._coming.discard(coming)
        if not coming.cancelled() and (error := coming.exception()):
            logger.debug("a connection that did not come to be: %s", error)
            sock.close()

    def _pause(self, listener: socket.socket, error: OSError) -> None:
        self._loop.remove_reader(listener)
        self._loop.call_later(_PAUSE, self._resume, listener)
        if self._loop.time() >= self._silent_until:
            self._silent_until = self._loop.time() + 1
            logger.error("cannot accept connections: %s", error.strerror)

    def _resume(self, listener: socket.socket) -> None:
        if listener in self._sockets:
            self._loop.add_reader(listener, self._accept, listener)
