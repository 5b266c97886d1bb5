"""Access control, as the options describe it."""

import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from pwb_async.config.options import ConfigError, Options
from pwb_async.config.places import root_path
from pwb_async.config.profiles import LOCAL
from pwb_async.core.http1.connection import Connection
from pwb_async.core.semantics.networks import Networks
from pwb_async.core.site.access import AccessRule, AccessRules
from pwb_async.core.site.lookup import Storage
from pwb_async.core.site.servable import is_servable

logger: Final = logging.getLogger("pwb")

if TYPE_CHECKING:
    from pwb_async.access.guard import Access
    from pwb_async.access.htpasswd import Htpasswd
    from pwb_async.access.trusted_proxies import TrustedProxies


def find_access(
    options: Options, other: "Access | None", files: "dict[str, Htpasswd]", served: Sequence[tuple[str, bool]]
) -> "Access | None":
    """The access rules of a site's options, with their files of users; None if nothing is refused. Raises ConfigError.

    other: the access of another site, or of the configuration before, whose count of wrong passwords is shared. files:
    those that are open already; new ones are added. served: each directory that is served, and whether with dotfiles.
    """
    rules = AccessRules((*_for_all(options), *options.rules.access))
    if not rules and not options.allowed_host:
        return None
    from pwb_async.access.guard import Access  # most sites refuse nothing
    from pwb_async.access.htpasswd import Htpasswd

    for rule in rules.rules:
        if (path := rule.htpasswd) and path not in files:
            try:
                for root, dotfiles in served:
                    _check_hidden(path, root, dotfiles)
                files[path] = Htpasswd(path)
            except ConfigError as error:
                raise ConfigError(f"{'htpasswd' if rule.pattern is None else rule.place}: {error}") from None
    return Access(
        rules,
        {path: files[path] for path in options.htpasswd_files},
        hosts=served_hosts(options),
        preflights=bool(options.cors),
        attempts=None if other is None else other.attempts,
    )


def served_hosts(options: Options) -> tuple[str, ...]:
    """The hosts that --allowed-host names, with those of this machine in place of the word for them."""
    hosts = options.allowed_host
    if LOCAL not in hosts:
        return hosts
    from pwb_async.network.local_names import own_hosts

    return (*(host for host in hosts if host != LOCAL), *own_hosts(options.host))


def guard_storage(storage: Storage, options: Options, access: "Access") -> Storage:
    """The files of a site with this access; the pages with which it refuses requests are read."""
    from pwb_async.access.pages import RefusalPages

    if options.error_pages and access.rules:
        access.pages = RefusalPages(storage, root_path(options))
    return access.guarded(storage)


def find_proxies(options: Options) -> "TrustedProxies | None":
    """The proxies that the options name; None if there are none."""
    if not options.trusted_proxy:
        return None
    from pwb_async.access.trusted_proxies import TrustedProxies

    networks = Networks(proxy for proxy in options.trusted_proxy if proxy != "unix")
    return TrustedProxies(networks, unix="unix" in options.trusted_proxy)


def find_connection_class(options: Options) -> type[Connection]:
    """The class of connections. Raises ConfigError."""
    if not options.proxy_protocol:
        return Connection
    if options.trace is not None:
        raise ConfigError("--trace and --proxy-protocol: a timeline shows connections without a header only.")
    from pwb_async.core.http1.proxy_protocol import ProxiedConnection

    return ProxiedConnection


def _for_all(options: Options) -> list[AccessRule]:
    """The rule of the options for the whole site, if there is one."""
    if not (options.htpasswd or options.allow or options.deny):
        return []
    allow, deny = Networks(options.allow), Networks(options.deny)
    return [AccessRule("--htpasswd, --allow and --deny", None, options.htpasswd or "", allow, deny)]


def _check_hidden(path: str, root: str, dotfiles: bool) -> None:
    """Check that a file of users is not served. Raises ConfigError."""
    real, beneath = os.path.realpath(path), os.path.realpath(root).rstrip("/") + "/"
    if real.startswith(beneath) and is_servable(tuple(os.fsencode(real[len(beneath) :]).split(b"/")), dotfiles):
        raise ConfigError(f"{path}: it is in {root}, which is served, so any client could read it.")
