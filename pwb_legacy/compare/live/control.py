"""The endpoint that the page's buttons call: POST /TOKEN/ACTION or /TOKEN/ACTION/VALUE, on loopback.

No other page can press a button: the path needs the token, Host must be this address (a rebound name has another), and
Origin must be that of the lesson's page.
"""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from pwb_async.core.events import NEED_DATA
from pwb_async.core.http1.connection import Connection
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http1.parser import RequestParser
from pwb_async.core.semantics.messages import FieldList, Request, Response

Press = Callable[[str, str], Awaitable[bool]]
"""Does what a button says: an action and its value, which may be empty. False: there is no such button."""
_SECONDS: Final = 10.0
"""For a whole exchange; taking 900 clients away takes a moment."""
_AT_ONCE: Final = 16
"""Connections at most; more are closed at once."""
_LIMITS: Final = Limits(request_line=200, head=4096, content=0, requests=1)


class Control:
    """The endpoint. origin: of the page, as browsers send it."""

    address: str
    """Host and port where it listens."""

    def __init__(self, token: str, origin: str, press: Press) -> None:
        self._token, self._origin, self._press = token.encode(), origin.encode(), press
        self._parser = RequestParser(_LIMITS)
        self._tasks: set[asyncio.Task[None]] = set()
        self._presses: set[asyncio.Task[bool]] = set()

    async def start(self) -> None:
        """Listen on any free port of 127.0.0.1."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.address = f"{host}:{port}"

    async def close(self) -> None:
        """Listen no more, and end the exchanges; a press that has begun is finished."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._presses, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= _AT_ONCE:
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one response."""
        connection = Connection(self._parser)
        with suppress(OSError, TimeoutError):
            try:
                async with asyncio.timeout(_SECONDS):
                    while (event := connection.next_event()) is NEED_DATA:
                        connection.receive_data(await reader.read(4096))
                    if isinstance(event, Request):
                        status = await self._status(event)
                        fields: FieldList = ((b"Access-Control-Allow-Origin", self._origin), (b"Vary", b"Origin"))
                        parts = connection.respond(event, Response(status, fields), time.time())
                        writer.write(b"".join(part for part in parts if isinstance(part, bytes)))
                        await writer.drain()
                        writer.write_eof()
                        await reader.read(4096)
            finally:
                writer.close()

    async def _status(self, request: Request) -> int:
        if request.method != b"POST":
            return 405
        token, *words = request.target.segments or (b"",)
        allowed = (
            hmac.compare_digest(token, self._token)
            and request.fields.host == self.address.encode()
            and request.fields.get(b"origin") == self._origin
        )
        if not allowed:
            return 403
        action, value = (*(word.decode("ascii", "replace") for word in words), "", "")[:2]
        return 204 if len(words) <= 2 and await self._finish(action, value) else 404

    async def _finish(self, action: str, value: str) -> bool:
        """Press a button. A press that has begun is finished, also when this exchange takes too long."""
        press = asyncio.ensure_future(self._press(action, value))
        self._presses.add(press)
        press.add_done_callback(self._presses.discard)
        return await asyncio.shield(press)
