"""Socket options of Linux for which asyncio and the socket module have no interface."""

import socket
import struct
from typing import Final

LINGER_RESET: Final = struct.pack("ii", 1, 0)
"""The value of SO_LINGER with which close() discards unsent data and sends RST."""
_BYTES_ACKED: Final = 120
"""The offset of tcpi_bytes_acked in struct tcp_info, in bytes (Linux 4.1)."""


def reset_on_close(sock: socket.socket) -> None:
    """Make close() discard what the kernel has not sent, for a peer that does not read it. Raises OSError."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)


def bytes_acknowledged(sock: socket.socket) -> int | None:
    """The number of bytes that the peer has acknowledged since the connection was opened.

    None where the kernel does not count them, as on a Unix socket and on macOS, or the socket is closed.
    """
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_ACKED + 8)
        return int(struct.unpack_from("=Q", info, _BYTES_ACKED)[0])
    except (OSError, struct.error, AttributeError):
        return None
