"""TLS, as the options describe it."""

import time
from collections.abc import Sequence
from dataclasses import fields
from socket import socket
from typing import TYPE_CHECKING, Final

from pwb_async.config.options import ConfigError, Options
from pwb_async.config.tls_options import TLSOptions

if TYPE_CHECKING:
    from pwb_async.tls.certified_key import CertifiedKey
    from pwb_async.tls.reloading import ReloadingContexts

_ALPN: Final = ("h2", "http/1.1")
"""The protocols that are spoken above TLS, the preferred one first; with --no-http2 only the second one."""


def has_tls(program: str, options: Options) -> bool:
    """Whether a program serves HTTPS; pwb-legacy reads raw sockets, but may have the same TOML file."""
    return options.uses_tls and program != "pwb-legacy"


def find_tls(
    options: Options, sockets: Sequence[socket], old: "tuple[Options, ReloadingContexts | None] | None" = None
) -> "ReloadingContexts":
    """The SSL contexts that the options describe. Raises ConfigError.

    sockets: the listening sockets, whose addresses are in a certificate that is made here. old: the options and the
    contexts of the configuration before, which keep such a certificate if it would be the same.
    """
    ways = {
        "--tls-cert": options.tls_cert,
        "--tls-self-signed": options.tls_self_signed,
        "--tls-local": options.tls_local,
    }
    if len(given := [flag for flag, value in ways.items() if value]) > 1:
        raise ConfigError(f"{' and '.join(given)}: a server has either the one or the other.")
    keys: Sequence[CertifiedKey] = ()
    if old is not None and old[1] is not None and _tls_options(options) == _tls_options(old[0]):
        keys = old[1].keys
    from pwb_async.tls.contexts import TLSContexts  # most servers have no TLS
    from pwb_async.tls.errors import CertificateError
    from pwb_async.tls.profile import read_client_ca
    from pwb_async.tls.reloading import ReloadingContexts

    def make() -> TLSContexts:
        nonlocal keys
        now = time.time()
        if options.tls_cert or not keys or any(key.certificate.is_about_to_end(now) for key in keys):
            keys = _keys(options, sockets)
        client_ca = read_client_ca(options.tls_client_ca) if options.tls_client_ca else None
        return TLSContexts(keys, _ALPN[options.http2 is False :], client_ca)

    paths = [*options.tls_cert, *options.tls_key, *([options.tls_client_ca] if options.tls_client_ca else [])]
    try:
        return ReloadingContexts(make, paths, watch=options.tls_reload, renew=not options.tls_cert)
    except CertificateError as error:
        raise ConfigError(f"{error}.") from None


def _keys(options: Options, sockets: Sequence[socket]) -> "list[CertifiedKey]":
    """The certificates and keys of the options. Raises CertificateError."""
    if options.tls_cert:
        from pwb_async.tls.certified_key import read_certified_keys

        return read_certified_keys(options.tls_cert, options.tls_key)
    from pwb_async.network.local_names import names_of
    from pwb_async.tls.generated import make_local, make_self_signed

    addresses = [sock.getsockname() for sock in sockets]
    hosts = [options.host, *(address[0] for address in addresses if isinstance(address, tuple))]
    further = [name.strip("[]") for name in options.tls_name]
    if options.tls_self_signed:
        return [make_self_signed(names_of((*hosts, *further)))]
    return [make_local(names_of(hosts), further)]


def _tls_options(options: Options) -> list[object]:
    return [getattr(options, field.name) for field in fields(TLSOptions)]
