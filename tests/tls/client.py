"""A client over TLS: one connection, one request."""

import socket
import ssl
from typing import NamedTuple

from cryptography import x509

from tests.conformance.peer import TIMEOUT

from .handshake import client_context


class Fetched(NamedTuple):
    """What a client got."""

    response: bytes
    certificate: x509.Certificate
    session: ssl.SSLSession | None
    resumed: bool | None

    @property
    def names(self) -> list[str]:
        found = self.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return found.value.get_values_for_type(x509.DNSName)


def request(path: str = "/a.txt", *fields: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: a.test", *fields, "", "")).encode()


def connect(
    address: tuple[str, int],
    name: str | None = None,
    context: ssl.SSLContext | None = None,
    session: ssl.SSLSession | None = None,
) -> ssl.SSLSocket:
    """A connection; it trusts any certificate without a context of its own. Raises OSError."""
    sock = socket.create_connection(address, timeout=TIMEOUT)
    try:
        return (context or client_context()).wrap_socket(sock, server_hostname=name, session=session)
    except BaseException:
        sock.close()
        raise


def fetch(
    address: tuple[str, int],
    name: str | None = None,
    context: ssl.SSLContext | None = None,
    session: ssl.SSLSession | None = None,
) -> Fetched:
    """Requests /a.txt on a new connection. Raises OSError."""
    with connect(address, name, context, session) as client:
        client.sendall(request("/a.txt", "Connection: close"))
        response = b"".join(iter(lambda: client.recv(65536), b""))
        certificate = x509.load_der_x509_certificate(client.getpeercert(binary_form=True) or b"")
        return Fetched(response, certificate, client.session, client.session_reused)
