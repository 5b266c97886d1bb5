"""One HTTP/2 connection as an asyncio protocol: it passes bytes to the core and sends the core's frames.

A turn, step by step:
  1. data_received() passes the bytes to the HTTP2Connection, which returns the requests in them.
  2. Each is responded to by the steps of HTTP/1.1 (http_protocol.py): access, cache, site, and a lookup in a thread.
  3. Small responses leave at once and together, by one write. Those that do not fit the windows, and those that need a
     thread, become transfers (http2_transfers.py, http2_lookups.py).
  4. Their content is sent as long as the windows and the transport take it (http2_content.py).
  5. Where nothing is left to do, the deadline is that of what is waited for (http2_timeouts.py).

Nothing is read while the transport buffers data. So what a client can have queued, acknowledgements or responses, is
what one read of the socket can ask for, and no more. A connection ends by GOAWAY; then its sending side is closed, and
what the client still sends is discarded until it closes, too (RFC 9113 6.8, RFC 9112 9.6).
"""

import asyncio
from typing import Final

from pwb_async.core.deadlines import NEVER
from pwb_async.core.events import ConnectionState
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.http2.connection import HTTP2Connection
from pwb_async.core.http2.errors import ErrorCode
from pwb_async.core.http2.frames import content_behind
from pwb_async.core.http2.streams import Stream

from .connection_protocol import ConnectionProtocol
from .faults import contain
from .http2_content import MAX_BATCH, ContentSender
from .http2_lookups import Lookups
from .http2_requests import PendingRequests
from .http2_shared import HTTP2Shared
from .http2_timeouts import ContentTimeout, RequestTimeout
from .http2_transfer import Transfer
from .http2_transfers import Transfers
from .response_writer import ResponseWriter
from .state import ServerState

_MAX_RECEIVED: Final = 4 * 1024
"""Received bytes that are acted on before other connections get their turn: 150 short requests or 300 other frames."""
_MAX_KEPT: Final = 64 * 1024
"""Received bytes that are kept for later turns; then reading is paused."""
_GOAWAY_DELAY: Final = 1.0
"""Seconds between the two steps of GOAWAY: more than a round trip (RFC 9113 6.8)."""
_LINGER: Final = ConnectionState.LINGER


class HTTP2Protocol(ConnectionProtocol):
    """The server's end of one HTTP/2 connection."""

    __slots__ = ("_buffered", "_connection", "_content", "_content_timeout", "_eof", "_excessive",
                 "_linger_left", "_lingering", "_lookups", "_reading_paused", "_received",
                 "_request_timeout", "_requests", "_retiring", "_scheduled", "_shared", "_timeouts",
                 "_transfers")  # fmt: skip

    def __init__(self, state: ServerState, shared: HTTP2Shared) -> None:
        super().__init__(state)
        context = state.context
        self._shared = shared
        self._connection = HTTP2Connection(*shared.of(context.parser), context.server_field)
        self._transfers = Transfers(self, state, self._connection)
        self._lookups = Lookups(self._transfers, shared)
        self._content = ContentSender(self._transfers)
        self._received = b""  # but kept for later turns
        self._buffered = b""  # what was written last, if the transport may still buffer some of it
        self._requests = PendingRequests(self._transfers, self._lookups)
        self._timeouts = context.timeouts
        self._content_timeout = ContentTimeout(context.timeouts.send, context.options.min_send_rate)
        self._request_timeout = RequestTimeout(context.timeouts)
        self._excessive: list[Stream] = []
        """Streams that are reset soon, unless they end before."""
        self._linger_left = context.parser.limits.bad_head  # bytes that may follow the end of the sending side
        self._eof = self._retiring = self._lingering = self._reading_paused = self._scheduled = False

    @property
    def idle_order(self) -> float | None:
        """A number that orders idle connections, the longest idle first; None while a request is under way."""
        return None if self.responding or self._lingering else self.deadline.at

    @property
    def responding(self) -> bool:
        """Whether a response is under way, or a request waits for its turn."""
        return bool(self._transfers.active) or self._requests.waiting is not None or self._writer.paused

    @property
    def writer(self) -> ResponseWriter:
        """The sending side of the connection."""
        return self._writer

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Send SETTINGS, and wait for those of the client; or refuse the connection."""
        super().connection_made(transport)
        self._take_turn()

    def _refuse(self) -> None:
        """Process no stream, since the connection is not admitted; so the client may try again (RFC 9113 8.7)."""
        self._connection.close(ErrorCode.NO_ERROR, "too many connections")

    def take_over(self, other: ConnectionProtocol, data: bytes, retiring: bool) -> None:
        """Continue the connection of another protocol, which has received `data`. retiring: it was to end soon."""
        self.take_place(other)
        if retiring and self._state.stopping:
            self._connection.finish()
        elif retiring:
            self._connection.retire()
        self.data_received(data)

    def data_received(self, data: bytes) -> None:
        """Act on received bytes, or keep them while the responses to earlier ones are written."""
        if self._lingering:
            self._discard(data)
            return
        busy = self._received or self._writer.paused or self._requests.waiting
        self._received = self._received + data if self._received else data
        if not busy:
            self._take_turn()
        elif len(self._received) > _MAX_KEPT and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Keep the transport open: a client that has closed its sending side still gets what its windows allow."""
        self._eof = True
        self.schedule()
        return True

    def resume_writing(self) -> None:
        """Continue with what waits."""
        super().resume_writing()
        self._continue()

    def schedule(self) -> None:
        """Take a turn when other connections have had theirs."""
        if not self._scheduled:
            self._scheduled = True
            self._state.loop.call_soon(self._continue)

    def _continue(self) -> None:
        """Take a turn. No exception may leave this: its callers would log it and keep the connection open."""
        self._scheduled = False
        if not (self._writer.closed or self._writer.paused):
            contain(self, self._take_turn)

    def _take_turn(self) -> None:
        """Act on received bytes, respond to requests, and send what the windows and the transport allow."""
        connection, transfers = self._connection, self._transfers
        if self._received and not self._requests.waiting:
            self._receive()
        if connection.ended:
            transfers.drop_ended()
        if connection.closed:
            self._requests.drop()
        if connection.retiring:
            self._finish_later()
        responded = self._requests.waiting is not None and self._requests.respond(self._peer)
        more = self._send_content() if transfers.active and not self._writer.paused else False
        self._flush()
        if self._writer.paused:
            return
        if more or self._received or self._requests.waiting:
            self.deadline.at = NEVER  # nothing is waited for
            self.schedule()
        else:
            self._wait(self._state.clock(), responded)

    def _receive(self) -> None:
        """Pass the bytes of one turn to the connection."""
        data = self._received[:_MAX_RECEIVED]
        self._received = b"" if self._connection.closed else self._received[_MAX_RECEIVED:]
        if self._reading_paused and len(self._received) <= _MAX_KEPT:
            self._reading_paused = False
            self._transport.resume_reading()
        self._requests.receive(data)
        if self._connection.output:
            self._collect()

    def _send_content(self) -> bool:
        """Begin and send what can be; return whether there may be more."""
        transfers = self._transfers
        resumed = self._lookups.resume()
        size = self._content.send()
        if size:
            self._content_timeout.progress(size, self._state.clock())
        if self._connection.ended:  # files that were cut short
            transfers.drop_ended()
        return size >= MAX_BATCH or resumed or self._lookups.resume()

    def _collect(self) -> None:
        """Put the frames of the connection behind those that are collected: RST_STREAM ends what was sent before it."""
        self._transfers.out += self._connection.output
        self._connection.output = []

    def _flush(self) -> None:
        """Write what has been collected, all of it at once."""
        if self._connection.output:
            self._collect()
        if self._transfers.out:
            out, self._transfers.out = self._transfers.out, []
            data = b"".join(out)
            self._writer.sent = len(data)
            self._writer.write((data,))
            self._buffered = data if self._writer.paused else b""

    def report(self, transfer: Transfer, status: int, sent: int) -> None:
        """Pass the exchange of a transfer to the observers."""
        request, response, missed = transfer.request, transfer.response, transfer.looked_up
        self._report(transfer.client, request, response, sent, transfer.started_at, status, missed=missed)

    def _wait(self, now: float, responded: bool = False) -> None:
        """Arm the deadline of what the connection waits for, or take the next step of closing it."""
        connection, transfers = self._connection, self._transfers
        if connection.answered and not self._excessive:
            self._reset_later()
        if transfers.active:
            self._request_timeout.stop()
            self._wait_for_client(now)
            return
        if self._content_timeout.running:
            self._content_timeout.stop()
        if connection.closed or connection.finishing or self._eof:
            self._linger(now)
            return
        self.deadline.at = self._request_timeout.wait(now, responded, connection.incomplete, connection.advanced)

    def _wait_for_client(self, now: float) -> None:
        """Arm the send timeout, if the client has to open its windows; the disk has a timeout of its own."""
        transfers = self._transfers
        timeout = self._content_timeout
        self.deadline.at = timeout.wait(now) if transfers.blocked else timeout.pause(now)
        if self._eof and not transfers.at_work:  # nothing will open the windows
            self._transport.close()

    def _reset_later(self) -> None:
        """Reset the streams whose requests are too long if their clients have not ended them after --linger-idle."""
        self._excessive = self._connection.excessive
        if self._excessive:
            self._state.loop.call_later(self._timeouts.linger_idle, self._reset_excessive)

    def _reset_excessive(self) -> None:
        for stream in self._excessive:
            self._connection.stop_request(stream)
        self._excessive = []
        self._continue()

    def _linger(self, now: float) -> None:
        """Close the sending side, and read what the client still sends until it closes, too (RFC 9112 9.6)."""
        if self._eof or self._state.stopping:
            self._transport.close()
        elif not self._lingering:
            self._transport.write_eof()
        self._lingering = True
        self.deadline.arm(_LINGER, now)

    def _discard(self, data: bytes) -> None:
        """Discard what the client sends after the sending side was closed, as much as HTTP/1.1 does (hazard A13)."""
        self._linger_left -= len(data)
        if self._linger_left < 0:
            self.abort()
        else:
            self._wait(self._state.clock())

    def expire(self) -> None:
        """Act on the deadline, which has passed."""
        connection = self._connection
        if self._send_timeout is not None:
            self._check_send_timeout(self._send_timeout)
            return
        if self._lingering:
            self._transport.close()
        elif self._transfers.active:
            if not self._content_timeout.is_over(self._state.clock()):
                self._wait(self._state.clock())
                return
            connection.close(ErrorCode.ENHANCE_YOUR_CALM, "the windows were closed for too long")
        elif self._request_timeout.frame_is_late:
            connection.close(ErrorCode.NO_ERROR, "a frame or SETTINGS took too long")
        else:
            connection.finish()
        self._take_turn()

    def _finish_later(self) -> None:
        """Take the second step of GOAWAY when the client has got the first one."""
        if not self._retiring:
            self._retiring = True
            self._state.loop.call_later(_GOAWAY_DELAY, self._finish_streams)

    def _finish_streams(self) -> None:
        """Take the second step of GOAWAY."""
        self._connection.finish()
        self._transfers.end_streaming()
        self._continue()

    def stop(self) -> None:
        """Close the connection as soon as no request is under way; requests that come now are not processed."""
        self._connection.finish()
        self._transfers.end_streaming()
        if self._writer.paused:
            return
        self._take_turn()
        if not self.responding:
            self._transport.close()

    def retire(self, timeout: float) -> None:
        """Ask the client to open no more streams, and close the connection after those that are open."""
        self._connection.retire()
        self.schedule()

    def use_parser(self, parser: RequestParser) -> None:
        """Read the next request with the reader that belongs to another parser."""
        self._connection.use_reader(self._shared.of(parser)[0])

    def connection_lost(self, exc: Exception | None) -> None:
        """End the work for all responses, and stop counting the connection."""
        super().connection_lost(exc)
        if self._writer.paused:
            self._transfers.lose(content_behind(self._buffered, self._writer.sent))
        self._connection.close(ErrorCode.NO_ERROR, "the connection is lost")
        self._requests.drop()
        self._transfers.drop_ended()
