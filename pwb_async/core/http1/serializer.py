"""The serializer of responses: status line and field lines (RFC 9112 4, 5), with short content in the same piece."""

import re
from dataclasses import replace
from functools import lru_cache
from typing import Final

from pwb_async.core.semantics.dates import format_date
from pwb_async.core.semantics.grammar import TOKEN
from pwb_async.core.semantics.messages import REASONS, FieldList, Part, Response

SHORT: Final = 4096
"""Bytes of content up to which a copy behind the head is cheaper than a part of its own."""
_SERIALIZED: Final = re.compile(rb"(?:%s: [^\x00-\x08\x0a-\x1f\x7f]*\r\n)*" % TOKEN.pattern)
"""Field lines whose names are tokens, and whose values hold no control character."""


@lru_cache(64)
def prefix(status: int, server: bytes, second: int) -> bytes:
    """The start of every response in one second: the status line, Server and Date.

    A status that is not one of PWB's own has no reason phrase (RFC 9112 4).
    """
    reason = REASONS.get(status, b"")
    return b"HTTP/1.1 %d %s\r\nServer: %s\r\nDate: %s\r\n" % (status, reason, server, format_date(second))


def serialize_fields(fields: FieldList) -> bytes:
    """Field lines. Raises ValueError for an invalid name or value, which could inject a line (hazard C10)."""
    lines = b"".join([b"%s: %s\r\n" % field for field in fields])
    # All at once, as to check each name and value takes three times as long. A value with a line in it is one too many.
    if not _SERIALIZED.fullmatch(lines) or lines.count(b"\r\n") != len(fields):
        raise ValueError(f"invalid field in {fields!r}")
    return lines


def preserialize(response: Response) -> Response:
    """The same response with everything serialized that depends on neither the time nor the connection."""
    serialized = serialize_fields(response.fields) + b"\r\n"
    head_length, parts = len(serialized), response.parts
    if parts and isinstance(first := parts[0], bytes) and len(first) <= SHORT:
        serialized, parts = serialized + first, parts[1:]
    return replace(response, parts=parts, serialized=serialized, serialized_head_length=head_length)


def serialize(response: Response, start: bytes) -> tuple[list[Part], int]:
    """A response that begins with `start` as parts to send, and the number of bytes in its head."""
    parts = response.parts
    head = start + serialize_fields(response.fields) + b"\r\n"
    if parts and isinstance(first := parts[0], bytes) and len(first) <= SHORT:
        return [head + first, *parts[1:]], len(head)
    return [head, *parts], len(head)
