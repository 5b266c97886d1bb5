"""A connection of HTTP/1 with a response that is made piece by piece, such as an event stream.

Such a response has no length, so the end of the connection is its end (RFC 9112 6.3), and nothing can follow it. The
protocol of the connection passes it on to this one, which only sends. HTTP/2 needs no such protocol: there it is one
stream among others (http2_transfer.py).
"""

from collections.abc import Sequence
from typing import Any

from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Request, StreamingResponse

from .connection_protocol import ConnectionProtocol
from .state import ServerState


class StreamingProtocol(ConnectionProtocol):
    """The server's end of a connection that sends one response, until either end closes it.

    Args:
        state: The server's state.
        former: The protocol that has received the request.
        client: The address of the client; "" for the peer.
        started_at: When the request was received, in seconds since the epoch.
    """

    __slots__ = ("_client", "_former", "_request", "_response", "_started_at")

    def __init__(
        self,
        state: ServerState,
        former: ConnectionProtocol,
        request: Request,
        client: str,
        response: StreamingResponse,
        started_at: float,
    ) -> None:
        super().__init__(state)
        self._former = former
        self._request, self._client = request, client
        self._response, self._started_at = response, started_at

    def begin(self, parts: Sequence[Any]) -> None:
        """Take the connection over, write `parts`, of which the last is the head of the response, and subscribe."""
        self.take_place(self._former)
        self._writer.write(parts)
        self._response.subscribe(self._send)

    def _send(self, data: bytes) -> bool:
        """Send a piece of content; return False if the connection is closed."""
        if self._writer.closed or self._transport.is_closing():
            return False
        self._writer.write((data,))
        self._response.length += len(data)
        return True

    @property
    def idle_order(self) -> None:
        """No connection of this kind is idle."""
        return None

    @property
    def responding(self) -> bool:
        """Whether data waits for the peer to read. While there is nothing to send, no minimum rate applies."""
        return self._writer.paused

    def data_received(self, data: bytes) -> None:
        """Close the connection: the response goes on, so the client can ask for nothing else."""
        self.abort()

    def eof_received(self) -> bool:
        """Close the connection: a client that has closed its sending side is one that is gone."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the response, and stop counting the connection."""
        self._former.connection_lost(exc)  # with --trace it records more
        super().connection_lost(exc)
        self._report(self._client, self._request, self._response, self._response.length, self._started_at)

    def expire(self) -> None:
        """Act on the send timeout."""
        if self._send_timeout is not None:
            self._check_send_timeout(self._send_timeout)

    def use_parser(self, parser: RequestParser) -> None:
        """There is no further request to parse."""

    def stop(self) -> None:
        """Close the connection, as the response would not end by itself."""
        self.close()

    def retire(self, timeout: float) -> None:
        """Close the connection, as the response would not end by itself."""
        self.close()
