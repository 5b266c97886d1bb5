"""The supervisor: a process that serves nobody, and sees to it that its workers do.

What it does, step by step:
  1. it has bound the sockets and opened the log, with all the rights it was started with
  2. it forks workers, which share those sockets (one queue: nobody is lost with a worker, as with SO_REUSEPORT), give
     up their rights, and say READY; when all have, they may GO
  3. one that dies is replaced; but who dies at once, again and again, will not get better: exit status 3 (hazard F3)
  4. SIGHUP: the options are read anew. If they are wrong, or the new workers do not become ready, one line says so and
     nothing has changed; else the new ones GO, the old ones RETIRE (F1)
  5. SIGUSR1: the log is opened anew here, and handed to those who could not open it
  6. SIGTERM, SIGINT: everybody is to STOP; the second time, or after the grace, they are ended (F2)

It has no event loop and no threads, so that it can fork. What clients send never reaches it.
"""

import gc
import logging
import select
import signal
import socket
import time
from collections import deque
from contextlib import suppress
from types import FrameType
from typing import Final

from pwb_async.config.loader import ConfigError
from pwb_async.network.listeners import close
from pwb_async.runtime.context import ServerContext, StartupError, reload_context
from pwb_async.runtime.signals import Terminal, end_signals
from pwb_async.runtime.systemd import notify, notify_reloading

from . import worker
from .worker_process import WorkerProcess

logger: Final = logging.getLogger("pwb")
_ENDS: Final = (signal.SIGTERM, signal.SIGINT)
_OTHERS: Final = (signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD)
_EARLY: Final = 1.0
"""Seconds: who dies sooner was never alive."""
_MOST_EARLY: Final = 5
"""So many early deaths within _LATELY seconds, and the supervisor gives up."""
_LATELY: Final = 10.0
_RETRY: Final = 1.0
"""Seconds until another try, when the system had no process to give."""
_GRACE: Final = 1.0
"""Seconds from when workers should have ended until they are killed."""
_FOREVER: Final = float("inf")


class Supervisor:
    """serving: workers with the present setup; coming: those who are to take over; leaving: those who were told to."""

    def __init__(self, context: ServerContext) -> None:
        self._context = self._next = context
        self._active: list[WorkerProcess] = []
        self._starting: list[WorkerProcess] = []
        self._stopping_workers: list[WorkerProcess] = []
        self._pending: deque[int] = deque()
        self._early: deque[float] = deque(maxlen=_MOST_EARLY)
        self._terminal = Terminal()
        self._reload_later = self._stopping = False
        self._end = _FOREVER
        self._status = 0
        self._wake, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._wake, select.POLLIN)

    @property
    def _workers(self) -> list[WorkerProcess]:
        return [*self._active, *self._starting, *self._stopping_workers]

    @property
    def _lacking(self) -> bool:
        """Fewer serve than should."""
        return 0 < len(self._active) < self._context.workers

    def run(self) -> int:
        """Serves until it is stopped; returns the exit status."""
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in (*end_signals(), *_OTHERS):
            signal.signal(number, self._signalled)
        gc.freeze()  # pages that no collector touches stay shared
        if not self._spawn_all():
            self._stop(1)
        while self._workers:
            self._listen()
            while self._pending:
                self._handle_signal(self._pending.popleft())
            for each in self._workers:
                if each.poll():
                    self._reap(each)
            if not self._stopping:
                self._maintain()
            elif time.monotonic() >= self._end:
                for each in self._workers:
                    each.kill()
        self._context.close()
        signal.set_wakeup_fd(-1)
        self._wake.close()
        self._waker.close()
        return self._status

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if number in _ENDS or number not in self._pending:
            self._pending.append(number)

    def _listen(self) -> None:
        """Waits for a signal, or for a worker's word."""
        timeout = _RETRY if self._lacking and not self._stopping else self._end - time.monotonic()
        ready = self._poll.poll(None if timeout == _FOREVER else max(0.01, timeout) * 1000)
        speakers = {each.channel.fileno(): each for each in self._workers}
        for fd, _ in ready:
            if fd == self._wake.fileno():
                self._wake.recv(4096)
            elif not speakers[fd].receive():
                self._poll.unregister(fd)

    def _handle_signal(self, number: int) -> None:
        if number in _ENDS or (number == signal.SIGHUP and self._terminal.hung_up):
            self._stop()
        elif number == signal.SIGHUP and not self._stopping:
            self._reload()
        elif number == signal.SIGUSR1:
            self._reopen_logs()

    # -- workers come and go

    def _spawn(self, group: list[WorkerProcess], context: ServerContext) -> bool:
        try:
            each = WorkerProcess(context, [self._wake, self._waker, *(other.channel for other in self._workers)])
        except OSError as error:
            logger.error("cannot start a worker: %s", error.strerror)
            return False
        self._poll.register(each.channel, select.POLLIN)
        group.append(each)
        return True

    def _spawn_all(self) -> bool:
        """Those who are to take over; they are as many as the next setup says, or there are none."""
        while len(self._starting) < self._next.workers:
            if not self._spawn(self._starting, self._next):
                self._cancel_reload()
                return False
        return True

    def _cancel_reload(self) -> None:
        """Nobody is to take over."""
        for each in self._starting:
            each.send(worker.STOP)
        self._stopping_workers += self._starting
        self._starting = []

    def _maintain(self) -> None:
        while self._lacking and self._spawn(self._active, self._context):
            pass
        if self._starting and all(each.ready for each in self._starting):
            self._take_over()
        for each in self._active:
            if each.ready and not each.started:
                each.started = True
                each.send(worker.START)

    def _take_over(self) -> None:
        old, self._active, self._starting = self._active, self._starting, []
        self._context = self._next
        for each in self._active:
            each.started = True
            each.send(worker.START)
        for each in old:
            each.send(worker.DRAIN)
        self._stopping_workers += old
        if old:
            logger.info("reloaded")
        else:
            self._context.announce("PWB")
        notify("READY=1")
        if self._reload_later:
            self._reload()

    def _reap(self, each: WorkerProcess) -> None:
        with suppress(KeyError):
            self._poll.unregister(each.channel)
        each.channel.close()
        group = next(group for group in (self._active, self._starting, self._stopping_workers) if each in group)
        group.remove(each)
        logs = {id(other.context.log) for other in self._workers} | {id(self._context.log), id(self._next.log)}
        if each.context.log is not None and id(each.context.log) not in logs:
            each.context.log.close()
        if self._stopping or group is self._stopping_workers:
            return
        if group is self._starting and self._active:
            self._cancel_reload()
            self._roll_back(each.failure or f"a new worker {each.end}")
        elif each.failure:
            logger.error("%s", each.failure)
            self._stop(1)
        else:
            self._replace(each, group)

    def _replace(self, each: WorkerProcess, group: list[WorkerProcess]) -> None:
        now = time.monotonic()
        logger.error("worker %d %s", each.pid, each.end)
        if now - each.started_at < _EARLY:
            self._early.append(now)
        if len(self._early) == _MOST_EARLY and now - self._early[0] < _LATELY:
            logger.error("%d workers ended within a second of their start: giving up", _MOST_EARLY)
            self._stop(3)
        else:
            self._spawn(group, each.context)

    # -- what the signals ask for

    def _reload(self) -> None:
        self._reload_later = not self._active
        if self._reload_later:
            return
        notify_reloading()
        self._cancel_reload()
        try:
            self._next = reload_context(self._context)
            worker.loop_factory(self._next.options.loop)
        except (ConfigError, StartupError) as error:
            self._roll_back(str(error))
        else:
            if not self._spawn_all():
                self._roll_back("there are no processes for new workers")

    def _roll_back(self, why: str) -> None:
        self._next = self._context
        logger.error("nothing is reloaded: %s", why)
        notify("READY=1")

    def _reopen_logs(self) -> None:
        done: set[int] = set()
        for each in self._workers:
            log = each.context.log
            if log is None or not log.has_path:
                continue
            if id(log) not in done:
                done.add(id(log))
                log.try_reopen()
            each.send(worker.LOG, log.fileno())

    def _stop(self, status: int = 0) -> None:
        now = time.monotonic()
        if self._stopping:
            self._end = min(self._end, now + _GRACE)
        else:
            self._stopping, self._status = True, status
            self._end = now + self._context.options.grace_period + _GRACE
            notify("STOPPING=1")
            close(self._context.sockets)
        for each in self._workers:
            each.send(worker.STOP if self._end > now + _GRACE else worker.ABORT)
