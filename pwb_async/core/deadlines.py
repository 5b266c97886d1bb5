"""The deadline of a connection: how long it may stay in each of its states (hazards A1 to A7)."""

from typing import Final, NamedTuple

from .events import ConnectionState

NEVER: Final = float("inf")
"""The time of a deadline that is not armed."""
_HEAD: Final = ConnectionState.HEAD
_IDLE: Final = ConnectionState.IDLE
_LINGER: Final = ConnectionState.LINGER


class Timeouts(NamedTuple):
    """The longest time that a connection may spend in each state, in seconds."""

    header: float = 10.0
    """For a whole request head; received bytes do not extend it."""
    idle: float = 15.0
    """Until the next request begins on a persistent connection."""
    send: float = 60.0
    """During which the peer must acknowledge some bytes of a response."""
    linger_idle: float = 5.0
    """Between two pieces of data that are read only to be discarded."""
    linger: float = 30.0
    """For all data that is discarded before a connection is closed."""


class Deadline:
    """The time at which a connection has been too long in its state.

    All times are in seconds on one clock, which the server chooses.
    """

    __slots__ = ("_linger_end", "_state", "_timeouts", "at")

    at: float
    """The time at which the connection expires; NEVER if it is not armed."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._state: ConnectionState | None = None
        self._linger_end = NEVER
        self.at = NEVER

    def arm(self, state: ConnectionState, now: float) -> bool:
        """Arm the deadline for a connection that waits for data in `state`; return whether it entered it just now.

        As long as the state stays the same, only that of LINGER is moved, and never beyond Timeouts.linger.
        """
        new = state is not self._state
        if state is _LINGER:
            if new:
                self._linger_end = now + self._timeouts.linger
            self.at = min(now + self._timeouts.linger_idle, self._linger_end)
        elif new:
            if state is _HEAD:
                self.at = now + self._timeouts.header
            elif state is _IDLE:
                self.at = now + self._timeouts.idle
            else:
                self.at = now + self._timeouts.linger_idle
        self._state = state
        return new

    def rearm_idle(self, now: float) -> None:
        """Disarm the deadline and arm it for the IDLE state, in one call: a response was sent at once."""
        self._state = _IDLE
        self.at = now + self._timeouts.idle

    def disarm(self) -> None:
        """Stop the deadline while a response is made; the next arm() starts a new one."""
        self._state = None
        self.at = NEVER
