"""The context of a server: the parts that every server is made of; opening.py opens them."""

from collections.abc import Callable, Sequence
from socket import socket
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pwb_async.config.options import Options
from pwb_async.config.places import all_directories, is_store
from pwb_async.config.rules import Rules
from pwb_async.core.deadlines import Timeouts
from pwb_async.core.http1.connection import Connection
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.site.access import ClientResolver, Guard
from pwb_async.core.site.lookup import Storage
from pwb_async.core.site.responder import Responder
from pwb_async.network.listeners import close
from pwb_async.observability.access_log import AccessLog
from pwb_async.observability.exchange import Observer
from pwb_async.output.printing import printable

from . import privileges
from .connection_options import find_parser
from .hooks import AccessCheck, both, contain
from .operation_options import find_health_guard
from .ready_line import ready_line, urls
from .roots import open_root
from .sites import Sites

if TYPE_CHECKING:
    from pwb_async.access.trusted_proxies import TrustedProxies
    from pwb_async.limits.limits import Limits
    from pwb_async.metrics.metrics import Metrics
    from pwb_async.observability.trace_events import TraceWriter
    from pwb_async.tls.reloading import ReloadingContexts

T = TypeVar("T")


class StartupError(Exception):
    """A server cannot start, or its options cannot be reloaded. Its str is one printable line with the reason."""

    def __init__(self, line: str) -> None:
        super().__init__(printable(line))


class ServerContext(NamedTuple):
    """Everything that a server needs before it accepts its first connection."""

    program: str
    """The program's name in its messages."""
    options: Options
    read_options: Callable[[], Options]
    """Reads the options again, for a reload. Raises ConfigError."""
    server_field: bytes
    """The value of the Server field."""
    parser: RequestParser
    timeouts: Timeouts
    site: Responder
    """The site, or several of them as one."""
    storage: Storage
    sites: Sites
    """What `site` and `storage` are made of."""
    rules: tuple[Rules, ...]
    """The rules that `site` was made with. Those of `sites` are others as soon as they have been read again."""
    log: AccessLog | None
    """The access log; None with --access-log off."""
    sockets: list[socket]
    """The listening sockets, but for those of --redirect-https."""
    trace: "TraceWriter | None"
    """The timeline; None without --trace."""
    workers: int
    """The number of serving processes."""
    proxies: "TrustedProxies | None" = None
    """The proxies that are trusted; None for none."""
    connection_class: type[Connection] = Connection
    """The class of connections; with --proxy-protocol a ProxiedConnection."""
    tls: "ReloadingContexts | None" = None
    """The SSL contexts of connections; None for connections without TLS."""
    redirect_sockets: Sequence[socket] = ()
    """The listening sockets of --redirect-https."""
    admin_sockets: Sequence[socket] = ()
    """The listening sockets of --admin."""
    metrics: "Metrics | None" = None
    """The metrics; None if no option needs them."""
    limits: "Limits | None" = None
    """The limits on requests and on bytes a second; None if there are none."""
    guard: Guard | None = None
    """The function that may refuse a request before the cache is asked, beside that of `sites`; None for none.

    No option sets this one and the next two; a program that embeds the server can, by _replace(). What follows if
    one of them raises an exception is described in hooks.py."""
    resolve_client: ClientResolver | None = None
    """The function that finds the client of a request, in place of `proxies`; None for no such function."""
    observers: tuple[Observer, ...] = ()
    """The functions that are called with each exchange, beside that of the access log."""

    @property
    def speaks_http2(self) -> bool:
        """Whether clients may speak HTTP/2: with TLS by default, otherwise where it is asked for."""
        return self.options.http2 is True or (self.tls is not None and self.options.http2 is not False)

    @property
    def access_check(self) -> AccessCheck | None:
        """The client resolver and the guard as servers call them; None if there is neither."""
        return self.make_access_check(self.site)

    def make_access_check(self, site: Responder, *, by_rules: bool = True) -> AccessCheck | None:
        """The same with another site, which adds its fields to what refuses a request. by_rules: whether rules do."""
        guard = both(self._guard_of_rules(site) if by_rules else None, self.guard)
        guard = both(find_health_guard(self.options, self.metrics), guard)
        resolve = self.resolve_client or self.proxies
        return None if resolve is None and guard is None else AccessCheck(resolve, guard, site)

    def _guard_of_rules(self, site: Responder) -> Guard | None:
        """The guard of limits and of access rules, in this order, since the check of a password is what costs most."""
        limits = None if self.limits is None else self.limits.guard(site)
        return both(limits, self.sites.guard(self.site))

    @property
    def all_observers(self) -> tuple[Observer, ...]:
        """The observers as servers call them, with that of the access log before them, if there is one."""
        observers = map(contain, self.observers)
        return tuple(observers) if self.log is None else (self.log.observer, *observers)

    @property
    def listening_sockets(self) -> dict[str, list[socket]]:
        """All listening sockets, by the names that they have for a process which takes them over."""
        return {"public": self.sockets, "redirect": [*self.redirect_sockets], "admin": [*self.admin_sockets]}

    @property
    def urls(self) -> list[str]:
        """The URL at which each of the listening sockets serves the site."""
        return urls(self.options, self.sockets, "http" if self.tls is None else "https")

    def ready_line(self, server: str) -> str:
        """The line that a program prints once it accepts connections: `server` serves what, and where."""
        return ready_line(server, self.options, self.urls, self.redirect_sockets, self.admin_sockets)

    def traced_wait(self, call: Callable[[float | None], T]) -> Callable[[float | None], T]:
        """`call`, which waits for clients; with --trace, wrapped so that the timeline shows the wait."""
        return call if self.trace is None else self.trace.traced_wait(call)

    def drop_privileges(self, *modules: str) -> None:
        """Give up the rights that serving does not need; import `modules` before. There must be no other thread yet.

        Raises StartupError.
        """
        from .preload import modules_of  # most servers keep their rights

        directory = self.options.root
        try:
            modules += modules_of(
                self.options, tls=self.tls is not None, http2=self.speaks_http2, admin=bool(self.admin_sockets)
            )
            privileges.drop_privileges(self.options, *modules)
            for directory in all_directories(self.options):
                if not is_store(directory):  # it needs no rights here
                    open_root(directory, self.options)
        except OSError as error:
            raise StartupError(f"cannot serve {directory} with fewer rights: {error.strerror or error}") from None

    def reload_rules(self, now: float, *, log: bool = True) -> "ServerContext | None":
        """The same context with the rules as they are by now; None if they are the same. It may wait for the disk.

        Rules that were read before, but came too late for a caller that waited no longer, are those of now as well.
        The files of users are read again, too, but this makes no difference to the context.
        now: seconds on a clock that never goes back. log: whether mistakes and warnings are logged.
        """
        self.sites.reload(now, log=log)
        rules = self.sites.rules
        if all(new is old for new, old in zip(rules, self.rules, strict=True)):
            return None
        site = self.sites.make_responder(rules, self.trace)
        return self._replace(rules=rules, site=site, parser=find_parser(self.parser.limits, site, self.parser))

    def accepts(self, peer: str) -> bool:
        """Whether a peer may connect: with --proxy-protocol, only a trusted proxy may."""
        return not self.options.proxy_protocol or (self.proxies is not None and self.proxies.trusts(peer))

    def rules_are_due(self, now: float) -> bool:
        """Whether it is time for reload_rules()."""
        return self.sites.is_due(now)

    def close(self) -> None:
        """Close the sockets, remove the file of a Unix socket, and write the rest of the log and the timeline."""
        close([*self.sockets, *self.redirect_sockets, *self.admin_sockets])
        if self.metrics is not None:
            self.metrics.close()
        if self.log is not None:
            self.log.close()
        if self.trace is not None:
            self.trace.close()
