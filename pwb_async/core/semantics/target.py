"""From a request target (RFC 9112 3.2) to the names on the way to a file, with nothing left to trick a disk with."""

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from .grammar import BAD_ESCAPE, HOST, NO_TEXT, TARGET, UNESCAPED

PATH_SAFE: Final = "!$&'()*+,;=:@~"


@dataclass(frozen=True, slots=True)
class Target:
    """segments: decoded, without "", "." and "..". folder: the path ended in a slash. query: as sent, None if none.

    authority: of an absolute-form target; it takes the place of Host (RFC 9112 3.2.2). asterisk: "*", the server as
    a whole. unescaped: it was sent with text beyond US-ASCII that should have been escaped, and is answered with a
    redirect to `location` (RFC 9112 3.2). key: the same for all targets that ask for the same file, b"" for one that
    can ask for none.
    """

    segments: tuple[bytes, ...] = ()
    folder: bool = True
    query: bytes | None = None
    authority: bytes | None = None
    asterisk: bool = False
    unescaped: bool = False
    cache_key: bytes = b""

    @property
    def location(self) -> bytes:
        """This target for Location, properly escaped. It begins with exactly one slash, so it names no other host
        (hazard C9)."""
        names = [quote_from_bytes(segment, PATH_SAFE).encode() for segment in self.segments]
        path = b"/" + b"/".join(names) + (b"/" if self.folder and names else b"")
        return path if self.query is None else path + b"?" + UNESCAPED.sub(_escape, self.query)

    def as_folder(self, relative: bool = False) -> bytes:
        """The location of this target with a slash at its end. relative: from the target itself (RFC 3986 5.2); it
        begins with "./", as a colon in the name would make a scheme of it."""
        location = replace(self, folder=True, segments=self.segments[-1:] if relative else self.segments).location
        return b"." + location if relative else location


def valid_host(value: bytes) -> bool:
    """uri-host with an optional port below 65536 (RFC 9110 7.2, hazard B7)."""
    match = HOST.fullmatch(value)
    if match is None or int(match["port"] or 0) > 65535:
        return False
    if match["ipv6"]:
        from ipaddress import IPv6Address  # takes 1 ms, which a start is spared

        try:
            IPv6Address(match["ipv6"].decode())
        except ValueError:
            return False
    return True


def parse_target(method: bytes, raw: bytes) -> Target | str:
    """The Target, or in words why `raw` is none for `method`.

    Text that is not escaped is taken of GET and HEAD alone: a client may follow the redirect that answers it by GET,
    whatever its method was (RFC 9110 15.4.2).
    """
    if raw == b"*":
        return Target(asterisk=True) if method == b"OPTIONS" else "* goes with OPTIONS only"
    if method == b"CONNECT":
        return "this server is no proxy"
    if not TARGET.fullmatch(raw) or not (raw.isascii() or (method in (b"GET", b"HEAD") and _is_text(raw))):
        return "the target holds a character that must be escaped"
    if raw[:1] == b"/":
        return _parse_path(raw, None)
    scheme, colon, rest = raw.partition(b"://")
    if not colon or scheme.lower() not in (b"http", b"https"):
        return "the target is neither a path nor an http URI"
    end = min((at for at in (rest.find(b"/"), rest.find(b"?")) if at >= 0), default=len(rest))
    authority, path = rest[:end], rest[end:]
    if not valid_host(authority):
        return "the target's authority is invalid"
    if not path and method == b"OPTIONS":
        return Target(authority=authority, asterisk=True)
    return _parse_path(path if path[:1] == b"/" else b"/" + path, authority)


def _is_text(raw: bytes) -> bool:
    """UTF-8 without control characters."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return not NO_TEXT.search(raw)


def _escape(byte: re.Match[bytes]) -> bytes:
    return b"%%%02X" % byte[0][0]


def _parse_path(raw: bytes, authority: bytes | None) -> Target | str:
    path, mark, query = raw.partition(b"?")
    if BAD_ESCAPE.search(path):
        return "% is not followed by two hexadecimal digits"
    segments: list[bytes] = []
    name = b""
    for encoded in path.split(b"/"):
        name = unquote_to_bytes(encoded)
        if b"\0" in name:
            return "the path holds a NUL"
        if name == b"..":
            if not segments:
                return "the path leaves the site"
            segments.pop()
        elif name not in (b"", b"."):
            segments.append(name)
    folder = name in (b"", b".", b"..")
    unescaped = not raw.isascii()
    cache_key = b"" if unescaped or b"/" in b"".join(segments) else b"/".join(segments) + (b"/" if folder else b"")
    return Target(tuple(segments), folder, query if mark else None, authority, unescaped=unescaped, cache_key=cache_key)
