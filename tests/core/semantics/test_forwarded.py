"""The client behind proxies: what Forwarded and X-Forwarded-For say, read from the right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwb_async.core.semantics.fields import Fields
from pwb_async.core.semantics.forwarded import client_of, scheme_of
from pwb_async.core.semantics.networks import Networks, parse_address

PEER = "127.0.0.1"
TRUSTED = Networks(("127.0.0.1", "10.0.0.0/8", "2001:db8:1::/48"))


def fields(**lines: str) -> Fields:
    values = {name.replace("_", "-").encode(): [value.encode()] for name, value in lines.items()}
    return Fields(values, 0)


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("5.6.7.8, 1.2.3.4, 10.0.0.1", "1.2.3.4"),
        ("10.0.0.9, 10.0.0.1", "10.0.0.9"),
        ("1.2.3.4, evil", PEER),
        ("evil, 1.2.3.4", "1.2.3.4"),
        ("evil, 10.0.0.1", "10.0.0.1"),
        ("1.2.3.4,", "1.2.3.4"),
        (" ,\t1.2.3.4 , ", "1.2.3.4"),
        ("1.2.3.4:5678", "1.2.3.4"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("1.2.3.4, 2001:db8:1::5", "1.2.3.4"),
        ('"1.2.3.4"', PEER),
        ("unknown", PEER),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("01.2.3.4", PEER),
        ("fe80::1%eth0", PEER),
        ("[1.2.3.4]", "1.2.3.4"),
        ("1.2.3.4:port", PEER),
        ("1.2.3", PEER),
        (":::1", PEER),
        ("", PEER),
        ("9.9.9.9, " + ", ".join(["10.0.0.1"] * 63), "9.9.9.9"),
        ("9.9.9.9, " + ", ".join(["10.0.0.1"] * 64), "10.0.0.1"),
    ],
)
def test_x_forwarded_for(value: str, client: str) -> None:
    assert client_of(PEER, fields(x_forwarded_for=value), TRUSTED) == client


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("for=1.2.3.4", "1.2.3.4"),
        ('FOR="1.2.3.4:80";proto=http;by=203.0.113.43', "1.2.3.4"),
        ('For="[2001:db8::17]:4711"', "2001:db8::17"),
        (r'for="\1.2.3.4"', "1.2.3.4"),
        ("for=5.6.7.8, for=1.2.3.4;proto=https, for=10.0.0.1", "1.2.3.4"),
        ('for="1.2.3.4:_port"', "1.2.3.4"),
        ("for=unknown", PEER),
        ("for=_hidden, for=10.0.0.1", "10.0.0.1"),
        ("for=5.6.7.8, proto=https", PEER),
        ("for=2001:db8::17", PEER),
        ('", for=1.2.3.4', "1.2.3.4"),
        ("for=5.6.7.8;, for=1.2.3.4", "1.2.3.4"),
        ("for=5.6.7.8 for=1.2.3.4", PEER),
        ("for=1.2.3.4,", "1.2.3.4"),
        ('for=""', PEER),
        ("", PEER),
    ],
)
def test_forwarded(value: str, client: str) -> None:
    assert client_of(PEER, fields(forwarded=value), TRUSTED) == client


def test_a_forwarded_of_a_client_that_a_proxy_passes_on_counts_for_nothing() -> None:
    """Most proxies write X-Forwarded-For only."""
    both = fields(forwarded="for=8.8.8.8;proto=https", x_forwarded_for="9.9.9.9", x_forwarded_proto="http")
    assert client_of(PEER, both, TRUSTED) == "9.9.9.9"
    assert scheme_of(both) == b"http"


def test_without_a_report() -> None:
    assert client_of(PEER, fields(), TRUSTED) == PEER


@pytest.mark.parametrize(
    ("lines", "scheme"),
    [
        ({}, b""),
        ({"x_forwarded_proto": "https"}, b"https"),
        ({"x_forwarded_proto": "http, HTTPS"}, b"https"),
        ({"x_forwarded_proto": ","}, b""),
        ({"forwarded": "for=1.2.3.4;proto=HTTPS"}, b"https"),
        ({"forwarded": "proto=https, for=1.2.3.4"}, b""),
        ({"forwarded": ""}, b""),
    ],
)
def test_scheme(lines: dict[str, str], scheme: bytes) -> None:
    assert scheme_of(fields(**lines)) == scheme


@given(st.binary(max_size=60), st.booleans())
def test_no_report_leads_to_anything_but_an_address(value: bytes, old: bool) -> None:
    name = b"x-forwarded-for" if old else b"forwarded"
    values = Fields({name: [value, b"192.0.2.7" if old else b"for=192.0.2.7"]}, 0)
    assert client_of(PEER, values, TRUSTED) == "192.0.2.7", "what a trusted proxy has written last counts"
    assert parse_address(client_of(PEER, Fields({name: [value]}, 0), TRUSTED)) is not None
    scheme_of(values)
