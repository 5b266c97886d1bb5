"""An exhibit, NOT TO BE USED: one thread and epoll, as in section 9.4 of the book (net09_web_PWB6.py)."""

import select
import socket

from .pwb2 import SingleServer


class EpollServer(SingleServer):
    """One thread for all clients; epoll reports, edge-triggered, which sockets are ready."""

    server = "PWB6.0"

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(address)
        self.tcp_socket.setblocking(False)
        self.epoll = select.epoll()
        self.epoll.register(self.tcp_socket.fileno(), select.EPOLLIN | select.EPOLLET)
        self.connections: dict[int, socket.socket] = {}
        self.addresses: dict[int, tuple[str, int]] = {}

    def serve_forever(self) -> None:
        while True:
            for fd, events in self.epoll.poll():
                if fd == self.tcp_socket.fileno():
                    self.accept()
                elif events == select.EPOLLIN:  # L15: an event may have more bits than this one
                    self.handlerequest(fd)

    def accept(self) -> None:
        """Accept one client, and register its socket."""
        client, peer = self.tcp_socket.accept()  # L13: one client, though more may wait; L9: an error ends the program
        print(peer, "asks")  # L20: waits for whatever reads standard output
        fd = client.fileno()
        self.connections[fd], self.addresses[fd] = client, peer
        self.epoll.register(fd, select.EPOLLIN | select.EPOLLET)  # L14: the client's socket blocks

    def handlerequest(self, fd: int) -> None:  # type: ignore[override]  # the book's method takes a number here, too
        client = self.connections[fd]
        request = client.recv(2048).decode()  # L2: one piece is not all; L3: not UTF-8; L10: no time limit
        if request:
            self.respond(client, request)
        self.epoll.unregister(fd)
        client.close()  # L8: with unread input, this is a reset
        print(self.addresses[fd], "is done")
        del self.connections[fd]  # L17: in a thread (pwb7), the number may be that of a new client by now
        del self.addresses[fd]
