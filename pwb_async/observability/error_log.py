"""What the program says of itself, on standard error: for people, a line each, and never at the price of an answer.

Standard error may be a pipe that nobody reads. Whoever writes to a full one waits, and with a loop everybody does; so
what is not taken at once is dropped, and counted in the next line that is (hazard E8).
"""

import logging
import sys
from typing import Any

from pwb_async.output.pipes import write_ready
from pwb_async.output.printing import printable


class _Formatter(logging.Formatter):
    """A message is one line, and so is each line of a traceback."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return "\n".join(map(printable, super().formatException(ei).split("\n")))


class _Patient(logging.Handler):
    def __init__(self, program: str, number: int, encoding: str) -> None:
        super().__init__()
        self._program = program
        self._number = number
        self._encoding = encoding
        self._lost = 0

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
            if self._lost:
                text = f"{self._program}: nobody read this for a while: {self._lost} lost\n{text}"
            data = f"{text}\n".encode(self._encoding, "backslashreplace")
            self._lost = 0 if write_ready(self._number, data) else self._lost + 1
        except OSError:
            self._lost += 1
        except Exception:
            self.handleError(record)


def error_log_handler(program: str) -> logging.Handler:
    """A handler that writes each record to standard error, as lines that begin with the name of the program.

    Without a standard error it drops all records: descriptor 2 may be another file by now.
    """
    stream = sys.__stderr__
    handler = logging.NullHandler() if stream is None else _Patient(program, stream.fileno(), stream.encoding)
    handler.setFormatter(_Formatter(f"{program}: %(message)s"))
    return handler
