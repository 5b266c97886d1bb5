"""The TLS settings of every context: Mozilla's "intermediate" profile, version 6.0 of its guidelines.

TLS 1.2 and 1.3, and of TLS 1.2 only ECDHE with AEAD. The groups for key exchange are those of OpenSSL, which has the
hybrid X25519MLKEM768 first from version 3.5 on; a list of our own would lack it there, or fail where it is missing.
"""

import ssl
from collections.abc import Sequence
from typing import Final

from .certified_key import certificates_in
from .errors import CertificateError

CIPHERS: Final = ":".join(
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
    )
)
"""The cipher suites of TLS 1.2; OpenSSL has those of TLS 1.3 by itself."""


def new_context(alpn: Sequence[str], client_ca: str | None = None) -> ssl.SSLContext:
    """A context of a server without a certificate of its own.

    alpn: the protocols it speaks, the preferred one first. client_ca: the certificates of authorities, in PEM, of which
    one must have issued the certificate of each client; None if clients need none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    # A client without AES in hardware may prefer ChaCha20, and one without a close_notify is cut off, not at its end.
    context.options &= ~(ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_IGNORE_UNEXPECTED_EOF)
    context.num_tickets = 1  # a client that resumes a session gets the next one then (RFC 8446 4.6.1)
    context.set_alpn_protocols(list(alpn))
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client_ca)
    return context


def read_client_ca(path: str) -> str:
    """The certificates of authorities in a file, in PEM. Raises CertificateError."""
    authorities = certificates_in(path).decode("ascii")
    try:
        new_context((), authorities)
    except ssl.SSLError as error:
        raise CertificateError(f"{path}: OpenSSL refuses it: {error.reason or error}") from None
    return authorities
