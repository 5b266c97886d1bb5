"""JSON lines: an exchange as an object on one line of the access log.

time        when the request was complete, in UTC (RFC 3339)
client      its address; null where there is none
duration    seconds from then until this line, which is when the response has been sent, or passed to the transport
request_id  16 random hexadecimal digits
trace_id, parent_id
            those of the field traceparent (W3C Trace Context); null without a valid one
method, target, version, status, sent (bytes of content), referer, user_agent
coding      the content coding of the response; null for none
cache       "hit" if the response was in the cache of responses, otherwise "miss"; null for a request
            that is malformed or refused, for which the cache is not asked
detail      what is wrong with it, only for a request that is malformed or refused

Bytes that are not UTF-8 are shown as \\xNN, and everything beyond ASCII is escaped (hazard G1).
"""

import json
import re
from functools import lru_cache
from random import getrandbits
from time import gmtime, strftime, time
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response

from .combined_format import MAX_CACHED, request_line
from .exchange import Exchange

_TRACEPARENT: Final = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})(?P<parent>[0-9a-f]{16})-[0-9a-f]{2}"
    rb"(?P<more>-.*)?"
)
"""The value of traceparent (W3C Trace Context 3.2.2). Versions after 00 may have more behind what is known of them."""


def format_json(exchange: Exchange) -> tuple[bytes, bytes]:
    """The two halves of a line, the second with its line end."""
    request, response = exchange.request, exchange.response
    duration = max(0.0, time() - exchange.started_at)
    first = b'%s%.6f,"request_id":"%016x",' % (
        _first_half(exchange.client, int(exchange.started_at)),
        duration,
        getrandbits(64),
    )
    cached = response is not None and response.serialized_head_length > 0
    coding = b"" if response is None else _coding(response)
    is_short = isinstance(request, Request) and len(request.request_line) + request.fields.size <= MAX_CACHED
    make = _cached_half if is_short else _second_half
    return first, make(request, exchange.status, exchange.sent, coding, cached)


def _coding(response: Response) -> bytes:
    for name, value in response.fields:
        if name == b"Content-Encoding":
            return value
    return b""


@lru_cache(1024)
def _first_half(client: str, second: int) -> bytes:
    values = {"time": strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(second)), "client": None if client == "-" else client}
    return json.dumps(values, separators=(",", ":"))[:-1].encode() + b',"duration":'


def _second_half(request: Request | BadRequest, status: int, sent: int, coding: bytes, cached: bool) -> bytes:
    line = request.first_line if isinstance(request, BadRequest) else request_line(request)
    method, _, rest = line.partition(b" ")
    target, _, version = rest.rpartition(b" ")
    trace, parent = _trace(request)
    values = {
        "trace_id": trace,
        "parent_id": parent,
        "method": _text(request.method or method),
        "target": _text(target or version),
        "version": _text(version) if target else "",
        "status": status,
        "sent": sent,
    }
    for name, key in ((b"referer", "referer"), (b"user-agent", "user_agent")):
        value = request.fields and request.fields.get(name)
        values[key] = _text(value) if value else None
    values["coding"] = _text(coding) if coding else None
    values["cache"] = "hit" if cached else "miss"
    if isinstance(request, BadRequest):
        values |= {"cache": None, "detail": request.detail}
    return json.dumps(values, separators=(",", ":"))[1:].encode() + b"\n"


_cached_half = lru_cache(512)(_second_half)
"""_second_half() for requests that are short, as the parser returns the same object for equal ones."""


def _trace(request: Request | BadRequest) -> tuple[str | None, str | None]:
    """The trace and the parent of a request; None twice without a valid traceparent."""
    match = request.fields and _TRACEPARENT.fullmatch(request.fields.get(b"traceparent") or b"")
    if not match or (match["version"] == b"00" and match["more"]):
        return None, None
    return match["trace"].decode(), match["parent"].decode()


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")
