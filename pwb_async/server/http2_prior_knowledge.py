"""The protocol of a port without TLS where --http2 is given: the first bytes decide which version a client speaks.

A client with prior knowledge sends the preface of HTTP/2 first (RFC 9113 3.3), which is no request of HTTP/1.1.
"""

from pwb_async.core.events import ConnectionState
from pwb_async.core.http2.frames import PREFACE

from .http2_protocol import HTTP2Protocol
from .http2_shared import HTTP2Shared
from .http_protocol import HTTPProtocol
from .state import ServerState


class PriorKnowledgeProtocol(HTTPProtocol):
    """The server's end of a connection that speaks HTTP/1.1, unless its first bytes are the preface of HTTP/2."""

    __slots__ = ("_first", "_shared")

    def __init__(self, state: ServerState, shared: HTTP2Shared) -> None:
        super().__init__(state)
        self._shared = shared
        self._first: bytes | None = b""  # the beginning of the preface; None once the version is known

    def data_received(self, data: bytes) -> None:
        """Find out the version, and pass on what was received."""
        if self._first is not None:
            data = self._first + data
            if PREFACE.startswith(data[: len(PREFACE)]) and self._connection.state is ConnectionState.HEAD:
                self._first = data
                if len(data) >= len(PREFACE):
                    retiring = self._connection.close_after_response
                    HTTP2Protocol(self._state, self._shared).take_over(self, data, retiring)
                return
            self._first = None
        super().data_received(data)

    def eof_received(self) -> bool:
        """Pass on what was received."""
        first, self._first = self._first, None
        if first:
            super().data_received(first)
        return super().eof_received()
