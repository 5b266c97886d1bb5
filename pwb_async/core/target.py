"""From a request target (RFC 9112 3.2) to the names on the way to a file, with nothing left to trick a disk with."""

from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from .grammar import BAD_ESCAPE, HOST, TARGET

PATH_SAFE: Final = "!$&'()*+,;=:@~"


@dataclass(frozen=True, slots=True)
class Target:
    """segments: decoded, without "", "." and "..". folder: the path ended in a slash. query: as sent, None if none.

    authority: of an absolute-form target; it takes the place of Host (RFC 9112 3.2.2). asterisk: "*", the server as
    a whole. key: the same for all targets that ask for the same file, b"" for
    one that can ask for none.
    """

    segments: tuple[bytes, ...] = ()
    folder: bool = True
    query: bytes | None = None
    authority: bytes | None = None
    asterisk: bool = False
    key: bytes = b""

    @property
    def as_folder(self) -> bytes:
        """This target with a slash at its end, fit for Location: it starts with exactly one slash (hazard C9)."""
        path = b"".join(quote_from_bytes(segment, PATH_SAFE).encode() + b"/" for segment in self.segments)
        return b"/" + path + (b"" if self.query is None else b"?" + self.query)


def valid_host(value: bytes) -> bool:
    """uri-host with an optional port below 65536 (RFC 9110 7.2, hazard B7)."""
    match = HOST.fullmatch(value)
    if match is None or int(match["port"] or 0) > 65535:
        return False
    if match["ipv6"]:
        try:
            IPv6Address(match["ipv6"].decode())
        except ValueError:
            return False
    return True


def parse_target(method: bytes, raw: bytes) -> Target | str:
    """The Target, or in words why `raw` is none for `method`."""
    if raw == b"*":
        return Target(asterisk=True) if method == b"OPTIONS" else "* goes with OPTIONS only"
    if method == b"CONNECT":
        return "this server is no proxy"
    if not TARGET.fullmatch(raw):
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
    key = b"" if b"/" in b"".join(segments) else b"/".join(segments) + (b"/" if folder else b"")
    return Target(tuple(segments), folder, query if mark else None, authority, key=key)
