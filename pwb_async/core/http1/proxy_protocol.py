"""The PROXY protocol, versions 1 and 2: a proxy sends the address of its client ahead of the first request.

It is that of haproxy's specification (doc/proxy-protocol.txt). The header must be there, exactly once: a connection
without it, or with a malformed one, is closed without a response.
"""

import re
from typing import Final, NamedTuple

from pwb_async.core.events import NEED_DATA, ConnectionState, Event
from pwb_async.core.semantics.networks import parse_address

from .connection import Connection

_PREFIX_1: Final = b"PROXY "
_MAX_LINE: Final = 107
"""Bytes of a header of version 1, with its line end."""
_LINE: Final = re.compile(rb"PROXY TCP([46]) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})")
_UNKNOWN: Final = re.compile(rb"PROXY UNKNOWN(?: [ -~]*)?")
_SIGNATURE_2: Final = b"\r\n\r\n\0\r\nQUIT\n"
_FIXED_2: Final = 16
"""Bytes of a header of version 2 in front of its addresses."""
_MAX_ADDRESSES: Final = 4096
"""Bytes of addresses and extensions behind them; the specification demands 520 at least."""
_ADDRESS_BYTES: Final = {0x11: 4, 0x21: 16}
"""Bytes of an address, by family and transport: TCP over IPv4 and over IPv6."""
_LOCAL, _PROXY = 0x20, 0x21


class ProxyHeader(NamedTuple):
    """A header of the PROXY protocol."""

    source: str
    """The address of the client; "" if it is the peer itself, or has no IP address."""
    length: int
    """Bytes of the header."""


def parse_proxy_header(data: bytes) -> ProxyHeader | None:
    """The header that `data` begins with; None if there are too few bytes yet. Raises ValueError if it is invalid."""
    if _begins(data, _SIGNATURE_2):
        return _parse_2(data) if len(data) >= _FIXED_2 else None
    if not _begins(data, _PREFIX_1):
        raise ValueError("no header of the PROXY protocol")
    end = data.find(b"\r\n", 0, _MAX_LINE)
    if end < 0:
        if len(data) >= _MAX_LINE or b"\n" in data:
            raise ValueError("no line of at most 107 bytes")
        return None
    return ProxyHeader(_source(data[:end]), end + 2)


def _begins(data: bytes, prefix: bytes) -> bool:
    return data.startswith(prefix) or prefix.startswith(data)


def _source(line: bytes) -> str:
    if _UNKNOWN.fullmatch(line):
        return ""
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError("the line is malformed")
    source, destination = (parse_address(text.decode()) for text in match.group(2, 3))
    families = {b":" in text for text in match.group(2, 3)}
    if source is None or destination is None or families != {match[1] == b"6"}:
        raise ValueError("an address is malformed")
    if any(int(port) > 65535 for port in match.group(4, 5)):
        raise ValueError("a port is too high")
    return str(source)


def _parse_2(data: bytes) -> ProxyHeader | None:
    command, family, size = data[12], data[13], int.from_bytes(data[14:16], "big")
    if command not in (_LOCAL, _PROXY) or family >> 4 > 3 or family & 15 > 2:
        raise ValueError("neither version 2 nor a known command, family and transport")
    if size > _MAX_ADDRESSES:
        raise ValueError("the header is too long")
    width = _ADDRESS_BYTES.get(family, 0) if command == _PROXY else 0
    if size < 2 * width + 4 and width:
        raise ValueError("the addresses are cut short")
    length = _FIXED_2 + size
    if len(data) < length:
        return None
    return ProxyHeader(_parse_packed(data[_FIXED_2 : _FIXED_2 + width]) if width else "", length)


def _parse_packed(packed: bytes) -> str:
    from ipaddress import ip_address

    return str(parse_address(str(ip_address(packed))))


class ProxiedConnection(Connection):
    """A connection that begins with a header of the PROXY protocol.

    Until it is complete the connection waits for a head, with its deadline. It has no __slots__, as few have it.
    """

    _awaits_header = True

    def receive(self, data: bytes) -> Event:
        """Do receive_data() and next_event() in one call."""
        if self._awaits_header:
            self.receive_data(data)
            return self.next_event()
        return super().receive(data)

    def next_event(self) -> Event:
        """Take the header, and then the next event."""
        if self._awaits_header and self.state is ConnectionState.HEAD:
            try:
                header = parse_proxy_header(self._buffer)
            except ValueError:
                return self._close()
            if header is None:
                return self._close() if self._eof else NEED_DATA
            self.source = header.source
            self._buffer = self._buffer[header.length :]
            self._awaits_header = False
        return super().next_event()

    def expire(self) -> Event:
        """Act on the deadline, which has passed: without its header, a connection has no response."""
        return self._close() if self._awaits_header else super().expire()
