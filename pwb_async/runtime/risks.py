"""Warnings at the start about what the options give away."""

import logging
from typing import Final

from pwb_async.config.options import Options
from pwb_async.core.semantics.networks import parse_address

logger: Final = logging.getLogger("pwb")


def warn_of_risks(options: Options, *, secure: bool) -> None:
    """Log a warning about each option that gives something away. secure: whether responses are sent over TLS."""
    if options.uses_tls and not secure:
        logger.warning("the options of TLS are ignored: pwb-legacy serves HTTP")
    if options.dotfiles:
        logger.warning("names that begin with a dot are served: --dotfiles")
    if any(each.explain_fields for each in options.of_all_sites):
        logger.warning("responses show of which rules and files they are made: --explain-fields")
    if not secure:
        _warn_of_readable_passwords(options)


def _warn_of_readable_passwords(options: Options) -> None:
    """Log a warning if passwords may be sent through a network without a proxy, which would have TLS.

    Not to be called by a server that has TLS itself.
    """
    if options.unix or options.trusted_proxy or not any(each.htpasswd_files for each in options.of_all_sites):
        return
    address = parse_address(options.host)
    if options.host != "localhost" if address is None else not address.is_loopback:
        logger.warning("passwords are sent without TLS: any network on the way can read them")
