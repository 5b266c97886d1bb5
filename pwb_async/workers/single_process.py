"""A server that is alone in its process: what signals do to it, and what the service manager gets to know.

SIGTERM and SIGINT shut it down, after --shutdown-delay, SIGHUP reloads it, SIGUSR1 reopens the access log, and SIGUSR2
hands its sockets to a new process, after which it serves its connections to their ends.
"""

import asyncio
import logging
import signal
from collections.abc import Callable
from typing import Final

from pwb_async.config.options import ConfigError
from pwb_async.runtime.context import ServerContext, StartupError
from pwb_async.runtime.handover import Successor, announce_ready, start_successor
from pwb_async.runtime.opening import reload_context
from pwb_async.runtime.signals import Terminal, end_signals
from pwb_async.runtime.systemd import notify, notify_reloading
from pwb_async.server.server import Server

logger: Final = logging.getLogger("pwb")
_FIXED_OPTIONS: Final = ("loop", "workers", "user", "sandbox")
"""Options that a single process cannot change by a reload."""


class SingleProcess:
    """A server and the signals of its process.

    Args:
        server: The server. The running event loop has to be that of the main thread.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = server.loop
        self._terminal = Terminal()
        self._reloading: asyncio.Task[None] | None = None
        self._reload_requested = False
        self._delay: asyncio.TimerHandle | None = None
        self._successor: Successor | None = None
        self._is_replaced = False

    async def run(self, announce: Callable[[ServerContext], object] | None = None) -> None:
        """Serve until SIGINT or SIGTERM. announce: called as soon as connections are accepted."""
        for number in end_signals():
            self._loop.add_signal_handler(number, self._end)
        self._loop.add_signal_handler(signal.SIGUSR1, self._server.reopen_log)
        self._loop.add_signal_handler(signal.SIGUSR2, self._start_successor)
        self._loop.add_signal_handler(signal.SIGHUP, self._handle_hangup)

        def ready() -> None:
            if announce:
                announce(self._server.context)
            announce_ready()

        self._server.state.start_task(self._server.watch_certificates())
        await self._server.serve(ready)

    @property
    def _is_ending(self) -> bool:
        """Whether a stop has been announced, or another process has taken over."""
        return self._is_replaced or self._delay is not None or self._server.stopping

    def _end(self) -> None:
        """Shut down after the delay; a second time, end at once."""
        delay = self._server.context.options.shutdown_delay
        if delay and not self._is_ending:
            self._announce_stop()
            logger.info("stopping in %g s; a second signal stops it at once", delay)
            self._delay = self._loop.call_later(delay, self._server.shutdown)
            return
        if self._delay is not None and not self._server.stopping:
            self._shut_down()
        self._shut_down()

    def _shut_down(self) -> None:
        """Shut down without a delay; a second time, end at once."""
        if self._delay is not None:
            self._delay.cancel()
        elif not self._is_ending:
            self._announce_stop()
        self._server.shutdown()

    def _announce_stop(self) -> None:
        """Let all see that the server ends; a new process that is starting ends, too."""
        notify("STOPPING=1")
        self._server.operation.set_stopping()
        if self._successor is not None:
            self._loop.remove_reader(self._successor.fileno())
            self._successor.cancel()
            self._successor = None

    def _handle_hangup(self) -> None:
        if self._terminal.hung_up:
            self._shut_down()
            return
        if self._is_ending:
            return
        self._reload_requested = True
        if self._reloading is None or self._reloading.done():
            self._reloading = self._server.state.start_task(self._reload())

    async def _reload(self) -> None:
        server = self._server
        while self._reload_requested and not server.stopping:
            self._reload_requested = False
            notify_reloading()
            try:
                server.reconfigure(await server.run_in_thread(reload_context, server.context, _FIXED_OPTIONS))
                server.operation.count("reloads")
                logger.info("reloaded")
            except (ConfigError, StartupError) as error:
                server.operation.count("failed_reloads")
                logger.error("nothing is reloaded: %s", error)
            except Exception:  # the service manager waits for READY=1, whatever has become of the reload
                server.operation.count("failed_reloads")
                logger.exception("a fault of this server: the reload has failed")
            notify("READY=1")

    def _start_successor(self) -> None:
        if self._successor is None and not self._is_ending:
            self._successor = start_successor(self._server.context)
            if self._successor is not None:
                self._loop.add_reader(self._successor.fileno(), self._follow_successor)

    def _follow_successor(self) -> None:
        """Leave the sockets to the new process if it serves; otherwise serve on."""
        successor = self._successor
        if successor is not None and successor.receive():
            self._loop.remove_reader(successor.fileno())
            successor.close()
            self._successor = None
            if successor.has_taken_over:
                self._is_replaced = True
                self._server.drain_connections()
