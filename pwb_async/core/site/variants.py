"""Functions of a field section that tell apart the requests whose responses differ (Fields.variant)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from pwb_async.core.semantics.accept import accepted
from pwb_async.core.semantics.fields import Fields, Variant
from pwb_async.core.semantics.forwarded import scheme_of
from pwb_async.core.semantics.target import host_name


class Reads(NamedTuple):
    """What a rule reads of a request beside the path of its target.

    The cache is asked before any rule, so requests that a rule tells apart must have different keys, or none. A rule
    declares here all that it reads, and everything else follows: Site.variant, and Lookup.cacheable for the query.
    """

    host: re.Pattern[bytes] | None = None
    """What the rule demands of the host; None if it applies to any."""
    authority: bytes = b""
    """The host and port to which the rule redirects all requests but those that are there already, in lower case; b""
    if there is none."""
    query: bool = False
    """Whether requests that differ in the query only may be led to different places."""


@dataclass(frozen=True, slots=True)
class HostVariant:
    """The Variant of a site with rules about hosts: the host, if any of them is about it."""

    hosts: frozenset[re.Pattern[bytes]]
    """What the rules demand of the host."""

    def __call__(self, fields: Fields) -> bytes:
        """The host in these fields; b"" if no rule is about it."""
        host = host_name(fields.host)
        return host if any(pattern.fullmatch(host) for pattern in self.hosts) else b""


@dataclass(frozen=True, slots=True)
class AuthorityVariant:
    """The Variant of a site with redirects to other authorities, which do not redirect what is requested there."""

    authorities: frozenset[bytes]
    """The hosts of the destinations with their ports, in lower case."""

    def __call__(self, fields: Fields) -> bytes:
        """The authority in these fields; b"" if no redirect leads to it."""
        authority = (fields.host or b"").lower()
        return authority if authority in self.authorities else b""


@dataclass(frozen=True, slots=True)
class CombinedVariant:
    """The Variant of a site whose responses depend on several things."""

    parts: tuple[Variant, ...]

    def __call__(self, fields: Fields) -> bytes:
        """The keys of all parts, joined, without empty ones at the end."""
        return b"\0".join([part(fields) for part in self.parts]).rstrip(b"\0")


def json_variant(fields: Fields) -> bytes:
    """The Variant of a site with errors in JSON: b"j" for a client that prefers it to HTML."""
    return b"j" if accepted(fields).prefers_json else b""


def scheme_variant(fields: Fields) -> bytes:
    """The Variant of a site whose responses differ if a proxy reports https.

    It is believed of any peer: a client that makes it up gets a field that browsers ignore without TLS.
    """
    return b"https" if scheme_of(fields) == b"https" else b""


def rules_variant(*reads: Iterable[Reads]) -> Variant | None:
    """The Variant for rules that read this; None if none of them reads a field."""
    every = [each for some in reads for each in some]
    patterns = frozenset(each.host for each in every if each.host is not None)
    authorities = frozenset(each.authority for each in every if each.authority)
    return combine(
        HostVariant(patterns) if patterns else None,
        AuthorityVariant(authorities) if authorities else None,
    )


def combine(*variants: Variant | None) -> Variant | None:
    """One Variant for several; None stands for responses that depend on no field."""
    parts: list[Variant] = []
    for variant in variants:
        if variant is not None:  # a key of several parts would end anywhere in another one
            parts += variant.parts if isinstance(variant, CombinedVariant) else (variant,)
    if len(parts) > 1:
        return CombinedVariant(tuple(parts))
    return parts[0] if parts else None
