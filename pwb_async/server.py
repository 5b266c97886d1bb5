"""The server on the event loop: listens, counts connections, keeps their deadlines, stops gracefully."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from typing import Final

from .core.exchange import Exchange
from .core.lookup import Finding, Lookup
from .files import Files
from .listener import BACKLOG
from .protocol import HTTPProtocol
from .setup import Setup
from .shelf import Shelf

logger: Final = logging.getLogger("pwb")
_SWEEP: Final = 0.25
"""Seconds between two looks at all deadlines: how late a timeout may be."""


class Server:
    """What all connections of one process share."""

    loop: asyncio.AbstractEventLoop
    clock: Callable[[], float]
    shelf: Shelf | None
    find: Callable[[Lookup], Awaitable[Finding]]
    _stop: asyncio.Event

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.files = Files(setup.disk.find)
        self.observe: Callable[[Exchange], None] | None = setup.log
        self._most = setup.options.max_connections or _as_many_as_descriptors_allow()
        self._connections: dict[HTTPProtocol, None] = {}  # in the order they came
        self._flushing: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Serves until SIGINT or SIGTERM, then ends what is under way within the grace; a second signal ends it."""
        self.loop = asyncio.get_running_loop()
        self.clock = self.loop.time
        options = self.setup.options
        self.shelf = Shelf(self.setup.site, self.files, options.cache, options.cache_ttl) if options.cache else None
        self.find = self.shelf.find if self.shelf else self.files.find
        self._stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            self.loop.add_signal_handler(number, self.stop)
        listeners = [
            await self.loop.create_server(lambda: HTTPProtocol(self), sock=sock, backlog=BACKLOG)
            for sock in self.setup.sockets
        ]
        sweeping = self.loop.create_task(self._sweep())
        self.setup.announce("PWB")
        await self._stop.wait()
        for listener in listeners:
            listener.close()
        await self._drain()
        sweeping.cancel()
        self.files.close()

    def stop(self) -> None:
        """Begins the stop; called again, ends it."""
        self._stop.set()

    async def _drain(self) -> None:
        self._stop.clear()
        end = self.loop.time() + self.setup.options.grace
        for protocol in list(self._connections):
            protocol.stop()
        while self._connections and self.loop.time() < end and not self._stop.is_set():
            await asyncio.sleep(0.02)
        for protocol in list(self._connections):
            protocol.abort()
        await asyncio.sleep(0)

    def admit(self, protocol: HTTPProtocol) -> bool:
        """Makes room for one more, by closing the connection that has been idle longest; False: there is none."""
        full = len(self._connections) >= self._most
        self._connections[protocol] = None
        if not full:
            return True
        idle = [(since, other) for other in self._connections if (since := other.idle_since) is not None]
        if idle:
            min(idle, key=lambda pair: pair[0])[1].stop()
        return bool(idle)

    def forget(self, protocol: HTTPProtocol) -> None:
        """The connection is gone."""
        self._connections.pop(protocol, None)

    async def _sweep(self) -> None:
        refreshing: asyncio.Task[None] | None = None
        while True:
            await asyncio.sleep(_SWEEP)
            now = self.loop.time()
            for protocol in [one for one in self._connections if one.deadline.at <= now]:
                protocol.expire()
            if self.shelf and (refreshing is None or refreshing.done()):
                refreshing = self.loop.create_task(self.shelf.refresh(1.5 * _SWEEP))
            if self.setup.log and (self._flushing is None or self._flushing.done()):
                self._flushing = self.loop.run_in_executor(None, self.setup.log.flush)


def _as_many_as_descriptors_allow() -> int:
    import resource

    # Each connection may need a file beside its socket; some descriptors stay for logs and the loop.
    return max(16, (resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 64) // 2)
