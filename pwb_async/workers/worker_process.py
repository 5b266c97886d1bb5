"""A worker as its supervisor sees it: a forked process, and the socket pair to it."""

import logging
import os
import signal
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final, NoReturn

from pwb_async.runtime.context import ServerContext

from . import commands
from .worker import run_worker

logger: Final = logging.getLogger("pwb")


class WorkerProcess:
    """A child process that serves `context`.

    `parent_sockets` are the supervisor's own sockets, which the child closes. Raises OSError if no process or socket
    can be had.
    """

    ready = False
    """Whether READY was received."""
    started = False
    """Whether START was sent."""
    failure = ""
    """Why the worker cannot serve, if it said so."""
    end = ""
    """How the process ended, for a message; empty while it runs."""

    def __init__(self, context: ServerContext, parent_sockets: Iterable[socket.socket]) -> None:
        self.context = context
        self.started_at = time.monotonic()
        self.channel, child_channel = socket.socketpair()
        self.channel.setblocking(False)
        try:
            self.pid = os.fork()
            if not self.pid:
                _run_child(context, child_channel, [*parent_sockets, self.channel])
        except OSError:
            self.channel.close()
            raise
        finally:
            child_channel.close()

    def send(self, command: bytes, *descriptors: int) -> None:
        """Sends a command. A worker that cannot receive it has ended, or is about to, so an error is ignored."""
        with suppress(OSError):
            socket.send_fds(self.channel, [command], descriptors)

    def receive(self) -> bool:
        """Reads the messages of the worker; False if there will be no more."""
        try:
            message = self.channel.recv(4096)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.ready = self.ready or message == commands.READY
        if message.startswith(commands.FAILED):
            self.failure = message[1:].decode(errors="replace")
        return bool(message)

    def poll(self) -> bool:
        """Whether the process has ended. If so it is reaped (hazard E5), and its last message is read."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            return False
        code = os.waitstatus_to_exitcode(status)
        self.end = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
        self.receive()
        return True

    def kill(self) -> None:
        """Ends the process at once."""
        os.kill(self.pid, signal.SIGKILL)


def _run_child(context: ServerContext, channel: socket.socket, parent_sockets: Iterable[socket.socket]) -> NoReturn:
    """Runs the worker in the new process and exits; it must never return into the supervisor's code."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for sock in parent_sockets:
            sock.close()
        run_worker(context, channel)
        status = 0
    except BaseException:
        logger.critical("a fault of this server", exc_info=True)
    finally:
        os._exit(status)
