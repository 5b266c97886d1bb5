"""How long an HTTP/2 connection lasts: its deadlines, and the ways in which it ends.

What a connection waits for decides its deadline:
    a response that the windows do not let through    the send timeout, from the last byte of content on, and
                                                      --min-send-rate, counted in bytes of content
    a lookup or a piece of a file                     none here; the disk has its own
    a frame that has begun, or the first SETTINGS     the header timeout
    a request                                         the idle timeout, from the last response on

A request that is longer than --max-content has a time of its own, from the response on (_reset_later).

Neither PING nor any other frame but a request extends the idle timeout. A connection ends by GOAWAY; then its sending
side is closed, and what the client still sends is discarded until it closes, too (RFC 9113 6.8, RFC 9112 9.6).
"""

from collections.abc import Iterator
from typing import Final

from pwb_async.core.deadlines import NEVER
from pwb_async.core.events import BadRequest, ConnectionState
from pwb_async.core.http2.errors import ErrorCode
from pwb_async.core.http2.streams import Stream
from pwb_async.core.semantics.messages import Request

from .http2_readers import HTTP2Readers
from .http2_transfer import HTTP2Transfer
from .state import ServerState

_GOAWAY_DELAY: Final = 1.0
"""Seconds between the two steps of GOAWAY: more than a round trip (RFC 9113 6.8)."""
_LINGER: Final = ConnectionState.LINGER


class HTTP2Lifetime(HTTP2Transfer):
    """The deadlines and the end of a connection."""

    __slots__ = (
        "_eof",
        "_excessive",
        "_head_at",
        "_idle_at",
        "_linger_left",
        "_lingering",
        "_period_sent",
        "_period_start",
        "_requests",
        "_retiring",
    )

    def __init__(self, state: ServerState, readers: HTTP2Readers) -> None:
        super().__init__(state, readers)
        self._requests: Iterator[tuple[bytes, Request | BadRequest]] | None = None
        """Requests that have not been answered yet, since there is enough to write."""
        self._excessive: list[Stream] = []
        """Streams that are reset soon, unless they end before."""
        self._idle_at = self._head_at = NEVER  # when the next request, and the rest of a frame, have to be there
        self._period_start, self._period_sent = NEVER, 0
        self._retiring = self._lingering = self._eof = False
        self._linger_left = state.context.parser.limits.bad_head  # bytes that may follow the end of the sending side

    @property
    def idle_order(self) -> float | None:
        """A number that orders idle connections, the longest idle first; None while a request is under way."""
        return None if self.responding or self._lingering else self.deadline.at

    @property
    def responding(self) -> bool:
        """Whether a response is under way."""
        return bool(self._answers) or self._writer.paused

    @property
    def write_paused(self) -> bool:
        """Whether data waits for the peer to read; what waits for its windows is measured here."""
        return self._writer.paused

    def _refuse(self) -> None:
        """Process no stream, since the connection is not admitted; so the client may try again (RFC 9113 8.7)."""
        self._connection.close(ErrorCode.NO_ERROR, "too many connections")

    def eof_received(self) -> bool:
        """Keep the transport open: a client that has closed its sending side still gets what its windows allow."""
        self._eof = True
        self._schedule()
        return True

    def _wait(self, now: float, answered: bool = False) -> None:
        """Arm the deadline of what the connection waits for, or take the next step of closing it."""
        connection, timeouts = self._connection, self._state.context.timeouts
        if connection.answered and not self._excessive:
            self._reset_later()
        if self._answers:
            self._idle_at = self.deadline.at = NEVER
            if not connection.unsent_streams:
                self._progress = self._period_start = NEVER
                return
            # Both are NEVER if nothing has waited before.
            self._progress = min(self._progress, now)
            if self._period_start == NEVER:
                self._start_period(now)
            self.deadline.at = min(self._progress, self._period_start) + timeouts.send
            if self._eof:  # nothing will open the windows
                self._transport.close()
            return
        self._progress = self._period_start = NEVER
        if connection.closed or connection.finishing or self._eof:
            self._linger(now)
            return
        if answered or self._idle_at == NEVER:
            self._idle_at = now + timeouts.idle
        if not connection.incomplete:
            self._head_at = NEVER
        elif self._head_at == NEVER:
            self._head_at = now + timeouts.header
        self.deadline.at = min(self._idle_at, self._head_at)

    def _reset_later(self) -> None:
        """Reset the streams whose requests are too long if their clients have not ended them after --linger-idle."""
        self._excessive = self._connection.excessive
        if self._excessive:
            self._state.loop.call_later(self._state.context.timeouts.linger_idle, self._reset_excessive)

    def _reset_excessive(self) -> None:
        for stream in self._excessive:
            self._connection.stop_request(stream)
        self._excessive = []
        self._continue()

    def _start_period(self, now: float) -> None:
        """Count the content that is sent from now on, for --min-send-rate."""
        self._period_start, self._period_sent = now, self._content_sent

    def _is_too_slow(self, now: float) -> bool:
        """Whether the windows have let no byte through, or too few, for as long as the send timeout."""
        timeout, rate = self._state.context.timeouts.send, self._state.context.options.min_send_rate
        if now >= self._progress + timeout:
            return True
        elapsed, sent = now - self._period_start, self._content_sent - self._period_sent
        if elapsed >= timeout:
            self._start_period(now)
            return sent < rate * elapsed
        return False

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
        elif self._answers and not self._is_too_slow(self._state.clock()):
            self._wait(self._state.clock())
            return
        elif self._answers:
            connection.close(ErrorCode.ENHANCE_YOUR_CALM, "the windows were closed for too long")
        elif self._head_at <= self._idle_at:
            connection.close(ErrorCode.NO_ERROR, "a frame or SETTINGS took too long")
        else:
            connection.finish()
        self._take_turn()

    def _finish_later(self) -> None:
        """Take the second step of GOAWAY when the client has got the first one."""
        if not self._retiring:
            self._retiring = True
            self._state.loop.call_later(_GOAWAY_DELAY, self._finish_streams)

    def stop(self) -> None:
        """Close the connection as soon as no request is under way; requests that come now are not processed."""
        self._connection.finish()
        if self._writer.paused:
            return
        self._take_turn()
        if not (self.responding or self._requests is not None):
            self._transport.close()

    def retire(self, timeout: float) -> None:
        """Ask the client to open no more streams, and close the connection after those that are open."""
        self._connection.retire()
        self._schedule()

    def _finish_streams(self) -> None:
        """Take the second step of GOAWAY."""
        self._connection.finish()
        self._continue()
