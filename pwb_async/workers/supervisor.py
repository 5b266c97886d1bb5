"""The supervisor: the parent process, which serves no requests and keeps the workers running.

What it does, step by step:
  1. gets the listening sockets and the log, which were opened with all privileges (opening.py)
  2. forks the workers, which share the sockets and so one accept queue; with a queue for each worker (SO_REUSEPORT),
     the connections that wait in it would be lost when its worker dies
  3. sends START when all workers have dropped their privileges and are READY
  4. replaces a worker that dies; if workers keep dying right after their start, exits with status 3 (hazard F3).
     When workers have read rules or users again, it reads them, too, so that the new one has those of the others
  5. SIGHUP: reads the options again and forks new workers. When all are READY, they get START and the old ones DRAIN.
     If an option is wrong or a new worker cannot serve, one line reports it and the old workers stay (hazard F1)
  6. a certificate has changed or is about to end: makes the contexts again, and replaces the workers in the same way
  7. SIGUSR1: reopens the log, and sends the descriptor to the workers, which may not have the right to open it
  8. SIGUSR2: starts a new process with the listening sockets. When it serves, the workers get DRAIN (handover.py)
  9. SIGTERM, SIGINT: sends STOP after --shutdown-delay; at the second signal, or after the grace period, ABORT (F2)

It has no event loop and no threads, so that it can fork safely. It never touches what clients send.
"""

import gc
import logging
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from pwb_async.config.options import ConfigError
from pwb_async.metrics.phase import Phase
from pwb_async.network.listeners import close
from pwb_async.runtime.context import ServerContext, StartupError
from pwb_async.runtime.handover import announce_handover
from pwb_async.runtime.opening import reload_context
from pwb_async.runtime.signals import Terminal, end_signals
from pwb_async.runtime.systemd import notify, notify_reloading

from . import commands
from .early_deaths import MAX_EARLY, EarlyDeaths
from .logs import close_unused_log, reopen_logs
from .renewal import Renewal
from .signal_queue import END_SIGNALS, SignalQueue
from .succession import Succession
from .supervisor_metrics import SupervisorMetrics
from .worker import loop_factory
from .worker_process import WorkerProcess

logger: Final = logging.getLogger("pwb")
_OTHER_SIGNALS: Final = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD)
"""Signals beside those that end the program."""
_RETRY: Final = 1.0
"""Seconds until the next attempt to fork, when the system refused a process, and between two checks of certificates."""
_KILL_DELAY: Final = 1.0
"""Seconds from when the workers should have ended until they are killed."""
_NEVER: Final = float("inf")
"""The time of what is not scheduled."""


class Supervisor:
    """The workers, in three groups, and what signals do to them.

    The workers of the first start and of a reload are `_starting`. When all of these are ready, they become `_active`,
    and those that were active before are `_stopping_workers` until their process ends.
    """

    def __init__(self, context: ServerContext, announce: Callable[[ServerContext], object]) -> None:
        """announce: called when the first workers start to serve."""
        self._announce = announce
        self._context = self._next = context
        self._active: list[WorkerProcess] = []
        self._starting: list[WorkerProcess] = []
        self._stopping_workers: list[WorkerProcess] = []
        self._early = EarlyDeaths()
        self._terminal = Terminal()
        self._reload_later = self._stopping = False
        self._kill_at = self._stop_at = _NEVER
        self._renewal = Renewal()
        self._metrics = SupervisorMetrics(context.metrics)
        self._status = 0
        self._signals = SignalQueue()
        self._poll = select.poll()
        self._poll.register(self._signals, select.POLLIN)
        self._succession = Succession(self._poll)

    @property
    def _workers(self) -> list[WorkerProcess]:
        return [*self._active, *self._starting, *self._stopping_workers]

    @property
    def _contexts(self) -> list[ServerContext]:
        """All contexts in use."""
        return [self._context, self._next, *(worker.context for worker in self._workers)]

    @property
    def _short_of_workers(self) -> bool:
        """Whether a worker that has died has to be replaced."""
        return 0 < len(self._active) < self._context.workers

    def run(self) -> int:
        """Run until a signal ends it or it gives up; return the exit status."""
        self._signals.listen((*end_signals(), *_OTHER_SIGNALS))
        gc.freeze()  # so that the collector does not write to pages that the workers share
        if not self._spawn_all():
            self._stop(1)
        while self._workers:
            self._wait()
            self._follow_changes()
            for number in self._signals:
                self._handle_signal(number)
            for worker in self._workers:
                if worker.poll():
                    self._reap(worker)
            if time.monotonic() >= self._stop_at:
                self._stop()
            if not self._stopping:
                self._maintain()
                self._check_certificates()
            elif time.monotonic() >= self._kill_at:
                for worker in self._workers:
                    worker.kill()
        self._context.close()
        self._signals.close()
        return self._status

    def _follow_changes(self) -> None:
        """Read rules and users again for the workers to be forked, if a worker just has, so that the disk answers."""
        changed = [worker for worker in self._active if worker.changed]
        for worker in changed:
            worker.changed = False
        if changed:
            try:
                self._context = self._context.reload_rules(time.monotonic(), log=False) or self._context
            except Exception:  # the supervisor must outlive it
                logger.exception("a fault of this server: the rules cannot be read again")

    def _wait(self) -> None:
        """Wait for a signal, a message of a worker, or the time of the next retry, stop or kill."""
        timeout = min(self._kill_at, self._stop_at) - time.monotonic()
        if not self._stopping and (self._short_of_workers or self._context.tls is not None):
            timeout = min(timeout, _RETRY)
        ready = self._poll.poll(None if timeout == _NEVER else max(0.01, timeout) * 1000)
        workers = {worker.channel.fileno(): worker for worker in self._workers}
        for fd, _ in ready:
            if fd == self._signals.fileno():
                self._signals.drain()
            elif self._succession.is_decided(fd):
                self._hand_over()
            elif not workers[fd].receive():
                self._poll.unregister(fd)

    def _handle_signal(self, number: int) -> None:
        if number in END_SIGNALS or (number == signal.SIGHUP and self._terminal.hung_up):
            self._end()
        elif number == signal.SIGHUP and not self._stopping:
            self._reload()
        elif number == signal.SIGUSR1:
            reopen_logs(self._workers)
        elif number == signal.SIGUSR2 and self._active and self._stop_at == _NEVER and not self._stopping:
            self._succession.begin(self._context.listening_sockets)

    def _hand_over(self) -> None:
        """Leave the sockets to the new process if it serves."""
        if self._succession.has_succeeded():
            self._cancel_reload()
            self._drain(self._active)
            self._active = []

    def _spawn(self, group: list[WorkerProcess], context: ServerContext) -> bool:
        """Fork a worker and add it to `group`; return False if there can be no other process."""
        channels = [worker.channel for worker in self._workers]
        try:
            worker = WorkerProcess(context, [*self._signals.sockets, *channels])
        except OSError as error:
            logger.error("cannot start a worker: %s", error.strerror)
            return False
        self._poll.register(worker.channel, select.POLLIN)
        group.append(worker)
        return True

    def _spawn_all(self) -> bool:
        """Fork all workers of the next context; return False, keep none and end the reload if that fails."""
        while len(self._starting) < self._next.workers:
            if not self._spawn(self._starting, self._next):
                self._cancel_reload()
                if self._active:
                    self._roll_back("there are no processes for new workers")
                return False
        return True

    def _cancel_reload(self) -> None:
        """Stop the workers that are starting."""
        for worker in self._starting:
            worker.send(commands.STOP)
        self._stopping_workers += self._starting
        self._starting = []

    def _maintain(self) -> None:
        """Replace missing workers, and start those that are ready."""
        while self._short_of_workers and self._spawn(self._active, self._context):
            pass
        if self._starting and all(worker.ready for worker in self._starting):
            self._take_over()
        for worker in self._active:
            if worker.ready and not worker.started:
                worker.started = True
                worker.send(commands.START)

    def _take_over(self) -> None:
        """Start the new workers and drain the old ones."""
        old, self._active, self._starting = self._active, self._starting, []
        self._context = self._next
        self._renewal.is_done()
        for worker in self._active:
            worker.started = True
            worker.send(commands.START)
        self._drain(old)
        if old:
            self._metrics.count("reloads")
            logger.info("reloaded")
        else:
            self._metrics.set_phase(Phase.SERVING)
            self._announce(self._context)
        notify("READY=1")
        announce_handover()
        if self._reload_later:
            self._reload()

    def _drain(self, workers: list[WorkerProcess]) -> None:
        for worker in workers:
            worker.send(commands.DRAIN)
        self._stopping_workers += workers

    def _reap(self, worker: WorkerProcess) -> None:
        """Clean up after a worker that has ended, and replace it if it was to serve."""
        with suppress(KeyError):
            self._poll.unregister(worker.channel)
        worker.channel.close()
        group = next(group for group in (self._active, self._starting, self._stopping_workers) if worker in group)
        group.remove(worker)
        close_unused_log(worker.context, self._contexts)
        if self._stopping or group is self._stopping_workers:
            return
        if group is self._starting and self._active:
            self._cancel_reload()
            self._roll_back(worker.failure or f"a new worker {worker.end}")
        elif worker.failure:
            logger.error("%s", worker.failure)
            self._stop(1)
        else:
            self._replace(worker, group)

    def _replace(self, worker: WorkerProcess, group: list[WorkerProcess]) -> None:
        now = time.monotonic()
        logger.error("worker %d %s", worker.pid, worker.end)
        self._metrics.count("worker_deaths")
        if self._early.are_too_many(worker.started_at, now):
            logger.error("%d workers ended within a second of their start: giving up", MAX_EARLY)
            self._stop(3)
        else:
            self._spawn(group, self._next if group is self._starting else self._context)

    def _reload(self) -> None:
        self._reload_later = not self._active
        if self._reload_later or self._stop_at < _NEVER:
            return
        notify_reloading()
        self._cancel_reload()
        try:
            self._next = reload_context(self._context)
            loop_factory(self._next.options.loop)
        except (ConfigError, StartupError) as error:
            self._roll_back(str(error))
        except Exception:  # the supervisor must outlive it: its workers would end with it
            logger.exception("a fault of this server")
            self._roll_back("the reload has failed")
        else:
            self._spawn_all()

    def _check_certificates(self) -> None:
        """Replace the workers if they have older certificates than there are; again in a minute if that fails."""
        if self._starting or not self._active or not self._renewal.is_due(self._context.tls, time.monotonic()):
            return
        notify_reloading()
        self._next = self._context
        self._spawn_all()

    def _roll_back(self, reason: str) -> None:
        """End a reload that has failed, and keep the present context."""
        failed, self._next = self._next, self._context
        close_unused_log(failed, self._contexts)
        self._metrics.count("failed_reloads")
        logger.error("nothing is reloaded: %s", reason)
        notify("READY=1")

    def _end(self) -> None:
        """Begin to stop, after the delay; called again: end at once."""
        delay = self._context.options.shutdown_delay
        if delay and self._stop_at == _NEVER and self._active and not self._stopping:
            self._stop_at = time.monotonic() + delay
            self._metrics.set_phase(Phase.STOPPING)
            notify("STOPPING=1")
            return
        if self._stop_at < _NEVER and not self._stopping:
            self._stop()
        self._stop()

    def _stop(self, status: int = 0) -> None:
        """Begin to stop, to exit with `status`; called again: abort the responses under way."""
        now, self._stop_at = time.monotonic(), _NEVER
        if self._stopping:
            self._kill_at = min(self._kill_at, now + _KILL_DELAY)
        else:
            self._stopping, self._status = True, status
            self._kill_at = now + self._context.options.grace_period + _KILL_DELAY
            self._metrics.set_phase(Phase.STOPPING)
            notify("STOPPING=1")
            close(self._context.sockets)
        command = commands.STOP if self._kill_at > now + _KILL_DELAY else commands.ABORT
        for worker in self._workers:
            worker.send(command)
