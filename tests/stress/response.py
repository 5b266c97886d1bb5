"""Reads one response from a blocking socket."""

import socket


def read_response(sock: socket.socket) -> tuple[bytes, bytes]:
    """Returns head and content. Raises OSError, or ValueError if the connection ends before the end of the response."""
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        data += _more(sock, data)
    at = data.index(b"Content-Length: ") + 16
    size = end + 4 + int(data[at : data.index(b"\r\n", at)])
    while len(data) < size:
        data += _more(sock, data)
    return data[:end], data[end + 4 :]


def _more(sock: socket.socket, data: bytes) -> bytes:
    more = sock.recv(65536)
    if not more:
        raise ValueError(f"the connection ended with {data[-40:]!r}, {len(data)} bytes")
    return more
