"""One HTTP/2 connection as an asyncio protocol: it passes bytes to the core and sends the core's frames.

A turn, step by step:
  1. data_received() passes the bytes to the HTTP2Connection, which returns the requests in them.
  2. Each is answered by the steps of HTTP/1.1 (http_protocol.py): access, cache, site, and a lookup in a thread.
  3. Small responses leave at once and together, by one write. Those that do not fit the windows wait.
  4. Responses that wait are sent as long as the transport takes data (http2_transfer.py).

Nothing is read while the transport buffers data. So what a client can have queued, acknowledgements or responses, is
what one read of the socket can ask for, and no more.
"""

import asyncio
import logging
import time
from asyncio import Future
from collections.abc import Iterator
from functools import partial
from typing import Final, cast

from pwb_async.core.deadlines import NEVER
from pwb_async.core.events import BadRequest
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.http2.errors import ErrorCode
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.access import Check
from pwb_async.core.site.lookup import Finding, Lookup, OpenFile
from pwb_async.core.site.responder import Responder
from pwb_async.observability.exchange import Exchange

from .connection_protocol import ConnectionProtocol
from .faults import contain
from .http2_lifetime import HTTP2Lifetime
from .http2_readers import HTTP2Readers
from .http2_transfer import MAX_BATCH, MAX_FILES, Answer, urgency
from .state import ServerState

logger: Final = logging.getLogger("pwb")
_MAX_LOOKUPS: Final = 32
"""Lookups of one connection at a time."""
_MAX_RECEIVED: Final = 16 * 1024
"""Received bytes that are acted on before other connections get their turn: some 400 requests or 1,000 others."""
_MAX_HELD: Final = 64 * 1024
"""Received bytes that are kept for later turns; then reading is paused."""


class HTTP2Protocol(HTTP2Lifetime):
    """The server's end of one HTTP/2 connection."""

    __slots__ = ("_held", "_lookups", "_parsed_for", "_readers", "_reading_paused")

    def __init__(self, state: ServerState, readers: HTTP2Readers) -> None:
        super().__init__(state, readers)
        self._readers = readers
        self._held = b""  # received, but for later turns
        self._parsed_for = state.cache  # that of the time when `_requests` were received
        self._lookups = 0  # lookups in threads
        self._reading_paused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Send SETTINGS, and wait for those of the client; or refuse the connection."""
        super().connection_made(transport)
        self._take_turn()

    def take_over(self, other: ConnectionProtocol, data: bytes) -> None:
        """Go on with the connection of another protocol, which has received `data`."""
        self._transport, self._writer, self._peer = other.parts
        self._state.admission.replace(other, self)  # type: ignore[arg-type]
        self._transport.set_protocol(self)
        self.data_received(data)

    def data_received(self, data: bytes) -> None:
        """Act on received bytes, or keep them while the responses to earlier ones are written."""
        if self._lingering:
            self._discard(data)
            return
        busy = self._held or self._writer.paused or self._requests is not None
        self._held = self._held + data if self._held else data
        if not busy:
            self._take_turn()
        elif len(self._held) > _MAX_HELD and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on with what waits."""
        super().resume_writing()
        self._continue()

    def _take_turn(self) -> None:
        """Act on received bytes, answer requests, and send what the windows and the transport allow."""
        connection = self._connection
        if self._held and self._requests is None:
            self._receive()
        if connection.closed:
            self._requests = None
        if connection.ended:
            self._drop_ended()
        if connection.retiring:
            self._finish_later()
        answered = self._requests is not None and self._answer_requests(self._requests)
        more = self._send_content() if self._answers and not self._writer.paused else False
        if self._waiting:
            more |= self._make_room()
        if connection.ended:  # files that were cut short
            self._drop_ended()
            more = True
        self._flush()
        if self._writer.paused:
            return
        if more or self._held or self._requests is not None:
            self.deadline.at = NEVER  # nothing is waited for
            self._schedule()
        else:
            self._wait(self._state.clock(), answered)

    def _receive(self) -> None:
        """Pass the bytes of one turn to the connection."""
        data = self._held[:_MAX_RECEIVED]
        self._held = b"" if self._connection.closed else self._held[_MAX_RECEIVED:]
        if self._reading_paused and len(self._held) <= _MAX_HELD:
            self._reading_paused = False
            self._transport.resume_reading()
        requests = self._connection.receive(data)
        if requests:
            self._requests, self._parsed_for = iter(requests.items()), self._state.cache
        self._collect()

    def _answer_requests(self, requests: Iterator[tuple[bytes, Request | BadRequest]]) -> bool:
        """Answer requests, until there is enough to write; return whether all are answered or have a lookup."""
        state, connection = self._state, self._connection
        cache, check_access, observers, out = state.cache, state.access_check, state.observers, self._out
        wall, now = time.time(), state.clock()  # since the epoch, and on the clock of the deadlines and the cache
        size, stale = 0, cache is not self._parsed_for
        for stream, request in requests:
            response, client = None, self._peer
            if stale and isinstance(request, Request):
                request = state.current(request, self._parsed_for)
            if check_access is not None:
                client, refusal = check_access(self.peer, request)
                if isinstance(refusal, Check):
                    self._check(self._defer(stream, request, client, wall), refusal)
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
            if response.has_file:
                self._begin(self._defer(stream, request, client, wall), response)
                continue
            out += connection.respond(stream, request, response, wall)
            waiting = connection.streams.get(stream)
            if waiting is not None and waiting.unsent:
                self._defer(stream, request, client, wall).response = response
                continue
            if observers:
                exchange = Exchange()  # without make_exchange(), which would be a Python call more
                exchange.client = client or self.peer
                exchange.request = request
                exchange.status, exchange.sent, exchange.started_at = response.status, response.length, wall
                for observe in observers:
                    observe(exchange)
            size += response.length
            if size > MAX_BATCH:
                return False
        self._requests = None
        return True

    def _defer(self, stream: bytes, request: Request | BadRequest, client: str, wall: float) -> Answer:
        """Keep a request whose response cannot be sent at once."""
        answer = Answer(self._connection.open(stream, request), request, client, wall, self._state.cache)
        self._answers[stream] = answer
        return answer

    def _check(self, answer: Answer, check: Check) -> None:
        """Check the access of a request in a thread."""
        answer.stream.working = True
        checked = self._state.run_check(cast(Request, answer.request), check)
        checked.add_done_callback(partial(self._process_checked, answer))

    def _process_checked(self, answer: Answer, checked: Future[Response | None]) -> None:
        if self._may_go_on(answer):
            contain(self, self._respond_checked, answer, checked.result())

    def _respond_checked(self, answer: Answer, refusal: Response | None) -> None:
        if refusal is None:
            self._find(answer)
        else:
            self._begin(answer, refusal)
        self._schedule()

    def _may_go_on(self, answer: Answer) -> bool:
        """End the work of a thread for a stream; return whether its response is still wanted."""
        self._connection.end_work(answer.stream)
        return not (answer.stream.ended or self._writer.closed)

    def _locate(self, stream: bytes, request: Request, client: str, wall: float) -> Response | None:
        """Make a response that needs no disk; otherwise ask the disk, and return None."""
        site = self._state.context.site
        located = site.locate(request, client)
        if isinstance(located, Response):
            return located
        answer = self._defer(stream, request, client, wall)
        if self._lookups < _MAX_LOOKUPS:
            self._look_up(answer, located, site)
        else:
            self._waiting.append(answer)
        return None

    def _find(self, answer: Answer) -> None:
        """Make the response to a request that has waited."""
        state, request = self._state, cast(Request, answer.request)
        if self._lookups >= _MAX_LOOKUPS:
            self._waiting.append(answer)
            return
        site = state.context.site
        request = state.current(request, answer.cache)
        response = state.cache and state.cache.get(request, state.clock())
        located = response or site.locate(request, answer.client)
        if isinstance(located, Response):
            self._begin(answer, located)
        else:
            self._look_up(answer, located, site)

    def _look_up(self, answer: Answer, lookup: Lookup, site: Responder) -> None:
        self._lookups += 1
        answer.stream.working = True
        # The whole response is made with one configuration, even if a reload replaces it meanwhile.
        self._state.find(lookup).add_done_callback(partial(self._process_found, answer, lookup, site))

    def _process_found(self, answer: Answer, lookup: Lookup, site: Responder, found: Future[Finding]) -> None:
        """Respond with what the disk has found."""
        self._lookups -= 1
        wanted = self._may_go_on(answer)
        try:
            finding = found.result()
            self._state.storage_log.report(lookup, finding)
            if wanted:
                self._begin(answer, self._reply(lookup, finding, site))
            elif isinstance(finding, OpenFile) and finding.file_to_close is not None:
                finding.file_to_close.close()
            if not self._writer.closed:
                self._resume_waiting()
                self._schedule()
        except Exception:
            logger.exception("a fault of this server")
            self.abort()

    def _reply(self, lookup: Lookup, finding: Finding, site: Responder) -> Response:
        """The response that is made of a finding; a prepared one if the finding has been used before.

        A lookup is shared, and the streams of many clients ask for the same file at the same time.
        """
        state, readers = self._state, self._readers
        if isinstance(finding, OpenFile) and finding.content is not None and lookup.cacheable:
            if finding is readers.last_found and site is state.context.site and state.cache is not None:
                prepared = state.cache.get(lookup.request, state.clock())
                if prepared is not None:
                    return prepared
            readers.last_found = finding
        return site.reply(lookup, finding)

    def _begin(self, answer: Answer, response: Response) -> None:
        """Begin a response; one of a large file waits while as many as may be are open."""
        if answer.response is not None:
            self._go_on(answer, answer.response, response)
            return
        if response.has_file and not answer.has_slot:
            if self._files >= MAX_FILES and not self._park_one():
                response.close()
                answer.needs_file = True
                self._waiting.append(answer)
                return
            answer.has_slot = True
            self._files += 1
        answer.response = response
        self._out += self._connection.respond(answer.stream.id, answer.request, response, time.time())
        if not answer.stream.unsent:
            del self._answers[answer.stream.id]
            self._finish(answer)
        elif answer.has_slot and not response.has_file:
            self._release_slot(answer)

    def _resume_waiting(self) -> None:
        """Go on with requests that wait for another lookup or file to end, the most urgent first."""
        while self._lookups < _MAX_LOOKUPS:
            waiting = [
                answer
                for answer in self._waiting
                if not answer.stream.ended and (self._files < MAX_FILES or not answer.needs_file)
            ]
            if not waiting:
                return
            answer = min(waiting, key=urgency)
            self._waiting.remove(answer)
            if answer.needs_file:
                answer.has_slot = True
                self._files += 1
            self._find(answer)

    def use_parser(self, parser: RequestParser) -> None:
        """Read the next request with the reader that belongs to another parser."""
        self._connection.use_reader(self._readers.of(parser)[0])

    def connection_lost(self, exc: Exception | None) -> None:
        """End the work for all responses, and stop counting the connection."""
        super().connection_lost(exc)
        self._connection.close(ErrorCode.NO_ERROR, "the connection is lost")
        self._requests = None
        self._waiting.clear()
        self._drop_ended()
