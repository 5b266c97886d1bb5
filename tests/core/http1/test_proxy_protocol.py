"""The PROXY protocol: which headers are taken, which close the connection, and what follows them."""

import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pwb_async.core.events import CLOSED, NEED_DATA, BadRequest, ConnectionState
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.http1.proxy_protocol import ProxiedConnection, parse_proxy_header
from pwb_async.core.semantics.messages import Request, Response

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
REQUEST = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


def v2(source: str, more: bytes = b"", command: int = 0x21, family: int | None = None) -> bytes:
    """A header of version 2 from `source` to itself."""
    packed = ip_address(source).packed
    body = packed * 2 + struct.pack("!HH", 5678, 80) + more
    family = (0x11 if len(packed) == 4 else 0x21) if family is None else family
    return SIGNATURE + bytes((command, family)) + struct.pack("!H", len(body)) + body


@pytest.mark.parametrize(
    ("header", "source"),
    [
        (b"PROXY TCP4 192.0.2.7 127.0.0.1 5678 80\r\n", "192.0.2.7"),
        (b"PROXY TCP4 192.0.2.7 127.0.0.1 0 65535\r\n", "192.0.2.7"),
        (b"PROXY TCP6 2001:DB8::7 ::1 5678 80\r\n", "2001:db8::7"),
        (b"PROXY TCP6 ::ffff:192.0.2.7 ::1 5678 80\r\n", "192.0.2.7"),
        (b"PROXY UNKNOWN\r\n", ""),
        (b"PROXY UNKNOWN ffff:f...f:ffff ffff 65535 65535\r\n", ""),
        (v2("192.0.2.7"), "192.0.2.7"),
        (v2("2001:db8::7"), "2001:db8::7"),
        (v2("::ffff:192.0.2.7"), "192.0.2.7"),
        (v2("192.0.2.7", b"\x03\x00\x04abcd"), "192.0.2.7"),
        (v2("192.0.2.7", bytes(4096 - 12)), "192.0.2.7"),
        (v2("192.0.2.7", command=0x20), ""),
        (SIGNATURE + b"\x20\x00\x00\x00", ""),
        (SIGNATURE + b"\x21\x00\x00\x00", ""),
        (v2("192.0.2.7", family=0x12), ""),
        (SIGNATURE + b"\x21\x31" + struct.pack("!H", 216) + bytes(216), ""),
    ],
)
def test_headers(header: bytes, source: str) -> None:
    for rest in (b"", REQUEST):
        assert parse_proxy_header(header + rest) == (source, len(header))
    for length in range(len(header)):
        assert parse_proxy_header(header[:length]) is None


@pytest.mark.parametrize(
    "data",
    [
        REQUEST,
        b"proxy TCP4 192.0.2.7 127.0.0.1 5678 80\r\n",
        b"PROXY TCP4 192.0.2.7 127.0.0.1 5678 80\n",
        b"PROXY  TCP4 192.0.2.7 127.0.0.1 5678 80\r\n",
        b"PROXY TCP4 192.0.2.7  127.0.0.1 5678 80\r\n",
        b"PROXY TCP4 192.0.2.7 127.0.0.1 5678\r\n",
        b"PROXY TCP4 192.0.2.7 127.0.0.1 5678 80 \r\n",
        b"PROXY TCP4 999.2.3.4 127.0.0.1 5678 80\r\n",
        b"PROXY TCP4 192.0.2.7 127.0.0.256 5678 80\r\n",
        b"PROXY TCP4 192.0.2.7 127.0.0.1 99999 80\r\n",
        b"PROXY TCP4 192.0.2.7 127.0.0.1 05678 80\r\n",
        b"PROXY TCP4 ::1 ::1 5678 80\r\n",
        b"PROXY TCP6 192.0.2.7 127.0.0.1 5678 80\r\n",
        b"PROXY TCP5 192.0.2.7 127.0.0.1 5678 80\r\n",
        b"PROXY UNKNOWN" + b" x" * 60,
        b"PROXY UNKNOWNS\r\n",
        b"PROXY \r\n",
        SIGNATURE + b"\x11\x11\x00\x0c" + bytes(12),
        SIGNATURE + b"\x22\x11\x00\x0c" + bytes(12),
        SIGNATURE + b"\x21\x41\x00\x0c" + bytes(12),
        SIGNATURE + b"\x21\x13\x00\x0c" + bytes(12),
        SIGNATURE + b"\x21\x11\x00\x0b" + bytes(11),
        SIGNATURE + b"\x21\x21\x00\x23" + bytes(35),
        SIGNATURE + b"\x21\x11\xff\xff",
        SIGNATURE + b"\x21\x11\x10\x01",
        SIGNATURE[:-1] + b"\r",
    ],
)
def test_invalid_headers(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_proxy_header(data)
    connection = made()
    assert connection.receive(data) is CLOSED
    assert connection.state is ConnectionState.CLOSED


def made() -> ProxiedConnection:
    return ProxiedConnection(RequestParser(Limits()))


@pytest.mark.parametrize("header", [b"PROXY TCP4 192.0.2.7 127.0.0.1 5678 80\r\n", v2("192.0.2.7")])
def test_requests_behind_a_header(header: bytes) -> None:
    for pieces in (
        [header + REQUEST * 2],
        [header, REQUEST, REQUEST],
        [bytes((byte,)) for byte in header + REQUEST * 2],
    ):
        connection = made()
        requests = 0
        for piece in pieces:
            event = connection.receive(piece)
            while isinstance(event, Request):
                assert connection.source == "192.0.2.7"
                requests += 1
                connection.respond(event, Response(204, ()), 0)
                event = connection.next_event()
            assert event is NEED_DATA
        assert requests == 2


def test_a_second_header_is_a_bad_request() -> None:
    header = b"PROXY TCP4 192.0.2.7 127.0.0.1 5678 80\r\n"
    event = made().receive(header * 2 + REQUEST)
    assert isinstance(event, BadRequest)


def test_the_end_and_the_deadline_within_a_header() -> None:
    for data in (b"", b"PROXY TCP4"):
        connection = made()
        assert not data or connection.receive(data) is NEED_DATA
        connection.receive_data(b"")
        assert connection.next_event() is CLOSED
        connection = made()
        assert not data or connection.receive(data) is NEED_DATA
        assert connection.expire() is CLOSED
    connection = made()
    connection.receive(b"PROXY UNKNOWN\r\nGET /")
    assert isinstance(connection.expire(), BadRequest)
    assert connection.source == ""


def test_a_connection_that_is_refused_needs_no_header() -> None:
    connection = made()
    bad = connection.reject()
    connection.respond(bad, Response(503, ()), 0)
    assert connection.next_event() is NEED_DATA
    assert connection.state is ConnectionState.LINGER


@given(
    st.sampled_from((b"", b"PROXY ", b"PROXY TCP4 ", SIGNATURE, SIGNATURE + b"\x21\x11", SIGNATURE + b"\x21\x21")),
    st.binary(),
)
def test_any_bytes_are_a_header_or_none(begin: bytes, more: bytes) -> None:
    data = begin + more
    try:
        header = parse_proxy_header(data)
    except ValueError:
        return
    if header is None:
        assert len(data) < 16 + 4096
    else:
        assert header.length <= len(data)
        assert not header.source or ip_address(header.source)
