"""python -m tests.stress.asker SECONDS TARGET PORT [PORT ...]: how long answers take, asked in turn of several servers.

A program of its own, so that nothing else that the measuring process does is measured, too. Asking in turn puts the
noise of the machine on all servers alike. Nine of ten requests are asked on a connection that is kept, the tenth on a
new one, its connect included. Prints JSON: for each port the seconds of each answer, and the failures in words.
"""

import json
import socket
import sys
import time

from .answer import read_answer


class Asker:
    """One client of one server."""

    def __init__(self, port: int, target: str) -> None:
        self.address = ("127.0.0.1", port)
        self.request = f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode()
        self.kept: socket.socket | None = None
        self.took: list[float] = []
        self.failures: list[str] = []
        self.asked = 0

    def ask(self) -> None:
        self.asked += 1
        fresh = self.asked % 10 == 0
        start = time.perf_counter()
        try:
            sock = None if fresh else self.kept
            if sock is None:
                sock = socket.create_connection(self.address, timeout=5)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(self.request)
            head, _ = read_answer(sock)
        except (OSError, ValueError) as error:
            self.failures.append(repr(error))
            self.kept = None
            return
        self.took.append(time.perf_counter() - start)
        if not head.startswith(b"HTTP/1.1 200 "):
            self.failures.append(repr(head[:40]))
        if fresh or b"\r\nConnection: close" in head:
            sock.close()
            if not fresh:
                self.kept = None
        else:
            self.kept = sock


def main() -> None:
    seconds, target = float(sys.argv[1]), sys.argv[2]
    askers = [Asker(int(port), target) for port in sys.argv[3:]]
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for asker in askers:
            asker.ask()
    print(json.dumps([{"took": asker.took, "failures": asker.failures} for asker in askers]))


if __name__ == "__main__":
    main()
