"""Waits until a full socket has sent nearly everything in its send queue.

A transport that waits for space is called when a third of the kernel's buffer is free again, so a large file would take
three times as many steps. TCP_NOTSENT_LOWAT (Linux) makes a socket count as full until little is unsent. It is reset
before the socket is written to, because it would limit that as well.
"""

import asyncio
import select
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

_LOW_WATER: Final = 128 * 1024
"""Bytes left unsent when a socket is reported, so that the network stays busy; 16 KiB or 512 KiB cost more CPU."""
_ONCE: Final = select.EPOLLOUT | select.EPOLLONESHOT


class SendQueueWatcher:
    """An epoll of its own, which the loop watches: the loop's refuses a descriptor that belongs to a transport."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._epoll = select.epoll()
        self._waiting: dict[int, tuple[socket.socket, Callable[[], object]]] = {}
        loop.add_reader(self._epoll.fileno(), self._on_ready)

    def wait(self, sock: socket.socket, callback: Callable[[], object]) -> None:
        """Call `callback` once, when the send queue of `sock` is nearly empty or the connection has failed."""
        _set_low_water(sock, _LOW_WATER)
        number = sock.fileno()
        # A closed socket may still be listed under this number; the kernel has removed it from the epoll.
        again = number in self._waiting and self._waiting[number][0] is sock
        self._waiting[number] = sock, callback
        (self._epoll.modify if again else self._epoll.register)(number, _ONCE)

    def forget(self, sock: socket.socket) -> None:
        """Cancel wait(). The descriptor may have been closed by now, and its number reused."""
        number = sock.fileno()
        if number in self._waiting and self._waiting[number][0] is sock:
            del self._waiting[number]
            with suppress(OSError):
                self._epoll.unregister(number)

    def _on_ready(self) -> None:
        for number, _ in self._epoll.poll(0):
            if number in self._waiting:
                sock, callback = self._waiting[number]
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
