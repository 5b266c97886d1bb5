"""One HTTP/1.1 connection as an asyncio protocol: it passes bytes to the core and sends what the core decides.

A request, step by step:
  1. data_received() passes the bytes to the Connection and takes its events.
  2. What needs no disk (a cached file, an error, a redirect) is answered at once, without a task; so is a large file in
     the page cache, as far as the socket takes it. Responses to pipelined requests are written together.
  3. Anything else gets one task: find the file in a thread, reply, send with back-pressure, take the next event.

Limits: nothing is read while a response waits for a slow client and the pipeline is full; after some responses other
connections get their turn; each state has one deadline, which the server checks, so that no request needs a timer.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, cast

from pwb_async.core.deadlines import NEVER, Deadline
from pwb_async.core.events import BadRequest, ConnectionState, Event, Signal
from pwb_async.core.http1.connection import Connection
from pwb_async.core.semantics.messages import Part, Request, Response
from pwb_async.core.site.lookup import Lookup, StorageError
from pwb_async.network.listeners import client_address
from pwb_async.network.sockets import reset_on_close
from pwb_async.observability.exchange import make_exchange

from .response_writer import ResponseWriter
from .send_timeout import SendTimeout
from .sendfile import TruncatedError
from .state import ServerState

logger: Final = logging.getLogger("pwb")
MAX_PIPELINED: Final = 32
"""Responses to pipelined requests that are sent before other connections get their turn."""
_MAX_BATCH: Final = 64 * 1024
"""Bytes of responses to pipelined requests that are written together."""


class HTTPProtocol(asyncio.Protocol):
    """The server's end of one connection."""

    __slots__ = (
        "_connection",
        "_peer",
        "_reading_paused",
        "_responding",
        "_send_timeout",
        "_state",
        "_transport",
        "_writer",
        "deadline",
    )

    deadline: Deadline
    """When the server is to call expire()."""
    _transport: asyncio.Transport
    _writer: ResponseWriter

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._connection = Connection(state.context.parser, state.context.name)
        self._responding = False
        self._reading_paused = False
        self._send_timeout: SendTimeout | None = None
        self._peer = ""
        self.deadline = Deadline(state.context.timeouts)

    @property
    def idle_since(self) -> float | None:
        """A number that orders idle connections, the longest idle first; None while a request is under way."""
        # The connection is IDLE as soon as respond() has written the head; the content may still be on its way.
        idle = self._connection.state is ConnectionState.IDLE and not (
            self.responding or self._connection.close_after_response
        )
        return self.deadline.at if idle else None

    @property
    def responding(self) -> bool:
        """Whether a response is under way."""
        return self._responding or self._writer.paused

    @property
    def write_paused(self) -> bool:
        """Whether data waits for the peer to read."""
        return self._writer.paused

    @property
    def peer(self) -> str:
        """The address of the other end of the connection; "-" on a Unix socket, or if the peer left too early."""
        return self._peer or self._find_peer()

    def _find_peer(self) -> str:
        # A system call that costs 4 of the 85 us of a connection with a single request, so it is made only on demand.
        self._peer = client_address(self._transport.get_extra_info("peername"))
        return self._peer

    def _client_of(self, request: Request | BadRequest) -> str:
        """The address of the client that made a request: the peer, unless a trusted proxy names another."""
        resolve = self._state.resolve_client
        return self.peer if resolve is None else resolve(self.peer, request)

    @property
    def sock(self) -> socket.socket:
        """The socket, for asking the kernel about it; only the transport reads and writes."""
        return cast(socket.socket, self._transport.get_extra_info("socket"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._writer = self._make_writer(self._transport)
        if self._state.observers or self._state.guard:
            self._find_peer()  # now, because the address of a peer that has left cannot be found
        if self._state.admit(self):
            self._wait()
        else:
            self._reject(self._connection.reject())

    def _make_writer(self, transport: asyncio.Transport) -> ResponseWriter:
        return ResponseWriter(transport, self._state.send_queue, self._state.sendfiles)

    def connection_lost(self, exc: Exception | None) -> None:
        self._writer.lose()
        self._state.forget(self)

    def data_received(self, data: bytes) -> None:
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

    def pause_writing(self) -> None:
        self._writer.pause()
        self._send_timeout = SendTimeout(self._transport, self._state.context.timeouts.send, self._state.clock())
        self.deadline.at = self._send_timeout.next_check

    def resume_writing(self) -> None:
        self._writer.resume()
        self._send_timeout = None
        self.deadline.disarm()
        if not self._responding:
            self._process_events(self._connection.next_event())

    def _process_events(self, event: Event) -> None:
        """Respond to `event` and those after it, until more data is needed, a task continues, or others get a turn."""
        state, connection, writer = self._state, self._connection, self._writer
        cache, guard, observers = state.cache, state.guard, state.observers
        now, tick = time.time(), state.clock()
        out: list[Part] = []
        count = size = 0
        while not isinstance(event, Signal):
            response: Response | Lookup | None
            if isinstance(event, BadRequest):
                response = state.context.site.refuse(event)
            elif (guard is None or (response := guard(self._client_of(event), event)) is None) and (
                cache is None or (response := cache.answer(event, tick)) is None
            ):
                response = state.context.site.locate(event)
            if isinstance(response, Lookup):
                self._begin(out)
                state.loop.create_task(self._respond_in_task(cast(Request, event), response, (), now))
                return
            assert response is not None
            if response.has_file:
                self._begin(out)
                out = []
                if remaining := writer.start(connection.respond(event, response, now)):
                    state.loop.create_task(self._respond_in_task(cast(Request, event), response, remaining, now))
                    return
                self._responding = False
            else:
                out += connection.respond(event, response, now)
            if observers:
                client = (self._peer or self.peer) if state.resolve_client is None else self._client_of(event)
                exchange = make_exchange((client, event, response.status, response.length, now))
                for observe in observers:
                    observe(exchange)
            count += 1
            size += response.length
            if connection.idle or writer.paused:
                break
            if count == MAX_PIPELINED or size > _MAX_BATCH:
                self._begin(out)
                state.loop.call_soon(self._continue)
                return
            event = connection.next_event()
        if out:
            writer.write(out)
        if writer.paused:
            return
        if count and connection.idle and not self._reading_paused:
            self.deadline.rearm_idle(tick)
            return
        if count:
            self.deadline.disarm()
        self._wait(tick)

    def _begin(self, out: list[Part]) -> None:
        """Begin a response that takes longer, after writing `out`; until _continue(), received data only waits."""
        self._responding = True
        self.deadline.disarm()  # before the write, which arms the send timeout if the client does not read
        if out:
            self._writer.write(out)

    def _continue(self) -> None:
        self._responding = False
        if not (self._writer.closed or self._writer.paused):
            self._process_events(self._connection.next_event())

    def _reject(self, event: BadRequest) -> None:
        """Send an error that no request of the client led to: the server is full, or a request took too long."""
        now = time.time()
        response = self._state.context.site.refuse(event)
        self._writer.write(self._connection.respond(event, response, now))
        self._report(self._client_of(event), event, response.status, response.length, now)
        if not self._writer.paused:
            self._process_events(self._connection.next_event())

    def _report(self, client: str, request: Request | BadRequest, status: int, sent: int, began: float) -> None:
        for observe in self._state.observers:
            observe(make_exchange((client, request, status, sent, began)))

    async def _respond_in_task(
        self, request: Request, located: Lookup | Response, remaining: Sequence[Part], began: float
    ) -> None:
        """Respond to a request that needs the disk, or send the `remaining` parts of a response that has begun."""
        state, writer, connection = self._state, self._writer, self._connection
        # The whole response is made with one configuration, even if a reload replaces it meanwhile.
        site, cache, find = state.context.site, state.cache, state.find
        received = state.clock()
        client = self._client_of(request) if state.observers else "-"
        response = located if isinstance(located, Response) else None
        try:
            if isinstance(located, Lookup):
                writer.sent = 0
                await writer.drain()
                finding = await find(located)
                if isinstance(finding, StorageError):
                    logger.error("%r: %s", located.path, finding.detail)
                response = (cache.answer(request, received) if cache else None) or site.reply(located, finding)
                remaining = writer.start(connection.respond(request, response, time.time()))
            await writer.send(remaining, state.storage)
        except ConnectionError as error:
            logger.debug("%s: %s", client, error)
            self.abort()
        except TruncatedError as error:
            # The promised length cannot be kept, and only the end of the connection can tell the client so.
            logger.error("%r: content cut short: %s", request.cache_key, error)
            self.abort()
        except Exception:
            logger.exception("a fault of this server")
            self.abort()
        finally:
            if response is not None:
                response.close()
                self._report(client, request, response.status, max(0, writer.sent - connection.head_length), began)
        self._continue()

    def _wait(self, now: float | None = None) -> None:
        """Arm the deadline of the connection's state, or take the next step of closing it (RFC 9112 9.6)."""
        state = self._connection.state
        # A response that was begun before the shutdown did not announce `Connection: close`; close here instead.
        if state is ConnectionState.CLOSED or (self._state.stopping and self._connection.safe_to_close):
            self._transport.close()
            return
        if self._reading_paused and not self._connection.input_full:
            self._reading_paused = False
            self._transport.resume_reading()
        if self.deadline.arm(state, now or self._state.clock()) and state is ConnectionState.LINGER:
            self._transport.write_eof()

    def expire(self) -> None:
        """Act on the deadline, which has passed."""
        if self._send_timeout is not None:
            if self._send_timeout.check(self._state.clock()):
                self.deadline.at = self._send_timeout.next_check
            else:
                self.abort(reset=True)
            return
        self.deadline.at = NEVER
        event = self._connection.expire()
        if isinstance(event, BadRequest):
            self._reject(event)
        else:
            self._wait()

    def stop(self) -> None:
        """Close the connection as soon as no request is under way."""
        self._connection.close_after_response = True
        if self._connection.safe_to_close and not self.responding:
            self._transport.close()

    def retire(self, timeout: float) -> None:
        """Close the connection after the next response, or after `timeout` seconds without a request."""
        self._connection.close_after_response = True
        if self._connection.state is ConnectionState.IDLE and not self.responding:
            self.deadline.at = min(self.deadline.at, self._state.clock() + timeout)

    def close(self) -> None:
        """Close the connection after what has been written."""
        self._transport.close()

    def abort(self, reset: bool = False) -> None:
        """Close the connection at once; reset: discard what the kernel has not sent, too, as the peer does not read."""
        if reset:
            with suppress(OSError):
                reset_on_close(self.sock)
        self._writer.lose()
        self._transport.abort()
