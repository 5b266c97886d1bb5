"""The content of files as messages of ASGI.

Each message is a copy of a piece, since a server may keep it until the client reads. The next piece is read when send()
has returned, which waits as long as the server's buffer is full: so a slow client holds a piece or two.

A server may discard what is sent to a client that has left, without a word (uvicorn does). So it is asked meanwhile
whether the client is there: otherwise a file of 5 GB would be read to its end for none.
"""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self, cast

from pwb_async.core.semantics.messages import Response
from pwb_async.server.body_reader import BodyReader
from pwb_async.server.site_state import SiteState

from .types import Receive, Send


class Client:
    """The client as far as its server reports that it leaves, within a `with` block."""

    def __init__(self, state: SiteState, receive: Receive) -> None:
        self._receive = receive
        self._leaving = state.start_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    @property
    def has_left(self) -> bool:
        """Whether the client has left."""
        return self._leaving.done()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ask no longer."""
        self._leaving.cancel()
        if self._leaving.done() and not self._leaving.cancelled():
            self._leaving.exception()  # so that asyncio does not report it: the server has ended


async def send_files(response: Response, client: Client, send: Send, state: SiteState) -> int:
    """Send the parts of a response; return how many bytes were sent before the client has left.

    Raises TruncatedError.
    """
    left = response.length
    with suppress(OSError):  # by which servers report it since version 2.4 of ASGI
        for part in response.parts:
            reader = None if isinstance(part, bytes) else BodyReader(part, state.storage)
            while not client.has_left:
                piece = cast(bytes, part) if reader is None else bytes(await reader.read())
                await send({"type": "http.response.body", "body": piece, "more_body": left > len(piece)})
                left -= len(piece)
                await asyncio.sleep(0)  # send() may have given no other client its turn
                if reader is None or not reader.remaining:
                    break
    return response.length - left
