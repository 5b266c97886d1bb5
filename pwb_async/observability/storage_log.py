"""The reasons for 500 and 503 in the error log: what the storage reports, and no client ever sees."""

import logging
from os import fsdecode
from typing import Final

from pwb_async.core.site.findings import Finding, StorageError, Unavailable
from pwb_async.core.site.lookup import Lookup

from .error_log import MessageLimit

logger: Final = logging.getLogger("pwb")


class StorageLog:
    """Logs why files that may exist cannot be served.

    A failure of the storage is logged for each request. A lack that is expected to pass concerns all requests alike, so
    it is logged at most once a second.
    """

    def __init__(self) -> None:
        self._lacks = MessageLimit()

    def report(self, lookup: Lookup, finding: Finding) -> None:
        """Log the reason of a finding that is a failure; any other finding is not logged."""
        if isinstance(finding, StorageError):
            logger.error("%r: %s", _shown(lookup), finding.detail)
        elif isinstance(finding, Unavailable) and self._lacks.allows():
            logger.error("%r: unavailable: %s", _shown(lookup), finding.detail)


def _shown(lookup: Lookup) -> str:
    """The path of a lookup, as clients ask for it."""
    return "/" + fsdecode(lookup.path)
