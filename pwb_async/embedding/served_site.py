"""A site that is served for a test: it records the requests, and injects faults into the responses."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple, Unpack

from pwb_async.config.keywords import Root
from pwb_async.config.options import ConfigError
from pwb_async.config.package_files import directory_of
from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request
from pwb_async.runtime.context import ServerContext
from pwb_async.server.server import Server as LoopServer

from .blocking import on_thread
from .faults import Fault, path_of
from .faulty_protocol import FaultyServer
from .keywords import EMBEDDED, Keywords, settings_of
from .server import Server

_NO_FILES: Final[Mapping[str, str | bytes]] = MappingProxyType({})
_DEFAULTS: Final = {**EMBEDDED, "cache": 0, "grace_period": 0.0, "http2": False}
"""Defaults for tests: files may change, a test does not wait at its end, and faults are those of HTTP/1.1."""


class RecordedRequest(NamedTuple):
    """A request that a client has sent."""

    method: str
    path: str
    """The decoded path, such as "/data/a b.json"."""
    query: str | None
    """The query as it was sent, without its question mark; None if there is none."""
    fields: Mapping[str, str]
    """The values of the fields by their lower-case names; several field lines are joined by ", "."""
    version: str
    """The version of HTTP, such as "1.1"."""
    client: str
    """The address of the client."""


def _recorded(client: str, request: Request) -> RecordedRequest:
    query = request.target.query
    return RecordedRequest(
        request.method.decode("ascii"),
        path_of(request),
        None if query is None else query.decode("latin-1"),
        {name.decode("ascii"): (request.fields.get(name) or b"").decode("latin-1") for name in request.fields},
        ".".join(map(str, request.version)),
        client,
    )


class RecordingServer(Server):
    """A server that records requests and injects faults."""

    requests: list[RecordedRequest]
    """The requests so far."""
    faults: list[Fault]
    """The faults that are injected."""
    injects: bool
    """Whether it can inject faults, which the protocols beside HTTP/1.1 cannot."""

    def _make_server(self, context: ServerContext) -> LoopServer:
        resolve = context.resolve_client or context.proxies

        def record(peer: str, event: Request | BadRequest) -> str:
            client = peer if resolve is None else resolve(peer, event)
            if isinstance(event, Request):
                self.requests.append(_recorded(client, event))
            return client

        context = context._replace(resolve_client=record)
        self.injects = not (context.speaks_http2 or context.options.proxy_protocol)
        return FaultyServer(context, self.faults) if self.injects else super()._make_server(context)


class ServedSite:
    """A site that is being served on a thread of its own, until the test ends."""

    url: str
    """The URL of the site, such as "http://127.0.0.1:40123/"."""
    port: int
    """The port."""
    root: Path
    """The directory that is served. Its files may be changed, which the next request sees."""
    requests: list[RecordedRequest]
    """The requests, in the order in which they arrived. A request is recorded before its response is sent; one that is
    invalid is not."""
    faults: list[Fault]
    """The faults that inject() has added. Those that are removed end: faults.clear() heals the site."""

    def __init__(self, root: str, server: "RecordingServer") -> None:
        self.url, self.port = server.url, server.port or 0
        self.root = Path(root)
        self.requests, self.faults = server.requests, server.faults
        self._server = server

    def inject(
        self,
        path: str = "*",
        *,
        delay: float = 0.0,
        status: int | None = None,
        fields: Mapping[str, str] | None = None,
        content: str | bytes | None = None,
        truncate: int | None = None,
        reset: bool = False,
        times: int | None = None,
    ) -> Fault:
        """Let requests meet a fault from now on; if several concern a request, it meets the first.

        Args:
            path: A glob that the decoded path matches, such as "/data/*.json".
            delay: Seconds after which the response begins.
            status: Its status code, with a short text in place of the file.
            fields: Further fields of a response with such a status, such as {"Retry-After": "1"}, or others in place of
                its own.
            content: Its content in place of that text.
            truncate: Bytes of content after which the connection ends, although the response promises more.
            reset: Reset the connection, after these bytes, else before the response begins.
            times: How many requests it concerns; None for any number.

        Raises ValueError for what no fault can be, RuntimeError if the site speaks more than HTTP/1.1.
        """
        if not self._server.injects:
            raise RuntimeError("faults are those of HTTP/1.1 alone: leave out http2 and proxy_protocol")
        fault = Fault(
            path=path,
            delay=delay,
            status=status,
            fields=dict(fields or {}),
            content=content,
            truncate=truncate,
            reset=reset,
            times=times,
        )
        self.faults.append(fault)
        return fault


class SiteFactory:
    """Serves sites, each with a server of its own, until close().

    Args:
        make_directory: Makes an empty directory, for a site that is given as a dict.
    """

    def __init__(self, make_directory: Callable[[], Path]) -> None:
        self._make_directory = make_directory
        self._running = ExitStack()

    def __call__(self, root: Root | Mapping[str, str | bytes] = _NO_FILES, **keywords: Unpack[Keywords]) -> ServedSite:
        """Serve a directory, or the files of a dict: their content by their paths, such as {"a/b.txt": "text"}. Without
        it the site is an empty directory.

        The keyword arguments are those of running(). By default nothing is cached, a response that is under way at the
        end is aborted, and HTTP/2 is not spoken. With http2 or proxy_protocol requests are recorded, but no faults are
        injected.
        """
        directory = self._write(root) if isinstance(root, Mapping) else directory_of(root)
        server = RecordingServer.of(settings_of(directory, keywords, defaults=_DEFAULTS))
        server.requests, server.faults = [], []
        self._running.enter_context(on_thread(server, keywords.get("loop")))
        return ServedSite(directory, server)

    def _write(self, files: Mapping[str, str | bytes]) -> str:
        root = self._make_directory()
        for name, content in files.items():
            path = root / name
            if path == root or not path.is_relative_to(root) or ".." in path.parts:
                raise ConfigError(f"{name!r} is not the path of a file in the site.")
            if not isinstance(content, str | bytes):
                raise TypeError(f"the content of {name!r} is neither str nor bytes")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(root)

    def close(self) -> None:
        """End all servers."""
        self._running.close()
