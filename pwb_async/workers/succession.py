"""The process that is to take over from a supervisor, while it starts."""

import logging
import select
import socket
from typing import Final

from pwb_async.runtime.handover import Successor

logger: Final = logging.getLogger("pwb")


class Succession:
    """At most one new process at a time.

    Args:
        poll: Where its descriptor is registered.
    """

    def __init__(self, poll: select.poll) -> None:
        self._poll = poll
        self._successor: Successor | None = None

    def begin(self, sockets: dict[str, list[socket.socket]]) -> None:
        """Start a new process with these sockets, unless one is starting."""
        if self._successor is not None:
            return
        try:
            self._successor = Successor(sockets)
        except OSError as error:
            logger.error("no new process can be started: %s", error.strerror)
        else:
            self._poll.register(self._successor, select.POLLIN)

    def is_decided(self, fd: int) -> bool:
        """Whether this descriptor, which is readable, is that of the new process."""
        return self._successor is not None and fd == self._successor.fileno()

    def has_succeeded(self) -> bool:
        """Whether the new process serves; to be called when it is decided."""
        successor, self._successor = self._successor, None
        assert successor is not None
        self._poll.unregister(successor)
        if successor.has_taken_over():
            return True
        successor.wait()
        return False
