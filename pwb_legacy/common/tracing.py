"""Adds the timeline of --trace to a design: accept, wait and send. What is in ServerContext traces its own steps."""

import select
import socket
import sys
from collections.abc import Callable
from typing import ClassVar

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request
from pwb_async.observability.trace_events import TraceWriter
from pwb_async.observability.trace_tracks import Flow
from pwb_async.observability.tracing import TracedConnection
from pwb_async.runtime.context import ServerContext

from .acceptor import Acceptor
from .client import Client
from .http_server import HTTPServer
from .outgoing import ResponseSender


def traced(design: type[HTTPServer]) -> type[HTTPServer]:
    """A subclass of the design that writes the timeline. Its context must have a `trace`."""

    class TracedDesign(TracedServer, design):  # type: ignore[misc, valid-type]  # a base that is a variable
        """The design, with the methods of TracedServer around its own."""

    return TracedDesign


class TracedClient(Client):
    """A client whose steps are connected by arrows in the timeline."""

    __slots__ = ("flow", "trace")

    trace: TraceWriter
    flow: Flow

    def __init__(
        self, context: ServerContext, sock: socket.socket, peer: str, on_close: Callable[[Client], None]
    ) -> None:
        super().__init__(context, sock, peer, on_close)
        assert context.trace is not None
        connection = TracedConnection(context.parser, context.server_field, context.trace)
        self.connection = connection
        self.trace = context.trace
        self.flow = connection.flow

    def close(self, reset: bool = False) -> None:
        self.trace.finish(self.flow)  # first: when all clients have left, a server that stops closes the timeline
        super().close(reset)


class TracedAcceptor(Acceptor):
    """Writes `accept` for each client."""

    client_class: ClassVar[type[Client]] = TracedClient

    def accept(self, listener: socket.socket) -> Client | None:
        assert self._context.trace is not None
        started = self._context.trace.begin()
        client = super().accept(listener)
        if isinstance(client, TracedClient):
            client.trace.end("accept", started, client.flow, peer=client.peer)
        return client


class TracedServer(HTTPServer):
    """Writes `wait` for a blocking wait for the client's bytes, and `send` for each call of send()."""

    acceptor_class: ClassVar[type[Acceptor]] = TracedAcceptor

    def __init__(self, context: ServerContext) -> None:
        super().__init__(context)
        assert context.trace is not None
        self._has_greenlets = "greenlet" in sys.modules
        if self._has_greenlets:  # they share this thread
            sys.modules["greenlet"].settrace(context.trace.mark_greenlets())

    def start_response(self, client: Client, event: Request | BadRequest) -> None:
        assert isinstance(client, TracedClient)
        client.trace.track().flow = client.flow  # this may be another thread than the one that received the request
        super().start_response(client, event)

    def receive(self, client: Client) -> None:
        assert isinstance(client, TracedClient)
        started = client.trace.begin()
        try:
            super().receive(client)
        finally:
            client.trace.end_wait(started, client.flow)

    def send_some(self, client: Client, outgoing: ResponseSender) -> None:
        assert isinstance(client, TracedClient)
        track = client.trace.track()
        left_at, full = track.left_at, self._is_full(client.sock)
        started, sent = client.trace.begin(), outgoing.sent
        super().send_some(client, outgoing)
        if self._has_greenlets:
            full = track.left_at != left_at  # gevent lets others run, if the kernel takes nothing
        client.trace.end("send", started, client.flow, bytes=outgoing.sent - sent, buffer_full=full)

    def _is_full(self, sock: socket.socket) -> bool:
        """Whether send() on a blocking socket would wait for the client. gevent's poll() would let others run."""
        if self._has_greenlets or sock.gettimeout() == 0.0:
            return False
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        return not poll.poll(0)
