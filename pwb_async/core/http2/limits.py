"""The limits on what a client may send by HTTP/2, beside those of HTTP/1.1 (docs/hazards.md, the attacks on HTTP/2)."""

from typing import NamedTuple

from .frames import DEFAULT_WINDOW, MAX_WINDOW


class ConnectionLimits(NamedTuple):
    """The limits of one connection, in bytes where nothing else is stated."""

    streams: int = 100
    """Requests at a time, each of which counts until it has ended, and the work for it, even if it has been reset. One
    that has been answered gives its place to a new one; otherwise more are refused (REFUSED_STREAM)."""
    requests: int = 1000
    """Requests on one connection, 0 for no limit; then it is closed gracefully."""
    content: int = 64 * 1024
    """Content of a request that is skipped; a stream with more is reset some time after its response."""
    held: int = 1024 * 1024
    """Names and values of all requests whose responses wait; further requests are refused (REFUSED_STREAM)."""
    head: int = 32 * 1024
    """The fields of a request, by the count of RFC 9113 6.5.2; the reader of requests enforces it."""
    block: int = 32 * 1024
    """A field block, as it is compressed."""
    continuations: int = 5
    """CONTINUATION frames of one field block."""
    settings: int = 32
    """Settings in one frame."""
    oversized: int = 2
    """Field sections that are too large (431, or 414 for the target) until the connection is closed."""
    budget: int = 1000
    """The budget for frames that bring no response (budget.py): what a connection begins with, and the most it has."""

    @property
    def window(self) -> int:
        """Content of a request that the client may send at all: a byte more than is skipped, so that more is noticed.

        It is never less than the window before the client has received SETTINGS.
        """
        return min(max(DEFAULT_WINDOW, self.content + 1), MAX_WINDOW)
