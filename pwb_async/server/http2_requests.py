"""The requests that one turn of an HTTP/2 connection has received, and the responses that leave at once."""

import logging
import time
from collections.abc import Iterator
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response, StreamingResponse
from pwb_async.core.site.access import Check
from pwb_async.observability.exchange import Exchange

from .http2_content import MAX_BATCH
from .http2_lookups import Lookups
from .http2_transfers import Transfers

logger: Final = logging.getLogger("pwb")


class PendingRequests:
    """Requests that are responded to in order, until there is enough to write; the rest waits for its turn."""

    def __init__(self, transfers: Transfers, lookups: Lookups) -> None:
        self._transfers = transfers
        self._state = transfers.state
        self._lookups = lookups
        self.drop()

    def drop(self) -> None:
        """Forget those that wait: the connection has ended."""
        self.waiting: Iterator[tuple[bytes, Request | BadRequest]] | None = None
        """Requests with their streams; None for none."""
        self._cache = self._state.cache  # that of the time when they were received

    def receive(self, data: bytes) -> None:
        """Pass received bytes to the connection, and let the requests in them wait, where none does."""
        connection = self._transfers.connection
        closed = connection.closed
        requests = connection.receive(data)
        if requests:
            self.waiting, self._cache = iter(requests.items()), self._state.cache
        if connection.error is not None and not closed:
            logger.debug("a connection with HTTP/2 has failed: %s", connection.error.detail)

    def respond(self, peer: str) -> bool:
        """Respond to requests, until there is enough to write; return whether none waits.

        peer: "" if it has not been needed.
        """
        state, transfers = self._state, self._transfers
        connection, owner = transfers.connection, transfers.owner
        cache, check_access, observers, out = state.cache, state.access_check, state.observers, transfers.out
        wall, now = time.time(), state.clock()  # since the epoch, and on the clock of the deadlines and the cache
        paces = transfers.paces
        size, outdated = 0, cache is not self._cache
        for stream, request in self.waiting or ():
            response, client = None, peer
            if outdated and isinstance(request, Request):
                request = state.current(request, self._cache)
            if check_access is not None:
                client, refusal = check_access(owner.peer, request)
                if isinstance(refusal, Check):
                    self._lookups.check(transfers.add(stream, request, client, wall), refusal)
                    continue
                response = refusal
            if isinstance(request, BadRequest):
                response = state.context.site.refuse(request)
            elif response is None:
                if cache is not None:
                    response = cache.get(request, now)
                if response is None:
                    response = self._locate(stream, request, client, wall)
                    if response is None:
                        continue
            if (
                response.has_file
                or transfers.full
                or (paces is not None and not paces.admits(client, request, response))
            ):
                transfers.begin(transfers.add(stream, request, client, wall), response)
                continue
            out += connection.respond(stream, request, response, wall)
            waiting = connection.streams.get(stream)
            if waiting is not None and waiting.unsent:
                transfers.keep(transfers.add(stream, request, client, wall), response)
                continue
            if state.record is not None:
                state.record(request.method, response.status, response.length, wall, response.serialized_head_length)
            if observers:
                exchange = Exchange()  # without make_exchange(), which would be a Python call more
                exchange.client = client or owner.peer
                exchange.request, exchange.response = request, response
                exchange.status, exchange.sent, exchange.started_at = response.status, response.length, wall
                for observe in observers:
                    observe(exchange)
            size += response.length
            if size > MAX_BATCH:
                return False
        self.waiting = None
        return True

    def _locate(self, stream: bytes, request: Request, client: str, wall: float) -> Response | None:
        """Make a response that needs no disk; otherwise ask the disk, and return None."""
        site = self._state.context.site
        located = site.locate(request, client)
        if isinstance(located, StreamingResponse):
            self._transfers.begin(self._transfers.add(stream, request, client, wall), located)
            return None
        if isinstance(located, Response):
            return located
        self._lookups.look_up(self._transfers.add(stream, request, client, wall), located, site)
        return None
