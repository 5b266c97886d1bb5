"""The begin of a connection on a port with TLS: the handshake, after which a TLSTransport takes over.

The steps:
  1. The connection is counted by admission control from the moment when it is accepted, and has one deadline for the
     handshake, --header-timeout, which received bytes do not move.
  2. With --proxy-protocol, the header names the client (proxy_protocol.py).
  3. The first byte tells TLS from HTTP without it, to which a protocol of its own responds (plain_state.py). Anything
     else gets an alert.
  4. The steps of the handshake wait for their turn, so that other connections have theirs in a flood of handshakes.
  5. The protocol that ALPN has chosen is counted in the place of this one. If the server is full, it sends 503.
"""

import asyncio
import logging
import socket
from contextlib import suppress
from typing import Final, cast

from pwb_async.core.deadlines import Deadline
from pwb_async.core.events import ConnectionState
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.tls import TLSConnection, TLSError, begins_as_http
from pwb_async.network.listeners import peer_address
from pwb_async.network.sockets import reset_on_close

from .connection_protocol import ConnectionProtocol
from .faults import contain
from .tls_layer import TLSLayer
from .tls_transport import TLSTransport

logger: Final = logging.getLogger("pwb")
_MAX_HANDSHAKE: Final = 64 * 1024
"""Bytes of a client's part of a handshake; chains of client certificates take up to about 16 KiB."""


class TLSHandshake(asyncio.Protocol):
    """The server's end of a connection until its handshake is complete."""

    __slots__ = (
        "_awaits_header",
        "_client",
        "_data",
        "_layer",
        "_peer",
        "_reading_paused",
        "_received",
        "_retire_timeout",
        "_tls",
        "_transport",
        "_waiting",
        "deadline",
    )

    deadline: Deadline
    """When the server is to call expire()."""
    idle_order = None
    """It is never closed to make room, as a client that has just connected is about to send a request."""
    responding = False
    """No response is under way."""
    write_paused = False
    held = 0.0
    """What a handshake has to send fits into the kernel's buffer."""
    _transport: asyncio.Transport

    def __init__(self, layer: TLSLayer) -> None:
        self._layer = layer
        self._tls: TLSConnection | None = None
        self._data = b""
        self._received = 0
        self._retire_timeout: float | None = None
        self._waiting = self._reading_paused = False
        self._awaits_header = layer.state.context.options.proxy_protocol
        self._peer = self._client = ""
        self.deadline = Deadline(layer.state.context.timeouts)

    @property
    def peer(self) -> str:
        """The address of the other end of the connection; "-" on a Unix socket, or if the peer left too early."""
        if not self._peer:
            self._peer = peer_address(self._transport.get_extra_info("peername"))
        return self._peer

    @property
    def sock(self) -> socket.socket:
        """The socket, for asking the kernel about it."""
        return cast(socket.socket, self._transport.get_extra_info("socket"))

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, and wait for the handshake."""
        self._transport = transport
        state = self._layer.state
        now = state.clock()
        self.deadline.arm(ConnectionState.HEAD, now)
        state.admission.admit(self, now)
        if self._awaits_header and not state.context.accepts(self.peer):
            self.abort()

    def data_received(self, data: bytes) -> None:
        """Take the next step, when it is this connection's turn."""
        self._data += data
        if self._waiting:
            self._reading_paused = True
            self._transport.pause_reading()
        else:
            self._waiting = True
            self._layer.turns.take(self._step)

    def _step(self) -> None:
        contain(self, self._advance)

    def _advance(self) -> None:
        self._waiting = False
        if self._transport.is_closing():
            return
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()
        if self._awaits_header and not self._take_header():
            return
        if data := self._data:
            self._data = b""
            if self._tls is None:
                if begins_as_http(data):
                    self._serve_plain(data)
                    return
                self._tls = self._layer.connection()
            self._shake_hands(self._tls, data)

    def _take_header(self) -> bool:
        """Take the header of the PROXY protocol, and return whether it is complete."""
        from pwb_async.core.http1.proxy_protocol import parse_proxy_header

        try:
            header = parse_proxy_header(self._data)
        except ValueError:
            self.abort()
            return False
        if header is not None:
            self._data = self._data[header.length :]
            self._client, self._awaits_header = header.source, False
        return header is not None

    def _shake_hands(self, tls: TLSConnection, data: bytes) -> None:
        self._received += len(data)
        try:
            plaintext, output = tls.receive(data)
            if not tls.complete and self._received > _MAX_HANDSHAKE:
                raise TLSError("the handshake is too long", b"")
        except TLSError as error:
            logger.debug("a handshake has failed: %s", error)
            if error.alert:
                self._transport.write(error.alert)
            self._transport.close()
            return
        if tls.complete:
            protocol = self._layer.protocol(tls.alpn)
            self._hand_over(protocol)
            TLSTransport(self._transport, tls, protocol).begin(plaintext, output)
            if self._retire_timeout is not None:
                protocol.retire(self._retire_timeout)  # type: ignore[attr-defined]  # a subclass has it
        elif output:
            self._transport.write(output)

    def _serve_plain(self, data: bytes) -> None:
        """Respond to a request that was sent without TLS."""
        protocol = self._layer.plain_protocol()
        self._hand_over(protocol)
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        protocol.retire(0)  # after the response
        protocol.data_received(data)

    def _hand_over(self, protocol: ConnectionProtocol) -> None:
        """Let a protocol count as this connection, with its client."""
        protocol.use_peer(self._client or self._peer)
        self._layer.state.admission.replace(self, protocol)  # type: ignore[arg-type]  # a subclass has all

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop counting the connection."""
        state = self._layer.state
        state.admission.forget(self)
        if state.closing:
            state.check_empty()

    def expire(self) -> None:
        """Close the connection, whose handshake has taken too long."""
        self.abort()

    def use_parser(self, parser: RequestParser) -> None:
        """Do nothing: the protocol will take the parser of the configuration at that time."""

    def stop(self) -> None:
        """Close the connection: no request has begun."""
        self._transport.close()

    def retire(self, timeout: float) -> None:
        """Let the protocol be retired; until then the connection has its deadline."""
        self._retire_timeout = timeout

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def abort(self, reset: bool = False) -> None:
        """Close the connection at once."""
        if reset:
            with suppress(OSError):
                reset_on_close(self.sock)
        self._transport.abort()
