"""The client's end of TLS without a socket, with which Peer sends and reads exactly what a test gives it."""

import atexit
import ssl
from contextlib import suppress
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from tests.tls.certificates import make


class TLSAddress(tuple[str, int]):
    """The host and port of a server with TLS, and the context of its clients."""

    context: ssl.SSLContext
    """It trusts any certificate unless a test sets it."""
    session: ssl.SSLSession | None = None
    """The session that new connections resume."""
    name: str | None = None
    """The name that they ask for."""

    def __new__(cls, address: tuple[str, int], context: ssl.SSLContext | None = None) -> "TLSAddress":
        made = super().__new__(cls, address)
        made.context = context or trusting_context()
        return made


def trusting_context() -> ssl.SSLContext:
    """The context of a client that trusts any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class TLSStream:
    """The client's end of one connection."""

    def __init__(self, address: TLSAddress) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl_object = address.context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=address.name, session=address.session
        )

    def shake_hands(self) -> bool:
        """Takes a step of the handshake; returns whether it is complete."""
        try:
            self.ssl_object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def feed(self, data: bytes) -> None:
        """Takes what was received."""
        self._incoming.write(data)

    def take(self) -> bytes:
        """What is to be sent."""
        return self._outgoing.read()

    def encrypt(self, data: bytes) -> bytes:
        if data:
            self.ssl_object.write(data)
        return self.take()

    def decrypt(self) -> bytes | None:
        """The next piece of plaintext; b"" after close_notify, None if more has to be received."""
        try:
            return self.ssl_object.read(1 << 18)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            return b""
        except ssl.SSLError as error:
            raise ConnectionAbortedError(f"an alert: {error.reason}") from None

    def close(self) -> bytes:
        """Closes the sending side; returns the close_notify to send."""
        with suppress(ssl.SSLError):
            self.ssl_object.unwrap()
        return self.take()


@cache
def certificate_options() -> tuple[str, ...]:
    """The options of a server with a certificate of its own, which is made once in each process of the suite."""
    folder = Path(mkdtemp(prefix="pwb-certificate-"))
    atexit.register(rmtree, folder)
    certificate, key = make("localhost", "127.0.0.1", "::1").write(folder)
    return ("--tls-cert", str(certificate), "--tls-key", str(key))
