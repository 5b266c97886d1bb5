"""Live reload in a server: one thread watches what is served, and the event loop sends what has changed."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from pwb_async.config.options import Options
from pwb_async.live_reload.changes import Change, ChangeFilter
from pwb_async.live_reload.events import ReloadEvents
from pwb_async.live_reload.watcher import Watcher

_PING_INTERVAL: Final = 15.0
"""Seconds between two comments in the event streams; proxies close connections that are idle for a minute."""


class LiveReload:
    """The watcher of a server, and the timer of its event streams."""

    def __init__(self, loop: asyncio.AbstractEventLoop, events: ReloadEvents) -> None:
        self._loop, self._events = loop, events
        self._watcher: Watcher | None = None
        self._timer = loop.call_later(_PING_INTERVAL, self._ping)

    def configure(self, options: Options) -> None:
        """Watch what a server with these options serves. After a reload, pages may be others, whatever has changed."""
        changes, former = ChangeFilter(options), self._watcher
        if former is not None:
            former.stop()
        self._watcher = Watcher(
            changes.directories,
            changes.accepts,
            partial(self._call, self._events.begin),
            partial(self._report, changes),
            replaced=former is not None,
        )
        self._watcher.start()

    def _report(self, changes: ChangeFilter, batch: set[Change]) -> None:
        """Send a batch of changes; called by the watcher's thread."""
        swaps = changes.swaps(batch)
        if swaps is not None:
            self._call(partial(self._events.publish, swaps))

    def _call(self, function: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(function)

    def _ping(self) -> None:
        self._events.ping()
        self._timer = self._loop.call_later(_PING_INTERVAL, self._ping)

    @property
    def threads(self) -> list[Watcher]:
        """The thread that watches."""
        return [] if self._watcher is None else [self._watcher]

    def close(self) -> None:
        """Stop watching."""
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.stop()
