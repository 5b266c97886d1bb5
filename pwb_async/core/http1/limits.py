"""The limits on what a client may send."""

from typing import NamedTuple


class Limits(NamedTuple):
    """The limits of one connection, in bytes where nothing else is stated (hazards B8, B11 of docs/hazards.md)."""

    request_line: int = 8190
    """A request line, without its CRLF."""
    field: int = 8190
    """A field line, without its CRLF."""
    fields: int = 100
    """The number of field lines in one head, or in one trailer section."""
    head: int = 32 * 1024
    """A whole head with the empty line at its end."""
    content: int = 64 * 1024
    """Content of a request that is read and discarded; after more, the connection is closed."""
    requests: int = 1000
    """The number of requests on one connection, 0 for no limit."""
    pipelined: int = 64 * 1024
    """Data that is buffered while a response is sent; beyond that, reading stops."""
    blank_lines: int = 10
    """The number of empty lines before a request line."""
    bad_head: int = 216 * 1024
    """Data that is discarded after an invalid request, so that the client can read the response (hazards A13, B8)."""
