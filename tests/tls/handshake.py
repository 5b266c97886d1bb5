"""A handshake of a client with a server's contexts, in memory."""

import ssl
from contextlib import suppress
from typing import NamedTuple

from cryptography import x509

from pwb_async.tls.contexts import TLSContexts


class Handshake(NamedTuple):
    """What a client has seen of a handshake."""

    certificate: x509.Certificate
    names: list[str]
    version: str | None
    cipher: str
    alpn: str | None
    session: ssl.SSLSession | None
    resumed: bool | None


def client_context(**settings: object) -> ssl.SSLContext:
    """A context that trusts any server. settings: its attributes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for name, value in settings.items():
        setattr(context, name, value)
    return context


def shake(
    contexts: TLSContexts | ssl.SSLContext,
    name: str | None = None,
    client: ssl.SSLContext | None = None,
    session: ssl.SSLSession | None = None,
) -> Handshake:
    """Makes a handshake, with one byte of data afterwards in each direction. Raises ssl.SSLError."""
    context = contexts.context() if isinstance(contexts, TLSContexts) else contexts
    client = client or client_context()
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    server_end = context.wrap_bio(up, down, server_side=True)
    client_end = client.wrap_bio(down, up, server_hostname=name, session=session)
    for _ in range(4):
        for end in (client_end, server_end):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    server_end.write(b"s")
    assert client_end.read(1) == b"s"  # with the tickets of TLS 1.3
    client_end.write(b"c")
    assert server_end.read(1) == b"c"
    certificate = x509.load_der_x509_certificate(client_end.getpeercert(binary_form=True) or b"")
    with suppress(x509.ExtensionNotFound):
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return Handshake(
            certificate,
            names.get_values_for_type(x509.DNSName),
            client_end.version(),
            (client_end.cipher() or ("", "", 0))[0],
            client_end.selected_alpn_protocol(),
            client_end.session,
            client_end.session_reused,
        )
    raise AssertionError("the certificate has no names")


def hello(name: str) -> bytes:
    """The first flight of a client that asks for a name."""
    flight = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        client_context().wrap_bio(ssl.MemoryBIO(), flight, server_hostname=name).do_handshake()
    return flight.read()
