"""Socket activation: listening sockets that the service manager opened for this process (sd_listen_fds(3))."""

import os
import socket
from typing import Final

_FIRST_FD: Final = 3
"""The first descriptor that is passed, after the standard ones."""


def listen_fds() -> list[tuple[str, socket.socket]]:
    """The listening sockets that were passed to this process, each with its name; empty if there are none.

    The name is that of FileDescriptorName= in the unit of the socket, by default the name of the unit; "" if the
    manager names none. The variables are removed from the environment, so that no child process takes them for its own.
    Raises OSError if one of the descriptors is not a listening stream socket.
    """
    if os.environ.pop("LISTEN_PID", "") != str(os.getpid()):  # meant for another process
        return []
    count = os.environ.pop("LISTEN_FDS", "")
    names = os.environ.pop("LISTEN_FDNAMES", "").split(":")
    if not (count.isascii() and count.isdecimal()):
        return []
    sockets = [socket.socket(fileno=fd) for fd in range(_FIRST_FD, _FIRST_FD + int(count))]
    for sock in sockets:
        sock.set_inheritable(False)
    for sock in sockets:
        if sock.type != socket.SOCK_STREAM or not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            fd = sock.fileno()
            for each in sockets:
                each.close()
            raise OSError(f"descriptor {fd} of LISTEN_FDS is not a listening socket")
    names += [""] * (len(sockets) - len(names))
    return list(zip(names, sockets, strict=False))
