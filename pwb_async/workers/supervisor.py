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
import math
import select
import signal
import time
from collections.abc import Callable
from typing import Final

from pwb_async.config.options import ConfigError
from pwb_async.metrics.phase import Phase
from pwb_async.network.listeners import close
from pwb_async.runtime.context import ServerContext, StartupError
from pwb_async.runtime.handover import announce_ready
from pwb_async.runtime.opening import reload_context
from pwb_async.runtime.signals import Terminal, end_signals
from pwb_async.runtime.systemd import notify, notify_reloading

from . import commands
from .early_deaths import MAX_EARLY, EarlyDeaths
from .logs import close_unused_log, reopen_logs
from .renewal import Renewal
from .shutdown import Shutdown
from .signal_queue import END_SIGNALS, SignalQueue
from .succession import Succession
from .supervisor_metrics import SupervisorMetrics
from .worker import loop_factory
from .worker_groups import WorkerGroups
from .worker_process import WorkerProcess

logger: Final = logging.getLogger("pwb")
_OTHER_SIGNALS: Final = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD)
"""Signals beside those that end the program."""
_RETRY: Final = 1.0
"""Seconds until the next attempt to fork, when the system refused a process, and between two checks of certificates."""


class Supervisor:
    """The workers, and what signals do to them."""

    def __init__(self, context: ServerContext, announce: Callable[[ServerContext], object]) -> None:
        """announce: called when the first workers start to serve."""
        self._announce = announce
        self._context = self._next = context
        self._early = EarlyDeaths()
        self._terminal = Terminal()
        self._reload_later = False
        self._shutdown = Shutdown()
        self._renewal = Renewal()
        self._metrics = SupervisorMetrics(context.metrics)
        self._signals = SignalQueue()
        self._poll = select.poll()
        self._poll.register(self._signals, select.POLLIN)
        self._workers = WorkerGroups(self._poll, self._signals.sockets)
        self._succession = Succession(self._poll)

    @property
    def _contexts(self) -> list[ServerContext]:
        """All contexts in use."""
        return [self._context, self._next, *(worker.context for worker in self._workers)]

    @property
    def _short_of_workers(self) -> bool:
        """Whether a worker that has died has to be replaced."""
        return 0 < len(self._workers.active) < self._context.workers

    def run(self) -> int:
        """Run until a signal ends it or it gives up; return the exit status."""
        self._signals.listen((*end_signals(), *_OTHER_SIGNALS))
        gc.freeze()  # so that the collector does not write to pages that the workers share
        if not self._spawn_all():
            self._stop(1)
        while any(self._workers):
            self._wait()
            self._follow_changes()
            for number in self._signals:
                self._handle_signal(number)
            for worker, group in self._workers.reap():
                self._follow_end(worker, group)
            if self._shutdown.is_due:
                self._stop()
            if not self._shutdown.begun:
                self._maintain()
                self._check_certificates()
            elif self._shutdown.kill_is_due:
                for worker in self._workers:
                    worker.kill()
        self._context.close()
        self._signals.close()
        return self._shutdown.status

    def _follow_changes(self) -> None:
        """Read rules and users again for the workers to be forked, if a worker just has, so that the disk answers."""
        changed = [worker for worker in self._workers.active if worker.changed]
        for worker in changed:
            worker.changed = False
        if changed:
            try:
                self._context = self._context.reload_rules(time.monotonic(), log=False) or self._context
            except Exception:  # the supervisor must outlive it
                logger.exception("a fault of this server: the rules cannot be read again")

    def _wait(self) -> None:
        """Wait for a signal, a message of a worker, or the time of the next retry, stop or kill."""
        timeout = self._shutdown.next_step - time.monotonic()
        if not self._shutdown.begun and (self._short_of_workers or self._context.tls is not None):
            timeout = min(timeout, _RETRY)
        ready = self._poll.poll(None if math.isinf(timeout) else max(0.01, timeout) * 1000)
        for fd, _ in ready:
            if fd == self._signals.fileno():
                self._signals.drain()
            elif self._succession.owns(fd):
                self._follow_successor()
            else:
                self._workers.receive(fd)

    def _handle_signal(self, number: int) -> None:
        if number in END_SIGNALS:
            self._end()
        elif number == signal.SIGHUP and self._terminal.hung_up:
            self._stop()
        elif number == signal.SIGUSR1:
            reopen_logs(self._workers)
        elif self._shutdown.is_announced:
            return
        elif number == signal.SIGHUP:
            self._reload()
        elif number == signal.SIGUSR2 and self._workers.active:
            self._succession.begin(self._context)

    def _follow_successor(self) -> None:
        """Leave the sockets to the new process if it serves."""
        if self._succession.follow():
            self._workers.cancel_starting()
            self._workers.drain_active()

    def _spawn_all(self) -> bool:
        """Fork all workers of the next context; return False, keep none and end the reload if that fails."""
        workers = self._workers
        while len(workers.starting) < self._next.workers:
            if not workers.spawn(workers.starting, self._next):
                workers.cancel_starting()
                if workers.active:
                    self._roll_back("there are no processes for new workers")
                return False
        return True

    def _maintain(self) -> None:
        """Replace missing workers, and start those that are ready."""
        workers = self._workers
        while self._short_of_workers and workers.spawn(workers.active, self._context):
            pass
        if workers.starting and all(worker.ready for worker in workers.starting):
            self._take_over()
        workers.start_ready()

    def _take_over(self) -> None:
        """Start the new workers and drain the old ones."""
        self._context = self._next
        self._renewal.is_done()
        if self._workers.replace_active():
            self._metrics.count("reloads")
            logger.info("reloaded")
        else:
            self._metrics.set_phase(Phase.SERVING)
            self._announce(self._context)
        announce_ready()
        if self._reload_later:
            self._reload()

    def _follow_end(self, worker: WorkerProcess, group: list[WorkerProcess]) -> None:
        """Act on the end of a worker, which was in `group`, and replace it if it was to serve."""
        workers = self._workers
        close_unused_log(worker.context, self._contexts)
        if self._shutdown.begun or group is workers.stopping:
            return
        if group is workers.starting and workers.active:
            workers.cancel_starting()
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
            workers = self._workers
            workers.spawn(group, self._next if group is workers.starting else self._context)

    def _reload(self) -> None:
        self._reload_later = not self._workers.active
        if self._reload_later:
            return
        notify_reloading()
        self._workers.cancel_starting()
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
        workers, tls = self._workers, self._context.tls
        if workers.starting or not workers.active or not self._renewal.is_due(tls, time.monotonic()):
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
        if delay and self._workers.active and not self._shutdown.is_announced:
            self._announce_stop()
            logger.info("stopping in %g s; a second signal stops it at once", delay)
            self._shutdown.delay(delay)
            return
        if self._shutdown.is_announced and not self._shutdown.begun:
            self._stop()
        self._stop()

    def _stop(self, status: int = 0) -> None:
        """Begin to stop, to exit with `status`; called again: abort the responses under way."""
        if self._shutdown.begun:
            self._shutdown.hasten()
        else:
            if not self._shutdown.is_announced:
                self._announce_stop()
            self._shutdown.begin(status, self._context.options.grace_period)
            close([*self._context.sockets, *self._context.redirect_sockets])
        command = commands.ABORT if self._shutdown.is_urgent else commands.STOP
        for worker in self._workers:
            worker.send(command)

    def _announce_stop(self) -> None:
        """Let all see that the server ends, unless another process has taken over; one that is starting ends, too."""
        self._succession.cancel()
        if not self._succession.is_done:
            self._metrics.set_phase(Phase.STOPPING)
            notify("STOPPING=1")
