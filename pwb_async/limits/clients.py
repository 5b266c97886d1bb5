"""The clients that a limit counts: each by the prefix of its address."""

import socket
from typing import Final

from pwb_async.core.semantics.networks import Networks

from .shared_buckets import key_of

_MAX_CLIENTS: Final = 4096
"""Clients whose keys are kept; then all are forgotten, and computed again when they are needed."""


class Clients:
    """The keys under which the clients of one limit are counted.

    Args:
        name: What the requests are counted under.
        exempt: The networks whose clients are not counted.
        ipv6_prefix: The bits of an IPv6 address that are one client.
    """

    def __init__(self, name: bytes, exempt: Networks, ipv6_prefix: int) -> None:
        self._name, self._exempt, self._ipv6_prefix = name, exempt, ipv6_prefix
        self._keys: dict[str, int] = {}

    def key(self, client: str) -> int:
        """The key of a client; 0 for one that is exempt or has no address, as on a Unix socket."""
        key = self._keys.get(client)
        return self._find(client) if key is None else key

    def _find(self, client: str) -> int:
        prefix = b"" if client in self._exempt else client_prefix(client, self._ipv6_prefix)
        if len(self._keys) >= _MAX_CLIENTS:
            self._keys.clear()
        key = self._keys[client] = key_of(self._name, prefix) if prefix else 0
        return key


def client_prefix(client: str, ipv6_prefix: int) -> bytes:
    """The part of an address that is one client; b"" for none, as on a Unix socket.

    It is the whole IPv4 address, or as many bits of an IPv6 address, because an IPv6 host usually has a /64 to itself.
    What is no address, as a resolver of an embedding program may return it, is a client, too.
    """
    if client == "-":
        return b""
    if ":" not in client:
        return client.encode()
    try:
        address = socket.inet_pton(socket.AF_INET6, client.partition("%")[0])
    except OSError:
        return client.encode()
    return (int.from_bytes(address) >> (128 - ipv6_prefix)).to_bytes(16)
