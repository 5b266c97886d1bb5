"""Combined Log Format: an exchange as a line of the access log.

A line has two halves, which are cached separately, because each repeats on its own: client and time for requests of one
client within a second, the rest for equal request heads with the same response. Caching Referer and User-Agent as a
third part was not cheaper.
"""

import re
from functools import lru_cache
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.dates import format_date
from pwb_async.core.semantics.fields import Fields

from .exchange import Exchange

_UNSAFE: Final = re.compile(rb"[^ !#-\[\]-~]")
_MAX_CACHED: Final = 512
"""Bytes; a longer half is not cached, so that a hostile client cannot fill the memory with lines of 8 KiB."""


def escape(value: bytes) -> bytes:
    """`value` for a quoted string of a line, with escapes for quotes, control characters and non-ASCII (hazard G1)."""
    return _UNSAFE.sub(lambda match: b"\\x%02X" % match[0][0], value)


def format_combined(exchange: Exchange) -> tuple[bytes, bytes]:
    """The two halves of a line, the second with its line end. Times are UTC."""
    request, status, sent = exchange.request, exchange.status, exchange.sent
    first = _first_half(exchange.client, int(exchange.started_at))
    if isinstance(request, BadRequest):
        return first, _second_half(request.first_line, status, sent, _client_fields(request.fields))
    logged = request.logged
    if logged[0] == status and logged[1] == sent:
        return first, logged[2]
    second_half = _second_half(request.line.raw, status, sent, _client_fields(request.fields))
    if len(second_half) <= _MAX_CACHED:
        request.say(status, sent, second_half)
    return first, second_half


@lru_cache(1024)
def _first_half(client: str, second: int) -> bytes:
    _, day, month, year, time, _ = format_date(second).split(b" ")
    return b"%s - - [%s/%s/%s:%s +0000] " % (client.encode(), day, month, year, time)


def _second_half(line: bytes, status: int, sent: int, fields: bytes) -> bytes:
    return b'"%s" %d %d %s\n' % (escape(line) or b"-", status, sent, fields)


def _client_fields(fields: Fields | None) -> bytes:
    """Referer and User-Agent, quoted. The field section keeps them, since a browser repeats it for each target."""
    if fields is None:
        return b'"-" "-"'
    if not fields.logged:
        names = (b"referer", b"user-agent")
        fields.logged = b'"%s" "%s"' % tuple(escape(fields.get(name) or b"-") for name in names)
    return fields.logged
