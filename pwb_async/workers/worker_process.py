"""A worker as its supervisor sees it: how it is made, what it says, how it ended."""

import logging
import os
import signal
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Final, NoReturn

from pwb_async.runtime.context import ServerContext

from . import worker

logger: Final = logging.getLogger("pwb")


class WorkerProcess:
    """A process that serves `setup`. foreign: what it shall not have of what is open here. Raises OSError.

    born: when, on the monotonic clock. ready: it has said so. going: it was told to. why: what it said when it could
    not begin. end: how it ended, once it is over().
    """

    def __init__(self, context: ServerContext, parent_sockets: Iterable[socket.socket]) -> None:
        self.context = context
        self.started_at = time.monotonic()
        self.ready = self.started = False
        self.failure = self.end = ""
        self.channel, its = socket.socketpair()
        self.channel.setblocking(False)
        try:
            self.pid = os.fork()
            if not self.pid:
                _live(context, its, [*parent_sockets, self.channel])
        except OSError:
            self.channel.close()
            raise
        finally:
            its.close()

    def send(self, word: bytes, *descriptors: int) -> None:
        """One who cannot hear it is about to die."""
        with suppress(OSError):
            socket.send_fds(self.channel, [word], descriptors)

    def receive(self) -> bool:
        """Takes in what it says; False: it has fallen silent for good."""
        try:
            said = self.channel.recv(4096)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.ready = self.ready or said == worker.READY
        if said.startswith(worker.FAILED):
            self.failure = said[1:].decode(errors="replace")
        return bool(said)

    def poll(self) -> bool:
        """Whether it has ended; if so, it is reaped (hazard E5), and its last word is heard."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            return False
        code = os.waitstatus_to_exitcode(status)
        self.end = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
        self.receive()
        return True

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


def _live(context: ServerContext, channel: socket.socket, parent_sockets: Iterable[socket.socket]) -> NoReturn:
    """All that the new process does; it must never come back into the supervisor's code."""
    status = 1
    try:
        signal.set_wakeup_fd(-1)
        for sock in parent_sockets:
            sock.close()
        worker.run_worker(context, channel)
        status = 0
    except BaseException:
        logger.critical("a fault of this server", exc_info=True)
    finally:
        os._exit(status)
