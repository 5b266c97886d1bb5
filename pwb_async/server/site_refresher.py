"""What keeps a site up to date while it is served: cached files are revalidated, and files of rules are read again.

The caller makes both calls every INTERVAL seconds. Each starts a task, unless the one before it is still at work.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from pwb_async.runtime.context import ServerContext

from .site_state import SiteState

logger: Final = logging.getLogger("pwb")
INTERVAL: Final = 0.2
"""Seconds between two rounds."""
_REFRESH_HORIZON: Final = 1.5 * INTERVAL
"""Seconds before the end of their freshness when cached files are revalidated, so that the disk has at least a third
of it to answer."""


class SiteRefresher:
    """The refreshing of one site.

    Args:
        state: What is kept up to date.
        reconfigure: Called with the new configuration when rules have changed.
    """

    def __init__(self, state: SiteState, reconfigure: Callable[[ServerContext], object]) -> None:
        self._state = state
        self._reconfigure = reconfigure
        self._refreshing: asyncio.Task[None] | None = None
        self._checking_rules: asyncio.Task[None] | None = None

    def refresh_cache(self) -> None:
        """Revalidate the files that would cease to be fresh."""
        cache = self._state.cache
        if cache and (self._refreshing is None or self._refreshing.done()):
            self._refreshing = self._state.start_task(cache.refresh(_REFRESH_HORIZON))

    def check_rules(self) -> None:
        """Read the files of rules again if it is time to."""
        context = self._state.context
        due = context.rules_are_due(self._state.clock())
        if due and (self._checking_rules is None or self._checking_rules.done()):
            self._checking_rules = self._state.start_task(self._reload_rules(context))

    async def _reload_rules(self, context: ServerContext) -> None:
        try:
            new = await self._state.storage.run_in_background(context.reload_rules, self._state.clock())
        except TimeoutError as error:
            logger.error("the rules cannot be read again: %s", error.strerror)
            return
        except Exception:
            logger.exception("a fault of this server: the rules cannot be read again")
            return
        if new is not None and self._state.context is context:  # otherwise a reload has read them, too
            self._reconfigure(new)
