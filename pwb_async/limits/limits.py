"""The limits of a server, as its parts use them."""

from collections.abc import Callable, Sequence

from pwb_async.core.semantics.messages import Request
from pwb_async.core.site.access import Guard
from pwb_async.core.site.limit_rules import Limit, LimitRules
from pwb_async.core.site.responder import Responder
from pwb_async.core.site.virtual_hosts import DEFAULT, HostTable

from .request_limits import RequestGuard, RequestLimits
from .send_rates import SendRates
from .shared_buckets import SharedBuckets


class Limits:
    """The limits of all sites. They have to be made before the processes that share them are forked.

    Args:
        rules: The limits of each site, the default one first.
        hosts: The hosts of the others.
        strict: Whether there is no site for other hosts.
        ipv6_prefix: The bits of an IPv6 address that are one client.
        old: The limits of the configuration before, whose counts go on.
    """

    of: Callable[[Request], Limit]
    """Returns the limit that holds for a request."""
    requests: RequestLimits | None
    """The limits on requests; None if there are none."""
    send_rates: SendRates | None
    """How fast responses are sent; None if they are sent as fast as clients read."""

    def __init__(
        self,
        rules: Sequence[LimitRules],
        hosts: tuple[tuple[bytes, ...], ...],
        strict: bool,
        ipv6_prefix: int,
        old: "Limits | None",
    ) -> None:
        self._rules = rules
        self._table = HostTable(hosts, strict)
        self.of = self._of_site if hosts else rules[DEFAULT].of
        self._buckets: SharedBuckets = SharedBuckets() if old is None else old._buckets
        every = tuple(limit for site in rules for limit in site.all)
        self.requests = self.send_rates = None
        if any(limit.requests is not None for limit in every):
            self.requests = RequestLimits(self.of, self._buckets, ipv6_prefix)
        if any(limit.sending for limit in every):
            before = None if old is None or old.send_rates is None else old.send_rates.delays
            self.send_rates = SendRates(self.of, every, self._buckets, before)

    def _of_site(self, request: Request) -> Limit:
        number = self._table.number_of(request.target.authority or request.fields.host)
        return self._rules[max(number, DEFAULT)].of(request)

    def guard(self, site: Responder) -> Guard | None:
        """The guard of a server with these limits; None if none is on requests. site: makes the response."""
        return None if self.requests is None else RequestGuard(self.requests, site)
