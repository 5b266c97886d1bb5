"""The serializer of responses: status line, fields, and short content in one piece with them (RFC 9112 4)."""

from dataclasses import replace
from functools import lru_cache
from typing import Final

from pwb_async.core.semantics.dates import format_date
from pwb_async.core.semantics.grammar import TOKEN
from pwb_async.core.semantics.messages import REASONS, FieldList, Part, Response

from .grammar import CONTROL

SHORT: Final = 4096
"""Bytes of content that are cheaper to copy behind the head than to hand to the kernel on their own."""


@lru_cache(64)
def prefix(status: int, server: bytes, second: int) -> bytes:
    """What is the same for every answer of a second: status line, Server and Date."""
    return b"HTTP/1.1 %d %s\r\nServer: %s\r\nDate: %s\r\n" % (status, REASONS[status], server, format_date(second))


def write_fields(fields: FieldList) -> bytes:
    """Field lines. Raises ValueError for a control character: nothing can smuggle a line in (hazard C10)."""
    for name, value in fields:
        if not TOKEN.fullmatch(name) or CONTROL.search(value):
            raise ValueError(f"no field: {name!r}: {value!r}")
    return b"".join([b"%s: %s\r\n" % field for field in fields])


def preserialize(response: Response) -> Response:
    """The same answer, written as far as it can be before it is known when and on what connection it goes out."""
    serialized = write_fields(response.fields) + b"\r\n"
    fields, parts = len(serialized), response.parts
    if parts and isinstance(first := parts[0], bytes) and len(first) <= SHORT:
        serialized, parts = serialized + first, parts[1:]
    return replace(response, parts=parts, serialized=serialized, serialized_head_length=fields)


def write(response: Response, start: bytes) -> tuple[list[Part], int]:
    """The answer behind `start` as parts to send, and the bytes of its head; short content goes out with the head."""
    parts = response.parts
    head = start + write_fields(response.fields) + b"\r\n"
    if parts and isinstance(first := parts[0], bytes) and len(first) <= SHORT:
        return [head + first, *parts[1:]], len(head)
    return [head, *parts], len(head)
