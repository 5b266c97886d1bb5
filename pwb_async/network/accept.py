"""Accepting a connection, and what every server does when that fails.

ECONNABORTED        the client has left already: accept() is called again at once, for the next one
any other error     no memory, no descriptor, the network is down: logged, at most once a second, and accept() is
                    called again after ACCEPT_PAUSE, since trying again at once would only burn CPU (E1)
"""

import logging
import socket
import time
from typing import Any, Final

logger: Final = logging.getLogger("pwb")
ACCEPT_PAUSE: Final = 0.1
"""Seconds without accept() after an error."""
_MESSAGE_INTERVAL: Final = 1.0
"""Seconds between two messages about such errors."""


def accept(listener: socket.socket) -> tuple[socket.socket, Any] | None:
    """Accept the next connection of a non-blocking socket; return it and its peer's name, or None if none waits.

    Raises OSError if accept() fails. The caller reports it to an AcceptErrors and pauses.
    """
    while True:
        try:
            return listener.accept()
        except BlockingIOError:
            return None
        except ConnectionAbortedError:
            continue


class AcceptErrors:
    """Logs why connections cannot be accepted, at most once a second."""

    def __init__(self) -> None:
        self._silent_until = 0.0

    def report(self, reason: str) -> None:
        """Log a reason, unless one has just been logged."""
        now = time.monotonic()
        if now >= self._silent_until:
            self._silent_until = now + _MESSAGE_INTERVAL
            logger.error("cannot accept connections: %s", reason)
