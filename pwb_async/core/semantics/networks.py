"""IP addresses of clients, and networks in CIDR notation (RFC 4632, RFC 4291 2.3)."""

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    Address: TypeAlias = IPv4Address | IPv6Address
    Network: TypeAlias = IPv4Network | IPv6Network


def parse_network(text: str) -> "Network":
    """The network that a text such as 10.0.0.0/8, ::1 or 192.0.2.1 names. Raises ValueError with what is wrong."""
    from ipaddress import ip_network  # imported here because it takes 1 ms at start

    if "%" in text:
        raise ValueError("names an interface; a network has none")
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        raise ValueError("is not a network such as 10.0.0.0/8, 192.0.2.1 or 2001:db8::/32") from None
    raise ValueError(f"has bits set behind its prefix; the network is {meant}")


@lru_cache(1024)
def parse_address(text: str) -> "Address | None":
    """The address that a text is; None if it is none. An IPv4-mapped address is the IPv4 address (RFC 4291 2.5.5.2)."""
    from ipaddress import IPv6Address, ip_address

    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


class Networks:
    """A set of networks, such as those whose clients are allowed.

    Args:
        networks: The networks, in CIDR notation. Raises ValueError if one is wrong.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = tuple(map(parse_network, networks))

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, text: str) -> bool:
        """Whether an address is in one of the networks; false for what is no address, such as "-"."""
        address = parse_address(text)
        return address is not None and any(address in network for network in self._networks)


NO_NETWORKS: Final = Networks()
"""No network at all."""
