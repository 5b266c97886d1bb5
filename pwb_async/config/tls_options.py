"""The options of TLS, a part of those that options.py has."""

from dataclasses import dataclass, field
from typing import Final

from .declarations import Topic, option
from .option_types import HOST_NAME, PATH, PORT, SWITCH

TLS_NEEDED: Final = "tls_cert|tls_self_signed|tls_local"
"""What an option needs that has no meaning without TLS."""


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)  # only Options is made
class TLSOptions:
    """The options of TLS, which is used where there is a certificate."""

    tls_cert: tuple[str, ...] = option(
        Topic.TLS,
        (),
        PATH,
        "Serve HTTPS with this certificate and its chain, in PEM; repeatable, for several names or types of keys.",
        program="pwb",
    )
    tls_key: tuple[str, ...] = option(
        Topic.TLS,
        (),
        PATH,
        "Private key of a certificate, in PEM, in the order of --tls-cert; not for one that has it in its file.",
        program="pwb",
        needs="tls_cert",
    )
    tls_self_signed: bool = option(
        Topic.TLS,
        False,
        SWITCH,
        "Serve HTTPS with a certificate that is made at the start and signed by itself.",
        program="pwb",
    )
    tls_local: bool = option(
        Topic.TLS,
        False,
        SWITCH,
        "Serve HTTPS with a certificate that is made at the start by a local authority of your own (see below).",
        program="pwb",
    )
    tls_name: tuple[str, ...] = option(
        Topic.TLS,
        (),
        HOST_NAME,
        "Further name or address, such as [::1], in the certificate of --tls-self-signed or --tls-local; repeatable.",
        program="pwb",
        needs="tls_self_signed|tls_local",
    )
    tls_client_ca: str | None = option(
        Topic.TLS,
        None,
        PATH,
        "Demand a certificate of each client, issued by an authority in this file, in PEM.",
        program="pwb",
        needs=TLS_NEEDED,
    )
    tls_reload: bool = option(
        Topic.TLS, True, SWITCH, "Use new certificates as soon as their files change.", program="pwb"
    )

    redirect_https: int | None = option(
        Topic.TLS,
        None,
        PORT,
        "Listen on this port, too, without TLS, and redirect to https; what is below /.well-known/ is served.",
        program="pwb",
        needs=TLS_NEEDED,
    )

    scheme_is_reported: bool = field(default=False)
    """Whether X-Forwarded-Proto has the scheme of each request, also without a trusted proxy; no option sets this."""

    @property
    def uses_tls(self) -> bool:
        """Whether HTTPS is served."""
        return bool(self.tls_cert) or self.tls_self_signed or self.tls_local
