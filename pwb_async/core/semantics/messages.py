"""The messages of HTTP as values: a request, its response, and the parts in which a response is sent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, Protocol, TypeAlias

from .fields import Fields
from .target import Target

REASONS: Final = {
    200: b"OK",
    204: b"No Content",
    206: b"Partial Content",
    301: b"Moved Permanently",
    302: b"Found",
    303: b"See Other",
    304: b"Not Modified",
    307: b"Temporary Redirect",
    308: b"Permanent Redirect",
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    410: b"Gone",
    412: b"Precondition Failed",
    414: b"URI Too Long",
    416: b"Range Not Satisfiable",
    417: b"Expectation Failed",
    421: b"Misdirected Request",
    429: b"Too Many Requests",
    431: b"Request Header Fields Too Large",
    500: b"Internal Server Error",
    501: b"Not Implemented",
    503: b"Service Unavailable",
    505: b"HTTP Version Not Supported",
}
"""The status codes that PWB sends, with their reason phrases (RFC 9110 15)."""

Version: TypeAlias = tuple[int, int]
"""A version of HTTP, as its major and minor number (RFC 9110 2.5)."""
HTTP_1_0: Final[Version] = (1, 0)
"""HTTP/1.0, where connections are not persistent by default."""
HTTP_1_1: Final[Version] = (1, 1)
"""HTTP/1.1, and any later HTTP/1.x."""
HTTP_2: Final[Version] = (2, 0)
"""HTTP/2 (RFC 9113)."""


@dataclass(slots=True, eq=False)
class Request:
    """A valid request, of any version of HTTP.

    A parser may return the same object for equal requests, so the attributes of a request never change. Two requests
    are equal only if they are the same object.
    """

    method: bytes
    """The method, case-sensitive (RFC 9110 9.1)."""
    target: Target
    """The parsed target."""
    fields: Fields
    """The field section."""
    version: Version
    """The version by which the request is interpreted: (1, 1) for every later HTTP/1.x as well (RFC 9110 2.5)."""
    persistent: bool = True
    """Whether the client lets the connection go on after the response (RFC 9112 9.3); always so in HTTP/2."""
    request_line: bytes = b""
    """The request line without its CRLF, as received, or made of what takes its place in HTTP/2; b"" for none."""
    plain: bool = field(init=False)
    """Whether this is a GET whose response depends on nothing but the target and the variant."""
    cache_key: bytes = field(init=False)
    """A key that is equal for requests that select the same representation; b"" for one that can select no file."""

    def __post_init__(self) -> None:
        self.plain = self.fields.plain and self.method == b"GET"
        key, variant, authority = self.target.cache_key, self.fields.variant, self.target.authority
        if (
            key and authority is not None and authority != self.fields.host
        ):  # it replaces Host, of which `variant` is made
            key += b"\0//" + authority
        # No path holds a NUL, so a path with a variant is never equal to another path; no variant begins with "//".
        self.cache_key = key + b"\0" + variant if key and variant else key

    def without_key(self) -> "Request":
        """The same request, for which nothing is taken from a cache, or kept in one."""
        return replace(self, target=replace(self.target, cache_key=b""))

    @property
    def expects_continue(self) -> bool:
        """Whether the client sends the content only after a response (RFC 9110 10.1.1; never in HTTP/1.0)."""
        return self.fields.expects_continue and self.version >= HTTP_1_1 and self.fields.content_length != 0


NO_DEVICE: Final = -1
"""The device of a File without a descriptor of its own, such as a member of an archive: sendfile(2) cannot send it."""


class File(Protocol):
    """An open file that can be read at any position.

    read_into() and read_ahead() block, and raise OSError.
    """

    @property
    def device(self) -> int:
        """The number of the device with the file's file system (st_dev)."""

    def fileno(self) -> int:
        """The file descriptor."""

    def read_into(self, buffer: bytearray | memoryview, start: int) -> int:
        """Fill `buffer` from the byte at `start`; return the number of bytes, which is less at the end of the file."""

    def in_page_cache(self, start: int, length: int) -> bool:
        """Whether these bytes can be read without waiting for the disk."""

    def read_ahead(self, start: int, length: int, ahead: int) -> None:
        """Wait until these bytes are in the page cache, and start to read the `ahead` bytes behind them."""

    def close(self) -> None:
        """Close the file."""


class FileSlice(NamedTuple):
    """A slice of an open file."""

    file: File
    start: int
    """The position of the first byte."""
    length: int
    """Bytes."""


Part: TypeAlias = bytes | FileSlice
"""A piece of a response."""
FieldList: TypeAlias = tuple[tuple[bytes, bytes], ...]
"""Names and values of fields, in the order in which they are sent."""


def length_of(parts: Sequence[Part]) -> int:
    """The number of bytes in all parts."""
    return sum([len(part) if isinstance(part, bytes) else part.length for part in parts])


@dataclass(slots=True)
class Response:
    """A response to a request. The server that asked for it has to close it, even if it could not be sent."""

    status: int
    """The status code."""
    fields: FieldList
    """The fields, but for Date, Server and Connection, which depend on the time and the connection."""
    parts: tuple[Part, ...] = ()
    """The content; without what `serialized` holds of it."""
    file: File | None = None
    """The file that is closed with the response; None for none."""
    serialized: bytes = b""
    """The field lines with the empty line, and short content behind them, as preserialize() has written them for a
    response that is sent often."""
    serialized_head_length: int = 0
    """Bytes of `serialized` before the content."""
    length: int = -1
    """Bytes of content; computed from `parts` where it is not given."""
    prepared: object = None
    """The same as frames of HTTP/2 or messages of ASGI, once they have been made; only core/http2 and asgi read it."""
    has_file: bool = field(init=False)
    """Whether any of the parts is a slice of a file."""

    def __post_init__(self) -> None:
        self.has_file = not all(isinstance(part, bytes) for part in self.parts)
        if self.length < 0:
            self.length = length_of(self.parts)

    def close(self) -> None:
        """Close the file that the response owns, if there is one."""
        if self.file is not None:
            self.file.close()


Send: TypeAlias = Callable[[bytes], bool]
"""A function that sends a piece of a response's content; it returns False if the response has ended meanwhile."""


@dataclass(slots=True)
class StreamingResponse(Response):
    """A response whose content is made piece by piece for as long as the connection lasts, so that it has no length.

    Only a Responder's locate() may return one, and only to a server on an event loop.
    """

    subscribe: Callable[[Send], object] = field(kw_only=True)
    """Called once the head of the response has been sent, with the function that sends the content."""
