"""What all HTTP/2 connections of a server share: the reader of requests, and what was found last."""

from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.http2.limits import ConnectionLimits
from pwb_async.core.http2.requests import RequestReader
from pwb_async.core.site.findings import OpenFile


class HTTP2Shared:
    """What the HTTP/2 connections of a server share.

    The reader of requests belongs to the parser of HTTP/1.1: both have the same limits and the same site.
    """

    last_found: OpenFile | None
    """The small file that was found last; of several requests that have waited for it the cache answers all but one."""

    def __init__(self) -> None:
        self.last_found = None
        self._parser: RequestParser | None = None
        self._reader: RequestReader
        self._limits: ConnectionLimits

    def of(self, parser: RequestParser) -> tuple[RequestReader, ConnectionLimits]:
        """The reader, and the limits of a connection; made anew when a reload has made another parser."""
        if parser is not self._parser:
            limits = parser.limits
            self._parser = parser
            self._reader = RequestReader(limits, parser.variant, parser.target_key)
            self._limits = ConnectionLimits(requests=limits.requests, content=limits.content, head=limits.head)
        return self._reader, self._limits
