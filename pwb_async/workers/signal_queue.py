"""The signals that a supervisor has received and not handled yet."""

import signal
import socket
from collections import deque
from collections.abc import Iterable, Iterator
from types import FrameType
from typing import Final

END_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
"""Signals that end the program. Each one counts, as the second is more urgent than the first."""


class SignalQueue:
    """Received signals in order; of those that do not end the program, one stands for several."""

    def __init__(self) -> None:
        self._pending: deque[int] = deque()
        self._wakeup, self._sender = socket.socketpair()
        self._sender.setblocking(False)

    @property
    def sockets(self) -> tuple[socket.socket, socket.socket]:
        """Its sockets, which a child process has to close."""
        return self._wakeup, self._sender

    def listen(self, numbers: Iterable[int]) -> None:
        """Receive these signals from now on. Each makes the descriptor readable."""
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if number in END_SIGNALS or number not in self._pending:
            self._pending.append(number)

    def fileno(self) -> int:
        """The descriptor that becomes readable when a signal is received."""
        return self._wakeup.fileno()

    def drain(self) -> None:
        """Make the descriptor unreadable."""
        self._wakeup.recv(4096)

    def __iter__(self) -> Iterator[int]:
        """The signals, each of which is handled then."""
        while self._pending:
            yield self._pending.popleft()

    def close(self) -> None:
        """Receive no more signals."""
        signal.set_wakeup_fd(-1)
        for sock in self.sockets:
            sock.close()
