"""One client on the event loop: asyncio calls in, the core decides, the writer sends.

What a request does, step by step:
  1. data_received hands the bytes to the Connection and asks for its events.
  2. What needs no disk (a file on the shelf, an error, a redirect) is answered on the spot, without a task; the
     answers to pipelined requests leave together. So is a large file whose bytes are in memory, as far as the socket
     takes it.
  3. Else one task a connection: find through aiofiles, reply, send with back-pressure, and on to the next event.
A hit is 9 calls of Python functions, the line of the log with it (tests.benchmarks.calls holds that below 25), and
takes 11 us in all, 7 of them the kernel's (1,000 files of 12 KiB, Debian's CPython 3.11).
Tried and rejected: the garbage frozen after the start (gc.freeze: no difference); the transport of aiofastnet in place
of uvloop's (10.2 against 10.4 us a hit of 1 KiB); log lines made in a thread, a thousand or more at a time (the 99th
percentile of those 1,000 files' answers was 12 ms instead of 8 to 9).
What bounds it: nothing is read while an answer waits for a slow reader and the pipeline is full (A14); after some
answers the other connections have their turn (A15); each state has one deadline, which the server's sweep looks at a
few times a second, so that no request needs a timer.
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

from .response_writer import ResponseWriter
from .send_timeout import SendTimeout
from .sendfile import TruncatedError
from .state import ServerState

logger: Final = logging.getLogger("pwb")
_TURN: Final = 32
"""Answers to pipelined requests before every other connection has its turn."""
_TOGETHER: Final = 64 * 1024
"""Bytes of answers to pipelined requests that leave together."""


class HTTPProtocol(asyncio.Protocol):
    """deadline: when the server's sweep calls expire()."""

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
        """Orders idle connections, the oldest first; None while anything is under way."""
        # respond() says IDLE as soon as the head is written; the content may still be on its way.
        idle = self._connection.state is ConnectionState.IDLE and not (
            self.responding or self._connection.close_after_response
        )
        return self.deadline.at if idle else None

    @property
    def responding(self) -> bool:
        """An answer is under way."""
        return self._responding or self._writer.paused

    @property
    def write_paused(self) -> bool:
        """The peer does not take what there is for it."""
        return self._writer.paused

    @property
    def peer(self) -> str:
        """The client's address; "-" where there is none, or none any more."""
        return self._peer or self._ask_peer()

    def _ask_peer(self) -> str:
        """Asks the kernel, which costs 4 of the 85 us of a connection with a single request."""
        self._peer = client_address(self._transport.get_extra_info("peername"))
        return self._peer

    @property
    def sock(self) -> socket.socket:
        """To ask the kernel, not to read or write."""
        return cast(socket.socket, self._transport.get_extra_info("socket"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._writer = self._open_writer(self._transport)
        if self._state.log is not None:
            self._ask_peer()  # now: who has gone by then cannot be asked
        if self._state.admit(self):
            self._wait()
        else:
            self._reject(self._connection.reject())

    def _open_writer(self, transport: asyncio.Transport) -> ResponseWriter:
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
        """A client that has said everything still gets its whole answer (hazard A8): the transport stays open."""
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
        """Answers `event` and those behind it, until more is needed, a task takes over or others have their turn."""
        state, connection, writer = self._state, self._connection, self._writer
        cache, log = state.cache, state.log
        now, tick = time.time(), state.clock()
        out: list[Part] = []
        answers = size = 0
        while not isinstance(event, Signal):
            response: Response | Lookup | None
            if isinstance(event, BadRequest):
                response = state.context.site.refuse(event)
            elif cache is None or (response := cache.answer(event, tick)) is None:
                response = state.context.site.locate(event)
            if isinstance(response, Lookup):
                self._begin(out)
                state.loop.create_task(self._respond_in_task(cast(Request, event), response, (), now))
                return
            if response.has_file:
                self._begin(out)
                out = []
                if left := writer.start(connection.respond(event, response, now)):
                    state.loop.create_task(self._respond_in_task(cast(Request, event), response, left, now))
                    return
                self._responding = False
            else:
                out += connection.respond(event, response, now)
            if log is not None:
                log.record(self._peer or self.peer, event, response.status, response.length, now)
            answers += 1
            size += response.length
            if connection.idle or writer.paused:
                break
            if answers == _TURN or size > _TOGETHER:
                self._begin(out)
                state.loop.call_soon(self._continue)
                return
            event = connection.next_event()
        if out:
            writer.write(out)
        if writer.paused:
            return
        if answers and connection.idle and not self._reading_paused:
            self.deadline.rearm_idle(tick)
            return
        if answers:
            self.deadline.disarm()
        self._wait(tick)

    def _begin(self, out: list[Part]) -> None:
        """Sends what is ready, once no deadline holds: a write that the peer does not take sets one. We are busy then,
        until _continue(), or until a large answer has gone out at once."""
        self._responding = True
        self.deadline.disarm()
        if out:
            self._writer.write(out)

    def _continue(self) -> None:
        self._responding = False
        if not (self._writer.closed or self._writer.paused):
            self._process_events(self._connection.next_event())

    def _reject(self, event: BadRequest) -> None:
        """Answers what is not a request, out of turn: for want of room or of time."""
        now = time.time()
        response = self._state.context.site.refuse(event)
        self._writer.write(self._connection.respond(event, response, now))
        if self._state.log is not None:
            self._state.log.record(self.peer, event, response.status, response.length, now)
        if not self._writer.paused:
            self._process_events(self._connection.next_event())

    async def _respond_in_task(
        self, request: Request, answer: Lookup | Response, left: Sequence[Part], began: float
    ) -> None:
        """Answers what takes the disk, or more than a moment to send. left: of an answer that has begun to go out."""
        state, writer, connection = self._state, self._writer, self._connection
        # All of one configuration, even if it changes meanwhile.
        site, cache, find = state.context.site, state.cache, state.find
        asked = state.clock()
        peer = self.peer if state.log is not None else "-"
        response = answer if isinstance(answer, Response) else None
        try:
            if isinstance(answer, Lookup):
                writer.sent = 0
                await writer.drain()
                finding = await find(answer)
                if isinstance(finding, StorageError):
                    logger.error("%r: %s", answer.path, finding.detail)
                response = (cache and cache.answer(request, asked)) or site.reply(answer, finding)
                left = writer.start(connection.respond(request, response, time.time()))
            await writer.send(left, state.storage)
        except ConnectionError as error:
            logger.debug("%s: %s", peer, error)
            self.abort()
        except TruncatedError as error:
            # The promised length cannot be kept: only the end of the connection tells the client so (hazard D1).
            logger.error("%r: content cut short: %s", request.cache_key, error)
            self.abort()
        except Exception:
            logger.exception("a fault of this server")
            self.abort()
        finally:
            if response is not None:
                response.close()
                if state.log is not None:
                    sent = max(0, writer.sent - connection.head_length)
                    state.log.record(peer, request, response.status, sent, began)
        self._continue()

    def _wait(self, now: float | None = None) -> None:
        """Puts the deadline on what comes next, or goes the steps of the end (RFC 9112 9.6)."""
        state = self._connection.state
        # A server that stops (hazard F2): the answer under way had been begun before, and did not say "close".
        if state is ConnectionState.CLOSED or (self._state.stopping and self._connection.safe_to_close):
            self._transport.close()
            return
        if self._reading_paused and not self._connection.input_full:
            self._reading_paused = False
            self._transport.resume_reading()
        if self.deadline.arm(state, now or self._state.clock()) and state is ConnectionState.LINGER:
            self._transport.write_eof()

    def expire(self) -> None:
        """The deadline has passed."""
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
        """The server stops: what is under way is finished, nothing else is begun (hazard F2)."""
        self._connection.close_after_response = True
        if self._connection.safe_to_close and not self.responding:
            self._transport.close()

    def retire(self, timeout: float) -> None:
        """Another process takes over: the next answer says that it is the last, so no client is cut off in the middle
        of a request; whoever does not ask within `patience` seconds goes then."""
        self._connection.close_after_response = True
        if self._connection.state is ConnectionState.IDLE and not self.responding:
            self.deadline.at = min(self.deadline.at, self._state.clock() + timeout)

    def close(self) -> None:
        """Ends the connection after what has been handed over."""
        self._transport.close()

    def abort(self, reset: bool = False) -> None:
        """Ends the connection without another byte. forget: nor does the kernel send what it has, to a peer that does
        not take it (hazard A4)."""
        if reset:
            with suppress(OSError):
                reset_on_close(self.sock)
        self._writer.lose()
        self._transport.abort()
