"""Requests, and what the head of a response promises.

Nothing here comes from pwb_async/core, so that a fault there cannot hide itself. The servers under load have their own
conformance suite; this is no more than a client needs to see when a response is complete, and whether it was right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, NamedTuple

Address = tuple[str, int]
"""Where the server listens: an IP address, a port."""
END: Final = b"\r\n\r\n"
"""The end of a head."""
LONGEST: Final = 64 * 1024
"""Bytes of the longest head that is accepted."""
_HEADS: Final = 4096
"""Different heads that are remembered. They change with the second and the file, so most responses find theirs here."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a client asks for."""

    target: bytes
    fields: bytes = b""
    """More field lines, each with its CRLF."""
    method: bytes = b"GET"
    status: int = 200
    """Of a right response; 0: any."""


class Request(NamedTuple):
    """An Ask as it is sent."""

    wire: bytes
    status: int
    bare: bool
    """Its response has no content."""


class Head(NamedTuple):
    """The head of a response, as far as it matters to a client."""

    status: int
    length: int
    """Bytes of content that are promised."""
    closing: bool
    """The connection ends after it."""


def requests(address: Address, asks: Sequence[Ask], keep_alive: bool = True) -> list[Request]:
    """The asks, made ready once, so that sending one costs nothing. Raises ValueError where there are none, or the host
    is no IP address: looking up a name takes time that would be measured."""
    if not asks:
        raise ValueError("nothing to ask for")
    host = ip_address(address[0]).compressed.encode()
    host = b"[%s]" % host if b":" in host else host
    ending = b"\r\n" if keep_alive else b"Connection: close\r\n\r\n"
    return [
        Request(
            b"%s %s HTTP/1.1\r\nHost: %s:%d\r\n%s%s" % (ask.method, ask.target, host, address[1], ask.fields, ending),
            ask.status,
            ask.method == b"HEAD",
        )
        for ask in asks
    ]


@lru_cache(_HEADS)
def read_head(text: bytes) -> Head:
    """What a head promises. text: without the empty line. Raises ValueError, in words, when it cannot be relied on."""
    first, *lines = text.split(b"\r\n")
    version, _, rest = first.partition(b" ")
    if version not in {b"HTTP/1.1", b"HTTP/1.0"} or not (rest[:3].isdigit() and rest[3:4] in {b" ", b""}):
        raise ValueError("no HTTP answer")
    status, lengths, options = int(rest[:3]), set(), b""
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon:
            raise ValueError("a field line without a colon")
        match name.lower():
            case b"content-length":
                lengths.add(value.strip())
            case b"connection":
                options += b"," + value.lower()
            case b"transfer-encoding":
                raise ValueError("Transfer-Encoding, where only Content-Length is expected")
    if status < 200:
        raise ValueError(f"status {status}, an interim response")
    said = {option.strip() for option in options.split(b",")}
    closing = b"close" in said or (version == b"HTTP/1.0" and b"keep-alive" not in said)
    if status in {204, 304}:
        return Head(status, 0, closing)
    if len(lengths) != 1:
        raise ValueError("several Content-Lengths" if lengths else "no Content-Length")
    if not (length := lengths.pop()).isdigit():
        raise ValueError("a Content-Length that is no number")
    return Head(status, int(length), closing)
