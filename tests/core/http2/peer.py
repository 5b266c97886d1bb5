"""The client's side of an HTTP2Connection, in plain frames, without a socket."""

from collections.abc import Iterator
from typing import NamedTuple

from pwb_async.core.events import BadRequest
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http2 import frames
from pwb_async.core.http2.connection import HTTP2Connection
from pwb_async.core.http2.errors import ErrorCode
from pwb_async.core.http2.hpack import INITIAL_TABLE, decode, literal
from pwb_async.core.http2.limits import ConnectionLimits
from pwb_async.core.http2.requests import ListLimits, RequestReader
from pwb_async.core.http2.streams import Stream
from pwb_async.core.semantics.messages import File, FileSlice, Request, Response

PSEUDO = ((b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"h"), (b":path", b"/"))
WHOLE = frames.END_HEADERS | frames.END_STREAM
BEGIN = frames.PREFACE + frames.settings(())


class Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self) -> ErrorCode:
        """The code of RST_STREAM or GOAWAY."""
        return ErrorCode(int.from_bytes(self.payload[-4:], "big"))


def number(stream: int) -> bytes:
    """A stream identifier as it is on the wire."""
    return stream.to_bytes(4, "big")


def read_frames(data: bytes) -> Iterator[Frame]:
    """All frames in these bytes, which end with a whole one."""
    position = 0
    while position < len(data):
        high, low, kind, flags, stream = frames.HEADER.unpack_from(data, position)
        start = position + 9
        position = start + (high << 8 | low)
        assert position <= len(data)
        yield Frame(kind, flags, int.from_bytes(stream, "big"), data[start:position])


def block(*fields: tuple[bytes, bytes], pseudo: tuple[tuple[bytes, bytes], ...] = PSEUDO) -> bytes:
    """A field block of a request."""
    return b"".join([literal(name, value) for name, value in (*pseudo, *fields)])


def headers(stream: int, *fields: tuple[bytes, bytes], flags: int = WHOLE) -> bytes:
    """A request in one frame."""
    return frames.frame(frames.HEADERS, flags, number(stream), block(*fields))


def data(stream: int, payload: bytes, flags: int = 0) -> bytes:
    """A DATA frame."""
    return frames.frame(frames.DATA, flags, number(stream), payload)


def update(stream: int, increment: int) -> bytes:
    """A WINDOW_UPDATE frame."""
    return frames.window_update(number(stream), increment)


class NoFile:
    """A file that nothing reads here: the server would."""

    device = 1
    closed = False

    def fileno(self) -> int:
        raise NotImplementedError

    def read_into(self, buffer: bytearray | memoryview, start: int) -> int:
        raise NotImplementedError

    def in_page_cache(self, start: int, length: int) -> bool:
        raise NotImplementedError

    def read_ahead(self, start: int, length: int, ahead: int) -> None:
        raise NotImplementedError

    def close(self) -> None:
        self.closed = True


def file_response(*lengths: int) -> Response:
    """A response of slices of a file with these lengths."""
    file: File = NoFile()
    return Response(200, (), tuple(FileSlice(file, 0, length) for length in lengths))


def response(content: bytes = b"", status: int = 200, *fields: tuple[bytes, bytes]) -> Response:
    """A response whose content is in memory."""
    return Response(status, fields, (content,) if content else ())


class Peer:
    """A client, and the connection that it talks to. begun: the preface and SETTINGS have been exchanged."""

    def __init__(
        self, *, begun: bool = True, limits: ConnectionLimits | None = None, head: Limits | None = None
    ) -> None:
        self.connection = HTTP2Connection(RequestReader(head or Limits()), limits or ConnectionLimits())
        if begun:
            assert not self.send(BEGIN)
            self.output()

    def send(self, *pieces: bytes) -> dict[int, Request | BadRequest]:
        """Send bytes at once; return the requests by the numbers of their streams."""
        events = self.connection.receive(b"".join(pieces))
        return {int.from_bytes(stream, "big"): event for stream, event in events.items()}

    def output(self) -> list[Frame]:
        """The control frames since the last call."""
        output, self.connection.output = self.connection.output, []
        return list(read_frames(b"".join(output)))

    def respond(self, stream: int, request: Request | BadRequest, answer: Response) -> list[Frame]:
        """Respond, and return the frames that leave at once."""
        return list(read_frames(b"".join(self.connection.respond(number(stream), request, answer, 0.0))))

    def ask(self, stream: int, answer: Response, *fields: tuple[bytes, bytes], flags: int = WHOLE) -> list[Frame]:
        """Send a request and respond to it."""
        events = self.send(headers(stream, *fields, flags=flags))
        return self.respond(stream, events[stream], answer)

    def next_frames(self, limit: int = 1 << 20) -> list[Frame]:
        """The DATA frames of the stream whose turn it is; file content is made up."""
        stream = self.connection.next_stream()
        return [] if stream is None else self.take(stream, limit)

    def take(self, stream: Stream, limit: int = 1 << 20) -> list[Frame]:
        part = stream.next_slice
        if part is not None:
            stream.feed(memoryview(b"f" * part.length))
        return list(read_frames(b"".join(self.connection.take(stream, limit))))

    def all_frames(self, limit: int = 1 << 20) -> list[Frame]:
        """The DATA frames that the windows allow."""
        found: list[Frame] = []
        while taken := self.next_frames(limit):
            found += taken
        return found

    def ended(self) -> list[int]:
        """The streams that have been reset since the last call."""
        ended, self.connection.ended = self.connection.ended, []
        return [int.from_bytes(stream.id, "big") for stream in ended]


def fields_of(frame: Frame) -> dict[bytes, bytes]:
    """The fields of a HEADERS frame of a response."""
    return dict(decode(INITIAL_TABLE, frame.payload, ListLimits(100, 1 << 20)).fields)
