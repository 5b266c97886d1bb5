"""The transport of a connection with TLS, between the loop's plain transport and a protocol that speaks HTTP.

It is the plain transport's protocol, and the protocol's transport. The loops have such transports, too, but those call
pause_writing() at once if no buffer is allowed, as ResponseWriter demands; they cannot close one direction; and they
need the protocol before ALPN has chosen one.

What is sent while received data is processed is written together. If the client reads slowly, what the protocol has
written is encrypted piece by piece, so that a connection buffers one piece, and shares the rest with the cache.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

from pwb_async.core.tls import TLSConnection, TLSError

from .response_writer import EncryptedTransport

logger: Final = logging.getLogger("pwb")
_MAX_CORKED: Final = 64 * 1024
"""Encrypted bytes that wait for the end of the work on received data, at most."""
_PIECE: Final = 256 * 1024
"""Bytes that are encrypted at a time."""
_RECORD: Final = 16 * 1024
"""Bytes of the longest record: parts that fit into one are joined, and longer ones are not copied."""
_NO_PROTOCOL: Final = asyncio.Protocol()


class TLSTransport(EncryptedTransport, asyncio.Protocol):
    """Decrypts what arrives for a protocol, and encrypts what it sends, after the handshake."""

    __slots__ = (
        "_at_end",
        "_backlog",
        "_closing",
        "_corked",
        "_corked_size",
        "_held_back",
        "_paused",
        "_protocol",
        "_protocol_paused",
        "_reading_paused",
        "_tls",
        "_transport",
    )

    def __init__(self, transport: asyncio.Transport, tls: TLSConnection, protocol: asyncio.Protocol) -> None:
        """transport: the plain one; begin() makes this object its protocol."""
        self._transport = transport
        self._tls = tls
        self._protocol = protocol
        self._backlog: deque[memoryview] = deque()
        """What the protocol has written and is not encrypted yet, since the client reads slowly."""
        self._corked: list[bytes] | None = None
        """What is written after the work on received data; None while there is no such work."""
        self._corked_size = 0
        self._at_end: Callable[[], None] | None = None
        """What is called behind the backlog: write_eof() or close() of the plain transport."""
        self._paused = self._protocol_paused = self._closing = False
        self._reading_paused = False
        """Whether the protocol has paused reading."""
        self._held_back = False
        """Whether nothing is read until what was sent in answer to received data has left."""

    def begin(self, plaintext: bytes, output: bytes) -> None:
        """Connect the protocol. plaintext, output: what the last step of the handshake has left."""
        self._transport.set_protocol(self)
        self._corked = [output]
        try:
            self._protocol.connection_made(self)
            self._deliver(plaintext)
        finally:
            self._uncork()

    # What the plain transport calls

    def data_received(self, data: bytes) -> None:
        """Decrypt data for the protocol."""
        if self._closing or self._tls.ended:
            return
        try:
            plaintext, output = self._tls.receive(data)
        except TLSError as error:
            self._fail(error)
            return
        if output and self._sending_closed:
            output = b""  # such as answers to KeyUpdate, for which OpenSSL does not mind close_notify
        self._corked = [output] if output else []
        self._corked_size = len(output)
        try:
            self._deliver(plaintext)
        finally:
            self._uncork()
            if output and self._paused:  # otherwise a client could have the server keep ever more of it
                self._held_back = True
                self._transport.pause_reading()

    @property
    def _sending_closed(self) -> bool:
        """Whether the sending side has been closed, so that nothing can be written any more."""
        return self._at_end is not None and not self._backlog

    def _deliver(self, plaintext: bytes) -> None:
        if plaintext:
            self._protocol.data_received(plaintext)
        if self._tls.ended and not self._protocol.eof_received():
            self.close()

    def _fail(self, error: TLSError) -> None:
        """Send the alert, and close the connection: what the protocol still had to send is lost."""
        logger.debug("a connection with TLS has failed: %s", error)
        alert = b"" if self._sending_closed else error.alert
        self._closing = True
        self._backlog.clear()
        if alert:
            self._transport.write(alert)
        self._transport.close()

    def eof_received(self) -> bool:
        """Keep the connection open after close_notify, as the client may still read. Without it, it was cut off."""
        if not self._tls.ended:
            logger.debug("a connection with TLS has ended without close_notify")
            self.abort()
        return self._tls.ended

    def pause_writing(self) -> None:
        """Encrypt nothing more, and pause the protocol."""
        self._paused = True
        if not self._protocol_paused:
            self._protocol_paused = True
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Send more of the backlog, and resume the protocol when all of it is sent."""
        self._paused = False
        if self._held_back:
            self._held_back = False
            if not self._reading_paused:
                self._transport.resume_reading()
        self._send_backlog()
        if self._protocol_paused and not (self._paused or self._backlog):
            self._protocol_paused = False
            self._protocol.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on, and let go of the protocol, which refers to this object."""
        self._closing = True
        self._protocol.connection_lost(exc)
        self._protocol = _NO_PROTOCOL
        self._backlog.clear()

    # What the protocol calls

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send bytes; drop them after close(). The transport may keep `data` until it is sent."""
        if self._closing or not data:
            return
        if len(data) > _PIECE or self._backlog:
            self._uncork()
            self._backlog.append(memoryview(data))
            self._send_backlog()
        else:
            self._write(self._tls.send(data))

    def writelines(self, parts: Iterable[Any]) -> None:
        """Encrypt and send parts."""
        parts = list(parts)
        if sum(map(len, parts)) <= _RECORD:
            parts = [b"".join(parts)]
        for part in parts:
            self.write(part)

    def _write(self, output: bytes) -> None:
        if self._corked is None:
            self._transport.write(output)
            return
        self._corked.append(output)
        self._corked_size += len(output)
        if self._corked_size > _MAX_CORKED:
            self._uncork()

    def _uncork(self) -> None:
        """Write what has waited; until data is received again, nothing waits."""
        corked, self._corked, self._corked_size = self._corked, None, 0
        if corked:
            self._transport.write(corked[0] if len(corked) == 1 else b"".join(corked))

    def _send_backlog(self) -> None:
        while self._backlog and not self._paused:
            data = self._backlog.popleft()
            if rest := data[_PIECE:]:
                self._backlog.appendleft(rest)
            self._transport.write(self._tls.send(data[:_PIECE]))
        if self._backlog:
            self.pause_writing()
        elif self._at_end is not None:
            self._end(self._at_end)

    def can_write_eof(self) -> bool:
        """Whether one direction can be closed by itself: in TLS it can (RFC 8446 6.1)."""
        return True

    def write_eof(self) -> None:
        """Send close_notify, and close the sending side of the socket; the client's remains open."""
        self._end(self._transport.write_eof)

    def close(self) -> None:
        """Close the connection after what has been written and close_notify."""
        if not self._closing:
            self._closing = True
            self._end(self._transport.close)

    def _end(self, end: Callable[[], None]) -> None:
        self._at_end = end
        if self._backlog:
            return
        if close_notify := self._tls.close():  # the first time
            self._write(close_notify)
        self._uncork()
        end()

    def abort(self) -> None:
        """Close the connection at once, without close_notify, so that the client does not take it for an end."""
        self._closing = True
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether close() or abort() was called, or the connection is lost."""
        return self._closing or self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the plain transport has under this name; ssl_object is OpenSSL's part."""
        return self._tls.ssl_object if name == "ssl_object" else self._transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Pass the connection on to another protocol."""
        self._protocol = cast(asyncio.Protocol, protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that speaks HTTP."""
        return self._protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Set from how many encrypted bytes on the protocol is paused."""
        self._transport.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """Bytes that the kernel has not taken yet, some of them encrypted."""
        return self._transport.get_write_buffer_size() + self._corked_size + sum(map(len, self._backlog))

    def pause_reading(self) -> None:
        """Stop reading; what has been read is delivered whole."""
        self._reading_paused = True
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._reading_paused = False
        if not self._held_back:
            self._transport.resume_reading()
