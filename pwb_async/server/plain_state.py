"""The server's state for its connections without TLS, where it has TLS: they are redirected to https."""

import asyncio
from collections.abc import Callable
from socket import AF_UNIX
from typing import Any, Final, cast

from pwb_async.config.places import places_of, root_path
from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.access import Check
from pwb_async.core.site.acme_challenges import FOLDER, is_challenge
from pwb_async.core.site.findings import Finding
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.plain_http import PlainHTTP, Ports
from pwb_async.core.site.responder import Responder
from pwb_async.runtime.access_options import find_connection_class
from pwb_async.runtime.context import ServerContext

from .state import ServerState

_HTTPS_PORT: Final = 443


class PlainState:
    """A ServerState with another site and without a cache; everything else is that of the server.

    Args:
        state: The server's state.
        ports: The ports of a listener beside that with TLS; None for requests on the latter.
    """

    cache = None

    def __init__(self, state: ServerState, ports: Ports | None = None) -> None:
        self._state, self._ports = state, ports
        self._configure(state.context)

    def _configure(self, context: ServerContext) -> None:
        self._configured = context
        self._site = PlainHTTP(context.site, self._ports)
        site = self._site if self._ports is None else _spare_challenges(context, self._ports)
        self._check_access = context.make_access_check(site)
        self._check_exempt = context.make_access_check(site, by_rules=False)
        # The header of the PROXY protocol has been taken ahead of what was no handshake.
        kind = find_connection_class(context.options) if self._ports else context.connection_class
        self._context = context._replace(site=site, connection_class=kind)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)

    @property
    def context(self) -> ServerContext:
        """The server's configuration, with this site."""
        if self._configured is not self._state.context:
            self._configure(self._state.context)
        return self._context

    @property
    def find(self) -> Callable[[Lookup], asyncio.Future[Finding]]:
        """The function that finds a file without the cache, which prepares responses for https."""
        return self._state.storage.find

    def access_check(self, peer: str, event: Request | BadRequest) -> tuple[str, Response | Check | None]:
        """The client, and the response if the request is refused: no password is asked for without TLS."""
        is_exempt = self._ports is not None and isinstance(event, Request) and is_challenge(event)
        check = self._check_exempt if is_exempt else self._check_access
        client, refusal = (peer, None) if check is None else check(peer, event)
        if isinstance(event, Request) and (isinstance(refusal, Check) or (refusal and refusal.status == 401)):
            return client, self._site.redirect(event)
        return client, refusal


def _spare_challenges(context: ServerContext, ports: Ports) -> Responder:
    """The sites of a context, each of which redirects all but what it has below its own /.well-known/."""

    def redirecting(number: int, site: Responder) -> PlainHTTP:
        options = context.options.of_all_sites[number]
        is_mounted = any(place.contains(FOLDER) for place in places_of(options))
        return PlainHTTP(site, ports, b"" if is_mounted else root_path(options))

    if not context.options.sites:
        return redirecting(0, context.site)
    from pwb_async.core.site.virtual_hosts import VirtualHosts  # which a server with several sites has imported

    return cast(VirtualHosts, context.site).with_sites(redirecting)


def ports_of(context: ServerContext) -> Ports:
    """The ports of --redirect-https and of TLS. A Unix socket with TLS has a proxy before it, with the usual port."""
    first = context.sockets[0]
    https = _HTTPS_PORT if first.family == AF_UNIX else first.getsockname()[1]
    return Ports(context.redirect_sockets[0].getsockname()[1], https)
