"""The guard that refuses requests of clients which send too many.

A request beyond the limit takes no token, so a client that goes on is let through again as soon as one that waits.
"""

import logging
import time
from collections.abc import Callable
from typing import Final

from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.site.limit_rules import Limit, RequestLimit
from pwb_async.core.site.responder import Responder

from .clients import Clients
from .shared_buckets import SharedBuckets, key_of

logger: Final = logging.getLogger("pwb")
_LOG_INTERVAL: Final = 1_000_000_000
"""Nanoseconds, at least, between two lines of all processes about requests that a dry run would have refused."""
_LOG: Final = key_of(b"", b"the log")
"""The key under which such lines are counted, as the requests of a client are."""
_MAX_CAPACITY: Final = 1 << 62
"""Nanoseconds in which the largest bucket becomes full, 146 years, since a time has to fit into eight bytes."""


class RequestLimits:
    """The limits on requests of a server.

    Args:
        limit_of: Returns the limit that holds for a request.
        buckets: The tokens of the clients.
        ipv6_prefix: The bits of an IPv6 address that are one client.
        clock: Returns nanoseconds, the same in all processes, and never goes back.
    """

    refused: int
    """Requests that were refused."""
    passed: int
    """Requests beyond a limit that only counts."""

    def __init__(
        self,
        limit_of: Callable[[Request], Limit],
        buckets: SharedBuckets,
        ipv6_prefix: int,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._limit_of, self._buckets, self._ipv6_prefix, self._clock = limit_of, buckets, ipv6_prefix, clock
        self._counted: dict[Limit, _Counted | None] = {}
        self._unreported = 0
        self.refused = self.passed = 0

    def wait(self, client: str, request: Request) -> int:
        """Count a request; return 0, or the seconds after which its client may send it again."""
        limit = self._limit_of(request)
        try:
            counted = self._counted[limit]
        except KeyError:
            counted = self._counted[limit] = self._count(limit)
        if counted is None or not (key := counted.clients.key(client)):
            return 0
        now = self._clock()
        wait = self._buckets.take(key, counted.interval, counted.capacity, now)
        if not wait:
            return 0
        if limit.dry_run:
            self.passed += 1
            self._report(limit, client, now)
            return 0
        self.refused += 1
        return -(-wait // 1_000_000_000)

    def _count(self, limit: Limit) -> "_Counted | None":
        return None if limit.requests is None else _Counted(limit.requests, limit, self._ipv6_prefix)

    def _report(self, limit: Limit, client: str, now: int) -> None:
        self._unreported += 1
        if not self._buckets.take(_LOG, _LOG_INTERVAL, _LOG_INTERVAL, now):
            count, self._unreported = self._unreported, 0
            logger.warning(
                "dry run: %d requests over the limit since the last line of this process, the last of %s over %s",
                count, client, limit.place,
            )  # fmt: skip


class _Counted:
    """A limit as it is computed with."""

    def __init__(self, requests: RequestLimit, limit: Limit, ipv6_prefix: int) -> None:
        self.interval = requests.rate.interval
        self.capacity = min(requests.burst * self.interval, _MAX_CAPACITY)
        self.clients = Clients(requests.name, limit.exempt, ipv6_prefix)


class RequestGuard:
    """The Guard of a server with limits on requests."""

    def __init__(self, limits: RequestLimits, site: Responder) -> None:
        self._limits, self._site = limits, site

    def __call__(self, client: str, request: Request) -> Response | None:
        """429 with the time to wait for a request too many (RFC 6585 4, RFC 9110 10.2.3); otherwise None."""
        wait = self._limits.wait(client, request)
        return self._site.error(request, 429, (b"Retry-After", b"%d" % wait)) if wait else None
