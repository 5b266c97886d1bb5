"""Measures response times of several servers: python -m tests.stress.response_times SECONDS TARGET PORT [PORT ...]

It is a program of its own, so that the other work of the measuring process does not disturb it. It sends requests to the
servers by turns, so that the noise of the machine affects all of them alike. Nine of ten requests use a persistent
connection, the tenth a new one, with its connect included. It prints JSON: for each port the seconds of each response, and
the failures.
"""

import json
import socket
import sys
import time

from .response import read_response


class TimedClient:
    """One client of one server."""

    def __init__(self, port: int, target: str) -> None:
        self.address = ("127.0.0.1", port)
        self.request = f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode()
        self.persistent: socket.socket | None = None
        self.seconds: list[float] = []
        self.failures: list[str] = []
        self.sent = 0

    def request_once(self) -> None:
        self.sent += 1
        fresh = self.sent % 10 == 0
        start = time.perf_counter()
        try:
            sock = None if fresh else self.persistent
            if sock is None:
                sock = socket.create_connection(self.address, timeout=5)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(self.request)
            head, _ = read_response(sock)
        except (OSError, ValueError) as error:
            self.failures.append(repr(error))
            self.persistent = None
            return
        self.seconds.append(time.perf_counter() - start)
        if not head.startswith(b"HTTP/1.1 200 "):
            self.failures.append(repr(head[:40]))
        if fresh or b"\r\nConnection: close" in head:
            sock.close()
            if not fresh:
                self.persistent = None
        else:
            self.persistent = sock


def main() -> None:
    duration, target = float(sys.argv[1]), sys.argv[2]
    clients = [TimedClient(int(port), target) for port in sys.argv[3:]]
    end = time.monotonic() + duration
    while time.monotonic() < end:
        for client in clients:
            client.request_once()
    print(json.dumps([{"seconds": client.seconds, "failures": client.failures} for client in clients]))


if __name__ == "__main__":
    main()
