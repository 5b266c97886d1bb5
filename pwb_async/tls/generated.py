"""Certificates that a server makes for itself when it starts: signed by itself, or by the local authority.

Their keys are never written to a file. The package cryptography is imported by the functions that need it.
"""

import hashlib
import logging
import shlex
from collections.abc import Sequence
from typing import Final

from .certified_key import CertifiedKey, certify, first_certificate
from .errors import CertificateError

logger: Final = logging.getLogger("pwb")


def make_self_signed(names: Sequence[str]) -> CertifiedKey:
    """A certificate for these names and addresses that is its own issuer.

    Its fingerprint is logged. Raises CertificateError.
    """
    try:
        from .issuing import issue_self_signed
    except ImportError as error:
        raise _missing(error) from None
    issued = issue_self_signed(names)
    key = certify(issued.certificate, issued.key, f"self-signed certificate for {', '.join(names)}")
    digest = hashlib.sha256(first_certificate(issued.certificate)).digest()  # as browsers and openssl show it
    logger.info("%s; SHA-256 fingerprint %s", key.shown, digest.hex(":").upper())
    return key


def make_local(names: Sequence[str], required: Sequence[str]) -> CertifiedKey:
    """A certificate of the local authority, which is made if there is none.

    names: names and addresses, of which those are left out that the authority may not certify. required: those of which
    one that it may not certify is a mistake. How to trust the authority is logged. Raises CertificateError.
    """
    try:
        from .local_authority import certificate_path, open_authority
    except ImportError as error:
        raise _missing(error) from None
    authority = open_authority()
    for name in required:
        if not authority.permits(name):
            raise CertificateError(f"--tls-name {name}: the local authority may certify names of local networks only")
    permitted = [name for name in dict.fromkeys((*required, *names)) if authority.permits(name)]
    if not permitted:
        raise CertificateError(f"the local authority may certify none of {', '.join(names)}; --tls-name adds others")
    issued = authority.issue(permitted)
    key = certify(issued.certificate, issued.key, f"certificate of the local authority for {', '.join(permitted)}")
    command = f"sudo cp {shlex.quote(certificate_path())} /usr/local/share/ca-certificates/pwb.crt"
    logger.info("%s; to trust it: %s && sudo update-ca-certificates (browsers: docs/https.md)", key.shown, command)
    return key


def _missing(error: ImportError) -> CertificateError:
    return CertificateError(f"the package cryptography, which makes certificates, cannot be imported: {error}")
