"""A process that serves: the only one, or a worker of a supervisor.

A worker, step by step:
  1. ignores the signals that are meant for the supervisor
  2. drops its privileges and makes its server
  3. sends READY, waits for START and serves
  4. ends on DRAIN, STOP or ABORT (commands.py)

The supervisor sends commands over a socket pair, because terminals and service managers send signals to all processes
at once. If the stream ends, the supervisor has died, and the worker ends, too.
"""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from pwb_async.observability.access_log import LOG_RETRY
from pwb_async.runtime.context import ServerContext, StartupError
from pwb_async.server.late_imports import LATE_IMPORTS, RELOAD_IMPORTS
from pwb_async.server.server import Server

from . import commands
from .single_process import SingleProcess

logger: Final = logging.getLogger("pwb")
_MAX_COMMANDS: Final = 256
"""Commands that one system call receives; more wait for the next call."""
_SIGN_OF_LIFE: Final = 0.1
"""Seconds between two signs of life of a worker that waits for its start."""
_MAX_DESCRIPTORS: Final = 4
"""Descriptors that one system call receives."""


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """The function that makes the event loop named by --loop. Raises StartupError if it is not installed."""
    if name == "asyncio":
        return asyncio.new_event_loop
    try:
        import uvloop
    except ImportError:
        raise StartupError("uvloop is not installed; --loop asyncio does without it") from None
    return uvloop.new_event_loop


def run_single(context: ServerContext, announce: Callable[[ServerContext], object]) -> None:
    """Serve in this process alone until a signal ends it. Raises StartupError if it cannot begin.

    announce: called as soon as connections are accepted.
    """

    _prepare_process(context)

    async def serve() -> None:
        asyncio.get_running_loop().set_exception_handler(_log_loop_error)
        server = Server(context)
        await SingleProcess(server).run(announce)
        server.context.close()  # a reload may have replaced the first context

    with asyncio.Runner(loop_factory=loop_factory(context.options.loop)) as runner:
        runner.run(serve())


def _prepare_process(context: ServerContext) -> None:
    """Make the settings of a whole process that a server with these options needs."""
    if context.tls is not None:
        from pwb_async.tls.contexts import ignore_garbled_names  # most servers have no TLS

        ignore_garbled_names()


def run_worker(context: ServerContext, channel: socket.socket) -> None:
    """Serve as one of several workers, until the supervisor at the other end of `channel` ends it."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    _prepare_process(context)
    try:
        context.drop_privileges(
            *LATE_IMPORTS, *RELOAD_IMPORTS, *(["pwb_async.server.tracing"] if context.trace is not None else [])
        )
        with asyncio.Runner(loop_factory=loop_factory(context.options.loop)) as runner:
            runner.run(Worker(context, channel).run())
    except StartupError as error:
        channel.sendall(commands.FAILED + str(error).encode())
        return
    if context.log is not None:
        context.log.close()


class Worker:
    """A server that a supervisor controls by commands. SIGTERM, sent to this process alone, stops it as well."""

    def __init__(self, context: ServerContext, channel: socket.socket) -> None:
        self._context = context
        self._channel = channel
        self._started = asyncio.Event()
        self._served = False

    async def run(self) -> None:
        """Wait for START, then serve until the server has ended. Raises StartupError."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_log_loop_error)
        self._server = Server(self._context, self._context.workers)
        self._loop.add_signal_handler(signal.SIGTERM, self._stop)
        self._channel.setblocking(False)
        self._loop.add_reader(self._channel, self._receive)
        await self._server.operation.open()
        self._channel.send(commands.READY)
        self._context.sites.on_change = self._announce_change
        await self._wait_for_start()
        await self._server.serve()
        self._served = True
        await self._write_pending_lines()
        self._loop.remove_reader(self._channel)

    async def _wait_for_start(self) -> None:
        """Wait for START, which may take long: all workers have to be ready. The admin address responds meanwhile."""
        while not self._started.is_set():
            self._server.operation.maintain(self._loop.time())
            with suppress(TimeoutError):
                await asyncio.wait_for(self._started.wait(), _SIGN_OF_LIFE)

    def _announce_change(self) -> None:
        with suppress(OSError):  # the supervisor has died
            self._channel.send(commands.CHANGED)

    async def _write_pending_lines(self) -> None:
        """Write the lines of the access log that a pipe has not taken yet, within the grace period.

        Other workers serve meanwhile. A shutdown does not wait for this.
        """
        log, end = self._context.log, self._loop.time() + self._context.options.grace_period
        while log is not None and log.pending and not self._server.stopping and self._loop.time() < end:
            log.flush()
            await asyncio.sleep(LOG_RETRY)

    def _replace_log(self, fd: int) -> None:
        log = self._context.log
        if log is not None and self._served:  # the server has closed its thread
            log.replace_fd(fd)
        elif log is not None:
            self._server.run_in_thread(log.replace_fd, fd)

    def _receive(self) -> None:
        received, descriptors, _, _ = socket.recv_fds(self._channel, _MAX_COMMANDS, _MAX_DESCRIPTORS)
        if not received:  # the supervisor has died
            self._loop.remove_reader(self._channel)
            self._stop()
        for command in received:
            self._execute(bytes((command,)))
        for fd in descriptors:
            self._replace_log(fd)

    def _execute(self, command: bytes) -> None:
        match command:
            case commands.START:
                self._started.set()
            case commands.DRAIN:
                self._server.drain_connections()
            case commands.STOP:
                self._stop()
            case commands.ABORT:
                self._stop()
                self._server.shutdown()

    def _stop(self) -> None:
        self._started.set()  # so that a worker ends, too, that was never started
        if not self._server.stopping:
            self._server.shutdown()


def _log_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The loop's exception handler: an OSError outside of a protocol is one line, any other error has its traceback."""
    if isinstance(error := context.get("exception"), OSError):
        logger.error("a connection cannot go on: %s", error.strerror)
    else:
        loop.default_exception_handler(context)
