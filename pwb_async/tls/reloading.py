"""The SSL contexts that a server uses now, and their replacement when certificates change or are about to end."""

import logging
import os
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Final

from .certified_key import CertifiedKey
from .contexts import TLSContexts
from .errors import CertificateError

logger: Final = logging.getLogger("pwb")
_NEVER: Final = float("inf")
"""The time of what is not scheduled."""
_INTERVAL: Final = 1.0
"""Seconds between two looks at the files."""
_RETRY: Final = 60.0
"""Seconds until files that could not be used are read again: the reason, as too many open files, may have passed."""
_DAY: Final = 86400.0
"""Seconds between two warnings about a certificate that is about to end."""


class ReloadingContexts:
    """The SSL contexts for new connections, made again when the files change.

    New ones are made whole, or one line is logged and the present ones stay. They take the place of the present ones in
    one step, so another thread may make them. Files count as changed once they have been the same at two looks, because
    a certificate and its key are hardly ever replaced in one moment.
    """

    def __init__(
        self, make: Callable[[], TLSContexts], paths: Sequence[str], *, watch: bool = True, renew: bool = False
    ) -> None:
        """make: reads the files and makes the contexts, or raises CertificateError. paths: the files.

        watch: whether they are looked at. renew: whether `make` makes the certificates, too, so that it is called in
        place of a warning. Raises CertificateError.
        """
        self._make = make
        self._paths = paths
        self._watch = watch
        self._renew = renew
        self._loaded = self._last_look = self._look()
        self._contexts = make()
        self._next_check = self._next_warning = 0.0
        self._retry_at = _NEVER
        self._reason = ""  # why they could not be used, as it was logged

    @property
    def keys(self) -> Sequence[CertifiedKey]:
        """The present certificates."""
        return self._contexts.keys

    def context(self) -> ssl.SSLContext:
        """The context for new connections."""
        return self._contexts.context()

    def check(self, now: float) -> bool:
        """Make the contexts again if it is time to; return whether there are new ones. It may wait for the disk.

        now: seconds on a clock that never goes back.
        """
        if now < self._next_check:
            return False
        self._next_check = now + _INTERVAL
        if (self._watch and self._have_changed()) or self._are_about_to_end(now):
            self._reason = ""
        elif now < self._retry_at:
            return False
        return self._remake(now)

    def _look(self) -> list[tuple[int, ...] | None]:
        """What tells a version of each file from another one; None for a file that is not there."""
        return [_identity(path) for path in self._paths]

    def _have_changed(self) -> bool:
        look = self._look()
        settled = look == self._last_look
        self._last_look = look
        if not settled or look == self._loaded:
            return False
        self._loaded = look
        return True

    def _are_about_to_end(self, now: float) -> bool:
        """Whether to renew certificates of which less than a quarter is left; logs a warning of others, once a day."""
        if now < self._next_warning:
            return False
        self._next_warning = now + _DAY
        ending = [key for key in self.keys if key.certificate.is_about_to_end(time.time())]
        if not self._renew:
            for key in ending:
                logger.warning("%s: %s", key.shown, key.certificate.describe_end(time.time()))
        return self._renew and bool(ending)

    def _remake(self, now: float) -> bool:
        """Make the contexts again, now or, if that fails, in a minute; the same reason is logged once."""
        try:
            self._contexts = self._make()
        except (CertificateError, OSError) as error:
            if str(error) != self._reason:
                self._reason = str(error)
                logger.error("the certificates stay as they were: %s.", error)
            self._retry_at = now + _RETRY
            return False
        self._next_warning, self._retry_at = 0.0, _NEVER
        logger.info("new certificates: %s", ", ".join(key.shown for key in self.keys))
        return True


def _identity(path: str) -> tuple[int, ...] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
