"""One request with its answer, as the observers see it (access log, metrics), and its line in the log."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from .fields import Fields
from .messages import BadRequest, Request

_UNSAFE: Final = re.compile(rb"[^ !#-\[\]-~]")


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

    @property
    def line(self) -> bytes:
        """The request line as it came."""
        return self.request.line.raw if isinstance(self.request, Request) else self.request.first_line

    @property
    def fields(self) -> Fields | None:
        return self.request.fields


@lru_cache(1024)
def escape(value: bytes) -> bytes:
    """`value` fit for a quoted string of a log line: one line, no quote, no control character (hazard G1)."""
    return _UNSAFE.sub(lambda match: b"\\x%02X" % match[0][0], value)


@lru_cache(4)
def _log_date(second: int) -> bytes:
    when = datetime.fromtimestamp(second, UTC)
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return f"{when:%d}/{months[when.month - 1]}/{when:%Y:%H:%M:%S} +0000".encode()


def combined(exchange: Exchange) -> bytes:
    """The exchange in Combined Log Format, with its line end; times are UTC."""
    fields = exchange.fields
    return b'%s - - [%s] "%s" %d %d "%s" "%s"\n' % (
        exchange.peer.encode(),
        _log_date(int(exchange.began)),
        escape(exchange.line) or b"-",
        exchange.status,
        exchange.sent,
        escape((fields and fields.get(b"referer")) or b"-"),
        escape((fields and fields.get(b"user-agent")) or b"-"),
    )
