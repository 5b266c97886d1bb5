"""Sends responses on a connection of HTTP/2 no faster than its send rates allow (--max-send-rate).

The streams to which one limit applies share its rate. One that may not be sent yet is held, and gets its turn again
when the rate allows; so it keeps no other stream waiting. Content counts, heads do not, as they are few bytes each.
"""

from asyncio import TimerHandle
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.http2.connection import HTTP2Connection
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.limit_rules import SendLimit
from pwb_async.limits.send_rates import SendPace, clock

from .http2_transfer import Owner, Transfer
from .state import ServerState

_MIN_DELAY: Final = 0.001
"""Seconds of the shortest timer, which is what a loop's clock can tell apart."""


class HTTP2Paces:
    """The send rates of one connection, and the streams that wait for them.

    Args:
        owner: The protocol of the connection.
        connection: Its streams.
        state: The state of the server, which has the rates.
    """

    def __init__(self, owner: Owner, connection: HTTP2Connection, state: ServerState) -> None:
        self._owner, self._connection, self._state, self._loop = owner, connection, state, state.loop
        self._paces: dict[SendLimit, SendPace] = {}
        self._held: dict[bytes, Transfer] = {}
        self._timer: TimerHandle | None = None
        self._taken = 0  # bytes that allowed() has returned

    @property
    def holding(self) -> bool:
        """Whether any stream waits for a rate."""
        return bool(self._held)

    def admits(self, client: str, request: Request | BadRequest, response: Response) -> bool:
        """Whether a response may leave at once, whole; if so, it is counted."""
        pace = self._pace(client, request)
        size = response.length
        if pace is None or not size:
            return True
        taken = pace.take(size, clock())
        if taken < size:
            pace.give_back(taken)
        return taken == size

    def holds(self, transfer: Transfer) -> bool:
        """Whether nothing of a transfer may be sent yet; then it gets its turn again later."""
        pace = self._pace(transfer.client, transfer.request)
        delay = 0 if pace is None else pace.delay(clock(), transfer.stream.unsent)
        if not delay:
            return False
        self._held[transfer.stream.id] = transfer
        transfer.held = True
        self._owner.writer.hold()
        seconds = max(delay / 1e9, _MIN_DELAY)
        if self._timer is None or self._loop.time() + seconds < self._timer.when():
            self._stop_timer()
            self._timer = self._loop.call_later(seconds, self._release)
        return True

    def allowed(self, transfer: Transfer, limit: int) -> int:
        """Bytes of a transfer that may be sent now, `limit` at most; sent() has to follow."""
        pace = self._pace(transfer.client, transfer.request)
        self._taken = limit if pace is None else pace.take(limit, clock())
        return self._taken

    def sent(self, transfer: Transfer, size: int) -> None:
        """Note how many of the bytes that were allowed have been sent."""
        pace = self._pace(transfer.client, transfer.request)
        if pace is not None:
            pace.give_back(self._taken - size)

    def _pace(self, client: str, request: Request | BadRequest) -> SendPace | None:
        rates = self._state.send_rates
        return None if rates is None else rates.pace(self._paces, client or self._owner.peer, request)

    def _release(self) -> None:
        """Give the streams that were held their turns, in which some may be held again."""
        self._timer = None
        self._owner.writer.release()
        held, self._held = self._held, {}
        for transfer in held.values():
            transfer.held = False
            self._connection.queue(transfer.stream)
        if not self._owner.writer.closed:
            self._owner.schedule()

    def forget(self, transfer: Transfer) -> None:
        """Let a transfer wait no longer: it has ended."""
        if self._held.pop(transfer.stream.id, None) is not None and not self._held:
            self._stop_timer()
            self._owner.writer.release()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
