"""A server of ASGI without a network: it calls an application with one request, and keeps what that sends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote

from pwb_async.asgi.types import Message, Receive, Scope, Send

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
HOST = (b"host", b"h")


class Result(NamedTuple):
    """A response, as the messages had it."""

    status: int
    fields: dict[str, str]
    content: bytes


def scope_of(
    target: str = "/",
    *fields: tuple[bytes, bytes],
    method: str = "GET",
    root_path: str = "",
    host: Iterable[tuple[bytes, bytes]] = (HOST,),
    **more: Any,
) -> Scope:
    """The scope of a request, as uvicorn makes it. more: further keys; those with None are left out."""
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": root_path,
        "headers": [*host, *fields],
        "client": ("192.0.2.1", 12345),
        "server": ("192.0.2.2", 80),
    }
    return {name: value for name, value in {**scope, **more}.items() if value is not None}


class Exchange:
    """What one call of an application receives and sends."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.left = asyncio.Event()
        """Set when the client leaves."""
        self.room = asyncio.Event()
        """Cleared while the client reads nothing, so that send() waits after the message."""
        self.room.set()
        self._received = False

    async def receive(self) -> Message:
        if not self._received:
            self._received = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        await self.room.wait()

    @property
    def bodies(self) -> list[bytes]:
        return [message["body"] for message in self.sent if message["type"] == "http.response.body"]

    @property
    def is_complete(self) -> bool:
        return bool(self.sent) and not self.sent[-1].get("more_body", False)

    def result(self) -> Result:
        start, *bodies = self.sent
        assert start["type"] == "http.response.start"
        assert [body["type"] for body in bodies] == ["http.response.body"] * len(bodies)
        assert [body.get("more_body", False) for body in bodies] == [True] * (len(bodies) - 1) + [False]
        assert all(type(name) is type(value) is bytes and name == name.lower() for name, value in start["headers"])
        fields = {name.decode(): value.decode() for name, value in start["headers"]}
        assert len(fields) == len(start["headers"])
        return Result(start["status"], fields, b"".join(body["body"] for body in bodies))


async def ask(app: Application, target: str = "/", *fields: tuple[bytes, bytes], **more: Any) -> Result:
    """The response to one request; arguments as for scope_of()."""
    exchange = Exchange()
    await app(scope_of(target, *fields, **more), exchange.receive, exchange.send)
    return exchange.result()


@asynccontextmanager
async def started(app: Application) -> AsyncIterator[None]:
    """Runs an application from its startup to its shutdown, as a server does."""
    received: asyncio.Queue[Message] = asyncio.Queue()
    sent: asyncio.Queue[Message] = asyncio.Queue()
    scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.ensure_future(app(scope, received.get, sent.put))
    for kind in ("startup", "shutdown"):
        received.put_nowait({"type": f"lifespan.{kind}"})
        message = await asyncio.wait_for(sent.get(), 5)
        assert message == {"type": f"lifespan.{kind}.complete"}
        if kind == "startup":
            yield
    await task
