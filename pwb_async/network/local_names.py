"""The names and addresses of this machine: in certificates that it makes for itself, in banners, and as hosts."""

import ipaddress
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""The names of every machine for itself."""
_ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses on other networks (RFC 5737 and 3849), to which nothing is sent."""


def names_of(hosts: Iterable[str]) -> tuple[str, ...]:
    """The names and addresses under which clients reach a server that listens on `hosts`.

    A name that is not ASCII, and so cannot be in a certificate, is left out.
    """
    names = (name for host in hosts for name in _names(host.partition("%")[0]))
    return tuple(dict.fromkeys(filter(str.isascii, names)))


def _names(host: str) -> Iterator[str]:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        yield host
        return
    if address.is_unspecified:
        yield from (*LOOPBACK, socket.gethostname(), *outgoing_addresses())
    elif address.is_loopback:
        yield from ("localhost", host)
    else:
        yield host


def outgoing_addresses() -> Iterator[str]:
    """The addresses from which this machine reaches others, an IPv4 address first; one of each family at most."""
    for family, elsewhere in _ELSEWHERE:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((elsewhere, 9))
            yield probe.getsockname()[0]


def own_hosts(host: str) -> tuple[str, ...]:
    """What a client may write in Host if it means this machine: its names, also by multicast DNS, and its addresses.

    host: the address or name that the server listens on.
    """
    name = socket.gethostname()
    names = (*names_of(["0.0.0.0", host]), *([] if "." in name else [f"{name}.local"]))  # noqa: S104
    return tuple(dict.fromkeys(f"[{each}]" if ":" in each else each for each in names))
