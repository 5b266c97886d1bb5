"""One request with its answer, as a line of the access log.

Most of a line has mostly been said before: the client and the second when it asks for more than one thing, the rest
when the same head was answered alike. So a line is two halves, and both are remembered. Tried and rejected: a third
piece for what a browser says of itself, which all its lines share (no cheaper).
"""

import re
from functools import lru_cache
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.dates import format_date
from pwb_async.core.semantics.fields import Fields

from .exchange import Exchange

_UNSAFE: Final = re.compile(rb"[^ !#-\[\]-~]")
_SHORT: Final = 512
"""What is longer is said anew each time: a hostile client must not fill the memory with its 8 KiB lines."""


def escape(value: bytes) -> bytes:
    """`value` fit for a quoted string of a log line: one line, no quote, no control character (hazard G1)."""
    return _UNSAFE.sub(lambda match: b"\\x%02X" % match[0][0], value)


def format_combined(exchange: Exchange) -> tuple[bytes, bytes]:
    """The exchange in Combined Log Format, with its line end, in two halves; times are UTC."""
    request, status, sent = exchange.request, exchange.status, exchange.sent
    begin = _begin(exchange.client, int(exchange.began))
    if isinstance(request, BadRequest):
        return begin, _say(request.first_line, status, sent, _who(request.fields))
    logged = request.logged
    if logged[0] == status and logged[1] == sent:
        return begin, logged[2]
    words = _say(request.line.raw, status, sent, _who(request.fields))
    if len(words) <= _SHORT:
        request.say(status, sent, words)
    return begin, words


@lru_cache(1024)
def _begin(peer: str, second: int) -> bytes:
    _, day, month, year, time, _ = format_date(second).split(b" ")
    return b"%s - - [%s/%s/%s:%s +0000] " % (peer.encode(), day, month, year, time)


def _say(line: bytes, status: int, sent: int, who: bytes) -> bytes:
    return b'"%s" %d %d %s\n' % (escape(line) or b"-", status, sent, who)


def _who(fields: Fields | None) -> bytes:
    """Referer and User-Agent, quoted; a browser says the same of itself with every target."""
    if fields is None:
        return b'"-" "-"'
    if not fields.logged:
        names = (b"referer", b"user-agent")
        fields.logged = b'"%s" "%s"' % tuple(escape(fields.get(name) or b"-") for name in names)
    return fields.logged
