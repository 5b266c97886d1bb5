"""The error log: messages of the program on standard error, each a line, without ever blocking the server.

Standard error may be a pipe that is never read. A write to a full pipe would block, and an event loop with it, so a
message that does not fit is dropped; the next one that fits is preceded by the number of lost ones (hazard E8).
"""

import logging
import sys
import time
from typing import Any, Final

from pwb_async.output.pipes import write_ready
from pwb_async.output.printing import printable

_MESSAGE_INTERVAL: Final = 1.0
"""Seconds between two messages of one kind."""


class _Formatter(logging.Formatter):
    """A formatter that makes one printable line of a message, and of each line of a traceback."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return "\n".join(map(printable, super().formatException(ei).split("\n")))


class NonBlockingHandler(logging.Handler):
    """A handler that writes to a descriptor only what can be written without blocking."""

    def __init__(self, program: str, fd: int, encoding: str) -> None:
        super().__init__()
        self._program = program
        self._fd = fd
        self._encoding = encoding
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it as lost; called by logging."""
        try:
            text = self.format(record)
            if self._lost:
                text = (
                    f"{self._program}: standard error was not read for a while: {self._lost} messages were lost\n{text}"
                )
            data = f"{text}\n".encode(self._encoding, "backslashreplace")
            self._lost = 0 if write_ready(self._fd, data) else self._lost + 1
        except OSError:
            self._lost += 1
        except Exception:
            self.handleError(record)


def error_log_handler(program: str) -> logging.Handler:
    """A handler that writes each record to standard error, as lines that begin with the name of the program.

    If standard error was closed at the start it drops all records, since descriptor 2 may be another file by now.
    """
    stream = sys.__stderr__
    handler = logging.NullHandler() if stream is None else NonBlockingHandler(program, stream.fileno(), stream.encoding)
    handler.setFormatter(_Formatter(f"{program}: %(message)s"))
    return handler


class MessageLimit:
    """A limit on the messages about one kind of error that every request may cause: at most one a second."""

    def __init__(self) -> None:
        self._silent_until = 0.0

    def allows(self) -> bool:
        """Whether a message may be logged now; if so, it is counted."""
        now = time.monotonic()
        if now < self._silent_until:
            return False
        self._silent_until = now + _MESSAGE_INTERVAL
        return True
