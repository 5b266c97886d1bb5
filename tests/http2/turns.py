"""A client whose server runs in the test's own event loop, so that a test decides what happens between two turns."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from pwb_async.core.http2 import frames
from pwb_async.core.http2.hpack import literal
from pwb_async.core.semantics.messages import FileSlice, Response
from pwb_async.server.http2_protocol import HTTP2Protocol
from pwb_async.server.http2_shared import HTTP2Shared
from pwb_async.server.server import Server
from tests.core.http2.peer import Frame, NoFile, number, read_frames
from tests.server.test_seams import serving


class Transport(asyncio.Transport):
    """A transport that keeps what is written, and takes all of it unless the test fills it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = self.ended = self.fills = False
        self.buffered = self.writes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.ended, "data behind the end"
        self.written += bytes(data)
        self.writes += 1
        if self.fills:
            self.protocol.pause_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("192.0.2.1", 1) if name == "peername" else default

    def is_closing(self) -> bool:
        return self.closed

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = cast(asyncio.Protocol, protocol)

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Peer:
    """A client, and the server's end of its connection, in `server`."""

    def __init__(self, server: Server, *, window: int = 1 << 24, connection_window: int = 1 << 24) -> None:
        self.server = server
        self.transport = Transport()
        self.frames: list[Frame] = []
        self.protocol = HTTP2Protocol(server.state, HTTP2Shared())
        self.transport.set_protocol(self.protocol)
        self.protocol.connection_made(self.transport)
        begin = frames.PREFACE + frames.settings(((frames.INITIAL_WINDOW_SIZE, window),))
        self.send(
            begin, frames.window_update(number(0), connection_window - 65535) if connection_window > 65535 else b""
        )

    def send(self, *pieces: bytes) -> None:
        """Send bytes at once."""
        self.protocol.data_received(b"".join(pieces))

    def take(self) -> list[Frame]:
        """The frames since the last call; all of them are in `frames`."""
        new = list(read_frames(self.transport.written))
        self.transport.written = b""
        self.frames += new
        return new

    async def until(self, condition: Callable[[], bool]) -> None:
        """Take frames until a condition holds."""
        async with asyncio.timeout(5):
            while self.take() or not condition():
                await asyncio.sleep(0.001)

    def content(self, stream: int) -> bytes:
        """The content of a stream so far."""
        return b"".join([frame.payload for frame in self.frames if (frame.kind, frame.stream) == (0, stream)])

    def kinds(self, stream: int) -> list[int]:
        """The types of the frames of a stream."""
        return [frame.kind for frame in self.frames if frame.stream == stream]

    def has_head(self, stream: int) -> bool:
        """Whether a response has begun."""
        return frames.HEADERS in self.kinds(stream)


@asynccontextmanager
async def peer(
    root: Path, *options: str, window: int = 1 << 24, connection_window: int = 1 << 24, **seams: Any
) -> AsyncIterator[Peer]:
    """A client of a server of `root`."""
    async with serving(root, *options, **seams) as server:
        client = Peer(server, window=window, connection_window=connection_window)
        yield client
        client.protocol.connection_lost(None)


def get(stream: int, path: str, *fields: tuple[bytes, bytes], host: str = "h") -> bytes:
    """A request in one frame."""
    pseudo = ((b":method", b"GET"), (b":scheme", b"http"), (b":authority", host.encode()), (b":path", path.encode()))
    block = b"".join([literal(name, value) for name, value in (*pseudo, *fields)])
    return frames.frame(frames.HEADERS, frames.END_HEADERS | frames.END_STREAM, number(stream), block)


class BrokenFile(NoFile):
    """A file that cannot be read."""

    def in_page_cache(self, start: int, length: int) -> bool:
        return True

    def read_into(self, buffer: bytearray | memoryview, start: int) -> int:
        raise OSError(5, "Input/output error")


def broken_response() -> Response:
    """A response whose content cannot be read."""
    return Response(200, ((b"Content-Length", b"9"),), (FileSlice(BrokenFile(), 0, 9),))
