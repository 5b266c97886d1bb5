"""Handing the listening sockets to a new process, which may run a newer version (SIGUSR2).

The old process starts the command that has started it, with the sockets open and named in an environment variable, and
waits at a pipe. The new one forks, so that it is no child of the old one, and uses the sockets in place of some of its
own. When it accepts connections it writes to the pipe, and the old one accepts no more, serves the connections that it
has to their ends, and ends. If the new one ends before, the old one serves on. As both have the same sockets, no
connection is lost in either case.
"""

import logging
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pwb_async.network.listeners import UnixListener

from .systemd import notify

if TYPE_CHECKING:
    from .context import ServerContext

logger: Final = logging.getLogger("pwb")
_VARIABLE: Final = "_PWB_HANDOVER"
"""The pipe's descriptor, those of the sockets by what they are for, and which of them have a file, to be removed at the
end: "9;public=3,4;redirect=;admin=5;files=5"."""
_FILES: Final = "files"
_READY: Final = b"ready"
"""What the new process reports when it accepts connections; before that, it reports its number."""


_pipes: Final[list[int]] = []
"""The pipe to the process that this one replaces, until this one accepts connections."""


def leave_parent() -> None:
    """Become a child of the service manager, if this process replaces another one; to be called first of all.

    systemd stops a main process gracefully only if it is its child; otherwise it kills it at once. Raises OSError.
    """
    pipe = os.environ.get(_VARIABLE, "").partition(";")[0]
    if pipe:
        if os.fork():
            os._exit(0)
        _report(int(pipe), b"%d" % os.getpid())


def _report(pipe: int, line: bytes) -> None:
    with suppress(OSError):  # the process that this one replaces has died
        os.write(pipe, line + b"\n")


def inherit() -> dict[str, list[socket.socket]]:
    """The sockets that the process which this one replaces has handed over, by name; empty if it replaces none.

    The variable is removed from the environment, so that no child process takes the sockets for its own.
    """
    pipe, *groups = os.environ.pop(_VARIABLE, "").split(";")
    if not pipe:
        return {}
    os.set_inheritable(int(pipe), False)
    _pipes.append(int(pipe))
    named = (group.partition("=") for group in groups)
    numbers = {name: [int(fd) for fd in fds.split(",") if fd] for name, _, fds in named}
    files = numbers.pop(_FILES)
    return {name: [_adopt(fd, has_file=fd in files) for fd in fds] for name, fds in numbers.items()}


def _adopt(fd: int, *, has_file: bool) -> socket.socket:
    sock: socket.socket
    if has_file:
        sock = UnixListener(fileno=fd)
        sock.adopt_file()
    else:
        sock = socket.socket(fileno=fd)
    sock.set_inheritable(False)
    return sock


def announce_ready() -> None:
    """Report that connections are accepted: to the process that this one replaces, or else to the service manager.

    The former makes this process the main one, from which alone the service manager takes messages.
    """
    if not _pipes:
        notify("READY=1")
    while _pipes:
        pipe = _pipes.pop()
        _report(pipe, _READY)
        os.close(pipe)


def start_successor(context: "ServerContext") -> "Successor | None":
    """A new process that is to take over from this one; None if there can be none, which is logged."""
    if context.trace is not None:
        logger.error("with --trace no new process can take over: it would empty the timeline of this one")
        return None
    try:
        return Successor(context.listening_sockets)
    except OSError as error:
        logger.error("no new process can be started: %s", error.strerror)
        return None


class Successor:
    """A new process that is to take over the listening sockets of this one."""

    has_taken_over = False
    """Whether it accepts connections."""

    def __init__(self, sockets: dict[str, list[socket.socket]]) -> None:
        """Start it. Raises OSError."""
        self._sockets = sockets
        self._pipe, theirs = os.pipe()
        own_files = [sock for group in sockets.values() for sock in group if isinstance(sock, UnixListener)]
        numbers = {name: [sock.fileno() for sock in group] for name, group in (sockets | {_FILES: own_files}).items()}
        groups = [f"{name}={','.join(map(str, group))}" for name, group in numbers.items()]
        kept = (theirs, *(number for group in numbers.values() for number in group))
        try:
            self._pid = self._child = os.posix_spawn(
                sys.executable,
                [sys.executable, *sys.orig_argv[1:]],
                os.environ | {_VARIABLE: ";".join([str(theirs), *groups])},
                file_actions=[(os.POSIX_SPAWN_DUP2, fd, fd) for fd in kept],  # which lets the new process have them
            )
        except OSError:
            os.close(self._pipe)
            raise
        finally:
            os.close(theirs)

    def fileno(self) -> int:
        """The descriptor that becomes readable when the new process reports something or has ended."""
        return self._pipe

    def receive(self) -> bool:
        """Read what it reports; return whether it is decided whether it takes over."""
        lines = os.read(self._pipe, 256).split()
        for line in lines:
            if line == _READY:
                self.has_taken_over = True
            else:
                self._pid = int(line)
                logger.info("process %d is starting to take over", self._pid)
        if lines and not self.has_taken_over:
            return False
        os.waitpid(self._child, 0)  # which ended when it had forked, or ends now
        if self.has_taken_over:
            self._leave()
        else:
            logger.error("the new process does not serve; this one serves on")
        return True

    def _leave(self) -> None:
        for sock in (sock for group in self._sockets.values() for sock in group):
            if isinstance(sock, UnixListener):
                sock.leave_file()
        logger.info("process %d has taken over", self._pid)
        notify(f"MAINPID={self._pid}")

    def cancel(self) -> None:
        """End the new process, since this one is to end before it has taken over."""
        os.set_blocking(self._pipe, False)
        with suppress(BlockingIOError):
            self.receive()
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGTERM)
        self.close()

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._pipe)
