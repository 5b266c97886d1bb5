"""PWB6 to type: epoll and one thread for all clients. Run it with `python epoll.py PORT ROOT`."""

import os
import re
import select
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from email.utils import formatdate
from mimetypes import types_map
from urllib.parse import unquote

LIMIT = 65536  # bytes of a head, and of a file, that are in memory at a time
PATIENCE = 5.0  # seconds for a client to send its head, to take a piece of the response, and to close
NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
FIELDS = rf"(?:\r\n(?!(?i:host):){NAME}:[\t -~\x80-\xff]*)*"
TARGET = r'(?:http://[^\s/?#@]+)?(/(?:[!"$&->@-~]|%(?!00)[0-9A-Fa-f]{2})*)(?:\?[!-~]*)?'
VERSION = rf'HTTP/1\.(?:0{FIELDS}|[0-9]{FIELDS}\r\n(?i:host):[\t ]*[!-"$-.0->A-[\]-~]*[\t ]*{FIELDS})'
REQUEST = re.compile(rf"(?:(?:GET|HEAD) {TARGET}|(?!GET |HEAD ){NAME} [!-~]+) {VERSION}")


class HTTPServer:
    """A web server for the files in a folder."""

    def __init__(self, port: int, root: str) -> None:
        self.root = os.path.join(os.path.realpath(root), "")  # with a slash at its end
        self.tcp_socket = socket.create_server(("127.0.0.1", port), backlog=128)
        self.tcp_socket.setblocking(False)
        self.epoll = select.epoll()
        self.epoll.register(self.tcp_socket, select.EPOLLIN)
        self.clients: dict[int, tuple[socket.socket, Iterator[int]]] = {}  # by descriptor
        self.deadlines: dict[int, float] = {}

    def serve_forever(self) -> None:
        """Wait until sockets are ready, and let each of their clients go on."""
        while True:
            for fd, _ in self.epoll.poll(1.0):
                if fd == self.tcp_socket.fileno():
                    self.accept()
                else:
                    self.step(fd)
            for fd in [fd for fd, deadline in list(self.deadlines.items()) if deadline < time.monotonic()]:
                with suppress(KeyError, OSError):  # it has ended already
                    self.clients[fd][0].shutdown(socket.SHUT_RDWR)  # so epoll reports it, and its next step ends it

    def accept(self) -> None:
        """Accept a client, and let it begin."""
        try:
            client_socket, _ = self.tcp_socket.accept()
            fd = client_socket.fileno()
            client_socket.setblocking(False)
            self.epoll.register(fd, 0)
            self.clients[fd] = client_socket, self.handlerequest(client_socket)
            self.step(fd)
        except OSError:  # no descriptor is left, for the moment
            time.sleep(0.01)

    def step(self, fd: int) -> None:
        """Let a client go on to the next yield."""
        client_socket, steps = self.clients[fd]
        try:
            self.epoll.modify(fd, next(steps))
        except StopIteration:
            del self.clients[fd], self.deadlines[fd]  # before close(), which frees the number for the next client
            client_socket.close()

    def handlerequest(self, client_socket: socket.socket) -> Iterator[int]:
        """Read a request, and send the response. Yields what the client has to be ready for."""
        head, fd = b"", client_socket.fileno()
        with suppress(OSError):  # the client has gone
            self.deadlines[fd] = time.monotonic() + PATIENCE
            while b"\r\n\r\n" not in head and len(head) <= LIMIT:  # TCP may split it anywhere
                yield select.EPOLLIN
                if not (piece := client_socket.recv(LIMIT)):
                    return
                head = (head + piece).lstrip(b"\r\n")
            for piece in respond(head.partition(b"\r\n\r\n")[0], self.root):
                self.deadlines[fd] = time.monotonic() + PATIENCE
                while piece:
                    yield select.EPOLLOUT
                    piece = piece[client_socket.send(piece) :]  # send() may take only a part of it
            client_socket.shutdown(socket.SHUT_WR)
            self.deadlines[fd] = time.monotonic() + PATIENCE
            yield select.EPOLLIN
            while client_socket.recv(LIMIT):
                yield select.EPOLLIN  # to close with unread input could destroy a response that is on its way


def respond(head: bytes, root: str) -> Iterator[bytes]:
    """Yield a response in pieces: its head, then the content."""
    status, path = find(head, root)
    media_type = types_map.get(os.path.splitext(path)[1].lower(), "application/octet-stream")
    charset = "; charset=utf-8" if media_type.startswith("text/") else ""
    with open(path, "rb") as file:
        left = os.fstat(file.fileno()).st_size
        fields = f"Connection: close\r\nContent-Type: {media_type}{charset}\r\nContent-Length: {left}"
        yield f"HTTP/1.1 {status}\r\nDate: {formatdate(usegmt=True)}\r\n{fields}\r\n\r\n".encode()
        while not head.startswith(b"HEAD ") and (piece := file.read(min(left, LIMIT))):
            left -= len(piece)  # never more than Content-Length, even if the file grows
            yield piece


def find(head: bytes, root: str) -> tuple[str, str]:
    """A status, and the file with the content."""
    request = REQUEST.fullmatch(head.decode("latin-1")) if len(head) <= LIMIT else None
    if not request or not request[1]:  # [1]: the path of GET and HEAD
        return "501 Not Implemented" if request else "400 Bad Request", os.devnull
    name = unquote(request[1], errors="surrogateescape")  # before the checks, or %2e%2e would pass them
    path = os.path.realpath(root + name + "index.html" * name.endswith("/"))  # a link may lead outside
    found = "/." not in name and path.startswith(root) and os.path.isfile(path) and os.access(path, os.R_OK)
    return ("200 OK", path) if found else ("404 Not Found", os.devnull)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        HTTPServer(int(sys.argv[1]), sys.argv[2]).serve_forever()
