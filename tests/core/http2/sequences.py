"""Sequences of frames that PWB and another server may see as errors in different places, with the reasons."""

from typing import NamedTuple

from pwb_async.core.http2.errors import ErrorCode

from .rfc9113 import (
    ACK,
    BEGIN,
    CANCEL,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PADDED,
    PING_8,
    PRIORITY,
    PRIORITY_5,
    RST_STREAM,
    SETTINGS,
    WHOLE,
    get,
    on,
    post,
    setting,
    update,
)
from .server import Nghttp2, Ours, Server

PIECES = {
    "GET": get,
    "another path": lambda stream: get(stream, start=b"\x82\x86\x04\x02/a\x41\x01h"),
    "a path that is refused": lambda stream: get(stream, start=b"\x82\x86\x04\x04/%zz\x41\x01h"),
    "GET in two frames": lambda stream: (
        get(stream, flags=END_STREAM) + on(stream, CONTINUATION, END_HEADERS, b"\0\x01a\x01b")
    ),
    "POST": post,
    "POST of 5": lambda stream: post(stream, (b"content-length", b"5")),
    "malformed": lambda stream: get(stream, (b"A", b"x")),
    "malformed, with content": lambda stream: post(stream, (b"A", b"x")),
    "DATA": lambda stream: on(stream, DATA, 0, b"x" * 5),
    "the last DATA": lambda stream: on(stream, DATA, END_STREAM, b"x" * 5),
    "the last DATA, empty": lambda stream: on(stream, DATA, END_STREAM),
    "padded DATA": lambda stream: on(stream, DATA, PADDED | END_STREAM, b"\x02xxxxx\0\0"),
    "trailers": lambda stream: on(stream, HEADERS, WHOLE, b"\0\x01a\x01b"),
    "trailers that end nothing": lambda stream: on(stream, HEADERS, END_HEADERS, b"\0\x01a\x01b"),
    "CONTINUATION": lambda stream: on(stream, CONTINUATION, END_HEADERS),
    "RST_STREAM": lambda stream: on(stream, RST_STREAM, 0, CANCEL),
    "PRIORITY": lambda stream: on(stream, PRIORITY, 0, PRIORITY_5),
    "PRIORITY_UPDATE": lambda stream: on(0, 0x10, 0, stream.to_bytes(4, "big") + b"u=1"),
    "WINDOW_UPDATE": lambda stream: update(stream, 100),
    "WINDOW_UPDATE of 0": lambda stream: update(stream, 0),
    "WINDOW_UPDATE that is too large": lambda stream: update(stream, 2**31 - 1),
    "WINDOW_UPDATE of the connection": lambda stream: update(0, 100),
    "no window": lambda stream: setting((4, 0)),
    "a larger window": lambda stream: setting((4, 100_000)),
    "no table": lambda stream: setting((1, 0)),
    "SETTINGS acknowledged": lambda stream: on(0, SETTINGS, ACK),
    "PING": lambda stream: PING_8,
    "unknown": lambda stream: on(stream, 0xEF, 7, b"x"),
}
"""What a client may send for a stream."""
CLOSED = {ErrorCode.PROTOCOL_ERROR, ErrorCode.STREAM_CLOSED}
"""The codes of frames on streams that are closed: RFC 9113 5.1 and 5.1.1 differ for those that were left out, and a server
that has forgotten a stream cannot tell."""


class Step(NamedTuple):
    """A frame, and the errors that it is to PWB and to another server."""

    piece: str
    ours: set[ErrorCode]
    theirs: set[ErrorCode]


def first_difference(oracle: type[Server], pieces: list[tuple[str, int]], waiting: bool) -> Step | None:
    """The first frame that is an error to only one of the two, or to each another one."""
    ours, theirs = Ours(waiting), oracle(waiting)
    ours.send(BEGIN)
    theirs.send(BEGIN)
    for piece, stream in pieces:
        wire = PIECES[piece](stream)
        before = len(ours.errors), len(theirs.errors)
        ours.send(wire)
        theirs.send(wire)
        step = Step(piece, set(ours.errors[before[0] :]), set(theirs.errors[before[1] :]))
        same = bool(step.ours & step.theirs) or (not step.ours and not step.theirs)
        if not same and not (step.ours and step.theirs and step.ours | step.theirs <= CLOSED):
            return step
        if ours.goaway is not None or theirs.goaway is not None:
            return None
    return None


def is_reviewed(oracle: type[Server], step: Step) -> bool:
    """Whether a difference has one of these reasons."""
    if oracle is Nghttp2:
        # nghttp2 ignores frames on streams that it has forgotten, and counts the acknowledgements that are due.
        return step.ours <= CLOSED if step.ours else step.piece == "SETTINGS acknowledged"
    if step.theirs:
        # h2 refuses an increment of 0 even on a closed stream, and what was under way when it reset a stream.
        return step.piece == "WINDOW_UPDATE of 0" or step.theirs == {ErrorCode.STREAM_CLOSED}
    # h2 accepts RST_STREAM on an idle stream, and does not compare the length of content that ends with trailers.
    return step.piece in ("RST_STREAM", "trailers") and step.ours == {ErrorCode.PROTOCOL_ERROR}
