"""The worker processes of a supervisor, in three groups."""

import logging
import select
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final

from pwb_async.runtime.context import ServerContext

from . import commands
from .worker_process import WorkerProcess

logger: Final = logging.getLogger("pwb")


class WorkerGroups:
    """All workers. Each of them is in one group, from which it is removed when its process has ended.

    Args:
        poll: Where their channels are registered.
        sockets: Other sockets that are only the supervisor's, so that a worker has to close them.
    """

    active: list[WorkerProcess]
    """Those that serve, or will as soon as they are ready."""
    starting: list[WorkerProcess]
    """Those of the first start or of a reload, which become active together."""
    stopping: list[WorkerProcess]
    """Those that were asked to end."""

    def __init__(self, poll: select.poll, sockets: Sequence[socket.socket]) -> None:
        self._poll = poll
        self._sockets = sockets
        self.active, self.starting, self.stopping = [], [], []

    def __iter__(self) -> Iterator[WorkerProcess]:
        """All workers as they are now, in whatever group."""
        return iter([*self.active, *self.starting, *self.stopping])

    def spawn(self, group: list[WorkerProcess], context: ServerContext) -> bool:
        """Fork a worker and add it to `group`; return False if there can be no other process."""
        channels = [worker.channel for worker in self]
        try:
            worker = WorkerProcess(context, [*self._sockets, *channels])
        except OSError as error:
            logger.error("cannot start a worker: %s", error.strerror)
            return False
        self._poll.register(worker.channel, select.POLLIN)
        group.append(worker)
        return True

    def receive(self, fd: int) -> None:
        """Read the messages of the worker whose channel is readable."""
        (worker,) = (worker for worker in self if worker.channel.fileno() == fd)
        if not worker.receive():
            self._poll.unregister(fd)

    def reap(self) -> Iterator[tuple[WorkerProcess, list[WorkerProcess]]]:
        """The workers whose processes have ended, with the group that each has been removed from."""
        for worker in self:
            if worker.poll():
                with suppress(KeyError):
                    self._poll.unregister(worker.channel)
                worker.channel.close()
                group = next(group for group in (self.active, self.starting, self.stopping) if worker in group)
                group.remove(worker)
                yield worker, group

    def replace_active(self) -> bool:
        """Let those that are starting serve in place of those that are active; return whether there were such."""
        old, self.active, self.starting = self.active, self.starting, []
        self.start_ready()
        self._end(old, commands.DRAIN)
        return bool(old)

    def start_ready(self) -> None:
        """Let the active workers serve that are ready."""
        for worker in self.active:
            if worker.ready and not worker.started:
                worker.started = True
                worker.send(commands.START)

    def cancel_starting(self) -> None:
        """Stop those that are starting."""
        starting, self.starting = self.starting, []
        self._end(starting, commands.STOP)

    def drain_active(self) -> None:
        """Let the active workers finish their connections, since another process serves now."""
        active, self.active = self.active, []
        self._end(active, commands.DRAIN)

    def _end(self, workers: list[WorkerProcess], command: bytes) -> None:
        for worker in workers:
            worker.send(command)
        self.stopping += workers
