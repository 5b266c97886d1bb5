"""One client on the event loop, with a trace of what is done for it: accept, send, and what its connection tells."""

import asyncio
from collections.abc import Sequence
from typing import Any

from pwb_async.core.semantics.messages import File
from pwb_async.observability.trace_events import Flow, TraceWriter
from pwb_async.observability.tracing import TracedConnection

from .http_protocol import HTTPProtocol
from .response_writer import ResponseWriter
from .state import ServerState


class TracedProtocol(HTTPProtocol):
    """accept: from when the loop, which accepts in C, tells us of a connection, until it is let in."""

    __slots__ = ("_flow", "_trace")

    def __init__(self, state: ServerState, trace: TraceWriter) -> None:
        super().__init__(state)
        connection = TracedConnection(state.context.parser, state.context.name, trace)
        self._connection = connection
        self._flow, self._trace = connection.flow, trace

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        began = self._trace.begin()
        super().connection_made(transport)
        self._trace.end("accept", began, self._flow, peer=self.peer)

    def _make_writer(self, transport: asyncio.Transport) -> ResponseWriter:
        return TracedWriter(transport, self._state, self._trace, self._flow)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._trace.finish(self._flow)


class TracedWriter(ResponseWriter):
    """send: to the kernel, as much as it takes, or to the transport."""

    __slots__ = ("_flow", "_trace")

    def __init__(self, transport: asyncio.Transport, state: ServerState, trace: TraceWriter, flow: Flow) -> None:
        super().__init__(transport, state.send_queue, state.sendfiles)
        self._trace, self._flow = trace, flow

    def write(self, parts: Sequence[Any]) -> None:
        began = self._trace.begin()
        super().write(parts)
        self._trace.end("send", began, self._flow, bytes=sum(map(len, parts)))

    def _write(self, data: bytes | memoryview) -> None:
        began = self._trace.begin()
        super()._write(data)
        self._trace.end("send", began, self._flow, bytes=len(data))

    def _sendfile(self, number: int, file: File, start: int, length: int) -> int:
        began = self._trace.begin()
        sent = super()._sendfile(number, file, start, length)
        if sent:
            self._trace.end("send", began, self._flow, bytes=sent)
        return sent
