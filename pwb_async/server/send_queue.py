"""Waits until a socket that is full has sent nearly all it has.

A transport that waits for room is told when a third of the kernel's buffer is free again, and so a large file would go
out in three times as many steps. TCP_NOTSENT_LOWAT (Linux) makes a socket count as full until little is left; it is
taken back before the socket is written to, since it would bound that, too.
"""

import asyncio
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

_LEFT: Final = 128 * 1024
"""Bytes not yet sent, so that the line is not idle until we come. With 16 KiB or 512 KiB an answer of 100 MiB costs up
to a tenth more CPU (16 connections on loopback)."""
_ONCE: Final = select.EPOLLOUT | select.EPOLLONESHOT


class SendQueueWatcher:
    """An epoll of its own, which the loop watches: the loop's would not take a transport's descriptor."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll = select.epoll()
        self._waiting: dict[int, tuple[socket.socket, Callable[[], object]]] = {}
        loop.add_reader(self._epoll.fileno(), self._look)

    def wait(self, sock: socket.socket, call: Callable[[], object]) -> None:
        """Calls `call`, once, when `sock` has room, or an error to tell."""
        _count_as_full(sock, _LEFT)
        number = sock.fileno()
        # The number may have been another one's, who has not been forgotten yet; the kernel knows only open ones.
        again = number in self._waiting and self._waiting[number][0] is sock
        self._waiting[number] = sock, call
        (self._epoll.modify if again else self._epoll.register)(number, _ONCE)

    def forget(self, sock: socket.socket) -> None:
        """Ends what wait() has begun. The descriptor may be closed by now, and somebody else's."""
        number = sock.fileno()
        if number in self._waiting and self._waiting[number][0] is sock:
            del self._waiting[number]
            with suppress(OSError):
                self._epoll.unregister(number)

    def _look(self) -> None:
        for number, _ in self._epoll.poll(0):
            if number in self._waiting:
                sock, call = self._waiting[number]
                _count_as_full(sock, 0)
                call()

    def close(self) -> None:
        """Nobody is waited for any more."""
        self._waiting.clear()
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()


def _count_as_full(sock: socket.socket, left: int) -> None:
    """left: bytes not yet sent with which `sock` is full; 0: those of the system."""
    with suppress(OSError):  # a Unix socket has no such bound
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, left)
