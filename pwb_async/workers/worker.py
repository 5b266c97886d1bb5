"""One serving process, alone or hired by a supervisor, and the words that those two have for each other.

A worker, step by step: signals that are meant for the supervisor are ignored; rights are given up; the server is made;
READY; with GO it begins to serve; RETIRE and STOP let it end. They talk over a socket of their own, so nothing is
mistaken for a signal that a terminal or a service manager sends to all processes at once; and the end of the stream
says that the supervisor is dead, so nobody is left over.

Two workers on one core take 8 to 13 % more for an answer than one, where a thousand files are asked for or every
connection is new, and nginx's take up to 7 %: what each has in the caches drives out what the other had. With 1 KiB of
each file instead of 12 it is 7.5 %, with 50 such files 5 %; a new connection takes as much more with a core for each.
Without the log it is 12 to 13 %, of which 9 are left when nobody looks at the files again (--cache-ttl 60). Tried and
rejected: to have them interrupt each other less (SCHED_BATCH: 2 to 3 % cheaper, 99th percentile 16 ms instead of 7);
large pages for what malloc() hands out (no difference).
"""

import asyncio
import signal
import socket
from collections.abc import Callable
from typing import Final

from pwb_async.runtime.context import ServerContext, StartupError
from pwb_async.server.server import Server

READY: Final = b"R"
FAILED: Final = b"F"
"""The rest of what is sent is one line that says why."""
START: Final = b"g"
DRAIN: Final = b"r"
STOP: Final = b"s"
ABORT: Final = b"e"
LOG: Final = b"l"
"""It comes with a descriptor: the log, opened anew."""

_LOG_RETRY: Final = 0.2
"""Seconds between two attempts to write lines that a pipe has not taken."""


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the event loop of --loop."""
    if name == "asyncio":
        return asyncio.new_event_loop
    try:
        import uvloop
    except ImportError:
        raise StartupError("uvloop is not installed; --loop asyncio does without it") from None
    return uvloop.new_event_loop


def run_single(context: ServerContext) -> None:
    """Serves until a signal ends it. Raises StartupError if it cannot begin."""

    async def serve() -> None:
        server = Server(context)
        await server.run()
        server.context.close()  # it may be another one by now

    with asyncio.Runner(loop_factory=loop_factory(context.options.loop)) as runner:
        runner.run(serve())


def run_worker(context: ServerContext, channel: socket.socket) -> None:
    """Serves as one of several, until the supervisor at the other end of `channel` ends it."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    try:
        context.drop_privileges(*(["pwb_async.server.tracing"] if context.trace is not None else []))
        with asyncio.Runner(loop_factory=loop_factory(context.options.loop)) as runner:
            runner.run(Worker(context, channel).run())
    except StartupError as error:
        channel.sendall(FAILED + str(error).encode())
        return
    if context.log is not None:
        context.log.close()


class Worker:
    def __init__(self, context: ServerContext, channel: socket.socket) -> None:
        self._context = context
        self._channel = channel
        self._served = False
        self._go = asyncio.Event()

    async def run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = Server(self._context, self._context.workers)
        self._loop.add_signal_handler(signal.SIGTERM, self._stop)
        self._channel.setblocking(False)
        self._loop.add_reader(self._channel, self._hear)
        self._channel.send(READY)
        await self._go.wait()
        await self._server.serve()
        self._served = True
        await self._write_waiting_lines()
        self._loop.remove_reader(self._channel)

    async def _write_waiting_lines(self) -> None:
        """Other workers serve now, so there is time until the end of the grace period for a pipe that takes no lines
        yet. A stop does not wait for it."""
        log, end = self._context.log, self._loop.time() + self._context.options.grace_period
        while log is not None and log.pending and not self._server.stopping and self._loop.time() < end:
            log.flush()
            await asyncio.sleep(_LOG_RETRY)

    def _replace_log(self, fd: int) -> None:
        log = self._context.log
        if log is not None and self._served:  # the server's thread has ended
            log.replace_fd(fd)
        elif log is not None:
            self._server.run_in_thread(log.replace_fd, fd)

    def _hear(self) -> None:
        words, descriptors, _, _ = socket.recv_fds(self._channel, 256, 4)
        if not words:
            self._loop.remove_reader(self._channel)
            self._stop()
        for word in words:
            match bytes((word,)):
                case b"g":
                    self._go.set()
                case b"r":
                    self._server.drain_connections()
                case b"s":
                    self._stop()
                case b"e":
                    self._stop()
                    self._server.shutdown()
        for descriptor in descriptors:
            self._replace_log(descriptor)

    def _stop(self) -> None:
        self._go.set()
        if not self._server.stopping:
            self._server.shutdown()
