"""PWB1 to type: the same page for every request. Run it with `python fixed_page.py PORT`."""

import socket
import sys
import time
from contextlib import suppress

LIMIT = 65536  # bytes of a head that are in memory
PATIENCE = 5.0  # seconds for a client to send its head, to take the response, and to close
PAGE = b"hello PWB\n"
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(PAGE)


class HTTPServer:
    """A web server with a single page."""

    def __init__(self, port: int) -> None:
        self.tcp_socket = socket.create_server(("127.0.0.1", port), backlog=128)

    def serve_forever(self) -> None:
        """Accept a client, serve it, accept the next."""
        while True:
            try:
                client_socket, _ = self.tcp_socket.accept()
                self.handlerequest(client_socket)
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
            client_socket.sendall(HEAD if head.startswith(b"HEAD ") else HEAD + PAGE)  # send() may take only a part
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


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        HTTPServer(int(sys.argv[1])).serve_forever()
