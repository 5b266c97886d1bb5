"""A worker in the supervisor's process: the forked child, and the socket pair to it."""

import logging
import os
import signal
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final, NoReturn

from pwb_async.metrics.phase import Phase
from pwb_async.runtime.context import ServerContext

from . import commands
from .worker import run_worker

logger: Final = logging.getLogger("pwb")
_PHASES: Final = {commands.START: Phase.SERVING, commands.DRAIN: Phase.STOPPING, commands.STOP: Phase.STOPPING}
"""The phases in which a worker is after a command."""


class WorkerProcess:
    """A child process that serves."""

    ready = False
    """Whether READY was received."""
    started = False
    """Whether START was sent."""
    changed = False
    """Whether CHANGED was received; the supervisor clears it."""
    failure = ""
    """Why the worker cannot serve, if FAILED was received."""
    end = ""
    """How the process ended, for a message; empty while it runs."""

    def __init__(self, context: ServerContext, parent_sockets: Iterable[socket.socket]) -> None:
        """Fork a child that serves `context`, after closing `parent_sockets`, which are only the supervisor's.

        Raises OSError if there can be no other process or socket.
        """
        self.context = context
        self.started_at = time.monotonic()
        self._rows = None if context.metrics is None else context.metrics.rows
        self._row = 0
        self.channel, child_channel = socket.socketpair()
        self.channel.setblocking(False)
        try:
            if self._rows is not None:
                self._row = self._rows.claim()
            self.pid = os.fork()
            if not self.pid:
                _run_child(context, self._row, child_channel, [*parent_sockets, self.channel])
        except OSError:
            self.channel.close()
            if self._row:
                self._set_phase(Phase.NONE)
            raise
        finally:
            child_channel.close()

    def send(self, command: bytes, *descriptors: int) -> None:
        """Send a command. An error is ignored, as it means that the worker has ended or is about to."""
        if command in _PHASES:
            self._set_phase(_PHASES[command])
        with suppress(OSError):
            socket.send_fds(self.channel, [command], descriptors)

    def receive(self) -> bool:
        """Read the messages of the worker; return False if there will be no more."""
        try:
            message = self.channel.recv(4096)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if message.startswith(commands.FAILED):
            self.failure = message[1:].decode(errors="replace")
        else:
            self.ready = self.ready or commands.READY in message
            self.changed = self.changed or commands.CHANGED in message
        return bool(message)

    def poll(self) -> bool:
        """Whether the process has ended. If so, it is reaped and its last message is read."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            return False
        code = os.waitstatus_to_exitcode(status)
        self.end = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
        self.receive()
        self._set_phase(Phase.NONE)
        return True

    def _set_phase(self, phase: Phase) -> None:
        """Note in the metrics, if there are any, what the worker is doing."""
        if self._rows is not None:
            self._rows.set_phase_of(self._row, phase)

    def kill(self) -> None:
        """End the process at once."""
        os.kill(self.pid, signal.SIGKILL)


def _run_child(
    context: ServerContext, row: int, channel: socket.socket, parent_sockets: Iterable[socket.socket]
) -> NoReturn:
    """Run the worker in the new process and exit. This must never return into the supervisor's code."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for sock in parent_sockets:
            sock.close()
        if context.metrics is not None:
            context.metrics.use_row(row)  # before the process gives up the right to look at itself
        run_worker(context, channel)
        status = 0
    except BaseException:
        logger.critical("a fault of this server", exc_info=True)
    finally:
        os._exit(status)
