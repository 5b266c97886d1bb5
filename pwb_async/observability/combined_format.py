"""Combined Log Format: an exchange as a line of the access log.

A line has two halves, which are cached separately, because each repeats on its own: client and time for requests of one
client within a second, the rest for equal requests with the same response. Caching Referer and User-Agent as a third
part was not cheaper.
"""

import re
from functools import lru_cache
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.dates import format_date
from pwb_async.core.semantics.fields import Fields
from pwb_async.core.semantics.messages import Request

from .exchange import Exchange

_UNSAFE: Final = re.compile(rb"[^ !#-\[\]-~]")
MAX_CACHED: Final = 1024
"""Bytes of a request line and fields up to which a request is cached, so that a hostile client cannot fill the memory.
The parser returns the same Request again only for heads of at most this length."""
_CACHE_SIZE: Final = 2048
"""The number of requests that are cached, as many as the parser keeps; then the cache is emptied."""
_NOT_CACHED: Final = (0, 0, b"")
_cache: Final[dict[Request, tuple[int, int, bytes]]] = {}
"""For each request, the status and the bytes sent of its last exchange, and the second half of that line. In an
attribute of Request it would save about 0.04 of the 12 us of a hit, but the core does not depend on the log."""


def escape(value: bytes) -> bytes:
    """`value` for a quoted string of a line: quotes, control characters and non-ASCII escaped (hazard G1)."""
    return _UNSAFE.sub(lambda match: b"\\x%02X" % match[0][0], value)


def format_combined(exchange: Exchange) -> tuple[bytes, bytes]:
    """The two halves of a line, the second with its line end. Times are UTC."""
    request, status, sent = exchange.request, exchange.status, exchange.sent
    first = _first_half(exchange.client, int(exchange.started_at))
    if isinstance(request, BadRequest):
        return first, _second_half(request.first_line, status, sent, _client_fields(request.fields))
    last_status, last_sent, second = _cache.get(request, _NOT_CACHED)
    if last_status == status and last_sent == sent:
        return first, second
    return first, _format_request(request, status, sent)


@lru_cache(1024)
def _first_half(client: str, second: int) -> bytes:
    _, day, month, year, time, _ = format_date(second).split(b" ")
    return b"%s - - [%s/%s/%s:%s +0000] " % (client.encode(), day, month, year, time)


def _format_request(request: Request, status: int, sent: int) -> bytes:
    """The second half of a request's line, which is cached if the request is short."""
    line = request_line(request)
    if len(line) + request.fields.size > MAX_CACHED:
        return _second_half(line, status, sent, _client_fields(request.fields))
    second = _second_half(line, status, sent, _cached_client_fields(request.fields))
    if len(_cache) >= _CACHE_SIZE:
        _cache.clear()
    _cache[request] = status, sent, second
    return second


def forget_requests() -> None:
    """Empty the caches of requests, whose parser may have ended. Another log of the process fills them again."""
    _cache.clear()
    _cached_client_fields.cache_clear()


def _second_half(line: bytes, status: int, sent: int, client_fields: bytes) -> bytes:
    return b'"%s" %d %d %s\n' % (escape(line) or b"-", status, sent, client_fields)


def _client_fields(fields: Fields | None) -> bytes:
    """Referer and User-Agent, quoted."""
    values = [fields and fields.get(name) for name in (b"referer", b"user-agent")]
    return b'"%s" "%s"' % tuple(escape(value or b"-") for value in values)


_cached_client_fields: Final = lru_cache(512)(_client_fields)
"""_client_fields() for field sections that the parser keeps, since a browser repeats them for each target."""


def request_line(request: Request) -> bytes:
    """The request line as it was received, or one in its form for a version of HTTP that has none."""
    return request.request_line or b"%s %s HTTP/%d.%d" % (request.method, request.target.location, *request.version)
