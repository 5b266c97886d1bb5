"""A design with a trace of what it does: accept, wait, send, beside what the parts tell that Setup has put there."""

import socket
from typing import ClassVar

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request
from pwb_async.observability.trace_events import Flow, TraceWriter
from pwb_async.observability.tracing import TracedConnection
from pwb_async.runtime.context import ServerContext

from .acceptor import Acceptor
from .client import Client, ResponseSender
from .http_server import HTTPServer


def traced(design: type[HTTPServer]) -> type[HTTPServer]:
    """The same design. It must have a setup with a trace."""
    return type(f"Traced{design.__name__}", (TracedServer, design), {})


class TracedClient(Client):
    """A client, and its way over the lanes."""

    __slots__ = ("flow", "trace")

    def __init__(self, context: ServerContext, sock: socket.socket, peer: str) -> None:
        super().__init__(context, sock, peer)
        assert context.trace is not None
        connection = TracedConnection(context.parser, context.name, context.trace)
        self.connection = connection
        self.trace: TraceWriter = context.trace
        self.flow: Flow = connection.flow

    def close(self, forget: bool = False) -> None:
        super().close(forget)
        self.trace.finish(self.flow)


class TracedAcceptor(Acceptor):
    """accept: of a client that comes in."""

    clients: ClassVar[type[Client]] = TracedClient

    def accept(self, listener: socket.socket) -> Client | None:
        assert self._context.trace is not None
        began = self._context.trace.begin()
        client = super().accept(listener)
        if isinstance(client, TracedClient):
            client.trace.end("accept", began, client.flow, peer=client.peer)
        return client


class TracedServer(HTTPServer):
    """wait: for a client's bytes, where that is blocking. send: what the kernel takes, and until it does."""

    doors: ClassVar[type[Acceptor]] = TracedAcceptor

    def begin(self, client: Client, event: Request | BadRequest) -> None:
        assert isinstance(client, TracedClient)
        client.trace.track().flow = client.flow  # perhaps another thread than the one that took the request in
        super().begin(client, event)

    def leave(self, client: Client) -> None:
        assert isinstance(client, TracedClient)
        if not client.leaving:  # the door tells the end of those; for this one nobody waits any more after leave()
            client.trace.finish(client.flow)
        super().leave(client)

    def hear(self, client: Client) -> None:
        assert isinstance(client, TracedClient)
        began = client.trace.begin()
        try:
            super().hear(client)
        finally:
            client.trace.waited(began, client.flow)

    def push(self, client: Client, outgoing: ResponseSender) -> None:
        assert isinstance(client, TracedClient)
        began, left = client.trace.begin(), outgoing.left
        super().push(client, outgoing)
        client.trace.end("send", began, client.flow, bytes=left - outgoing.left)
