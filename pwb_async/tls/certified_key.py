"""A certificate chain and its private key, read from files and checked.

The files are read once, and what has been checked is what the contexts get, so a file that changes meanwhile does no
harm. Each pair is loaded into a context of its own first: in one that has another pair already, OpenSSL may overlook
that a key does not fit.
"""

import binascii
import logging
import os
import re
import shlex
import ssl
import time
from collections.abc import Sequence
from typing import Final, NamedTuple, NoReturn

from .certificate import Certificate, format_time, parse_certificate, subject_of
from .errors import CertificateError

logger: Final = logging.getLogger("pwb")
_CERTIFICATE: Final = re.compile(rb"-----BEGIN CERTIFICATE-----\s([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")
_BEGIN: Final = b"-----BEGIN CERTIFICATE-----"
_PRIVATE_KEY: Final = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)
_MAX_BYTES: Final = 1 << 20
"""Bytes of a file that are read; a chain has a few thousand."""
_OTHERS: Final = 0o006
"""The permissions to read and to write of users that are neither the owner nor in the group of a file."""
_MISMATCHES: Final = ("KEY_VALUES_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
"""OpenSSL's reasons for a key that does not fit; the second is that of a key of another type."""
_REASONS: Final = {
    "EE_KEY_TOO_SMALL": "the key is too short for OpenSSL",
    "CA_MD_TOO_WEAK": "it is signed with a digest that OpenSSL calls too weak",
}
"""What other reasons of OpenSSL mean here."""


class CertifiedKey(NamedTuple):
    """A certificate chain and the private key of its first certificate."""

    pem: bytes
    """The chain and the key."""
    certificate: Certificate
    """The first certificate of the chain."""
    shown: str
    """What messages call the certificate."""
    shown_key: str = ""
    """What messages call the key; "" if it has no file of its own."""

    def load_into(self, context: ssl.SSLContext) -> None:
        """Add the chain and the key to a context. Raises CertificateError."""
        try:
            # The ssl module takes files only.
            with open(os.memfd_create("pwb-tls"), "wb", buffering=0) as file:
                file.write(self.pem)
                context.load_cert_chain(f"/proc/self/fd/{file.fileno()}", password=self._refuse_password)
        except ssl.SSLError as error:
            raise CertificateError(f"{self.shown}: {self._fault(error.reason or str(error))}") from None
        except OSError as error:
            raise CertificateError(f"{self.shown}: cannot be used: {error.strerror}") from None

    def check_time(self, now: float) -> None:
        """Check that the certificate is valid. now: in seconds since the epoch. Raises CertificateError."""
        if now > self.certificate.not_after:
            raise CertificateError(f"{self.shown}: it expired on {format_time(self.certificate.not_after)}")
        if now < self.certificate.not_before:
            raise CertificateError(f"{self.shown}: it is not valid before {format_time(self.certificate.not_before)}")

    def _fault(self, reason: str) -> str:
        if reason in _MISMATCHES:
            key = self.shown_key or "it"
            return f"the key in {key} does not fit the certificate, which must be the first one in its file"
        return _REASONS.get(reason, f"OpenSSL refuses it: {reason}")

    def _refuse_password(self) -> NoReturn:
        path = self.shown_key or self.shown
        raise CertificateError(
            f"{path}: the key is encrypted, and a server cannot ask for its password; "
            f"openssl pkey -in {shlex.quote(path)} -out NEW decrypts it"
        )


def read_certified_keys(certificates: Sequence[str], keys: Sequence[str]) -> list[CertifiedKey]:
    """The chains in PEM files, each with its key.

    As many keys as certificates belong to them in this order. With fewer, the certificates with a key in their own file
    need none. Raises CertificateError.
    """
    chains = [_read(path) for path in certificates]
    with_own_key = [len(keys) < len(certificates) and _PRIVATE_KEY.search(chain) is not None for chain in chains]
    if len(certificates) - sum(with_own_key) != len(keys):
        lacking = next((path for path, own in zip(certificates, with_own_key, strict=True) if not own), certificates[0])
        raise CertificateError(f"{lacking}: there must be one --tls-key for each --tls-cert without a key in its file")
    others = iter(keys)
    pairs = [(path, path if own else next(others)) for path, own in zip(certificates, with_own_key, strict=True)]
    found = []
    for chain, (path, key) in zip(chains, pairs, strict=True):
        found.append(certify(chain, _read_key(key), path, "" if key == path else key))
        _warn_of_missing_issuer(chain, found[-1])
    return found


def certify(chain: bytes, key: bytes, shown: str, shown_key: str = "") -> CertifiedKey:
    """A chain and its key in PEM, after a check that they fit and are valid by now. Raises CertificateError."""
    pem = b"\n".join((*_certificates(chain, shown), key, b""))
    unread = CertifiedKey(pem, Certificate((), 0, 0), shown, shown_key)
    unread.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    certified = unread._replace(certificate=parse_certificate(first_certificate(chain)))
    certified.check_time(time.time())
    return certified


def first_certificate(chain: bytes) -> bytes:
    """The first certificate of a chain in PEM, in DER."""
    found = _CERTIFICATE.search(chain)
    assert found is not None
    return binascii.a2b_base64(found[1])


def certificates_in(path: str) -> bytes:
    """The certificates in a file, without what else is in it. Raises CertificateError."""
    return b"\n".join(_certificates(_read(path), path))


def _certificates(content: bytes, shown: str) -> list[bytes]:
    """All certificates in a file, in PEM. Raises CertificateError."""
    found = list(_CERTIFICATE.finditer(content))
    if not found:
        hint = ", but a private key" if _PRIVATE_KEY.search(content) else ""
        raise CertificateError(f"{shown}: there is no certificate in PEM in it{hint}")
    begins = [begin.start() for begin in re.finditer(_BEGIN, content)]
    for number, begin in enumerate(begins, 1):
        if number > len(found) or found[number - 1].start() != begin:
            raise CertificateError(f"{shown}: certificate {number} in it is not whole")
    return [each[0] for each in found]


def _warn_of_missing_issuer(chain: bytes, key: CertifiedKey) -> None:
    """Log a warning if clients have to find the issuer's certificate by themselves, which few can (RFC 8446 4.4.2)."""
    ders = [binascii.a2b_base64(found[1]) for found in _CERTIFICATE.finditer(chain)]
    if key.certificate.issuer not in map(subject_of, ders):
        logger.warning(
            "%s: the certificate of its issuer is not behind it; clients that lack that one do not trust it", key.shown
        )


def _read(path: str, *, secret: bool = False) -> bytes:
    """The content of a file. secret: other users must have no permission for it. Raises CertificateError."""
    try:
        with open(path, "rb") as file:
            content = file.read(_MAX_BYTES)
            mode = os.fstat(file.fileno()).st_mode
    except OSError as error:
        raise CertificateError(f"{path}: cannot be read: {error.strerror}") from None
    if secret and mode & _OTHERS and _PRIVATE_KEY.search(content):
        raise CertificateError(f"{path}: every user of this machine may read or write this key; chmod o= {path}")
    return content


def _read_key(path: str) -> bytes:
    """The first private key in a file, in PEM. Raises CertificateError."""
    content = _read(path, secret=True)
    found = _PRIVATE_KEY.search(content)
    if found is None:
        hint = ", but a certificate" if _CERTIFICATE.search(content) else ""
        raise CertificateError(f"{path}: there is no private key in PEM in it{hint}")
    return found[0]
