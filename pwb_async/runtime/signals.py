"""Signals that depend on how the process was started: by a shell in the background, with nohup(1), on a terminal."""

import os
import signal


def end_signals() -> tuple[signal.Signals, ...]:
    """The signals that end the program: SIGTERM, and SIGINT unless it is ignored.

    A shell starts the background jobs of a script with SIGINT ignored, since Ctrl-C is meant for the script alone.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        return (signal.SIGTERM,)
    return (signal.SIGINT, signal.SIGTERM)


class Terminal:
    """The controlling terminal that the process was started from, if there is one.

    SIGHUP has two meanings: reload, and "the terminal was closed". They differ only in whether the terminal still
    exists. nohup(1) starts a program with SIGHUP ignored, so that it outlives its terminal. Make this object before a
    handler for SIGHUP is installed.
    """

    def __init__(self) -> None:
        self._ends_with_terminal = _has_terminal() and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN

    @property
    def hung_up(self) -> bool:
        """Whether the terminal was closed, so that the program must end."""
        return self._ends_with_terminal and not _has_terminal()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
