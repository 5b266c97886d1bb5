"""Servers that respond to each request: around an HTTP2Connection, and as oracles around h2 and nghttp2.

Each keeps what its client has got, so that tests can compare them.
"""

from collections.abc import Iterable
from contextlib import suppress

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import ngh2

from pwb_async.core.http1.limits import Limits
from pwb_async.core.http2 import frames
from pwb_async.core.http2.connection import HTTP2Connection
from pwb_async.core.http2.errors import ErrorCode
from pwb_async.core.http2.limits import ConnectionLimits
from pwb_async.core.http2.requests import RequestReader
from pwb_async.core.semantics.messages import Response

from .oracles import frames_of


class Server:
    """What all three have.

    Args:
        waiting: Whether it makes no response before the client has sent everything.
    """

    def __init__(self, waiting: bool = False) -> None:
        self.waiting = waiting
        self.requests: set[int] = set()
        """The streams with a request that was passed on; of a server that waits, without those that the client reset."""
        self.resets: dict[int, ErrorCode] = {}
        """The streams that the server has reset."""
        self.goaway: ErrorCode | None = None
        """The error with which the connection has ended."""
        self.errors: list[ErrorCode] = []
        """The codes of all RST_STREAM frames, and of GOAWAY."""

    def send(self, data: bytes) -> None:
        """Take bytes of the client."""
        raise NotImplementedError

    def _sent(self, data: bytes) -> None:
        for kind, _, stream, payload in frames_of(data):
            if kind == frames.GOAWAY and payload[4:8] != bytes(4):
                self._end(ErrorCode(int.from_bytes(payload[4:8], "big")))
            elif kind == frames.RST_STREAM:
                code = ErrorCode(int.from_bytes(payload, "big"))
                self.resets[int.from_bytes(stream, "big")] = code
                self.errors.append(code)

    def _end(self, code: ErrorCode) -> None:
        if self.goaway is None:
            self.goaway = code
            self.errors.append(code)


class Ours(Server):
    """An HTTP2Connection."""

    def __init__(self, waiting: bool = False, limits: ConnectionLimits | None = None) -> None:
        super().__init__(waiting)
        self.connection = HTTP2Connection(RequestReader(Limits()), limits or ConnectionLimits())

    def send(self, data: bytes) -> None:
        connection = self.connection
        for stream, event in connection.receive(data).items():
            self.requests.add(int.from_bytes(stream, "big"))
            if self.waiting:
                connection.open(stream, event).working = True
            else:
                self._sent(b"".join(connection.respond(stream, event, Response(200, ()), 0)))
        self._sent(b"".join(connection.output))
        connection.output.clear()
        assert connection.closed == (connection.error is not None)
        assert connection.error is None or self.goaway == connection.error.code
        for stream in connection.ended:
            assert stream.ended
            if self.waiting:
                self.requests.discard(int.from_bytes(stream.id, "big"))
        connection.ended.clear()


class H2(Server):
    """The library h2."""

    def __init__(self, waiting: bool = False) -> None:
        super().__init__(waiting)
        self._connection = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=False, header_encoding=None)
        )
        self._connection.initiate_connection()

    def send(self, data: bytes) -> None:
        if self.goaway is not None:
            return
        try:
            for event in self._connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self.requests.add(event.stream_id)
                    if not self.waiting:
                        with suppress(h2.exceptions.ProtocolError):  # reset by the same bytes
                            self._connection.send_headers(event.stream_id, [(b":status", b"200")], end_stream=True)
                elif isinstance(event, h2.events.StreamReset) and self.waiting:
                    self.requests.discard(event.stream_id)
            self._sent(self._connection.data_to_send())
        except h2.exceptions.ProtocolError as error:
            self._sent(self._connection.data_to_send())
            self._end(ErrorCode(error.error_code))


class Nghttp2(Server):
    """nghttp2."""

    def __init__(self, waiting: bool = False) -> None:
        super().__init__(waiting)
        self._connection = ngh2.Connection(ngh2.Role.SERVER)
        self._connection.initiate_connection({})

    def send(self, data: bytes) -> None:
        if self.goaway is not None:
            return
        try:
            self._connection.receive_data(data)
        except ngh2.NGH2Error:  # bytes that are not even the preface; a GOAWAY is only written
            self._end(ErrorCode.PROTOCOL_ERROR)
            return
        for event in self._connection.events():
            if isinstance(event, ngh2.RequestReceived):
                self.requests.add(event.stream_id)
                if not self.waiting:
                    with suppress(ngh2.NGH2Error):  # reset by the same bytes
                        self._connection.send_response(event.stream_id, [(b":status", b"200")], end_stream=True)
            elif isinstance(event, ngh2.StreamReset | ngh2.StreamClosed) and self.waiting:
                self.requests.discard(event.stream_id)
        self._sent(self._connection.data_to_send())


def converse(pieces: Iterable[bytes], server: Server) -> Server:
    """The server after it has received these pieces."""
    for piece in pieces:
        server.send(piece)
    return server
