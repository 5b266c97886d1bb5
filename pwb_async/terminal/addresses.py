"""The addresses of a server as a person uses them: where a browser on this machine finds it, and one in the network."""

import socket
from typing import Final, NamedTuple

from pwb_async.network.local_names import outgoing_addresses
from pwb_async.runtime.context import ServerContext

_ANY: Final = ("0.0.0.0", "::")  # noqa: S104
"""What a socket listens on that accepts connections at all addresses of the machine."""


class Addresses(NamedTuple):
    """The URLs of a server."""

    local: tuple[str, ...]
    """Those for a browser on this machine."""
    network: tuple[str, ...]
    """Those for other machines in the network; () if these cannot connect."""
    sockets: tuple[str, ...]
    """The Unix sockets."""
    exposed: bool = False
    """Whether other machines can connect, also if this one has no address in a network now."""

    @property
    def first(self) -> str:
        """The URL to open in a browser on this machine; "" if there is none."""
        return next(iter((*self.local, *self.network)), "")


def find_addresses(context: ServerContext) -> Addresses:
    """The URLs at which a server is reached."""
    local: list[str] = []
    network: list[str] = []
    sockets: list[str] = []
    exposed = False
    for sock, url in zip(context.sockets, context.urls, strict=True):
        if sock.family not in (socket.AF_INET, socket.AF_INET6):
            sockets.append(url)
            continue
        host = sock.getsockname()[0]
        if host in _ANY:
            shown = f"[{host}]" if ":" in host else host
            exposed = True
            local.append(url.replace(shown, "localhost", 1))
            network += [url.replace(shown, address, 1) for address in _addresses(sock)]
        else:
            (local if host.startswith("127.") or host == "::1" else network).append(url)
    return Addresses(_unique(local), _unique(network), tuple(sockets), exposed or bool(network))


def _unique(urls: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(urls))


def _addresses(sock: socket.socket) -> list[str]:
    """The addresses of this machine in networks that a socket accepts connections at, as URLs have them."""
    found = [address for address in outgoing_addresses() if sock.family == socket.AF_INET6 or ":" not in address]
    return [f"[{address}]" if ":" in address else address for address in found]
