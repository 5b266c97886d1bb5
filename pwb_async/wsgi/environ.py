"""Requests as WSGI has them (PEP 3333)."""

from typing import Any
from urllib.parse import unquote_to_bytes

from pwb_async.application.requests import VERSIONS, below, quoted, read_request
from pwb_async.core.events import BadRequest
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import Request
from pwb_async.network.listeners import peer_address


def read_environ(environ: dict[str, Any], parser: RequestParser) -> Request | BadRequest:
    """The request that an environ describes. Its target is that beneath the mount."""
    names = [name for name in environ if name[:5] == "HTTP_"]
    names += [name for name in ("CONTENT_LENGTH", "CONTENT_TYPE") if environ.get(name)]
    fields = [(name.removeprefix("HTTP_").replace("_", "-").encode(), _encode(environ[name])) for name in names]
    return read_request(
        parser,
        _encode(environ["REQUEST_METHOD"]),
        raw_target(environ),
        VERSIONS.get(environ.get("SERVER_PROTOCOL", "").removeprefix("HTTP/"), b"1.1"),
        fields,
        secure=environ["wsgi.url_scheme"] == "https",
    )


def raw_target(environ: dict[str, Any]) -> bytes:
    """The path beneath the mount, percent-encoded, with the query.

    PATH_INFO is decoded, so a "%2F" can no longer be told from a slash. Most servers also have the target as it was
    received, which is taken if it is the same path.
    """
    mount, path = mount_of(environ), _encode(environ.get("PATH_INFO", ""))
    for name in ("REQUEST_URI", "RAW_URI"):
        raw, mark, query = _encode(environ.get(name, "")).partition(b"?")
        if raw[:1] == b"/" and unquote_to_bytes(raw) == mount + path:
            return (below(raw, mount) or b"/") + mark + query
    query = _encode(environ.get("QUERY_STRING", ""))
    return (quoted(path) or b"/") + (b"?" + query if query else b"")


def mount_of(environ: dict[str, Any]) -> bytes:
    """The path of the mount, decoded; b"" for the root."""
    return _encode(environ.get("SCRIPT_NAME", "")).rstrip(b"/")


def names_mount(environ: dict[str, Any]) -> bool:
    """Whether the path of a request is that of the mount, without the slash that a directory has."""
    return not environ.get("PATH_INFO") and bool(mount_of(environ))


def peer_of(environ: dict[str, Any]) -> str:
    """The address of the peer; "-" where there is none, as on a Unix socket."""
    address = environ.get("REMOTE_ADDR")
    return peer_address((address,) if address else None)


def _encode(text: str) -> bytes:
    """A text of WSGI, each character of which is a byte."""
    return text.encode("latin-1", "replace")
