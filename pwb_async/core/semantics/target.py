"""The parser of request targets (RFC 9112 3.2): decoded path segments that cannot lead out of the site."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias
from urllib.parse import quote_from_bytes, unquote_to_bytes

from .grammar import BAD_ESCAPE, C1_CONTROL, HOST, PLAIN_PATH, TARGET, UNESCAPED

PATH_SAFE: Final = "!$&'()*+,;=:@~"
"""Characters that a path segment may contain as they are (pchar, RFC 3986 3.3), beside letters, digits and "-._"."""


@dataclass(slots=True)
class Target:
    """A valid request target. Its attributes never change; it is not frozen, as that would take 0.4 us more to make."""

    segments: tuple[bytes, ...] = ()
    """The segments of the path, percent-decoded, after "", "." and ".." were resolved."""
    trailing_slash: bool = True
    """Whether the path ends in a slash once it is resolved, so that it names a directory."""
    query: bytes | None = None
    """The query as received, without its question mark; None if there is none."""
    authority: bytes | None = None
    """The authority of an absolute-form target, which replaces Host (RFC 9112 3.2.2)."""
    asterisk: bool = False
    """Whether the target is "*", the server as a whole (RFC 9110 9.3.7)."""
    unescaped: bool = False
    """Whether it contains bytes that had to be percent-encoded; the response redirects to `location` (RFC 9112 3.2)."""
    cache_key: bytes = b""
    """A key that is equal for targets that select the same file; b"" for one that can select none."""

    @property
    def location(self) -> bytes:
        """The target as a value of Location, percent-encoded where necessary.

        It begins with exactly one slash, so that it cannot name another host (hazard C9).
        """
        names = [quote_from_bytes(segment, PATH_SAFE).encode() for segment in self.segments]
        path = b"/" + b"/".join(names) + (b"/" if self.trailing_slash and names else b"")
        return path if self.query is None else path + b"?" + escape_query(self.query)

    def directory_location(self, relative: bool = False) -> bytes:
        """The value of Location for this target with a slash appended.

        A relative one (RFC 3986 5.2) begins with "./", because a name with a colon would be read as a scheme.
        """
        segments = self.segments[-1:] if relative else self.segments
        location = replace(self, trailing_slash=True, segments=segments).location
        return b"." + location if relative else location


TargetKey: TypeAlias = Callable[[Target], bytes]
"""A pure function that returns equal keys for targets that select the same representation."""


def escape_query(query: bytes) -> bytes:
    """A query with the bytes beyond US-ASCII percent-encoded, as a URI has to have them (RFC 3986 2.1)."""
    return UNESCAPED.sub(_escape, query)


def host_name(authority: bytes | None) -> bytes:
    """The host of an authority in lower case, without its port or a dot at its end; b"" if there is none."""
    whole = (authority or b"").lower()
    host, colon, port = whole.rpartition(b":")
    return (host if colon and (port.isdigit() or not port) else whole).removesuffix(b".")


def canonical_host(host: bytes) -> bytes:
    """A host that host_name() returned, with an IPv6 address in its canonical form (RFC 5952)."""
    if host[:1] != b"[":
        return host
    from ipaddress import IPv6Address  # imported here because it takes 1 ms at start

    try:
        return b"[%s]" % IPv6Address(host[1:-1].decode()).compressed.encode()
    except ValueError:  # an address of a later version of IP
        return host


def valid_host(value: bytes) -> bool:
    """Whether a value of Host is a valid host with an optional port up to 65535 (RFC 9110 7.2, hazard B7)."""
    match = HOST.fullmatch(value)
    if match is None or int(match["port"] or 0) > 65535:
        return False
    if match["ipv6"]:
        from ipaddress import IPv6Address  # imported here because it takes 1 ms at start

        try:
            IPv6Address(match["ipv6"].decode())
        except ValueError:
            return False
    return True


def parse_target(method: bytes, raw: bytes) -> Target | str:
    """The target of a request with `method`, or the reason why `raw` is not a valid one.

    Bytes beyond US-ASCII are accepted with GET and HEAD only: they are answered with a redirect, and a client may
    change any other method to GET when it follows one (RFC 9110 15.4.2).
    """
    if raw == b"*":
        return Target(asterisk=True) if method == b"OPTIONS" else "asterisk-form is for OPTIONS only"
    if method == b"CONNECT":
        return "this server is no proxy"
    if PLAIN_PATH.fullmatch(raw):
        path = raw[1:]
        return Target(tuple(path.split(b"/")), trailing_slash=False, cache_key=path)
    if not TARGET.fullmatch(raw) or not (raw.isascii() or (method in (b"GET", b"HEAD") and _is_text(raw))):
        return "the target holds a character that must be escaped"
    if raw[:1] == b"/":
        return _parse_path(raw, None)
    scheme, colon, rest = raw.partition(b"://")
    if not colon or scheme.lower() not in (b"http", b"https"):
        return "the target is neither a path nor an http URI"
    end = min((index for index in (rest.find(b"/"), rest.find(b"?")) if index >= 0), default=len(rest))
    authority, path = rest[:end], rest[end:]
    if not valid_host(authority):
        return "the target's authority is invalid"
    if not path and method == b"OPTIONS":
        return Target(authority=authority, asterisk=True)
    return _parse_path(path if path[:1] == b"/" else b"/" + path, authority)


def _is_text(raw: bytes) -> bool:
    """Whether `raw` is UTF-8 without control characters."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return not C1_CONTROL.search(raw)


def _escape(byte: re.Match[bytes]) -> bytes:
    return b"%%%02X" % byte[0][0]


def _parse_path(raw: bytes, authority: bytes | None) -> Target | str:
    path, mark, query = raw.partition(b"?")
    if BAD_ESCAPE.search(path):
        return "% is not followed by two hexadecimal digits"
    segments: list[bytes] = []
    name = b""
    for encoded in path.split(b"/"):
        name = unquote_to_bytes(encoded) if b"%" in encoded else encoded
        if b"\0" in name:
            return "the path holds a NUL"
        if name == b"..":
            if not segments:
                return "the path leaves the site"
            segments.pop()
        elif name not in (b"", b"."):
            segments.append(name)
    trailing_slash = name in (b"", b".", b"..")
    unescaped = not raw.isascii()
    # No file name contains a slash, so a segment with "%2F" selects no file.
    selects_file = not unescaped and b"/" not in b"".join(segments)
    return Target(
        segments=tuple(segments),
        trailing_slash=trailing_slash,
        query=query if mark else None,
        authority=authority,
        unescaped=unescaped,
        cache_key=b"/".join(segments) + (b"/" if trailing_slash else b"") if selects_file else b"",
    )
