"""The protocol and the writer with --trace: they record when a connection is accepted and when data is sent."""

import asyncio
from collections.abc import Sequence
from typing import Any

from pwb_async.core.semantics.messages import File
from pwb_async.observability.trace_events import TraceWriter
from pwb_async.observability.trace_tracks import Flow
from pwb_async.observability.tracing import TracedConnection

from .http_protocol import HTTPProtocol
from .response_writer import ResponseWriter
from .state import ServerState


class TracedProtocol(HTTPProtocol):
    """Records `accept`: from connection_made(), since the loop accepts in C, until the connection is admitted."""

    __slots__ = ("_flow", "_trace")

    def __init__(self, state: ServerState, trace: TraceWriter) -> None:
        super().__init__(state)
        connection = TracedConnection(state.context.parser, state.context.server_field, trace)
        self._connection = connection
        self._flow, self._trace = connection.flow, trace

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Record that the connection is accepted."""
        started_at = self._trace.begin()
        super().connection_made(transport)
        self._trace.end("accept", started_at, self._flow, peer=self.peer)

    def _make_writer(self, transport: asyncio.Transport) -> ResponseWriter:
        return TracedWriter(transport, self._state, self._trace, self._flow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Complete what is recorded of the connection."""
        super().connection_lost(exc)
        self._trace.finish(self._flow)


class TracedWriter(ResponseWriter):
    """Records `send`: each time bytes are passed to the kernel or to the transport."""

    __slots__ = ("_flow", "_trace")

    def __init__(self, transport: asyncio.Transport, state: ServerState, trace: TraceWriter, flow: Flow) -> None:
        super().__init__(transport, state.send_queue, state.sendfiles)
        self._trace, self._flow = trace, flow

    def write(self, parts: Sequence[Any]) -> None:
        """Write parts, and record how many bytes they are."""
        started_at = self._trace.begin()
        super().write(parts)
        self._trace.end("send", started_at, self._flow, bytes=sum(map(len, parts)), buffer_full=False)

    def _write(self, data: bytes | memoryview) -> None:
        started_at = self._trace.begin()
        super()._write(data)
        self._trace.end("send", started_at, self._flow, bytes=len(data), buffer_full=False)

    def _sendfile(self, fd: int, file: File, start: int, length: int) -> int:
        started_at = self._trace.begin()
        sent = super()._sendfile(fd, file, start, length)
        if sent:
            self._trace.end("send", started_at, self._flow, bytes=sent, buffer_full=False)
        return sent
