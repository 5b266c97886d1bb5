"""The WSGI application: it waits for the disk in the thread in which its server calls it.

It has no cache of responses, which would need a thread of its own to stay fresh.
"""

import logging
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, Unpack, cast

from pwb_async.application.options import open_application
from pwb_async.application.requests import mount_path, redirect_to_root, with_mount_path
from pwb_async.config.keywords import Root
from pwb_async.config.options import ConfigError
from pwb_async.config.places import has_stores
from pwb_async.core.events import BadRequest
from pwb_async.core.http1.serializer import serialize_fields
from pwb_async.core.semantics.messages import REASONS, Request, Response
from pwb_async.core.site.access import Check
from pwb_async.embedding.keywords import Keywords
from pwb_async.observability.exchange import make_exchange
from pwb_async.observability.storage_log import StorageLog
from pwb_async.runtime.context import ServerContext

from .content import PIECE, Content, SentFile, slice_to_send
from .environ import mount_of, names_mount, peer_of, read_environ

logger: Final = logging.getLogger("pwb")
_WITHOUT: Final = (
    "cache", "cache_ttl", "disk_timeout", "store_ttl", "stale_if_error", "store_cache", "store_cache_size",
)  # fmt: skip
"""Options that have no meaning here."""


class StaticSite:
    """The files of a directory as a WSGI application; arguments and exceptions are those of pwb_async.asgi.StaticSite.

    With sendfile=False large files are not given to the server's wsgi.file_wrapper.
    """

    def __init__(self, root: Root, **keywords: Unpack[Keywords]) -> None:
        self._use(open_application(root, keywords, _WITHOUT))
        if has_stores(self._context.options):
            raise ConfigError("an object store can be served by pwb and in ASGI alone, whose event loop waits for it.")
        self._observers = self._context.all_observers
        self._storage_log = StorageLog()

    def _use(self, context: ServerContext) -> None:
        self._context, self._access_check = context, context.access_check

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
        """Respond to a request."""
        started_at = time.time()
        context = self._refresh()
        event = read_environ(environ, context.parser)
        client, response = self._respond(context, event, environ)
        fields = response.fields
        if 300 <= response.status < 400:
            fields = with_mount_path(fields, mount_path(mount_of(environ)))
        serialize_fields(fields)  # which checks them
        headers = [(name.decode(), value.decode("latin-1")) for name, value in fields]
        reason = REASONS.get(response.status, b"").decode()  # a guard may have a status that PWB has not
        start_response(f"{response.status} {reason}", headers)
        report = partial(self._report, client or peer_of(environ), event, response, started_at)
        if response.has_file:
            return self._content(response, environ, report)
        response.close()
        report(response.length)
        return list(cast("tuple[bytes, ...]", response.parts))

    def _refresh(self) -> ServerContext:
        """The configuration with the rules as they are by now."""
        context, now = self._context, time.monotonic()
        if context.rules_are_due(now) and (new := context.reload_rules(now)) is not None:
            self._use(new)
            return new
        return context

    def _respond(
        self, context: ServerContext, event: Request | BadRequest, environ: dict[str, Any]
    ) -> tuple[str, Response]:
        """The client, "" for the peer, and the response."""
        client, refusal = "", None
        if self._access_check is not None:
            client, refusal = self._access_check(peer_of(environ), event)
        if isinstance(event, BadRequest):
            return client, context.site.refuse(event)
        if isinstance(refusal, Check):
            refusal = refusal.run()
        if refusal is not None:
            return client, refusal
        if names_mount(environ):
            mount, relative = mount_path(mount_of(environ)), context.options.relative_redirects
            return client, redirect_to_root(context.site, event, mount, relative=relative)
        located = context.site.locate(event, client)
        if isinstance(located, Response):
            return client, located
        finding = context.storage.find(located)
        self._storage_log.report(located, finding)
        return client, context.site.reply(located, finding)

    def _content(self, response: Response, environ: dict[str, Any], report: Callable[[int], object]) -> Iterable[bytes]:
        """The content of a response with files; sent from the kernel, where the server can do that."""
        wrapper, part = environ.get("wsgi.file_wrapper"), slice_to_send(response)
        if wrapper is not None and part is not None and self._context.options.sendfile:
            return cast("Iterable[bytes]", wrapper(SentFile(part, response, report), PIECE))
        return Content(response, report)

    def _report(
        self, client: str, event: Request | BadRequest, response: Response, started_at: float, sent: int
    ) -> None:
        for observe in self._observers:
            observe(make_exchange(client, event, response.status, sent, started_at, response))
