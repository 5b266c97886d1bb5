"""The hooks of a context as servers call them: an exception of a hook neither ends a server nor holds up a connection.

It is logged with its traceback, for each hook at most once a second, and then:

    client resolver   the client is unknown, and observers get "-". A request gets 500; guard and site are not asked.
                      The peer is not taken for the client, since it may be a proxy that the guard trusts.
    guard, its check  the request gets 500, as if the guard had refused it
    observer          nothing: the other observers are called

The connection stays open in each case, and the next request on it is checked anew.
"""

import logging
import re
from functools import partial
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.access import Check, ClientResolver, Guard
from pwb_async.core.site.responder import Responder
from pwb_async.observability.error_log import MessageLimit
from pwb_async.observability.exchange import Exchange, Observer

logger: Final = logging.getLogger("pwb")
_UNKNOWN: Final = "-"
"""The client's address in the log if the resolver has failed."""
_ADDRESS: Final = re.compile(r"[!#-\[\]-~]+")
"""What an address may consist of: it goes to the access log, where it must be one word."""


class AccessCheck:
    """The client resolver and the guard of a context: which client made a request, and whether it is refused."""

    def __init__(self, resolve: ClientResolver | None, guard: Guard | None, site: Responder) -> None:
        self._resolve = resolve
        self._guard = guard
        self._site = site
        self._resolver_messages, self._guard_messages = MessageLimit(), MessageLimit()

    def __call__(self, peer: str, event: Request | BadRequest) -> tuple[str, Response | Check | None]:
        """The client's address, and the response if the request is refused, or a check of it that blocks.

        A BadRequest is never refused. What a check raises is contained, too.
        """
        try:
            client = peer if self._resolve is None else self._client_of(self._resolve, peer, event)
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
        if refusal is None:
            return client, None
        if isinstance(refusal, Check):
            return client, Check(partial(self._run, event, refusal))
        return client, self._site.finish(event, refusal)

    def _run(self, request: Request, check: Check) -> Response | None:
        try:
            refusal = check.run()
        except Exception:
            _log_exception("a check of the guard", self._guard_messages)
            return self._fault(request)
        return refusal and self._site.finish(request, refusal)

    def _client_of(self, resolve: ClientResolver, peer: str, event: Request | BadRequest) -> str:
        client = resolve(peer, event)
        if not _ADDRESS.fullmatch(client):
            raise ValueError(f"it returned {client!r}, which is not an address")
        return client

    def _fault(self, event: Request | BadRequest) -> Response | None:
        return None if isinstance(event, BadRequest) else self._site.finish(event, self._site.error(event, 500))


def both(first: Guard | None, second: Guard | None) -> Guard | None:
    """A guard that refuses what either of two guards refuses; the second is asked if the first refuses nothing."""
    if first is None or second is None:
        return first or second

    def ask(client: str, request: Request) -> Response | Check | None:
        refusal = first(client, request)
        return (
            Check(partial(_ask_later, refusal, second, client, request))
            if isinstance(refusal, Check)
            else (refusal or second(client, request))
        )

    return ask


def _ask_later(check: Check, guard: Guard, client: str, request: Request) -> Response | None:
    refusal = check.run() or guard(client, request)
    return refusal.run() if isinstance(refusal, Check) else refusal


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
