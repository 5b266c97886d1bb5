"""Responses as frames (RFC 9113 8.1): a HEADERS frame, and one of DATA where the content fits it.

Everything but the stream, Server and Date is constant, and prepared once for each response. One that is sent often
keeps its frames, so sending it is joining six pieces.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from pwb_async.core.semantics.dates import format_date
from pwb_async.core.semantics.fields import CONNECTION_SPECIFIC
from pwb_async.core.semantics.grammar import FIELD_VALUE, TOKEN
from pwb_async.core.semantics.messages import FieldList, Part, Response

from .frames import CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, MAX_FRAME_SIZE, frame
from .hpack import literal, status


@lru_cache(64)
def prefix(code: int, server: bytes, second: int) -> bytes:
    """The start of every field block in one second: status, Server and Date. Its length depends on the first two."""
    return status(code) + literal(b"server", server) + literal(b"date", format_date(second))


@lru_cache(256)
def field_block(fields: FieldList) -> bytes:
    """The part of a field block that these fields are; several clients often wait for the same file.

    Fields of a connection of HTTP/1.1 are left out (RFC 9113 8.2.2). Raises ValueError for an invalid name or value, as
    in HTTP/1.1: a proxy could make a line of it (hazard C10).
    """
    if not all(TOKEN.fullmatch(name) and FIELD_VALUE.fullmatch(value) for name, value in fields):
        raise ValueError(f"invalid field in {fields!r}")
    lower = [(name.lower(), value.strip(b" \t")) for name, value in fields]
    return b"".join([literal(name, value) for name, value in lower if name not in CONNECTION_SPECIFIC])


class ResponseFrames:
    """The frames of a response: `head`, stream, prefix(), `tail`, and with content the stream again, and `content`."""

    __slots__ = ("block", "content", "head", "server", "size", "tail", "whole")

    head: bytes
    """The header of the HEADERS frame up to the stream."""
    block: bytes
    """The field block behind prefix()."""
    tail: bytes
    """The same, and behind it the header of the DATA frame up to its stream, if there is one."""
    content: bytes | None
    """The content; None if part of it is in a file."""
    size: int
    """Bytes of content."""
    whole: bool
    """Whether these frames are the whole response: each part of it fits one frame."""
    server: bytes
    """The value of Server with which the length in `head` was computed."""

    def __init__(self, response: Response, server: bytes) -> None:
        self.server = server
        self.block = self.tail = field_block(response.fields)
        self.size = response.length
        self.content = None if response.has_file else _content(response)
        length = len(prefix(response.status, server, 0)) + len(self.block)
        self.whole = self.content is not None and length <= MAX_FRAME_SIZE and self.size <= MAX_FRAME_SIZE
        self.head = (length & 0xFFFFFF).to_bytes(3, "big") + bytes((HEADERS, END_HEADERS | (not self.size)))
        if self.size and self.whole:
            self.tail += self.size.to_bytes(3, "big") + bytes((DATA, END_STREAM))

    def parts(self, response: Response) -> Sequence[Part]:
        """The content in parts."""
        return _pieces(response) if self.content is None else (self.content,)


def _pieces(response: Response) -> list[Part]:
    """The content of a response, of which preserialize() may have put the beginning behind the head."""
    start = response.serialized[response.serialized_head_length :]
    return [start, *response.parts] if start else list(response.parts)


def _content(response: Response) -> bytes:
    """The content of a response that is all in memory."""
    pieces = [piece for piece in _pieces(response) if isinstance(piece, bytes)]
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def header_frames(stream: bytes, block: bytes, end: bool) -> bytes:
    """HEADERS, and CONTINUATION where a block is longer than a frame (RFC 9113 6.2, 6.10). end: there is no content."""
    pieces = [block[start : start + MAX_FRAME_SIZE] for start in range(0, len(block), MAX_FRAME_SIZE)]
    frames: list[bytes] = []
    for number, piece in enumerate(pieces, 1):
        flags = END_HEADERS if number == len(pieces) else 0
        if frames:
            frames.append(frame(CONTINUATION, flags, stream, piece))
        else:
            frames.append(frame(HEADERS, flags | (END_STREAM if end else 0), stream, piece))
    return b"".join(frames)


_DATA: Final = bytes((DATA, 0))
_LAST_DATA: Final = bytes((DATA, END_STREAM))


def data_header(stream: bytes, size: int, end: bool) -> bytes:
    """The header of a DATA frame (RFC 9113 6.1)."""
    return size.to_bytes(3, "big") + (_LAST_DATA if end else _DATA) + stream
