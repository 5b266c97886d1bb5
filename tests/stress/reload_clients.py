"""The clients of reload.py, each in a process of its own: python -m tests.stress.reload_clients --help

A client sends requests without a pause until SIGTERM, counts the responses in a file that it shares with the others, and
prints its failures. Over HTTP/1.1 every tenth request has a connection of its own; over HTTP/2 there are always ten on one.
"""

import argparse
import json
import mmap
import signal
import socket
import ssl
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.conformance.tls import TLSAddress
from tests.http2.client import Client

from .response import read_response

TARGET: Final = "/1k.bin"
_STREAMS: Final = 10
"""The requests at once over HTTP/2."""
_REFUSED: Final = 7
"""REFUSED_STREAM: the request was not processed, and may be sent again (RFC 9113 8.7)."""


class Requests:
    """The state of one client: how many responses it has received, and what has failed."""

    def __init__(
        self, port: int, content: bytes, context: ssl.SSLContext | None, report: Callable[[int], None]
    ) -> None:
        """context: for TLS; None without it. report: called with the number of responses so far."""
        self._port, self._content, self._context, self._report = port, content, context, report
        self.answered = 0
        self.failures: list[str] = []
        self.stopping = False
        self._connection: socket.socket | None = None

    def stop(self) -> None:
        """End after the requests under way."""
        self.stopping = True

    def _count(self, responses: int) -> None:
        self.answered += responses
        self._report(self.answered)

    def by_http1(self) -> None:
        """Send requests one after the other."""
        asked = 0
        while not self.stopping:
            asked += 1
            fresh = asked % 10 == 0
            sock = None if fresh else self._connection
            try:
                if sock is None:
                    sock = socket.create_connection(("127.0.0.1", self._port), timeout=10)
                    if self._context is not None:
                        sock = self._context.wrap_socket(sock, server_hostname="localhost")
                sock.sendall(f"GET {TARGET} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
                head, body = read_response(sock)
                if not head.startswith(b"HTTP/1.1 200 ") or body != self._content:
                    raise ValueError(head[:40])
            except (OSError, ValueError) as error:
                self.failures.append(f"{'fresh' if fresh else 'persistent'}: {error!r}")
                for each in {sock, self._connection} - {None}:
                    each.close()  # one failure for a worker that was killed, which may have had both connections
                self._connection = None
                continue
            self._count(1)
            if fresh or b"\r\nConnection: close" in head:
                sock.close()
                if not fresh:
                    self._connection = None
            else:
                self._connection = sock

    def by_http2(self) -> None:
        """Send ten requests at a time on one connection, and go on with another one after GOAWAY."""
        assert self._context is not None
        self._context.set_alpn_protocols(["h2"])
        address = TLSAddress(("127.0.0.1", self._port), self._context)
        address.name = "localhost"
        while not self.stopping:
            try:
                with Client(address) as client:
                    while not (self.stopping or client.goaways):
                        self._send_ten(client)
            except OSError as error:
                self.failures.append(f"HTTP/2: {error!r}")

    def _send_ten(self, client: Client) -> None:
        streams = [client.get(TARGET, flush=False) for _ in range(_STREAMS)]
        client.flush()
        answers = [client.answers[stream] for stream in streams]
        while not all(answer.ended or answer.reset is not None for answer in answers) and client.receive():
            pass
        last = client.goaways[-1][0] if client.goaways else streams[-1]
        for stream in streams:
            answer = client.answers.pop(stream)
            if answer.ended and answer.status == 200 and answer.content == self._content:
                self._count(1)
            elif stream <= last and answer.reset != _REFUSED:
                self.failures.append(f"HTTP/2: stream {stream} of {last}, reset {answer.reset}, {answer.fields[:1]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("protocol", choices=("http1", "http2"))
    parser.add_argument("port", type=int)
    parser.add_argument("number", type=int, help="the place of its count in the file")
    parser.add_argument("counts", help="a file with one number for each client")
    parser.add_argument("content", type=Path, help="the file that every response must hold")
    parser.add_argument("--authority", help="the certificate that it trusts; without it there is no TLS")
    arguments = parser.parse_args()
    context = ssl.create_default_context(cafile=arguments.authority) if arguments.authority else None
    with open(arguments.counts, "r+b") as file, mmap.mmap(file.fileno(), 0) as counts:
        requests = Requests(
            arguments.port,
            arguments.content.read_bytes(),
            context,
            lambda number: struct.pack_into("Q", counts, 8 * arguments.number, number),
        )
        signal.signal(signal.SIGTERM, lambda *_: requests.stop())
        requests.by_http2() if arguments.protocol == "http2" else requests.by_http1()
    print(json.dumps({"answered": requests.answered, "failures": requests.failures}))


if __name__ == "__main__":
    main()
