"""A site in the event loop of a server, which calls respond() for each request.

A request, step by step, as in server/http_protocol.py:
  1. The scope becomes a Request; a head that was received before is a Request already.
  2. The guard may refuse it.
  3. A file that is cached and fresh needs no disk; any other is found in a thread.
  4. A response in memory is two messages. Files are read and sent in pieces.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, cast

from pwb_async.application.requests import redirect_to_root
from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.access import Check
from pwb_async.core.site.findings import Finding
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.responder import Responder
from pwb_async.network.listeners import peer_address
from pwb_async.observability.exchange import make_exchange
from pwb_async.runtime.context import ServerContext, StartupError
from pwb_async.server.site_refresher import INTERVAL, SiteRefresher
from pwb_async.server.site_state import SiteState
from pwb_async.storage.errors import TruncatedError

from .file_body import Client, send_files
from .messages import messages_of, mount_of, names_mount, prepare, read_scope
from .types import Receive, Scope, Send

logger: Final = logging.getLogger("pwb")


class RunningSite:
    """A site in the running event loop."""

    def __init__(self, context: ServerContext) -> None:
        """Raise StartupError if no thread can be started."""
        try:
            self._state = SiteState(context, prepare)
        except RuntimeError as error:
            raise StartupError(f"cannot start a thread: {error}") from None
        self._refresher = SiteRefresher(self._state, self._state.reconfigure)
        self._refresh_later()

    async def respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request. Raises TruncatedError, so that the server aborts the connection."""
        state, started_at = self._state, time.time()
        # The whole response is made with one configuration, even if new rules replace it meanwhile.
        context, cache, find = state.context, state.cache, state.find
        event = read_scope(scope, context.parser)
        client, response = await self._check_access(event, scope) if state.access_check else ("", None)
        if isinstance(event, BadRequest):
            response = context.site.refuse(event)
        elif response is None and names_mount(scope):
            relative = context.options.relative_redirects
            response = redirect_to_root(context.site, event, mount_of(scope), relative=relative)
        elif response is None:
            response = cache.get(event, state.clock()) if cache is not None else None
            response = response or await self._find(event, client, context.site, find)
        sent = 0
        try:
            sent = await self._send(response, mount_of(scope), receive, send)
        except TruncatedError as error:
            logger.error("%r: content cut short: %s", scope["path"], error)
            raise
        finally:
            response.close()
            for observe in state.observers:
                observe(make_exchange(client or _peer(scope), event, response.status, sent, started_at, response))

    async def _check_access(self, event: Request | BadRequest, scope: Scope) -> tuple[str, Response | None]:
        """The client, and the response if the request is refused."""
        check = self._state.access_check
        assert check is not None
        client, refusal = check(_peer(scope), event)
        if isinstance(refusal, Check):
            return client, await asyncio.shield(self._state.run_check(cast(Request, event), refusal))
        return client, refusal

    async def _find(
        self, request: Request, client: str, site: Responder, find: Callable[[Lookup], asyncio.Future[Finding]]
    ) -> Response:
        """The response to a request that the cache has none for."""
        located = site.locate(request, client)
        if isinstance(located, Response):
            return located
        # Other requests may wait for the same finding, so it must not be cancelled with this one.
        finding = await asyncio.shield(find(located))
        self._state.storage_log.report(located, finding)
        return site.reply(located, finding)

    async def _send(self, response: Response, mount: bytes, receive: Receive, send: Send) -> int:
        """Send a response; return how many bytes of content were sent. Raises TruncatedError."""
        messages = messages_of(response, mount)
        with suppress(OSError):  # the client has left
            await send(messages.start(response.status))
            if response.has_file:
                with Client(self._state, receive) as client:
                    return await send_files(response, client, send, self._state)
            await send({"type": "http.response.body", "body": messages.body})
            return response.length
        return 0

    def _refresh_later(self) -> None:
        # A timer, since a task that is pending when the loop ends would be reported.
        self._timer = self._state.loop.call_later(INTERVAL, self._refresh)

    def _refresh(self) -> None:
        self._refresh_later()
        for step in (self._refresher.refresh_cache, self._refresher.check_rules):
            try:
                step()
            except Exception:
                logger.exception("a fault of this application")

    async def end(self) -> None:
        """End the threads, and leave no task or timer behind."""
        self._timer.cancel()
        self._state.close()
        await self._state.wait_until_closed()

    def abandon(self) -> None:
        """End the threads, when the loop has been closed."""
        with suppress(RuntimeError):  # a closed loop calls nothing any more
            self._state.close()


def _peer(scope: Scope) -> str:
    """The address of the peer; "-" where there is none, as on a Unix socket."""
    client = scope.get("client")
    return peer_address(tuple(client) if client else None)
