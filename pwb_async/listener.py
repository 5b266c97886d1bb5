"""Listening sockets, alike for every design: IPv4, IPv6, a name with both, port 0 (hazards F5 to F7)."""

import socket
from typing import Final

BACKLOG: Final = 2048
"""Connections that the kernel keeps for us while we are busy; it takes min(this, net.core.somaxconn)."""


def listen(host: str, port: int) -> list[socket.socket]:
    """One listening socket for each address of `host`, all on one port. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            sock = socket.socket(family, kind, protocol)
            sockets.append(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                # "::" alone takes IPv4 too; beside an IPv4 socket it must not.
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, len(found) > 1)
            if port == 0 and len(sockets) > 1:
                address = (address[0], sockets[0].getsockname()[1], *address[2:])
            sock.bind(address)
            sock.listen(BACKLOG)
    except OSError:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def url(sock: socket.socket) -> str:
    """Where a browser finds what listens on `sock`."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}/" if sock.family == socket.AF_INET6 else f"http://{host}:{port}/"
