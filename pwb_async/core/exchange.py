"""One request with its answer, as the observers see it (access log, metrics), and its line in the log."""

import re
from functools import lru_cache
from typing import Final, NamedTuple

from .dates import format_date
from .fields import Fields
from .messages import BadRequest, Request

_UNSAFE: Final = re.compile(rb"[^ !#-\[\]-~]")
_SHORT: Final = 256
"""Longer values are escaped anew each time: a hostile client must not fill the cache with its 8 KiB fields."""


class Exchange(NamedTuple):
    """peer: the client's address. status: as answered. sent: bytes of content that left, fewer than promised if the
    client went away. began: seconds since the epoch when the request was complete. duration: seconds until the
    answer had left this program."""

    peer: str
    request: Request | BadRequest
    status: int
    sent: int
    began: float
    duration: float


def escape(value: bytes) -> bytes:
    """`value` fit for a quoted string of a log line: one line, no quote, no control character (hazard G1)."""
    return _escape_short(value) if len(value) <= _SHORT else _escape(value)


def _escape(value: bytes) -> bytes:
    return _UNSAFE.sub(lambda match: b"\\x%02X" % match[0][0], value)


_escape_short: Final = lru_cache(1024)(_escape)


@lru_cache(4)
def _log_date(second: int) -> bytes:
    _, day, month, year, time, _ = format_date(second).split(b" ")
    return b"%s/%s/%s:%s +0000" % (day, month, year, time)


def combined(exchange: Exchange) -> bytes:
    """The exchange in Combined Log Format, with its line end; times are UTC."""
    peer, request, status, sent, began, _ = exchange
    line = request.line.raw if isinstance(request, Request) else request.first_line
    fields = request.fields
    return b'%s - - [%s] "%s" %d %d %s\n' % (
        peer.encode(),
        _log_date(int(began)),
        escape(line) or b"-",
        status,
        sent,
        (fields.logged or _who(fields)) if fields is not None else b'"-" "-"',
    )


def _who(fields: Fields) -> bytes:
    """Referer and User-Agent, quoted."""
    names = (b"referer", b"user-agent")
    fields.logged = b'"%s" "%s"' % tuple(escape(fields.get(name) or b"-") for name in names)
    return fields.logged
