"""The server on an asyncio event loop, which may be that of another program: it leaves process and loop as they were.

    serve()               serve until shutdown() or drain_connections(), or until it is cancelled, which ends it at once
    shutdown()            answer the requests that are about to arrive, and finish the responses under way within the
                          grace period; called again: end at once
    drain_connections()   stop accepting, as another process does now; close each connection between two requests
    reconfigure()         use another configuration, as a reload of a single process does; a supervisor starts new
                          workers instead

What the connections need of the server is in state.py. Deadlines are checked ten times a second, by one task for all
connections; the cache and the log are maintained five times a second. What signals do is in workers/single_process.py
and workers/worker.py.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar, cast

from pwb_async.config.options import Options
from pwb_async.runtime.context import ServerContext, StartupError

from .acceptor import Acceptor
from .connection_protocol import ConnectionProtocol
from .faults import contain
from .http_protocol import HTTPProtocol
from .late_imports import LATE_IMPORTS_DELAY, import_late
from .operating import make_operation
from .site_refresher import INTERVAL, SiteRefresher
from .state import ServerState

if TYPE_CHECKING:
    from .min_rate import MinSendRate

T = TypeVar("T")
logger: Final = logging.getLogger("pwb")
_SWEEP_INTERVAL: Final = 0.1
"""Seconds between two checks of all deadlines: how late a timeout may act."""
_CERTIFICATES_INTERVAL: Final = 1.0
"""Seconds between two checks of whether certificates have changed."""
_DRAIN_TIMEOUT: Final = 2.0
"""Seconds after which an idle connection is closed when another process takes over."""
_STOP_DELAY: Final = 0.25
"""Seconds in which a shutdown still answers requests that are under way to the server, and completes handshakes: a few
round trips."""


def _find_min_send_rate(options: Options) -> "MinSendRate":
    from .min_rate import MinSendRate  # most servers demand none

    return MinSendRate(options.min_send_rate, options.send_timeout)


class Server:
    """A server in the running event loop."""

    def __init__(self, context: ServerContext, workers: int = 1) -> None:
        """workers: how many processes share --max-connections. Raises StartupError if no thread can be started."""
        self.loop = asyncio.get_running_loop()
        try:
            self.state = ServerState(context, -(-context.options.max_connections // workers))
            self._background = ThreadPoolExecutor(1, "pwb-background")
            self._background_thread = self._background.submit(threading.current_thread).result()
        except RuntimeError as error:
            raise StartupError(f"cannot start a thread: {error}") from None
        self._refresher = SiteRefresher(self.state, self.reconfigure)
        self._flushing: asyncio.Future[None] | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._stop_accepting = asyncio.Event()
        self.stopping = False
        """Whether shutdown() has been called."""
        self.operation = make_operation(self.state, _SWEEP_INTERVAL)
        """The admin address and the metrics."""
        self._configure()

    @property
    def context(self) -> ServerContext:
        """The current configuration."""
        return self.state.context

    async def serve(self, ready: Callable[[], None] | None = None) -> None:
        """Serve until shutdown() or drain_connections(). ready: called as soon as connections are accepted.

        Cancelled, it aborts all connections and ends at once.
        """
        acceptors = [Acceptor(self.loop, self._connection_factory())]
        try:
            await self.operation.open()
            await acceptors[0].open(self.context.sockets)
            if self.context.redirect_sockets:
                acceptors.append(Acceptor(self.loop, self._redirect_factory()))
                await acceptors[1].open(list(self.context.redirect_sockets))
            self.state.start_task(self._sweep(acceptors))
            self._timers.append(self.loop.call_later(LATE_IMPORTS_DELAY, self.run_in_thread, import_late))
            self.operation.set_serving()
            if ready:
                ready()
            await self._stop_accepting.wait()
            if not self.stopping:
                await self.operation.drain()
            for acceptor in acceptors:
                await acceptor.close(accept_waiting=self.stopping)
            self.state.closing = True
            self._close_connections()
            await self.state.empty.wait()
        finally:
            await self._end(acceptors)

    async def _end(self, acceptors: Sequence[Acceptor]) -> None:
        """Abort the connections that are left, and leave no task, timer or thread behind."""
        for acceptor in acceptors:
            await acceptor.close()
        for connection in list(self.state.admission.connections):
            connection.abort()
        await self.operation.close()
        await asyncio.sleep(0)  # connection_lost() is called in the next iteration
        self.operation.refresh()
        for timer in self._timers:
            timer.cancel()
        self.state.close()
        self._background.shutdown(wait=False)
        await self.state.wait_until_closed(self._background_thread)

    def _connection_factory(self) -> Callable[[], asyncio.Protocol]:
        """What makes the protocol of a connection that has just been accepted."""
        if self.context.tls is None:
            return self._protocol_factory()
        from .tls_handshake import TLSHandshake  # most servers have no TLS
        from .tls_layer import TLSLayer

        return partial(TLSHandshake, TLSLayer(self.state, self._protocol_factory))

    def _redirect_factory(self) -> Callable[[], asyncio.Protocol]:
        """What makes the protocols of the port of --redirect-https."""
        from .plain_state import PlainState, ports_of

        state = cast(ServerState, PlainState(self.state, ports_of(self.context)))
        if self.context.options.proxy_protocol:
            from .proxied_protocol import ProxiedProtocol

            return partial(ProxiedProtocol, state)
        return partial(HTTPProtocol, state)

    def _protocol_factory(self, alpn: str | None = None) -> Callable[[], ConnectionProtocol]:
        """What makes the protocols that speak HTTP. alpn: what ALPN has chosen; None for nothing, or without TLS."""
        state, trace = self.state, self.context.trace
        if alpn == "h2":
            from .http2_protocol import HTTP2Protocol
            from .http2_shared import HTTP2Shared

            return partial(HTTP2Protocol, state, HTTP2Shared())
        if self.context.options.proxy_protocol and self.context.tls is None:
            from .proxied_protocol import ProxiedProtocol

            return partial(ProxiedProtocol, state)
        if trace is None and self.context.tls is None and self.context.options.http2:
            from .http2_prior_knowledge import PriorKnowledgeProtocol
            from .http2_shared import HTTP2Shared

            return partial(PriorKnowledgeProtocol, state, HTTP2Shared())
        if trace is None:
            return partial(HTTPProtocol, state)
        from .tracing import TracedProtocol

        trace.mark_event_loop()
        return partial(TracedProtocol, state, trace)

    def shutdown(self) -> None:
        """Finish the responses under way and end, after the grace period at the latest; called again: end at once."""
        if self.stopping:
            self.state.empty.set()
            return
        self.stopping = True
        self.operation.set_stopping()
        self._timers += [
            self.loop.call_later(self.context.options.grace_period, self.state.empty.set),
            self.loop.call_later(_STOP_DELAY, self._stop_connections),
        ]
        self.drain_connections()

    def _stop_connections(self) -> None:
        """Close all connections without a response under way, and log how many others there are."""
        self.state.stopping = True
        self._close_connections()
        if count := sum(connection.responding for connection in self.state.admission.connections):
            logger.info(
                "stopping: waiting up to %g s for responses on %d connection%s; asked again, it stops at once",
                self.context.options.grace_period,
                count,
                "" if count == 1 else "s",
            )

    def drain_connections(self) -> None:
        """Accept no new connections, and end when the last one has been closed."""
        self._stop_accepting.set()
        self._close_connections()

    def reconfigure(self, context: ServerContext) -> None:
        """Use another configuration, which has the same listening sockets."""
        old_log = self.context.log
        self.operation.refresh()  # before the cache is made anew, with which its counters would be lost
        self.state.reconfigure(context)
        self._configure()
        if old_log is not None and old_log is not context.log:
            self.run_in_thread(old_log.close)

    def run_in_thread(self, work: Callable[..., T], *arguments: object) -> asyncio.Future[T]:
        """Run a blocking function, for which no client waits, in a thread that is kept for this."""
        return self.loop.run_in_executor(self._background, work, *arguments)

    def _configure(self) -> None:
        options = self.context.options
        if self.context.log:
            self.context.log.on_backlog = self._flush
        self._min_send_rate = _find_min_send_rate(options) if options.min_send_rate else None

    def reopen_log(self) -> None:
        """Open the path of the access log again, after a rotation."""
        if self.context.log is not None:
            self.context.log.reopen_requested = True
            self._flush()

    async def watch_certificates(self) -> None:
        """Use new certificates as soon as their files change. In a worker this is the supervisor's task."""
        while True:
            await asyncio.sleep(_CERTIFICATES_INTERVAL)
            if (tls := self.context.tls) is not None:
                try:
                    await self.run_in_thread(tls.check, self.loop.time())
                except Exception:
                    logger.exception("a fault of this server: the certificates cannot be read again")

    def _close_connections(self) -> None:
        """Close every connection as soon as its state allows, and the server with the last one."""
        for connection in list(self.state.admission.connections):
            if self.state.stopping:
                contain(connection, connection.stop)
            else:
                contain(connection, connection.retire, _DRAIN_TIMEOUT)
        self.state.check_empty()

    async def _sweep(self, acceptors: Sequence[Acceptor]) -> None:
        next_maintenance = 0.0
        while True:
            await asyncio.sleep(_SWEEP_INTERVAL)
            now = self.loop.time()
            steps: list[Callable[[], object]] = [
                partial(self._check_deadlines, now),
                *(partial(acceptor.check, self.state.admission.accepted) for acceptor in acceptors),
                partial(self.operation.maintain, now),
            ]
            if now >= next_maintenance:
                next_maintenance = now + INTERVAL - _SWEEP_INTERVAL / 2
                steps += (
                    self.state.admission.read_descriptor_limit,
                    self._refresher.refresh_cache,
                    self._refresher.check_rules,
                    self._flush,
                )
            for step in steps:
                try:
                    step()
                except Exception:  # if the sweep ended, no connection would have a timeout any more
                    logger.exception("a fault of this server")

    def _check_deadlines(self, now: float) -> None:
        connections = list(self.state.admission.connections)
        for connection in connections:
            if connection.deadline.at <= now:
                contain(connection, connection.expire)
        if self.state.closing:
            self._close_connections()
        if self._min_send_rate:
            self._min_send_rate.check(connections, now)

    def _flush(self) -> None:
        """Write the access log, unless it is being written already."""
        if self.context.log and (self._flushing is None or self._flushing.done()):
            self._flushing = self.run_in_thread(self.context.log.flush)
