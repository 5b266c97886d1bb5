"""When workers have to be replaced because there are new certificates."""

import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pwb_async.tls.reloading import ReloadingContexts

logger: Final = logging.getLogger("pwb")
_RETRY: Final = 60.0
"""Seconds until workers with older certificates are replaced again, if new ones could not be started."""
_NEVER: Final = float("inf")


class Renewal:
    """Whether the workers have older certificates than there are."""

    def __init__(self) -> None:
        self._at = _NEVER  # when to replace the workers

    def is_due(self, tls: "ReloadingContexts | None", now: float) -> bool:
        """Look at the certificates; return whether to replace the workers now. If that fails it is due again later."""
        if tls is None:
            return False
        try:
            self._at = now if tls.check(now) else self._at
        except Exception:
            logger.exception("a fault of this server")
        if now < self._at:
            return False
        self._at = now + _RETRY
        return True

    def is_done(self) -> None:
        """Note that the workers have been replaced."""
        self._at = _NEVER
