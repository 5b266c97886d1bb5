"""JSON lines: an exchange as an object on one line of the access log.

time        when the request was complete, in UTC (RFC 3339)
client      its address; null where there is none
duration    seconds from then until this line, which is when the response has been sent, or passed to the transport
method, target, version, status, sent (bytes of content), referer, user_agent
detail      what is wrong with it, only for a request that is malformed or refused

Bytes that are not UTF-8 are shown as \\xNN, and everything beyond ASCII is escaped (hazard G1).
"""

import json
from functools import lru_cache
from time import gmtime, strftime, time

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request

from .combined_format import MAX_CACHED, request_line
from .exchange import Exchange


def format_json(exchange: Exchange) -> tuple[bytes, bytes]:
    """The two halves of a line, the second with its line end."""
    request, status, sent = exchange.request, exchange.status, exchange.sent
    duration = max(0.0, time() - exchange.started_at)
    first = b"%s%.6f," % (_first_half(exchange.client, int(exchange.started_at)), duration)
    if isinstance(request, Request) and len(request.request_line) + request.fields.size <= MAX_CACHED:
        return first, _cached_half(request, status, sent)
    return first, _second_half(request, status, sent)


@lru_cache(1024)
def _first_half(client: str, second: int) -> bytes:
    values = {"time": strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(second)), "client": None if client == "-" else client}
    return json.dumps(values, separators=(",", ":"))[:-1].encode() + b',"duration":'


def _second_half(request: Request | BadRequest, status: int, sent: int) -> bytes:
    line = request.first_line if isinstance(request, BadRequest) else request_line(request)
    method, _, rest = line.partition(b" ")
    target, _, version = rest.rpartition(b" ")
    values = {
        "method": _text(request.method or method),
        "target": _text(target or version),
        "version": _text(version) if target else "",
        "status": status,
        "sent": sent,
    }
    for name, key in ((b"referer", "referer"), (b"user-agent", "user_agent")):
        value = request.fields and request.fields.get(name)
        values[key] = _text(value) if value else None
    if isinstance(request, BadRequest):
        values["detail"] = request.detail
    return json.dumps(values, separators=(",", ":"))[1:].encode() + b"\n"


_cached_half = lru_cache(512)(_second_half)
"""_second_half() for requests that are short, as the parser returns the same object for equal ones."""


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")
