"""How long a connection may keep a server waiting: arithmetic on times that a driver passes in (hazards A1 to A7)."""

from typing import Final, NamedTuple

from .events import ConnectionState

NEVER: Final = float("inf")
_IDLE: Final = ConnectionState.IDLE


class Timeouts(NamedTuple):
    """Seconds. header: for a whole request head, counted from its first moment and never pushed back by bytes.
    idle: for the next request to begin. send: in which a peer must take some bytes. linger_idle, linger: for more,
    and for all, of what is read only to be thrown away."""

    header: float = 10.0
    idle: float = 15.0
    send: float = 60.0
    linger_idle: float = 5.0
    linger: float = 30.0


class Deadline:
    """at: when the wait is overdue, in seconds of the driver's clock."""

    __slots__ = ("_linger_end", "_state", "_timeouts", "at")

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._state: ConnectionState | None = None
        self._linger_end = NEVER
        self.at = NEVER

    def arm(self, state: ConnectionState, now: float) -> bool:
        """The connection needs data at `now`, and this is what it waits for. True: it did not wait for it before."""
        new = state is not self._state
        if state is ConnectionState.LINGER:
            if new:
                self._linger_end = now + self._timeouts.linger
            self.at = min(now + self._timeouts.linger_idle, self._linger_end)
        elif new:
            if state is ConnectionState.HEAD:
                self.at = now + self._timeouts.header
            elif state is ConnectionState.IDLE:
                self.at = now + self._timeouts.idle
            else:
                self.at = now + self._timeouts.linger_idle
        self._state = state
        return new

    def rearm_idle(self, now: float) -> None:
        """lift() and watch(Waiting.IDLE, now) in one: an answer has gone out at once, the next request may come."""
        self._state = _IDLE
        self.at = now + self._timeouts.idle

    def disarm(self) -> None:
        """It is our turn: nothing is waited for until the next watch(), which begins anew."""
        self._state = None
        self.at = NEVER
