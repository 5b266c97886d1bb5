"""The server's end of a TLS connection, without a socket (RFC 8446, RFC 5246).

    receive(data)    takes received bytes; returns what they decrypt to, and what is to be sent: a step of the handshake
    send(data)       encrypts
    close()          ends the sending side: close_notify (RFC 8446 6.1)
    ended            the peer has ended its sending side in the same way

All connections of one thread share a pair of buffers between OpenSSL and this module, which are empty between any two
calls. With buffers of its own, a connection that has once sent 100 KiB keeps 119 KiB of memory instead of 14.
"""

import ssl
from contextlib import suppress
from typing import Final

_MAX_PLAINTEXT: Final = 16 * 1024
"""Bytes of the largest record (RFC 8446 5.1)."""
_STEP: Final = 16 * 1024
"""Received bytes that OpenSSL gets at a time."""
_MAX_WITHOUT_DATA: Final = 32 * 1024
"""Bytes without any plaintext that a peer may send, twice as many as a record has that is not complete. A KeyUpdate has
27, and the peer may ask for an answer to each (RFC 8446 4.6.3)."""
_UNEXPECTED_MESSAGE: Final = b"\x15\x03\x01\x00\x02\x02\x0a"
"""A fatal alert, as a record (RFC 8446 6), for a peer that does not speak TLS; OpenSSL sends such a peer nothing."""
_METHOD: Final = range(ord("A"), ord("Z") + 1)


def begins_as_http(data: bytes) -> bool:
    """Whether a connection begins with a method of HTTP; no record of TLS begins with a letter."""
    return data[0] in _METHOD


class TLSError(Exception):
    """The connection cannot go on: the handshake has failed, or a record is invalid."""

    def __init__(self, detail: str, alert: bytes) -> None:
        """detail: the reason, in words for a developer. alert: what is to be sent before the connection is closed."""
        super().__init__(detail)
        self.alert = alert


class TLSBuffers:
    """The two buffers by which OpenSSL gets what was received, and leaves what is to be sent."""

    __slots__ = ("incoming", "outgoing")

    def __init__(self) -> None:
        self.incoming = ssl.MemoryBIO()
        self.outgoing = ssl.MemoryBIO()


class TLSConnection:
    """A connection from its first byte on. After a TLSError it must not be used any more.

    Args:
        context: The context of the server, which has the certificates.
        buffers: The buffers that all connections of this thread share.
    """

    __slots__ = ("_incoming", "_outgoing", "_read", "_without_data", "_write", "complete", "ended", "ssl_object")

    complete: bool
    """Whether the handshake is complete."""
    ended: bool
    """Whether the peer has sent close_notify: what follows is ignored."""
    ssl_object: ssl.SSLObject
    """OpenSSL's part, for asking about the connection."""

    def __init__(self, context: ssl.SSLContext, buffers: TLSBuffers) -> None:
        self._incoming, self._outgoing = buffers.incoming, buffers.outgoing
        self.ssl_object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._read, self._write = self.ssl_object.read, self.ssl_object.write
        self._without_data = 0  # bytes received since the handshake, or since the last plaintext
        self.complete = self.ended = False

    @property
    def alpn(self) -> str | None:
        """The protocol that both sides have agreed on (RFC 7301); None if the client has offered none of ours."""
        return self.ssl_object.selected_alpn_protocol()

    def receive(self, data: bytes) -> tuple[bytes, bytes]:
        """Take received bytes; return their plaintext, and what is to be sent. Raises TLSError."""
        plaintext = b""
        try:
            for start in range(0, len(data), _STEP):
                step = data[start : start + _STEP]
                self._without_data += len(step) if self.complete else 0
                if piece := self._decrypt(step):
                    plaintext = plaintext + piece if plaintext else piece
                    self._without_data = 0
                elif self._without_data > _MAX_WITHOUT_DATA:
                    raise TLSError("too many records without data", b"")
                if self.ended:
                    break
            return plaintext, self._outgoing.read() if self._outgoing.pending else b""
        except ssl.SSLError as error:
            raise self._failed(error) from None
        finally:
            self._clear()

    def _decrypt(self, data: bytes) -> bytes:
        """Take received bytes, up to the peer's close_notify; return their plaintext."""
        incoming, plaintext = self._incoming, b""
        incoming.write(data)
        try:
            if not self.complete:
                self.ssl_object.do_handshake()
                self.complete = True
            while incoming.pending:  # no record is left in OpenSSL itself, as each is read whole
                piece = self._read(_MAX_PLAINTEXT)
                if not piece:
                    raise ssl.SSLZeroReturnError
                plaintext = plaintext + piece if plaintext else piece
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:  # instead of no bytes, if close() was called before
            self.ended = True
            incoming.read()
        return plaintext

    def _clear(self) -> None:
        """Leave nothing in the buffers: what an error has left of one connection must not get to another one."""
        if self._incoming.pending:
            self._incoming.read()
        if self._outgoing.pending:
            self._outgoing.read()

    def _failed(self, error: ssl.SSLError) -> TLSError:
        """The error with OpenSSL's alert, or one of our own; an alert of the peer is not answered."""
        reason, alert = error.reason or str(error), self._outgoing.read()
        if not alert and not self.complete and "_ALERT_" not in reason:
            alert = _UNEXPECTED_MESSAGE
        return TLSError(reason, alert)

    def send(self, data: bytes | bytearray | memoryview) -> bytes:
        """Encrypt bytes, of which there must be some, after the handshake."""
        try:
            self._write(data)
            return self._outgoing.read()
        finally:
            self._clear()

    def close(self) -> bytes:
        """End the sending side. What the peer sends can still be received."""
        try:
            with suppress(ssl.SSLError):  # the peer has not closed its own side yet
                self.ssl_object.unwrap()
            return self._outgoing.read()
        finally:
            self._clear()
