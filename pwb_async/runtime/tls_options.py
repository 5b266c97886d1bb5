"""TLS, as the options describe it."""

from typing import TYPE_CHECKING

from pwb_async.config.options import ConfigError, Options

if TYPE_CHECKING:
    from pwb_async.tls.contexts import TLSContexts


def find_tls(options: Options) -> "TLSContexts | None":
    """The SSL contexts that the options name; None if they name no certificate. Raises ConfigError."""
    if not options.tls_cert:
        return None
    from pwb_async.tls.certified_key import read_certified_keys  # most servers have no TLS
    from pwb_async.tls.contexts import TLSContexts
    from pwb_async.tls.errors import CertificateError

    try:
        return TLSContexts(read_certified_keys(options.tls_cert, options.tls_key))
    except CertificateError as error:
        raise ConfigError(f"{error}.") from None
