"""The hooks of a context as servers call them: an exception of a hook neither ends a server nor holds up a connection.

It is logged with its traceback, for each hook at most once a second, and then:

    client resolver   the client is unknown, and observers get "-". A request gets 500; guard and site are not asked.
                      The peer is not taken for the client, since it may be a proxy that the guard trusts.
    guard             the request gets 500, as if the guard had refused it
    observer          nothing: the other observers are called

The connection stays open in each case, and the next request on it is checked anew.
"""

import logging
import re
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.access import ClientResolver, Guard
from pwb_async.core.site.site import Site
from pwb_async.observability.error_log import MessageLimit
from pwb_async.observability.exchange import Exchange, Observer

logger: Final = logging.getLogger("pwb")
_UNKNOWN: Final = "-"
"""The client's address in the log if the resolver has failed."""
_ADDRESS: Final = re.compile(r"[!#-\[\]-~]+")
"""What an address may consist of: it goes to the access log, where it must be one word."""


class AccessCheck:
    """The client resolver and the guard of a context: which client made a request, and whether it is refused."""

    def __init__(self, resolve: ClientResolver | None, guard: Guard | None, site: Site) -> None:
        self._resolve = resolve
        self._guard = guard
        self._site = site
        self._resolver_messages, self._guard_messages = MessageLimit(), MessageLimit()

    def __call__(self, peer: str, event: Request | BadRequest) -> tuple[str, Response | None]:
        """The client's address, and the response if the request is refused. A BadRequest never is."""
        try:
            client = self._client_of(peer, event)
        except Exception:
            _log_exception("the client resolver", self._resolver_messages)
            return _UNKNOWN, self._fault(event)
        if self._guard is None or isinstance(event, BadRequest):
            return client, None
        try:
            refusal = self._guard(client, event)
        except Exception:
            _log_exception("the guard", self._guard_messages)
            return client, self._fault(event)
        return client, refusal and self._site.finish(event, refusal)

    def _client_of(self, peer: str, event: Request | BadRequest) -> str:
        if self._resolve is None:
            return peer
        client = self._resolve(peer, event)
        if not _ADDRESS.fullmatch(client):
            raise ValueError(f"it returned {client!r}, which is not an address")
        return client

    def _fault(self, event: Request | BadRequest) -> Response | None:
        return None if isinstance(event, BadRequest) else self._site.finish(event, self._site.error(500, event.method))


def contain(observe: Observer) -> Observer:
    """An observer that calls another one and logs what that raises."""
    messages = MessageLimit()

    def observe_safely(exchange: Exchange) -> None:
        try:
            observe(exchange)
        except Exception:
            _log_exception("an observer", messages)

    return observe_safely


def _log_exception(hook: str, messages: MessageLimit) -> None:
    """Log the exception that is being handled."""
    if messages.allows():
        logger.exception("%s has failed", hook)
