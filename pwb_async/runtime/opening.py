"""Opens the context of a server as the options demand, and once more for a reload."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from socket import socket
from typing import Final

from pwb_async.config.options import DECLARATIONS, Options
from pwb_async.config.places import has_stores
from pwb_async.core.http1.connection import Connection
from pwb_async.storage.compression import CompressingStorage
from pwb_async.version import __version__

from . import privileges
from .access_options import find_connection_class, find_proxies
from .all_sockets import open_all_sockets
from .connection_options import find_parser, limits, timeouts
from .context import ServerContext, StartupError
from .delays import slowed
from .limit_options import find_limits
from .log_options import is_same_log, open_log
from .operation_options import make_metrics
from .processors import processors
from .risks import warn_of_risks
from .sites import PLAIN, SiteParts, Sites
from .timeline import open_trace
from .tls_options import find_tls, has_tls

logger: Final = logging.getLogger("pwb")
_NEEDS_RESTART: Final = (
    "host", "port", "unix", "unix_mode", "unix_group", "redirect_https", "proxy_protocol", "http2", "live_reload",
    "trace", "admin", "health",
)  # fmt: skip
"""Options that no reload can change: where the server listens, its timeline, and what it is measured for."""


def open_context(
    program: str,
    options: Options,
    read_again: Callable[[], Options] | None = None,
    *,
    parts: SiteParts = PLAIN,
    sockets: list[socket] | None = None,
    activated: bool = True,
) -> ServerContext:
    """Open everything that `options` name.

    `program` is the program's name in messages; `read_again` returns the options at the time of a reload, by default
    the same ones. parts: the classes of sites and disks. sockets: those that listen already; None to open some.
    activated: whether these may be some that the service manager has opened for this process. Raises StartupError, or
    ConfigError for a mistake in a file of rules; then nothing is left open.
    """
    return _open(program, options, read_again or (lambda: options), None, parts, sockets, activated)


def reload_context(old: ServerContext, fixed: tuple[str, ...] = ()) -> ServerContext:
    """A context made from the options as they are now.

    What no option sets is that of `old`: the sockets, the timeline, the guard, the client resolver and the observers;
    so is the access log if its path is the same. `fixed` names options that this server can change only by a restart;
    they keep their value, with a warning. Raises ConfigError or StartupError, and then `old` is as it was.
    """
    options = old.read_options()
    if has_tls(old.program, options) != (old.tls is not None):
        raise StartupError("TLS can be switched on or off by a restart only")
    for name in (*_NEEDS_RESTART, *fixed):
        if getattr(options, name) != (present := getattr(old.options, name)):
            option = DECLARATIONS[name]
            logger.warning("%s is still %s: only a restart can change it", option.flag, option.type.format(present))
            options = replace(options, **{name: present})
    new = _open(old.program, options, old.read_options, old)
    return new._replace(guard=old.guard, resolve_client=old.resolve_client, observers=old.observers)


def _open(
    program: str,
    options: Options,
    read_again: Callable[[], Options],
    old: ServerContext | None,
    parts: SiteParts = PLAIN,
    sockets: list[socket] | None = None,
    activated: bool = True,
) -> ServerContext:
    if options.live_reload:
        from .live_reload import with_live_reload  # few servers have it

        options = with_live_reload(program, options)
    if program == "pwb-legacy" and has_stores(options):
        raise StartupError("an object store is served by pwb, not by the designs, which have no event loop")
    rates = find_limits(program, options, old and old.limits)
    with ExitStack() as opened:
        action, value = "serve", options.root  # for the message about an OSError, as all assignments to them
        try:
            sites = Sites(options, old and old.sites, parts)
            sites.load_rules()
            if options.user is not None:
                action, value = "become", options.user
                privileges.find_user(options.user)
            if options.sandbox:
                action, value = "use", "--sandbox"
                from .landlock import find_landlock  # most servers keep their rights

                find_landlock()
            action, value = "write the access log", options.access_log
            if old is not None and is_same_log(old.options, options):
                log = old.log
            elif (log := open_log(program, options)) is not None:
                opened.callback(log.close)
            action, value = "give the socket to the group", options.unix_group or ""
            group = privileges.find_group(value) if value else None
            action, value = "listen on", ""
            present = old and (old.sockets, old.redirect_sockets, old.admin_sockets)
            sockets, beside, admin = present or open_all_sockets(program, options, group, opened, sockets, activated)
            action, value = "make certificates", ""
            may_use_tls = bool(sockets) and has_tls(program, options)
            tls = find_tls(options, sockets, old and (old.options, old.tls)) if may_use_tls else None
            action, value = "write the timeline", options.trace or ""  # last, since it empties the file
            trace = old.trace if old is not None else open_trace(program, options)
        except OSError as error:
            from .startup_hints import describe_failure  # most starts succeed

            raise StartupError(describe_failure(program, options, action, value, error)) from None
        opened.pop_all()
    warn_of_risks(options, secure=has_tls(program, options))
    storage = slowed(sites.storage, options)
    if any(each.compress for each in options.of_all_sites):
        storage = CompressingStorage(storage)
    if trace is not None:
        from pwb_async.observability.tracing import TracedStorage

        storage = TracedStorage(storage, trace)
    rules = sites.rules
    site = sites.make_responder(rules, trace)
    return ServerContext(
        program=program,
        options=options,
        read_options=read_again,
        server_field=f"PWB/{__version__}".encode() if options.server_version else b"PWB",
        parser=find_parser(limits(options), site, old and old.parser),
        timeouts=timeouts(options),
        site=site,
        storage=storage,
        sites=sites,
        rules=rules,
        log=log,
        sockets=sockets,
        trace=trace,
        workers=1 if options.live_reload else options.workers or processors(),
        proxies=find_proxies(options),
        connection_class=Connection if tls is not None else find_connection_class(options),
        tls=tls,
        redirect_sockets=beside,
        admin_sockets=admin,
        metrics=old.metrics if old is not None else make_metrics(program, options, admin=bool(admin)),
        limits=rates,
    )
