"""A server in the running event loop of any program, that of asyncio or uvloop."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self, Unpack

from pwb_async.config.keywords import Root
from pwb_async.config.options import ConfigError
from pwb_async.runtime.context import ServerContext, StartupError
from pwb_async.server.server import Server as LoopServer

from .keywords import Keywords, Settings, settings_of


class Server:
    """A server of one directory in the running event loop.

        async with Server("site") as server:
            print(server.url)

    It changes nothing of the process or of the loop: it has no signal handlers, reads neither the environment nor
    sys.argv, and prints nothing. Several can run in one loop.

    Args:
        root: The directory to serve: a path, or files of an installed package (importlib.resources.files).
        keywords: The options of the command pwb, with "_" for "-", and the hooks guard, resolve_client and observers.
            port is 0 by default, which is any free port, and there is no access log.

    Raises:
        ConfigError: A value is wrong.
        TypeError: There is no such option.
    """

    def __init__(self, root: Root, **keywords: Unpack[Keywords]) -> None:
        if keywords.get("loop") is not None:
            raise ConfigError("argument loop: a Server runs in the event loop that is running.")
        self._prepare(settings_of(root, keywords))

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """A server with keyword arguments that have been checked."""
        server = cls.__new__(cls)
        server._prepare(settings)
        return server

    def _prepare(self, settings: Settings) -> None:
        self._settings = settings
        self._server: LoopServer | None = None
        self._serving: asyncio.Task[None] | None = None
        self._urls: tuple[str, ...] = ()
        self._port: int | None = None

    @property
    def url(self) -> str:
        """The URL of the site, such as "http://127.0.0.1:8888/"; "unix:PATH" on a Unix socket.

        It stays the same when the server has ended. Raises RuntimeError if it has not been started.
        """
        return self.urls[0]

    @property
    def urls(self) -> tuple[str, ...]:
        """The URL of the site at each address of the host. Raises RuntimeError as url does."""
        if not self._urls:
            raise RuntimeError("the server has not been started")
        return self._urls

    @property
    def port(self) -> int | None:
        """The port; None on a Unix socket. Raises RuntimeError as url does."""
        return self._port if self.urls else None

    async def start(self) -> None:
        """Begin to serve, and return as soon as connections are accepted.

        The directory, the sockets and the log are opened here, which blocks for some milliseconds. Raises
        StartupError; ConfigError for a mistake in a file of rules; RuntimeError if it has been started before.
        """
        if self._server is not None:
            raise RuntimeError("a server can be started only once")
        context = self._settings.open_context()
        try:
            self._server = self._make_server(context)
        except BaseException:
            context.close()
            raise
        self._urls = tuple(context.urls)
        address = context.sockets[0].getsockname()
        self._port = address[1] if isinstance(address, tuple) else None
        ready = asyncio.get_running_loop().create_future()
        self._serving = asyncio.create_task(self._serve(self._server, lambda: ready.set_result(None)))
        try:
            await asyncio.wait((ready, self._serving), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.close()
            raise
        if self._serving.done():
            self._serving.result()

    def _make_server(self, context: ServerContext) -> LoopServer:
        """The server of a context. A subclass may make another one."""
        return LoopServer(context)

    async def _serve(self, server: LoopServer, ready: Callable[[], None]) -> None:
        try:
            if server.context.tls is not None:
                server.state.start_task(server.watch_certificates())
            await server.serve(ready)
        except OSError as error:
            raise StartupError(f"cannot accept connections: {error.strerror or error}") from None
        finally:
            server.context.close()

    async def close(self) -> None:
        """Finish the responses under way, within grace_period, and end.

        If this is cancelled, the server aborts them and ends at once; then CancelledError is raised.
        """
        if self._server is None or self._serving is None:
            return
        cancelled = False
        if not self._server.stopping:
            self._server.shutdown()
        while not self._serving.done():
            try:
                await asyncio.wait((self._serving,))
            except asyncio.CancelledError:
                cancelled = True
                self.abort()
        if cancelled:
            raise asyncio.CancelledError
        if not self._serving.cancelled():
            self._serving.result()

    def abort(self) -> None:
        """Abort the responses under way, so that the server ends at once."""
        if self._server is not None:
            if not self._server.stopping:
                self._server.shutdown()
            self._server.shutdown()

    async def serve_forever(self) -> None:
        """Start, if that is still to be done, and serve until this is cancelled, or the server is closed elsewhere."""
        if self._serving is None:
            await self.start()
        try:
            if self._serving is not None:
                await asyncio.wait((self._serving,))
        finally:
            await self.close()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, whatever has happened inside."""
        await self.close()
