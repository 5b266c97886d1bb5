"""Requests and responses as ASGI has them."""

from typing import NamedTuple, cast

from pwb_async.application.requests import VERSIONS, below, mount_path, quoted, read_request, with_mount_path
from pwb_async.core.events import BadRequest
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.http1.serializer import serialize_fields
from pwb_async.core.semantics.messages import FieldList, Request, Response

from .types import Message, Scope


def read_scope(scope: Scope, parser: RequestParser) -> Request | BadRequest:
    """The request that a scope describes. Its target is that beneath the mount."""
    path, query, root_path = scope.get("raw_path"), scope["query_string"], scope.get("root_path")
    if path is None:
        path = quoted(scope["path"].encode("utf-8", "surrogateescape"))
    if root_path:
        path = below(path, root_path.encode()) or b"/"
    return read_request(
        parser,
        scope["method"].encode("latin-1", "replace"),
        b"%s?%s" % (path, query) if query else path,
        VERSIONS.get(scope["http_version"], b"1.1"),
        scope["headers"],
        secure=scope.get("scheme") == "https",
    )


def mount_of(scope: Scope) -> bytes:
    """The path of the mount, percent-encoded; b"" for the root."""
    root_path = scope.get("root_path")
    return mount_path(root_path.encode()) if root_path else b""


def names_mount(scope: Scope) -> bool:
    """Whether the path of a request is that of the mount, without the slash that a directory has."""
    mount = (scope.get("root_path") or "").rstrip("/")
    return bool(mount) and scope["path"] == mount


class PreparedMessages(NamedTuple):
    """A response as the messages of ASGI, but for its files."""

    headers: list[tuple[bytes, bytes]]
    """The fields, with names in lower case. A list of its own is sent, as middleware may change it."""
    body: bytes
    """The content, if all of it is in memory."""

    def start(self, status: int) -> Message:
        """The message with which a response starts."""
        return {"type": "http.response.start", "status": status, "headers": [*self.headers]}


def prepare(response: Response) -> Response:
    """The same response, with its messages prepared. Raises ValueError for an invalid field, as in HTTP/1.1 (C10)."""
    response.prepared = _make_messages(response, response.fields)
    return response


def messages_of(response: Response, mount: bytes) -> PreparedMessages:
    """The messages of a response. mount: the path of the mount, which a redirect within the site begins with.

    Raises ValueError as prepare() does.
    """
    if isinstance(response.prepared, PreparedMessages):  # from the cache, which keeps no redirects
        return response.prepared
    is_redirect = 300 <= response.status < 400
    return _make_messages(
        response, with_mount_path(response.fields, mount) if mount and is_redirect else response.fields
    )


def _make_messages(response: Response, fields: FieldList) -> PreparedMessages:
    serialize_fields(fields)  # which checks them
    body = b"" if response.has_file else b"".join(cast("tuple[bytes, ...]", response.parts))
    return PreparedMessages([(name.lower(), value) for name, value in fields], body)
