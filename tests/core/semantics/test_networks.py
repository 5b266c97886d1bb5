"""Networks in CIDR notation, and the addresses in them."""

import pytest

from pwb_async.core.semantics.networks import Networks, parse_network


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("10.0.0.1/8", "has bits set behind its prefix; the network is 10.0.0.0/8"),
        ("2001:db8::1/32", "has bits set behind its prefix; the network is 2001:db8::/32"),
        ("10.0.0.0/33", "is not a network"),
        ("010.0.0.0/8", "is not a network"),
        ("10.0.0/8", "is not a network"),
        ("localhost", "is not a network"),
        ("", "is not a network"),
        ("fe80::1%eth0", "names an interface"),
    ],
)
def test_no_networks(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_network(text)


def test_addresses_in_networks() -> None:
    networks = Networks(("10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "fe80::/10"))
    assert networks
    assert not Networks()
    inside = ("10.1.2.3", "192.0.2.1", "2001:db8::1", "fe80::1%eth0", "::ffff:10.0.0.1")
    outside = ("11.0.0.1", "192.0.2.2", "2001:db9::1", "::ffff:11.0.0.1", "-", "", "10.0.0", "::1")
    assert [address for address in (*inside, *outside) if address in networks] == list(inside)
