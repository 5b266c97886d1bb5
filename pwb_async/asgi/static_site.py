"""The ASGI application: it has no address of its own, and answers what the server that runs it passes on.

    app = Starlette(routes=[Mount("/static", StaticSite("public"))])

Each event loop in which it is called has a cache and threads for it. They begin with the server's lifespan, or with the
first request, as a mounted application sees no lifespan; and end with the lifespan, or by close().
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Final, Self, Unpack

from pwb_async.application.options import open_application
from pwb_async.config.keywords import Root
from pwb_async.embedding.keywords import Keywords
from pwb_async.runtime.context import StartupError

from .running_site import RunningSite
from .types import Receive, Scope, Send

_WITHOUT: Final = ("sendfile",)
"""Options that have no meaning here: an ASGI application does not see the socket."""


class StaticSite:
    """The files of a directory as an ASGI application.

    Args:
        root: The directory to serve: a path, or files of an installed package (importlib.resources.files).
        keywords: The options of the command pwb, with "_" for "-", and the hooks guard, resolve_client and observers,
            but for the options of which the server decides: addresses, TLS, processes, logs, timeouts, connections.

    Raises:
        ConfigError: A value is wrong.
        StartupError: The directory cannot be served.
        TypeError: There is no such option.
    """

    def __init__(self, root: Root, **keywords: Unpack[Keywords]) -> None:
        self._context = open_application(root, keywords, _WITHOUT)
        self._sites: dict[asyncio.AbstractEventLoop, RunningSite] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what the server passes on: a request, its lifespan, or a WebSocket, which is refused.

        Raises ValueError for another type of scope, as ASGI demands.
        """
        kind = scope["type"]
        if kind == "http":
            await self._site().respond(scope, receive, send)
        elif kind == "lifespan":
            await self._live(receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close"})
        else:
            raise ValueError(f"a scope of the type {kind!r}")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self._site()
        except StartupError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _site(self) -> RunningSite:
        """The site in the running loop. Raises StartupError."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # Hypercorn can have a loop of trio
            raise StartupError("StaticSite needs an event loop of asyncio or uvloop") from None
        return self._sites.get(loop) or self._begin(loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> RunningSite:
        for other in list(self._sites):
            if other.is_closed() and (abandoned := self._sites.pop(other, None)) is not None:
                abandoned.abandon()
        site = self._sites[loop] = RunningSite(self._context)
        return site

    async def close(self) -> None:
        """End the threads in the running loop. A later request begins anew."""
        site = self._sites.pop(asyncio.get_running_loop(), None)
        if site is not None:
            await site.end()

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """The lifespan of an application in which the site is mounted, for its argument `lifespan`. app: not used."""
        async with self:
            yield

    async def __aenter__(self) -> Self:
        """Begin in the running loop, for an application that is mounted and sees no lifespan."""
        self._site()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()
