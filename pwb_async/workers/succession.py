"""The process that is to take over from a supervisor, while it starts."""

import select

from pwb_async.runtime.context import ServerContext
from pwb_async.runtime.handover import Successor, start_successor


class Succession:
    """At most one new process at a time.

    Args:
        poll: Where its descriptor is registered.
    """

    is_done = False
    """Whether a new process has taken over."""

    def __init__(self, poll: select.poll) -> None:
        self._poll = poll
        self._successor: Successor | None = None

    def begin(self, context: ServerContext) -> None:
        """Start a new process with the sockets of this context, unless one is starting."""
        if self._successor is None and (successor := start_successor(context)) is not None:
            self._successor = successor
            self._poll.register(successor, select.POLLIN)

    def cancel(self) -> None:
        """End the new process, if one is starting."""
        if self._successor is not None:
            self._poll.unregister(self._successor)
            self._successor.cancel()
            self._successor = None

    def owns(self, fd: int) -> bool:
        """Whether a descriptor is that of a new process."""
        return self._successor is not None and fd == self._successor.fileno()

    def follow(self) -> bool:
        """Read what the new process reports; return whether it has taken over."""
        successor = self._successor
        if successor is not None and successor.receive():
            self._poll.unregister(successor)
            successor.close()
            self._successor = None
            self.is_done = successor.has_taken_over
        return self.is_done
