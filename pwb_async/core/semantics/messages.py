"""The values a server passes around: a request, the answer to it, and the pieces of an answer on their way out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol, TypeAlias

from .fields import Fields
from .target import Target

REASONS: Final = {
    200: b"OK",
    204: b"No Content",
    206: b"Partial Content",
    301: b"Moved Permanently",
    304: b"Not Modified",
    400: b"Bad Request",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    412: b"Precondition Failed",
    414: b"URI Too Long",
    416: b"Range Not Satisfiable",
    417: b"Expectation Failed",
    431: b"Request Header Fields Too Large",
    500: b"Internal Server Error",
    501: b"Not Implemented",
    503: b"Service Unavailable",
    505: b"HTTP Version Not Supported",
}
"""The status codes that PWB sends, with their reason phrases (RFC 9110 15)."""


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A request line that is well formed (RFC 9112 3): `raw` without its CRLF, for the log."""

    raw: bytes
    method: bytes
    target: Target
    minor: int
    """0 for HTTP/1.0, 1 for HTTP/1.1 and every later 1.x (RFC 9110 2.5)."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request whose head is sound.

    persistent: the client's side of RFC 9112 9.3; whether the connection goes on is the connection's decision.
    plain: a GET whose answer depends on nothing but its target.
    key, minor: the target's and the line's, nearer at hand.
    logged: what a log line has last said of it: status, bytes sent, and the words; see say().
    """

    line: RequestLine
    fields: Fields
    persistent: bool
    plain: bool = field(init=False)
    cache_key: bytes = field(init=False)
    minor: int = field(init=False)
    logged: tuple[int, int, bytes] = field(default=(0, 0, b""), init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "plain", self.fields.plain and self.line.method == b"GET")
        key, variant = self.line.target.cache_key, self.fields.variant
        # No path holds a NUL, so the keys of two targets never meet; b"" still stands for no file at all.
        object.__setattr__(self, "cache_key", key + b"\0" + variant if key and variant else key)
        object.__setattr__(self, "minor", self.line.minor)

    @property
    def method(self) -> bytes:
        return self.line.method

    @property
    def target(self) -> Target:
        return self.line.target

    def say(self, status: int, sent: int, words: bytes) -> None:
        """Remembers a log line: a head that comes again is the same Request, and mostly has the same answer."""
        object.__setattr__(self, "logged", (status, sent, words))

    @property
    def expects_continue(self) -> bool:
        """The client holds its content back until it has heard from us (RFC 9110 10.1.1; never in HTTP/1.0)."""
        return self.fields.expects_continue and self.minor > 0 and self.fields.content_length != 0


class File(Protocol):
    """An open file that can be read at a position.

    device: number of the file system that it is on. read_into: fills `buffer` from the byte at `start`, as far as the
    file reaches; returns how many bytes. in_memory: whether reading these bytes would not wait for the disk. load:
    waits until they are in memory; the disk begins to read the `ahead` bytes behind them. read_into and load block, and
    raise OSError.
    """

    @property
    def device(self) -> int: ...
    def fileno(self) -> int: ...
    def read_into(self, buffer: bytearray | memoryview, start: int) -> int: ...
    def in_page_cache(self, start: int, length: int) -> bool: ...
    def read_ahead(self, start: int, length: int, ahead: int) -> None: ...
    def close(self) -> None: ...


class FileSlice(NamedTuple):
    """`length` bytes of an open file from the byte at `start`."""

    file: File
    start: int
    length: int


Part: TypeAlias = bytes | FileSlice
FieldList: TypeAlias = tuple[tuple[bytes, bytes], ...]


def length_of(parts: Sequence[Part]) -> int:
    """Bytes in all of them."""
    return sum([len(part) if isinstance(part, bytes) else part.length for part in parts])


@dataclass(slots=True)
class Response:
    """An answer: status, fields in the order they are sent, and its content in parts; length in bytes.

    Date, Server and Connection are not in `fields`: they belong to the moment and to the connection. Whoever asked
    for a Response closes it, in a `finally`. tail: preserialize() has written the fields, and the content if it is
    short, for an answer that is going to be sent often; parts are then what is left. tail_fields: bytes of tail before
    the content. large: there is a file to send.
    """

    status: int
    fields: FieldList
    parts: tuple[Part, ...] = ()
    file: File | None = None
    serialized: bytes = b""
    serialized_head_length: int = 0
    length: int = -1
    has_file: bool = field(init=False)

    def __post_init__(self) -> None:
        self.has_file = not all(isinstance(part, bytes) for part in self.parts)
        if self.length < 0:
            self.length = length_of(self.parts)

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
