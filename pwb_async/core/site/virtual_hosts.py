"""Several sites on one server: the host of a request decides which of them responds (RFC 9110 7.2, virtual hosting).

The host is that of an absolute-form target, or of Host. A name counts more than a wildcard, and a longer wildcard more
than a shorter one. Requests for other hosts, and those without a host, get the default site; with `strict` other hosts
get 421 (RFC 9110 15.5.20).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.fields import Fields, Variant
from pwb_async.core.semantics.messages import Request, Response
from pwb_async.core.semantics.target import canonical_host, host_name

from .access import Check, Guard
from .findings import Finding
from .lookup import Lookup
from .responder import Responder

DEFAULT: Final = 0
"""The number of the default site."""
_NONE: Final = -1
"""The number that stands for no site."""


@dataclass(frozen=True, slots=True)
class HostTable:
    """The sites by host. Two tables are equal if they were made alike."""

    hosts: tuple[tuple[bytes, ...], ...]
    """The hosts of each site but the default one, in lower case; "*." in front stands for any further labels."""
    strict: bool
    """Whether there is no site for other hosts."""
    _numbers: dict[bytes, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers = {host.removeprefix(b"*"): number for number, hosts in enumerate(self.hosts, 1) for host in hosts}
        object.__setattr__(self, "_numbers", numbers)

    def number_of(self, authority: bytes | None) -> int:
        """The number of the site for an authority, DEFAULT for none; _NONE if there is no site for it."""
        host = canonical_host(host_name(authority))
        number = self._numbers.get(host)
        dot = host.find(b".")
        while number is None and dot >= 0:  # a wildcard is kept with its dot
            number = self._numbers.get(host[dot:])
            dot = host.find(b".", dot + 1)
        if number is not None:
            return number
        return _NONE if self.strict and host else DEFAULT


@dataclass(frozen=True, slots=True)
class SiteVariant:
    """The Variant of a server with several sites: the number of the site that Host selects, and the Variant of that."""

    table: HostTable
    variants: tuple[Variant | None, ...]
    """By the number of the site."""

    def __call__(self, fields: Fields) -> bytes:
        number = self.table.number_of(fields.host)
        variant = None if number == _NONE else self.variants[number]
        return b"%d" % number if variant is None else b"%d\0%s" % (number, variant(fields))


class VirtualHosts:
    """A Responder that passes each request to the site of its host.

    Args:
        sites: The default site, and those of `table` in its order.
        table: The sites by host.
    """

    sites: tuple[Responder, ...]
    """The sites by their numbers."""

    def __init__(self, sites: Sequence[Responder], table: HostTable) -> None:
        self.sites = tuple(sites)
        self._table = table
        self.target_key = next((site.target_key for site in sites if site.target_key), None)
        self.variant = SiteVariant(table, tuple(site.variant for site in sites))

    def locate(self, request: Request, client: str = "") -> Lookup | Response:
        number = self._number_of(request)
        if number == _NONE:
            default = self.sites[DEFAULT]
            return default.finish(request, default.error(request, 421))
        located = self.sites[number].locate(request, client)
        if isinstance(located, Response):
            return located
        # If the target has the host of another site than Host has, the variant was not made by the site that responds.
        is_keyed = number == self._table.number_of(request.fields.host)
        return replace(located, site=number, cacheable=located.cacheable and is_keyed)

    def with_sites(self, make: Callable[[int, Responder], Responder]) -> "VirtualHosts":
        """The same hosts with others in the place of the sites. make: is called with each number and its site."""
        return VirtualHosts([make(number, site) for number, site in enumerate(self.sites)], self._table)

    def reply(self, lookup: Lookup, finding: Finding) -> Response:
        return self.sites[lookup.site].reply(lookup, finding)

    def refuse(self, bad: BadRequest) -> Response:
        return self._site_of(bad).refuse(bad)

    def unavailable(self, request: Request) -> Response:
        return self._site_of(request).unavailable(request)

    def guard(self, guards: Sequence[Guard | None]) -> Guard:
        """A guard that asks the one of the request's site. guards: by the number of the site."""

        def ask(client: str, request: Request) -> Response | Check | None:
            guard = guards[max(self._number_of(request), DEFAULT)]
            return None if guard is None else guard(client, request)

        return ask

    def finish(self, event: Request | BadRequest, response: Response) -> Response:
        return self._site_of(event).finish(event, response)

    def error(
        self, event: Request | BadRequest, status: int, *fields: tuple[bytes, bytes], page: bytes = b""
    ) -> Response:
        return self.sites[DEFAULT].error(event, status, *fields, page=page)

    def _number_of(self, event: Request | BadRequest) -> int:
        authority = event.target.authority if isinstance(event, Request) else None
        return self._table.number_of(authority or (event.fields.host if event.fields else None))

    def _site_of(self, event: Request | BadRequest) -> Responder:
        """The site for an event; the default one where there is none."""
        return self.sites[max(self._number_of(event), DEFAULT)]
