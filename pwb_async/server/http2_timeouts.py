"""How long an HTTP/2 connection waits, and for what.

    content that the windows do not let through       the send timeout, from the last byte of content on, and
                                                      --min-send-rate, counted in bytes of content
    a lookup or a piece of a file                     none here; the disk has its own
    a frame that has begun, or the first SETTINGS     the header timeout
    a request                                         the idle timeout, from the last response on

Neither PING nor any other frame but a request extends the idle timeout. All times are on the loop's clock.
"""

from pwb_async.core.deadlines import NEVER, Timeouts


class ContentTimeout:
    """How long a client keeps its windows closed. The time in which the server's own disk is waited for does not count.

    Args:
        timeout: The send timeout.
        rate: The minimum rate, in bytes a second.
    """

    __slots__ = ("_paused_at", "_period_start", "_progress", "_rate", "_sent", "_timeout", "running")

    running: bool
    """Whether something is left to send."""

    def __init__(self, timeout: float, rate: int) -> None:
        self._timeout, self._rate = timeout, rate
        self.stop()

    def stop(self) -> None:
        """Wait for nothing, since nothing is left to send."""
        self._progress = self._period_start = self._paused_at = NEVER
        self._sent = 0  # bytes in the period
        self.running = False

    def wait(self, now: float) -> float:
        """Wait for the client to open its windows; return when that is to be checked."""
        self._resume(now)
        if self._progress == NEVER:
            self._progress = self._period_start = now
        return min(self._progress, self._period_start) + self._timeout

    def pause(self, now: float) -> float:
        """Wait for the server's disk, for any time."""
        self._resume(now)
        self._paused_at = now
        return NEVER

    def _resume(self, now: float) -> None:
        self.running = True
        if self._paused_at != NEVER:
            self._progress += now - self._paused_at
            self._period_start += now - self._paused_at
            self._paused_at = NEVER

    def progress(self, size: int, now: float) -> None:
        """Note that bytes of content were sent."""
        self._resume(now)
        if self._progress != NEVER:
            self._progress = now
            self._sent += size

    def is_over(self, now: float) -> bool:
        """Whether the windows have let no byte through, or too few, for as long as the send timeout."""
        if now >= self._progress + self._timeout:
            return True
        elapsed, sent = now - self._period_start, self._sent
        if elapsed >= self._timeout:
            self._period_start, self._sent = now, 0
            return sent < self._rate * elapsed
        return False


class RequestTimeout:
    """How long a client takes for its next request, and for the rest of a frame."""

    __slots__ = ("_frame_at", "_idle_at", "_timeouts")

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._idle_at = self._frame_at = NEVER  # when each of them has to be there

    def stop(self) -> None:
        """Wait for nothing, since a response is under way."""
        self._idle_at = self._frame_at = NEVER

    def wait(self, now: float, responded: bool, incomplete: bool, advanced: bool) -> float:
        """Wait for a request, or for the rest of a frame; return when the connection is to be closed.

        Args:
            now: The time.
            responded: Requests have been responded to in this turn.
            incomplete: A frame has begun.
            advanced: One that had begun before has been received whole.
        """
        if responded or self._idle_at == NEVER:
            self._idle_at = now + self._timeouts.idle
        if not incomplete:
            self._frame_at = NEVER
        elif advanced or self._frame_at == NEVER:
            self._frame_at = now + self._timeouts.header
        return min(self._idle_at, self._frame_at)

    @property
    def frame_is_late(self) -> bool:
        """Whether a frame was waited for, and not a request."""
        return self._frame_at <= self._idle_at
