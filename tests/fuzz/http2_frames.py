"""The target of the fuzzer for a connection of HTTP/2: frames in any pieces, and responses whenever they fit."""

from collections.abc import Callable
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http2 import frames
from pwb_async.core.http2.connection import HTTP2Connection
from pwb_async.core.http2.errors import ErrorCode
from pwb_async.core.http2.limits import ConnectionLimits
from pwb_async.core.http2.requests import RequestReader
from pwb_async.core.semantics.messages import REASONS, Request, Response
from tests.core.http2.oracles import frames_of
from tests.core.http2.rfc9113 import BEGIN, PING_8, ROWS, get, on, post, setting, update, wire_of

from .pseudo_random import PseudoRandom, cut

SEEDS: Final = tuple(wire_of(row)[:2000] for row in ROWS)
"""The rows of RFC 9113, shortened where they only show that a limit holds."""
WORDS: Final = (
    *(get(1), get(3), get(5), post(1), post(3), on(1, 0, 1, b"x" * 5), on(3, 0, 0, b"x" * 5), on(1, 0, 9, b"\x02xx\0\0")),
    *(update(0, 1000), update(1, 1000), update(1, 0), update(0, 2**31 - 1), on(1, 3, 0, b"\0\0\0\x08"), PING_8, on(0, 0xEF, 7)),
    *(setting(), setting((4, 0)), setting((4, 10)), setting((1, 0)), setting((5, 20_000)), on(0, 4, 1), on(0, 7, 0, bytes(8))),
    *(get(1, flags=1), get(3, flags=5 | 32), on(1, 9, 4), on(1, 9, 0, b"\x82"), on(1, 2, 0, b"\0\0\0\0\x10"), on(0, 16, 0, b"\0\0\0\1u=0")),
    *(b"\0\0\0", b"\0\0\5", b"\0\x40\0", b"\xff\xff\xff", b"\x00\x00\x00\x01", b"\x80\x00\x00\x03", b"\x00", b"\x01", b"\x05", b"\x09"),
)  # fmt: skip
LIMITS: Final = (
    ConnectionLimits(),
    ConnectionLimits(streams=2, requests=3, content=8, block=40, continuations=1, settings=2, oversized=0, budget=6),
)
HEADS: Final = (Limits(), Limits(request_line=60, field=40, fields=6, head=400))
CLOSED: Final = {ErrorCode.PROTOCOL_ERROR, ErrorCode.STREAM_CLOSED}
"""The codes of frames on closed streams, of which a server may know more or less."""


class Conversation:
    """A connection and its input. After each piece, what it sends and keeps is checked.

    waiting: no response is made before the end.
    """

    def __init__(self, limits: ConnectionLimits, head: Limits, random: PseudoRandom, waiting: bool) -> None:
        self.connection = HTTP2Connection(RequestReader(head), limits)
        self.limits, self.random, self.waiting = limits, random, waiting
        self.errors: list[ErrorCode] = []
        self.requests: set[bytes] = set()

    def feed(self, piece: bytes) -> None:
        connection = self.connection
        for stream, event in connection.receive(piece).items():
            assert stream not in self.requests, "a stream has two requests"
            self.requests.add(stream)
            if isinstance(event, BadRequest):
                assert event.status in REASONS
            if self.waiting:
                connection.open(stream, event).working = True
            else:
                self.respond(stream, event)
        self.sent(connection.output)
        connection.output.clear()
        connection.ended.clear()
        while not self.waiting and (ready := connection.next_stream()) is not None:
            self.sent(connection.take(ready, 1 + self.random.below(30_000)))
        self.check_bounds()

    def respond(self, stream: bytes, event: Request | BadRequest) -> None:
        size = (0, 1, 5_000, 70_000)[self.random.below(4)]
        parts = (bytes(size),) if size else ()
        self.sent(self.connection.respond(stream, event, Response((200, 404)[self.random.below(2)], (), parts), 0))

    def sent(self, parts: list[bytes | memoryview] | tuple[bytes, ...]) -> None:
        for kind, _, _, payload in frames_of(b"".join(parts)):
            assert len(payload) <= frames.MAX_FRAME_SIZE
            if kind == frames.RST_STREAM:
                self.errors.append(ErrorCode(int.from_bytes(payload, "big")))
            elif kind == frames.GOAWAY and payload[4:8] != bytes(4):
                self.errors.append(ErrorCode(int.from_bytes(payload[4:8], "big")))

    def check_bounds(self) -> None:
        connection, limits = self.connection, self.limits
        assert len(connection._data) < frames.MAX_FRAME_SIZE + 9
        partial = connection._partial
        assert partial is None or len(partial.block) <= max(limits.block, frames.MAX_FRAME_SIZE)
        assert len(connection.streams) <= limits.streams
        assert len(connection._discarded) <= limits.streams
        assert 0 <= connection.budget <= limits.budget + 1
        assert connection.window <= frames.MAX_WINDOW
        assert all(stream.window <= frames.MAX_WINDOW for stream in connection.streams.values())


def connection(data: bytes) -> None:
    """A connection: frames in any pieces; the first error is the same wherever they are cut, if no response leaves in between."""
    if not data.startswith(frames.PREFACE):
        data = BEGIN + data
    random = PseudoRandom(data)
    limits, head = LIMITS[random.below(2)], HEADS[random.below(2)]
    pieces = cut(data, random)
    answering = Conversation(limits, head, random, False)
    for piece in pieces:
        answering.feed(piece)
    in_pieces, whole = (Conversation(limits, head, random, True) for _ in range(2))
    for piece in pieces:
        in_pieces.feed(piece)
    whole.feed(data)
    first, same = in_pieces.errors[:1], whole.errors[:1]
    assert first == same or (first and same and CLOSED.issuperset(first + same)), (first, same)
    if not first:
        assert in_pieces.requests >= whole.requests


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {"http2": connection}
