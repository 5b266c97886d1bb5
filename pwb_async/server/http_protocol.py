"""One HTTP/1.1 connection as an asyncio protocol: it passes bytes to the core and sends the core's responses.

A request, step by step:
  1. data_received() passes the bytes to the Connection and takes its events.
  2. A response that needs no disk (a cached file, an error, a redirect) is sent at once, without a task; so is a large
     file in the page cache, as far as the socket takes it. Responses to pipelined requests are written together.
  3. For any other response a thread finds the file. A callback makes the response, sends what the socket takes, and
     takes the next event. Only if more has to be sent, a task does that with back-pressure.
Limits: reading is paused while a response is under way and many pipelined bytes wait behind it; after some responses,
other connections get their turn; each state has one deadline, which the server checks, so no request needs a timer.
"""

import logging
import time
from asyncio import Future
from collections.abc import Sequence
from functools import partial
from typing import Final, cast

from pwb_async.core.deadlines import NEVER
from pwb_async.core.events import CLOSED, NEED_DATA, BadRequest, ConnectionState, Event
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Part, Request, Response, StreamingResponse
from pwb_async.core.site.access import Check
from pwb_async.core.site.findings import Finding
from pwb_async.core.site.lookup import Lookup
from pwb_async.core.site.responder import Responder
from pwb_async.observability.exchange import Exchange
from pwb_async.storage.errors import TruncatedError

from .connection_protocol import ConnectionProtocol
from .faults import contain
from .response_cache import ResponseCache
from .state import ServerState

logger: Final = logging.getLogger("pwb")
MAX_PIPELINED: Final = 32
"""Responses to pipelined requests that are sent before other connections get their turn."""
_MAX_BATCH: Final = 64 * 1024
"""Bytes of responses to pipelined requests that are written together."""
_IDLE: Final = ConnectionState.IDLE
_LINGER: Final = ConnectionState.LINGER
_CLOSED: Final = ConnectionState.CLOSED


class HTTPProtocol(ConnectionProtocol):
    """The server's end of one HTTP/1.1 connection."""

    __slots__ = ("_connection", "_reading_paused", "_responding")

    def __init__(self, state: ServerState) -> None:
        super().__init__(state)
        self._connection = state.context.connection_class(state.context.parser, state.context.server_field)
        self._responding = False
        self._reading_paused = False

    @property
    def idle_order(self) -> float | None:
        """A number that orders idle connections, the longest idle first; None while a request is under way."""
        # The connection is IDLE as soon as respond() has written the head; the content may still be on its way.
        idle = self._connection.state is _IDLE and not (self.responding or self._connection.close_after_response)
        return self.deadline.at if idle else None

    @property
    def responding(self) -> bool:
        """Whether a response is under way."""
        return self._responding or self._writer.paused

    def data_received(self, data: bytes) -> None:
        """Respond to requests, or buffer them while a response is under way."""
        if not (self._responding or self._writer.paused):
            self._process_events(self._connection.receive(data))
            return
        self._connection.receive_data(data)
        if self._connection.input_full and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Keep the transport open: a client that has closed its sending side still gets its whole response."""
        self._connection.receive_data(b"")
        if not (self._responding or self._writer.paused):
            self._process_events(self._connection.next_event())
        return True

    def resume_writing(self) -> None:
        """Continue with the next request, unless a task does."""
        super().resume_writing()
        if not self._responding:
            self._continue()

    def _process_events(self, event: Event, checked: tuple[str, Response | None] | None = None) -> None:
        """Respond to `event` and those after it, until more data is needed or something else continues later.

        The latter is a task, resume_writing(), or a callback. checked: the client, and the response if the request is
        refused, if its access has been checked.
        """
        state, connection, writer = self._state, self._connection, self._writer
        cache, check_access, observers, record = state.cache, state.access_check, state.observers, state.record
        send_rates = state.send_rates  # with which responses are written one by one, as each may have its own
        max_pipelined = MAX_PIPELINED if send_rates is None else 1
        wall, now = time.time(), state.clock()  # since the epoch, and on the clock of the deadlines and the cache
        out: list[Part] = []
        count = size = 0
        while event is not NEED_DATA and event is not CLOSED:
            response, client = None, self._peer  # which is "" if the peer's address has not been needed yet
            if checked is not None:
                client, response = checked
                checked = None
            elif check_access is not None:
                client, refusal = check_access(self.peer, event)
                if isinstance(refusal, Check):
                    self._begin(out)
                    check = state.run_check(cast(Request, event), refusal)
                    check.add_done_callback(partial(self._process_checked, cast(Request, event), client, cache))
                    return
                response = refusal
            if send_rates is not None:
                writer.use_rates(send_rates, client or self.peer, event)
            if isinstance(event, BadRequest):
                response = state.context.site.refuse(event)
            elif response is None:
                if cache is not None:
                    response = cache.get(event, now)
                if response is None:
                    response = self._locate(event, client, out, wall)
                    if response is None:
                        return
            if response.has_file:
                if not self._send(event, client, response, out, wall, wall):
                    return
                out = []
            else:
                out += connection.respond(event, response, wall)
            if record is not None:
                record(event.method, response.status, response.length, wall, response.serialized_head_length)
            if observers:
                exchange = Exchange()  # without make_exchange(), which would be a Python call more
                exchange.client = client or self.peer
                exchange.request, exchange.response = event, response
                exchange.status, exchange.sent, exchange.started_at = response.status, response.length, wall
                for observe in observers:
                    observe(exchange)
            count += 1
            size += response.length
            if connection.idle_and_empty or writer.paused:
                break
            if count == max_pipelined or size > _MAX_BATCH:
                self._begin(out)
                state.loop.call_soon(self._continue)
                return
            event = connection.next_event()
        if out:
            writer.write(out)
        if writer.paused:
            return
        if count and connection.idle_and_empty and not self._reading_paused:
            self.deadline.rearm_idle(now)
            return
        if count:
            self.deadline.disarm()
        self._wait(now)

    def _process_checked(
        self, request: Request, client: str, cache: ResponseCache | None, checked: Future[Response | None]
    ) -> None:
        """Respond to a request whose access has been checked in a thread. cache: that of when the check began."""
        self._responding = False
        if not self._writer.closed:
            contain(self, self._process_events, self._state.current(request, cache), (client, checked.result()))

    def _locate(self, request: Request, client: str, out: list[Part], wall: float) -> Response | None:
        """Make a response that needs no disk; otherwise write `out`, ask the disk and return None."""
        state = self._state
        site = state.context.site
        located = site.locate(request, client)
        if isinstance(located, StreamingResponse):
            from .streaming_protocol import StreamingProtocol  # few servers have such responses

            self._connection.close_after_response = True  # which ends the content (RFC 9112 6.3)
            out += self._connection.respond(request, located, wall)
            StreamingProtocol(state, self, request, client, located, wall).begin(out)
            return None
        if isinstance(located, Response):
            return located
        self._begin(out)
        # The whole response is made with one configuration, even if a reload replaces it meanwhile.
        state.find(located).add_done_callback(partial(self._respond, located, client, site, wall))
        return None

    def _respond(self, lookup: Lookup, client: str, site: Responder, started_at: float, found: Future[Finding]) -> None:
        """Respond with what the disk has found, and take the next event.

        The cache serializes a response in advance only when it is asked for again: most are not.
        """
        request = lookup.request
        try:
            finding = found.result()
            self._state.storage_log.report(lookup, finding)
            response = site.reply(lookup, finding)
            if self._send(request, client, response, [], time.time(), started_at):
                self._report(client, request, response, response.length, started_at)
                self._continue()
        except Exception:
            logger.exception("a fault of this server")
            self.abort()

    def _send(
        self,
        event: Request | BadRequest,
        client: str,
        response: Response,
        out: list[Part],
        now: float,
        started_at: float,
    ) -> bool:
        """Send `out` and a response; return False if a task has to send the rest of it."""
        self._begin(out)
        remaining = self._writer.start(self._connection.respond(event, response, now))
        if remaining:
            request = cast(Request, event)
            self._state.start_task(self._send_rest(request, client, response, remaining, started_at))
            return False
        response.close()
        self._responding = False
        return True

    def _begin(self, out: list[Part]) -> None:
        """Write `out` and begin a response that takes longer; until _continue(), received data is only buffered."""
        self._responding = True
        self.deadline.disarm()  # before the write, which arms the send timeout if the client does not read
        if out:
            self._writer.write(out)

    def _continue(self) -> None:
        """Take the next event. No exception may leave this: its callers would log it and keep the connection open."""
        self._responding = False
        if not (self._writer.closed or self._writer.paused):
            contain(self, self._process_next)

    def _process_next(self) -> None:
        self._process_events(self._connection.next_event())

    def _refuse(self) -> None:
        """Send 503, since the connection is not admitted."""
        self._reject(self._connection.reject())

    def _reject(self, event: BadRequest) -> None:
        """Send an error that is not a response to a request: the server is full, or a request took too long."""
        wall, check_access = time.time(), self._state.access_check
        client = "" if check_access is None else check_access(self.peer, event)[0]
        response = self._state.context.site.refuse(event)
        self._writer.write(self._connection.respond(event, response, wall))
        self._report(client, event, response, response.length, wall)
        if not self._writer.paused:
            self._process_events(self._connection.next_event())

    async def _send_rest(
        self, request: Request, client: str, response: Response, remaining: Sequence[Part], started_at: float
    ) -> None:
        """Send the `remaining` parts of a response, report it, and take the next event."""
        writer = self._writer
        try:
            await writer.send(remaining, self._state.storage)
        except ConnectionError as error:
            logger.debug("%s: %s", client or "-", error)
            self.abort()
        except TruncatedError as error:
            # The promised length cannot be kept, and only the end of the connection can tell the client so.
            logger.error("%r: content cut short: %s", request.cache_key, error)
            self.abort()
        except Exception:
            logger.exception("a fault of this server")
            self.abort()
        finally:
            response.close()
            sent = max(0, writer.sent - self._connection.head_length)
            self._report(client, request, response, sent, started_at)
        self._continue()

    def _wait(self, now: float | None = None) -> None:
        """Arm the deadline of the connection's state, or take the next step of closing it (RFC 9112 9.6)."""
        state = self._connection.state
        # A response that was begun before the shutdown has no `Connection: close`, so the connection is closed here.
        if state is _CLOSED or (self._state.stopping and self._connection.safe_to_close):
            self._transport.close()
            return
        if self._reading_paused and not self._connection.input_full:
            self._reading_paused = False
            self._transport.resume_reading()
        if self.deadline.arm(state, now or self._state.clock()) and state is _LINGER:
            self._transport.write_eof()

    def expire(self) -> None:
        """Act on the deadline, which has passed."""
        if self._send_timeout is not None:
            self._check_send_timeout(self._send_timeout)
            return
        self.deadline.at = NEVER
        event = self._connection.expire()
        if isinstance(event, BadRequest):
            self._reject(event)
        else:
            self._wait()

    def use_parser(self, parser: RequestParser) -> None:
        """Parse the next request with another parser."""
        self._connection.use_parser(parser)

    def stop(self) -> None:
        """Close the connection as soon as no request is under way."""
        self._connection.close_after_response = True
        if self._connection.safe_to_close and not self.responding:
            self._transport.close()

    def retire(self, timeout: float) -> None:
        """Close the connection after the next response, or after `timeout` seconds without a request."""
        self._connection.close_after_response = True
        if self._connection.state is _IDLE and not self.responding:
            self.deadline.at = min(self.deadline.at, self._state.clock() + timeout)
