"""A server that is alone in its process: what signals do to it, and what the service manager gets to know.

SIGTERM and SIGINT shut it down, SIGHUP reloads it, SIGUSR1 reopens the access log.
"""

import asyncio
import logging
import signal
from collections.abc import Callable
from typing import Final

from pwb_async.config.options import ConfigError
from pwb_async.runtime.context import ServerContext, StartupError, reload_context
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

    async def run(self, announce: Callable[[ServerContext], object] | None = None) -> None:
        """Serve until SIGINT or SIGTERM. announce: called as soon as connections are accepted."""
        for number in end_signals():
            self._loop.add_signal_handler(number, self._shut_down)
        self._loop.add_signal_handler(signal.SIGUSR1, self._server.reopen_log)
        self._loop.add_signal_handler(signal.SIGHUP, self._handle_hangup)

        def ready() -> None:
            if announce:
                announce(self._server.context)
            notify("READY=1")

        self._server.state.start_task(self._server.watch_certificates())
        await self._server.serve(ready)

    def _shut_down(self) -> None:
        if not self._server.stopping:
            notify("STOPPING=1")
        self._server.shutdown()

    def _handle_hangup(self) -> None:
        if self._terminal.hung_up:
            self._shut_down()
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
                logger.info("reloaded")
            except (ConfigError, StartupError) as error:
                logger.error("nothing is reloaded: %s", error)
            except Exception:  # the service manager waits for READY=1, whatever has become of the reload
                logger.exception("a fault of this server: the reload has failed")
            notify("READY=1")
