"""Waits until a full socket has sent nearly everything in its send queue.

The kernel reports a socket as writable when a third of its buffer is free again, so a large file would take three times
as many steps. TCP_NOTSENT_LOWAT (Linux) makes a socket count as full until little is unsent. It is reset
before the socket is written to, because it would limit that as well.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from select import EPOLLONESHOT, EPOLLOUT, epoll
from typing import Final, Protocol

_LOW_WATER: Final = 128 * 1024
"""Bytes left unsent when a socket is reported, so that the network stays busy; 16 KiB or 512 KiB cost more CPU."""
_ONCE: Final = EPOLLOUT | EPOLLONESHOT
"""The events of a socket that is reported once, when it becomes writable."""


class SendQueue(Protocol):
    """What calls back when more of a file can be sent on a socket."""

    def wait(self, sock: socket.socket, callback: Callable[[], object]) -> None:
        """Call `callback` once, when more can be sent or the connection has failed."""

    def forget(self, sock: socket.socket) -> None:
        """Cancel wait()."""


class SendQueueWatcher:
    """Calls back when a socket's send queue is nearly empty.

    It has an epoll of its own, whose descriptor the loop watches, as the loop refuses to watch a transport's socket.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll = epoll()
        self._waiting: dict[int, tuple[socket.socket, Callable[[], object]]] = {}
        loop.add_reader(self._epoll.fileno(), self._on_ready)

    def wait(self, sock: socket.socket, callback: Callable[[], object]) -> None:
        """Call `callback` once, when the send queue of `sock` is nearly empty or the connection has failed."""
        _set_low_water(sock, _LOW_WATER)
        fd = sock.fileno()
        # A closed socket may still be listed under this number; the kernel has removed it from the epoll.
        again = fd in self._waiting and self._waiting[fd][0] is sock
        self._waiting[fd] = sock, callback
        (self._epoll.modify if again else self._epoll.register)(fd, _ONCE)

    def forget(self, sock: socket.socket) -> None:
        """Cancel wait(). The descriptor may have been closed by now, and its number reused."""
        fd = sock.fileno()
        if fd in self._waiting and self._waiting[fd][0] is sock:
            del self._waiting[fd]
            with suppress(OSError):
                self._epoll.unregister(fd)

    def _on_ready(self) -> None:
        for fd, _ in self._epoll.poll(0):
            if fd in self._waiting:
                sock, callback = self._waiting[fd]
                _set_low_water(sock, 0)
                callback()

    def close(self) -> None:
        """Stop watching all sockets."""
        self._waiting.clear()
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()


def _set_low_water(sock: socket.socket, unsent: int) -> None:
    """Make `sock` writable only below this many unsent bytes; 0 is the system's default."""
    with suppress(OSError):  # a Unix socket has no such option
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, unsent)
