"""PWB5 to type: a greenlet for each client. Run it with `python greenlets.py PORT ROOT`."""

from gevent import monkey

monkey.patch_all()  # first of all: now accept(), recv() and sendall() let other greenlets run

import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from email.utils import formatdate
from mimetypes import types_map
from urllib.parse import unquote

import gevent

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

    def serve_forever(self) -> None:
        """Accept a client, spawn a greenlet that serves it, accept the next."""
        while True:
            try:
                client_socket, _ = self.tcp_socket.accept()
                gevent.spawn(self.handlerequest, client_socket)
            except OSError:  # no descriptor is left, for the moment
                time.sleep(0.1)

    def handlerequest(self, client_socket: socket.socket) -> None:
        """Read a request, send the response, and close the connection."""
        with client_socket, suppress(OSError):  # the client has gone, or is too slow
            head, deadline = b"", time.monotonic() + PATIENCE
            while b"\r\n\r\n" not in head and len(head) <= LIMIT:  # TCP may split it anywhere
                if not (piece := self.receive(client_socket, deadline)):
                    return
                head = (head + piece).lstrip(b"\r\n")
            client_socket.settimeout(PATIENCE)
            for piece in respond(head.partition(b"\r\n\r\n")[0], self.root):
                client_socket.sendall(piece)  # send() may take only a part of it
                gevent.sleep(0)  # a fast client never makes sendall() wait
            client_socket.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + PATIENCE
            while self.receive(client_socket, deadline):
                pass  # to close with unread input could destroy a response that is on its way

    def receive(self, client_socket: socket.socket, deadline: float) -> bytes:
        """Wait until bytes arrive (none: the client sends no more). Raises TimeoutError at the deadline."""
        if (left := deadline - time.monotonic()) <= 0:
            raise TimeoutError
        client_socket.settimeout(left)
        return client_socket.recv(LIMIT)


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
