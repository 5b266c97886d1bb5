"""What a connection needs whatever version of HTTP it speaks: transport, writer, peer and send timeout."""

import asyncio
import socket
from contextlib import suppress
from typing import cast

from pwb_async.core.deadlines import Deadline
from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.network.listeners import peer_address
from pwb_async.network.send_timeout import SendTimeout
from pwb_async.network.sockets import bytes_acknowledged, reset_on_close
from pwb_async.observability.exchange import make_exchange

from .response_writer import ResponseWriter
from .state import ServerState


class ConnectionProtocol(asyncio.Protocol):
    """The server's end of one connection, below HTTP."""

    __slots__ = ("_peer", "_send_timeout", "_state", "_transport", "_writer", "deadline")

    deadline: Deadline
    """When the server is to call expire()."""
    _transport: asyncio.Transport
    _writer: ResponseWriter

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._send_timeout: SendTimeout | None = None
        self._peer = ""
        self.deadline = Deadline(state.context.timeouts)

    @property
    def write_paused(self) -> bool:
        """Whether data waits for the peer to read."""
        return self._writer.paused

    @property
    def peer(self) -> str:
        """The address of the other end of the connection; "-" on a Unix socket, or if the peer left too early."""
        return self._peer or self._find_peer()

    @property
    def held(self) -> float:
        """Seconds for which the server itself has held back what it sends."""
        return self._writer.held

    def use_peer(self, address: str) -> None:
        """Take this as the peer's address, such as that which a proxy has named; "" is ignored."""
        self._peer = address or self._peer

    def _find_peer(self) -> str:
        # Only on demand, as this is 0.2 of the 26 us that a connection with one request costs.
        self._peer = peer_address(self._transport.get_extra_info("peername"))
        return self._peer

    @property
    def sock(self) -> socket.socket:
        """The socket, for asking the kernel about it; only the transport reads and writes."""
        return cast(socket.socket, self._transport.get_extra_info("socket"))

    def take_place(self, other: "ConnectionProtocol") -> None:
        """Take a connection over from another protocol."""
        self._transport, self._writer, self._peer = other._transport, other._writer, other._peer
        self._state.admission.replace(other, self)  # type: ignore[arg-type]  # as in connection_made()
        self._transport.set_protocol(self)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request, or send 503 if the connection is not admitted."""
        state = self._state
        self._transport = transport
        self._writer = self._make_writer(transport)
        self._writer.limit_buffer()
        if not self._peer and (state.observers or state.access_check):
            self._find_peer()  # now, as the address cannot be found when the peer has left
        now = state.clock()
        if state.admission.admit(self, now):  # type: ignore[arg-type]  # a subclass has what ServerConnection demands
            self._wait(now)
        else:
            self._refuse()

    def _wait(self, now: float) -> None:
        """Wait for a request. To be overridden."""
        raise NotImplementedError

    def _refuse(self) -> None:
        """Send 503, since the connection is not admitted. To be overridden."""
        raise NotImplementedError

    def _make_writer(self, transport: asyncio.Transport) -> ResponseWriter:
        state = self._state
        if state.send_rates is None:
            return ResponseWriter(transport, state.send_queue, state.sendfiles)
        from .paced_writer import PacedWriter  # few servers have such limits

        return PacedWriter(transport, state)

    def connection_lost(self, exc: Exception | None) -> None:
        """End a response that is being written, and stop counting the connection."""
        self._writer.lose()
        self._state.admission.forget(self)  # type: ignore[arg-type]
        if self._state.closing:
            self._state.check_empty()

    def pause_writing(self) -> None:
        """Pause the writer, and start the send timeout."""
        self._writer.pause()
        held = self._writer.held
        self._send_timeout = SendTimeout(self._state.context.timeouts.send, self._state.clock() - held)
        self.deadline.at = self._send_timeout.next_check + held

    def resume_writing(self) -> None:
        """Resume the writer, and end the send timeout."""
        self._writer.resume()
        self._send_timeout = None
        self.deadline.disarm()

    def _check_send_timeout(self, timeout: SendTimeout) -> None:
        acknowledged = bytes_acknowledged(self.sock)
        # On a Unix socket the kernel does not count; there the transport's buffer shows whether the peer reads.
        progress = -self._transport.get_write_buffer_size() if acknowledged is None else acknowledged
        held = self._writer.held  # the client's time stands still while the server itself holds back
        if timeout.check(progress, self._state.clock() - held):
            self.deadline.at = timeout.next_check + held
        else:
            self.abort(reset=True)

    def _report(
        self,
        client: str,
        request: Request | BadRequest,
        response: Response | None,
        sent: int,
        started_at: float,
        status: int = 0,
        *,
        missed: bool = False,
    ) -> None:
        """Count an exchange, and pass it to every observer.

        client: "" for the peer. status: 0 for the response's. missed: whether it was not in the cache at first.
        """
        cached = 0
        if response is not None:
            status, cached = status or response.status, 0 if missed else response.serialized_head_length
        if self._state.record is not None:
            self._state.record(request.method, status, sent, started_at, cached)
        if self._state.observers:
            exchange = make_exchange(client or self.peer, request, status, sent, started_at, response)
            for observe in self._state.observers:
                observe(exchange)

    def close(self) -> None:
        """Close the connection after what has been written."""
        self._transport.close()

    def abort(self, reset: bool = False) -> None:
        """Close the connection at once, without sending what is buffered.

        reset: discard what the kernel has not sent, too, and send RST; for a peer that does not read.
        """
        if reset:
            with suppress(OSError):
                reset_on_close(self.sock)
        self._writer.lose()
        self._transport.abort()
