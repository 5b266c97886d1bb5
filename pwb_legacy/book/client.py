"""The sockets that attack: a request as bytes, and what comes back."""

import array
import fcntl
import socket
import termios
from typing import Final, NamedTuple

from pwb_async.network.sockets import reset_on_close

from .running import OWN_ADDRESS, wait_until

WAIT: Final = 4.0
"""seconds without an answer after which there is none"""
SOON: Final = 1.0
"""seconds in which what should not happen would have happened"""


class Answer(NamedTuple):
    """What a client got."""

    data: bytes
    end: str
    """closed, reset, or silence: nothing more came in time"""

    @property
    def status_line(self) -> str:
        """The first line of the response."""
        return self.data.partition(b"\r\n")[0].decode("latin-1")

    @property
    def is_http(self) -> bool:
        """Whether it begins as a response does."""
        return self.data.startswith(b"HTTP/1.1 ")


def request(path: str, method: str = "GET", fields: str = "", *, keep: bool = False) -> bytes:
    """The bytes of a request without content."""
    last = "" if keep else "Connection: close\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{fields}{last}\r\n".encode("latin-1")


def connect(address: tuple[str, int]) -> socket.socket:
    """A new connection. Raises OSError."""
    return socket.create_connection(address, WAIT, source_address=(OWN_ADDRESS, 0))


def receive(client: socket.socket, seconds: float = WAIT) -> Answer:
    """Everything until the end of the connection, or until nothing has come for so many seconds."""
    client.settimeout(seconds)
    data = b""
    try:
        while piece := client.recv(1 << 20):
            data += piece
    except TimeoutError:
        return Answer(data, "silence")
    except OSError:
        return Answer(data, "reset")
    return Answer(data, "closed")


def ask(address: tuple[str, int], raw: bytes, seconds: float = WAIT) -> Answer:
    """One request on a connection of its own."""
    try:
        with connect(address) as client:
            client.sendall(raw)
            return receive(client, seconds)
    except TimeoutError:
        return Answer(b"", "silence")
    except OSError:
        return Answer(b"", "reset")


def slow_reader(address: tuple[str, int], path: str) -> socket.socket:
    """A client that asks for a file and reads nothing. The server has begun to send, if it ever does."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(WAIT)
    client.bind((OWN_ADDRESS, 0))
    client.connect(address)
    client.sendall(request(path))
    wait_until(lambda: unread(client))
    return client


def unread(client: socket.socket) -> int:
    """Bytes that have arrived and were not read."""
    size = array.array("i", [0])
    fcntl.ioctl(client, termios.FIONREAD, size)
    return size[0]


def vanish(client: socket.socket) -> None:
    """Close with a reset, as a client does that is killed."""
    reset_on_close(client)
    client.close()
