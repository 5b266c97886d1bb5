"""The options of TLS, the first of those that options.py declares."""

from dataclasses import dataclass

from .declarations import Topic, option
from .option_types import PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class TLSOptions:
    """The options of TLS, which is used where there is a certificate."""

    tls_cert: tuple[str, ...] = option(
        Topic.TLS,
        (),
        PATH,
        "Certificate and its chain, in PEM: serve HTTPS; repeatable, for several names and types of keys.",
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
