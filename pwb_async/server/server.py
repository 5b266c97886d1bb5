"""The server on the event loop, one process: what its connections share, and what a signal does to it.

    run()      serves alone: SIGTERM and SIGINT stop, SIGHUP reloads, SIGUSR1 reopens the log
    serve()    serves; who runs several servers tells each what to do by these:
    stop()     what is under way ends within the grace, nothing is begun (hazard F2); said again: at once
    retire()   another process takes over: every client is served on until it can leave without noticing (F1)
    adopt()    another configuration, for the next request of every client that is here; nobody leaves

Ten times a second it looks at all deadlines, five times at the shelf and at the log.
"""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

from pwb_async.config.loader import ConfigError
from pwb_async.core.site.lookup import Finding, Lookup
from pwb_async.network.admission import AdmissionControl
from pwb_async.observability.access_log import AccessLog
from pwb_async.runtime.context import ServerContext, StartupError, reload_context
from pwb_async.runtime.signals import Terminal, end_signals
from pwb_async.runtime.systemd import notify, notify_reloading

from .acceptor import Acceptor
from .async_storage import AsyncStorage, threads
from .http_protocol import HTTPProtocol
from .response_cache import ResponseCache, most_files
from .send_queue import SendQueueWatcher
from .send_timeout import MinSendRate
from .sendfile import SendfileSupport

T = TypeVar("T")
logger: Final = logging.getLogger("pwb")
_SWEEP: Final = 0.1
"""Seconds between two looks at all deadlines: how late a timeout may be."""
_TIDY: Final = 0.2
"""Seconds between two looks at the shelf and the log."""
_HORIZON: Final = 1.5 * _TIDY
"""Seconds: a file that has no more trust left than this is looked at again. The disk has a third of it, at least."""
_TIMEOUT: Final = 2.0
"""Seconds that an idle connection stays when another process takes over."""
_FIXED: Final = ("loop", "workers", "user", "sandbox")
"""What a process that is alone cannot change of itself."""


class Server:
    """What all connections of one process share; made when its loop runs. workers: how many share --max-connections.
    Raises StartupError if there can be no threads."""

    cache: ResponseCache | None
    find: Callable[[Lookup], Awaitable[Finding]]
    log: AccessLog | None

    def __init__(self, context: ServerContext, workers: int = 1) -> None:
        options = context.options
        self.loop = asyncio.get_running_loop()
        self.clock = self.loop.time
        self.loop.set_exception_handler(_complain)
        self.context = context
        try:
            self.storage = AsyncStorage(context.disk, options.disk_timeout)
            self._thread = threads(1, "pwb-aside")
        except RuntimeError as error:
            raise StartupError(f"cannot start a thread: {error}") from None
        self.send_queue = SendQueueWatcher(self.loop)
        self.sendfiles = SendfileSupport()
        self.stopping = self._closed = False
        self._admission = AdmissionControl(
            -(-options.max_connections // workers), options.max_connections_per_ip, most_files(options.cache)
        )
        self._flushing: asyncio.Future[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._reloading: asyncio.Task[None] | None = None
        self._hung_up = False
        self._stop_accepting = asyncio.Event()
        self._ended = asyncio.Event()
        self._configure()

    async def run(self) -> None:
        """Serves alone, until SIGINT or SIGTERM."""
        loop = self.loop
        for number in end_signals():
            loop.add_signal_handler(number, self.shutdown)
        loop.add_signal_handler(signal.SIGUSR1, self._reopen_log)
        loop.add_signal_handler(signal.SIGHUP, self._handle_hangup, Terminal())

        def ready() -> None:
            self.context.announce("PWB")
            notify("READY=1")

        await self.serve(ready)

    async def serve(self, ready: Callable[[], None] | None = None) -> None:
        """Serves until it is told to stop. ready: called as soon as it listens."""
        entrance = Acceptor(self.loop, self._protocol())
        await entrance.open(self.context.sockets)
        sweeping = self.loop.create_task(self._sweep(entrance))
        if ready:
            ready()
        await self._stop_accepting.wait()
        await entrance.close()
        self._closed = True
        self._close_connections()
        await self._ended.wait()
        for protocol in list(self._admission.connections):
            protocol.abort()
        await asyncio.sleep(0)
        sweeping.cancel()
        self.send_queue.close()
        self.storage.close()
        self._thread.shutdown(wait=False)

    def _protocol(self) -> Callable[[], HTTPProtocol]:
        """What makes a protocol for each connection."""
        trace = self.context.trace
        if trace is None:
            return lambda: HTTPProtocol(self)
        from .tracing import TracedProtocol

        trace.loop()
        return lambda: TracedProtocol(self, trace)

    def shutdown(self) -> None:
        """Begins the stop; called again, ends it."""
        if self.stopping:
            self._ended.set()
            return
        self.stopping = True
        notify("STOPPING=1")
        self._stop_accepting.set()
        self.loop.call_later(self.context.options.grace_period, self._ended.set)
        self._close_connections()

    def drain_connections(self) -> None:
        """No new connections; the server ends when the last one has gone by itself."""
        self._stop_accepting.set()
        self._close_connections()

    def reconfigure(self, context: ServerContext) -> None:
        """Goes on with another setup that has the same sockets."""
        old, self.context = self.context, context
        self.storage.reconfigure(context.disk, context.options.disk_timeout)
        options = context.options
        self._admission.resize(options.max_connections, options.max_connections_per_ip, most_files(options.cache))
        self._configure()
        if old.log is not None and old.log is not context.log:
            self.run_in_thread(old.log.close)

    def run_in_thread(self, work: Callable[..., T], *arguments: object) -> asyncio.Future[T]:
        """Has something done that may take its time, and that no client waits for, by a thread that is always there."""
        return self.loop.run_in_executor(self._thread, work, *arguments)

    def _configure(self) -> None:
        options = self.context.options
        self.sendfiles.configure(options.sendfile)
        self.cache = (
            ResponseCache(self.context.site, self.storage, options.cache, options.cache_ttl) if options.cache else None
        )
        self.find = self.cache.find if self.cache else self.storage.find
        self.log = self.context.log
        if self.context.log:
            self.context.log.on_backlog = self._flush
        self._min_send_rate = (
            MinSendRate(options.min_send_rate, options.send_timeout) if options.min_send_rate else None
        )

    def _handle_hangup(self, terminal: Terminal) -> None:
        if terminal.hung_up:
            self.shutdown()
            return
        self._hung_up = True
        if self._reloading is None or self._reloading.done():
            self._reloading = self.loop.create_task(self._reload())

    async def _reload(self) -> None:
        while self._hung_up and not self.stopping:
            self._hung_up = False
            notify_reloading()
            try:
                self.reconfigure(await self.run_in_thread(reload_context, self.context, _FIXED))
                logger.info("reloaded")
            except (ConfigError, StartupError) as error:
                logger.error("nothing is reloaded: %s", error)
            notify("READY=1")

    def _reopen_log(self) -> None:
        if self.context.log is not None:
            self.context.log.reopen_requested = True
            self._flush()

    def admit(self, protocol: HTTPProtocol) -> bool:
        """Whether there is room for one more (hazard A9)."""
        return self._admission.admit(protocol, self.clock())

    def forget(self, protocol: HTTPProtocol) -> None:
        """The connection is gone."""
        self._admission.forget(protocol)
        if self._closed and not self._admission.connections:
            self._ended.set()

    def _close_connections(self) -> None:
        """Sees everybody off who is there, and ends with the last one to go."""
        for protocol in list(self._admission.connections):
            self._close_connection(protocol)
        if self._closed and not self._admission.connections:
            self._ended.set()

    def _close_connection(self, protocol: HTTPProtocol) -> None:
        if self.stopping:
            protocol.stop()
        else:
            protocol.retire(_TIMEOUT)

    async def _sweep(self, entrance: Acceptor) -> None:
        tidy = 0.0
        while True:
            await asyncio.sleep(_SWEEP)
            now = self.loop.time()
            try:
                self._check_deadlines(now)
                entrance.look(self._admission.came)
                if now >= tidy:
                    tidy = now + _TIDY - _SWEEP / 2
                    self._maintain()
            except Exception:  # without its sweep a server would never again close a connection
                logger.exception("a fault of this server")

    def _check_deadlines(self, now: float) -> None:
        connections = list(self._admission.connections)
        for protocol in connections:
            if protocol.deadline.at <= now:
                protocol.expire()
        if self._closed:
            self._close_connections()
        if self._min_send_rate:
            self._min_send_rate.look(connections, now)

    def _maintain(self) -> None:
        self._admission.measure()
        if self.cache and (self._refreshing is None or self._refreshing.done()):
            self._refreshing = self.loop.create_task(self.cache.refresh(_HORIZON))
        self._flush()

    def _flush(self) -> None:
        """Has the log written."""
        if self.context.log and (self._flushing is None or self._flushing.done()):
            self._flushing = self.run_in_thread(self.context.log.flush)


def _complain(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What a loop could not do for a connection, for want of memory or so, is worth a line; a fault has more."""
    if isinstance(error := context.get("exception"), OSError):
        logger.error("a connection cannot go on: %s", error.strerror)
    else:
        loop.default_exception_handler(context)
