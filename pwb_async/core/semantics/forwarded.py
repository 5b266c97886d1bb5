"""The client of a request that has reached the server through proxies (RFC 7239, and X-Forwarded-For before it).

Each proxy appends the address of its own peer, so the list is read from the right: as long as an address is that of a
trusted proxy, the one to its left is what this proxy has reported. The first that is not trusted is the client. What
stands further left may have been made up by the client. An entry that is no address ends the walk: then the client is
the last trusted proxy, since no further report can be believed.

X-Forwarded-For is preferred to Forwarded: most proxies write the former only, and pass on a Forwarded that a client has
made up. A proxy that writes Forwarded has to remove the other field.

Forwarded is split at each comma, even within a quoted string, so that a quotation mark which a client has sent cannot
hide what a proxy has written behind it.
"""

import re
from functools import lru_cache
from typing import Final

from .fields import Fields
from .networks import Networks, parse_address

_PARAMETER: Final = re.compile(rb'[ \t]*([A-Za-z]+)=(?:([^ \t";,]+)|"((?:[^"\\]|\\.)*)")[ \t]*')
_NODE: Final = re.compile(rb"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?")
"""An address with an optional port (RFC 7239 6), IPv6 in brackets."""
_BARE_IPV6: Final = re.compile(rb"[0-9A-Fa-f:.]+")
"""IPv6 without brackets, as X-Forwarded-For has it."""
_MAX_ENTRIES: Final = 64
"""Entries that are read, from the right."""


def client_of(peer: str, fields: Fields, trusted: Networks) -> str:
    """The address of the client, if the peer is a trusted proxy."""
    x_forwarded_for = fields.get(b"x-forwarded-for")
    return _walk(peer, fields.get(b"forwarded") if x_forwarded_for is None else None, x_forwarded_for, trusted)


def scheme_of(fields: Fields) -> bytes:
    """The scheme by which a client sent its request to a trusted proxy, in lower case; b"" if it is not reported.

    It is that of the last entry, which the proxy has written itself.
    """
    reported = fields.get(b"x-forwarded-proto")
    if reported is not None:
        return next(reversed(_members(reported)), b"").lower()
    forwarded = _members(fields.get(b"forwarded") or b"")
    return next((_parameters(each).get(b"proto", b"").lower() for each in reversed(forwarded)), b"")


@lru_cache(256)
def _walk(peer: str, forwarded: bytes | None, x_forwarded_for: bytes | None, trusted: Networks) -> str:
    client = peer
    for member in reversed(_members(x_forwarded_for or b"" if forwarded is None else forwarded)[-_MAX_ENTRIES:]):
        address = _address(member) if forwarded is None else _node(_parameters(member).get(b"for", b""))
        if address is None:
            return client
        client = address
        if client not in trusted:
            return client
    return client


def _members(value: bytes) -> list[bytes]:
    return [member for item in value.split(b",") if (member := item.strip(b" \t"))]


def _parameters(element: bytes) -> dict[bytes, bytes]:
    """The parameters of an element of Forwarded, by name in lower case; none if it is malformed."""
    parameters: dict[bytes, bytes] = {}
    for pair in element.split(b";"):
        match = _PARAMETER.fullmatch(pair)
        if match is None:
            return {}
        parameters[match[1].lower()] = match[2] or re.sub(rb"\\(.)", rb"\1", match[3] or b"")
    return parameters


def _address(member: bytes) -> str | None:
    return _parsed(member) if _BARE_IPV6.fullmatch(member) and member.count(b":") > 1 else _node(member)


def _node(node: bytes) -> str | None:
    """The address of a node, without its port; None for an obfuscated or unknown one."""
    match = _NODE.fullmatch(node)
    return None if match is None else _parsed(match[1] or match[2])


def _parsed(text: bytes) -> str | None:
    address = parse_address(text.decode())
    return None if address is None else str(address)
