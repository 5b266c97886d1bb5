"""The protocol with --proxy-protocol: the peer is a proxy, which names the client ahead of the first request."""

import asyncio

from pwb_async.core.events import Event
from pwb_async.core.semantics.messages import Response

from .http_protocol import HTTPProtocol


class ProxiedProtocol(HTTPProtocol):
    """The server's end of a connection that a trusted proxy has made. One of any other peer is closed at once."""

    __slots__ = ()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the header, if the peer is trusted."""
        super().connection_made(transport)
        if not self._state.context.accepts(self.peer):
            self.abort()

    def _process_events(self, event: Event, checked: tuple[str, Response | None] | None = None) -> None:
        # From here on, also for the log. Connections are counted by the address of the proxy, in connection_made().
        self._peer = self._connection.source or self.peer
        super()._process_events(event, checked)
