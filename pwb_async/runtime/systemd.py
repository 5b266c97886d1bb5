"""Who started us, and what we say to each other. systemd: sockets that it has opened for us (sd_listen_fds(3)), and how
we are (sd_notify(3)). Somebody at a terminal: whether the terminal is still there. A shell or nohup(1): signals that
are to be ignored.
"""

import os
import signal
import socket
import time
from typing import Final

_FIRST: Final = 3
"""The first descriptor that is handed over, after the standard ones."""


def listen_fds() -> list[socket.socket]:
    """The listening sockets that were handed over to this process. Raises OSError if they are no such thing."""
    if os.environ.pop("LISTEN_PID", "") != str(os.getpid()):  # meant for somebody else
        return []
    count = os.environ.pop("LISTEN_FDS", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if not (count.isascii() and count.isdecimal()):
        return []
    sockets = [socket.socket(fileno=fd) for fd in range(_FIRST, _FIRST + int(count))]
    for sock in sockets:
        sock.set_inheritable(False)
    for sock in sockets:
        if sock.type != socket.SOCK_STREAM or not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            number = sock.fileno()
            for each in sockets:
                each.close()
            raise OSError(f"descriptor {number} of LISTEN_FDS is no socket that listens")
    return sockets


def notify(*words: str) -> None:
    """Tells whoever started us, if it asked for it: READY=1, STOPPING=1 and their like. Never fails."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.setblocking(False)
            sock.sendto("\n".join(words).encode(), address)
    except OSError:
        return  # it is for the one who asked to miss it


def notify_reloading() -> None:
    """The first word of a reload; READY=1 is the last. systemd wants to know when it was said."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def end_signals() -> tuple[signal.Signals, ...]:
    """The signals that end the program: SIGTERM, and SIGINT unless it is ignored. A shell has it ignored in a script's
    background job, since Ctrl-C is for the script alone."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        return (signal.SIGTERM,)
    return (signal.SIGINT, signal.SIGTERM)


class Terminal:
    """The terminal that we were started from, if any, before a handler is set for SIGHUP. That signal is sent for a
    reload, and when the terminal is closed; nohup(1) has it ignored, so that the program outlives its terminal."""

    def __init__(self) -> None:
        self._matters = _has_terminal() and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN

    @property
    def hung_up(self) -> bool:
        """It has been closed, and the program is to end with it."""
        return self._matters and not _has_terminal()


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
