"""Requests that the server of an application has parsed, parsed once more by the rules of PWB.

A request is written as a head of HTTP/1.1 again and given to the parser of PWB's own server. So limits, faults and the
responses to them are the same, and what a careless server lets through is refused. A head that was parsed before is
found in the parser's cache.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pwb_async.core.events import BadRequest, Fault
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import FieldList, Request, Response
from pwb_async.core.semantics.target import PATH_SAFE, escape_query
from pwb_async.core.site.cache_policy import NO_CACHE
from pwb_async.core.site.error_pages import page_response
from pwb_async.core.site.responder import Responder

VERSIONS: Final = {"1": b"1.0", "1.0": b"1.0"}
"""The versions of HTTP that are not written as 1.1. HTTP/2 and HTTP/3 are, as their rules are those of 1.1 here."""
_HTTPS: Final = b"X-Forwarded-Proto: https\r\n"
"""The field by which the site gets to know the scheme (core/semantics/forwarded.py); its last line counts."""


def read_request(
    parser: RequestParser,
    method: bytes,
    target: bytes,
    version: bytes,
    fields: Iterable[tuple[bytes, bytes]],
    *,
    secure: bool,
) -> Request | BadRequest:
    """The request with these parts, or its fault.

    target: a path with its query, still percent-encoded. version: "1.0" or "1.1". secure: whether it was sent by https.
    """
    lines = [b"%s: %s\r\n" % (name, value) for name, value in fields]
    if secure:
        lines.append(_HTTPS)
    head = b"%s %s HTTP/%s\r\n%s\r\n" % (method, target, version, b"".join(lines))
    return parser.cache.get(head) or _parse(parser, head, len(lines))


def _parse(parser: RequestParser, head: bytes, field_lines: int) -> Request | BadRequest:
    if head.count(b"\r\n") != field_lines + 2:
        return parser.refuse(Fault(400, "a line break within a line"), head)
    return parser.parse_single(head) or parser.parse(head[:-2])


@lru_cache(64)
def mount_path(root_path: bytes) -> bytes:
    """The path at which an application is mounted, percent-encoded: "/static"; b"" for the root."""
    path = root_path.strip(b"/")
    return b"/" + quote_from_bytes(path, PATH_SAFE + "/").encode() if path else b""


def below(path: bytes, root_path: bytes) -> bytes:
    """The rest of a percent-encoded path behind that of the mount; the whole path if it is elsewhere.

    It is b"" for the path of the mount without a slash. A server may have left out the path of the mount, as one
    behind a proxy that removes it does.
    """
    parts = path.split(b"/")
    own = root_path.rstrip(b"/").count(b"/") + 1
    if unquote_to_bytes(b"/".join(parts[:own])) != root_path.rstrip(b"/"):
        return path
    return b"".join(b"/" + part for part in parts[own:])


def quoted(path: bytes) -> bytes:
    """A decoded path, percent-encoded, where the server keeps none as it was received."""
    return quote_from_bytes(path, PATH_SAFE + "/").encode()


def redirect_to_root(site: Responder, request: Request, mount: bytes, *, relative: bool) -> Response:
    """The response at the path of the mount itself: a redirect to the root, which ends in a slash.

    A method that is not redirected gets the response that it would get at the root. relative: whether Location is
    relative to the target (--relative-redirects).
    """
    if request.method not in (b"GET", b"HEAD") and isinstance(refused := site.locate(request), Response):
        return refused
    query = request.target.query
    location = b"./%s/" % mount.rpartition(b"/")[2] if relative else b"/"
    if query is not None:
        location += b"?" + escape_query(query)
    return site.finish(request, page_response(301, request.method, ((b"Location", location), NO_CACHE)))


def with_mount_path(fields: FieldList, mount: bytes) -> FieldList:
    """The fields of a redirect, whose Location begins with the path of the mount if it is a path."""
    return tuple([(name, mount + value if _is_path(name, value) else value) for name, value in fields])


def _is_path(name: bytes, value: bytes) -> bool:
    return name.lower() == b"location" and value[:1] == b"/" and value[:2] != b"//"
