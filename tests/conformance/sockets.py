"""The kernel's view of a TCP connection, found by its two addresses (sock_diag(7)).

A test that cuts a request in two must not send the second piece before the server has read the first. The server's
receive queue shows it, so that no test has to sleep.
"""

import os
import socket
import struct
from typing import Final, NamedTuple

Address = tuple[str, int]
_SOCK_DIAG: Final = 4  # the protocol of netlink(7); below, the only message of it that is needed here
_SOCK_DIAG_BY_FAMILY: Final = 20
_REQUEST: Final = 1
_ANY_COOKIE: Final = b"\xff" * 8

ESTABLISHED: Final = 1
CLOSE_WAIT: Final = 8
_LISTEN: Final = 10


class TcpSocket(NamedTuple):
    """A TCP socket of this machine, of any process."""

    state: int
    """The state of RFC 9293, as Linux numbers it."""
    unread: int
    """Bytes in the receive queue: they have arrived, and no process has read them."""
    orphan: bool
    """Whether all processes have closed it, and only the kernel still holds it."""


def find_socket(local: Address, remote: Address) -> TcpSocket | None:
    """The IPv4 socket with these addresses, None if there is none. Raises OSError if the kernel refuses the query."""
    addresses = struct.pack(
        "!HH16s16sI8s",
        local[1],
        remote[1],
        socket.inet_aton(local[0]),
        socket.inet_aton(remote[0]),
        0,
        _ANY_COOKIE,
    )
    request = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF) + addresses
    header = struct.pack("=IHHII", 16 + len(request), _SOCK_DIAG_BY_FAMILY, _REQUEST, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as netlink:
        netlink.send(header + request)
        reply = netlink.recv(65536)
    (kind,) = struct.unpack_from("=H", reply, 4)
    if kind != _SOCK_DIAG_BY_FAMILY:
        (error,) = struct.unpack_from("=i", reply, 16)
        if -error == 2:  # ENOENT: no such socket
            return None
        raise OSError(-error, os.strerror(-error))
    (state,) = struct.unpack_from("=B", reply, 17)
    if state == _LISTEN:  # without such a connection the kernel returns the listening socket
        return None
    unread, _, _, inode = struct.unpack_from("=IIII", reply, 16 + 56)
    return TcpSocket(state, unread, inode == 0)
