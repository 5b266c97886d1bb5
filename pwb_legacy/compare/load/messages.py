"""What is asked, and what the head of an answer promises.

The judge is independent of the judged: nothing here comes from pwb_async/core. The servers under load have their own
conformance suite; this is no more than a client needs to know when an answer is complete, and whether it was right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, NamedTuple

Address = tuple[str, int]
"""Where the server listens: an IP address, a port."""
LONGEST: Final = 64 * 1024
"""Bytes of the longest head that is taken."""
_HEADS: Final = 4096
"""Different heads that are remembered. They change with the second and the file, so most answers find theirs here."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a client wants. fields: more field lines, each with its CRLF. status: of a right answer, 0: any."""

    target: bytes
    fields: bytes = b""
    method: bytes = b"GET"
    status: int = 200


class Request(NamedTuple):
    """An Ask as it is sent. bare: its answer has no content."""

    wire: bytes
    status: int
    bare: bool


class Head(NamedTuple):
    """status, the promised length of the content, and whether the connection ends after it."""

    status: int
    length: int
    closing: bool


def requests(address: Address, asks: Sequence[Ask], keep_alive: bool = True) -> list[Request]:
    """The asks, made ready once, so that sending one costs nothing. Raises ValueError when there are none, or the host
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
        raise ValueError(f"status {status}, which nobody asked for")
    said = {option.strip() for option in options.split(b",")}
    closing = b"close" in said or (version == b"HTTP/1.0" and b"keep-alive" not in said)
    if status in {204, 304}:
        return Head(status, 0, closing)
    if len(lengths) != 1:
        raise ValueError("several Content-Lengths" if lengths else "no Content-Length")
    if not (length := lengths.pop()).isdigit():
        raise ValueError("a Content-Length that is no number")
    return Head(status, int(length), closing)
