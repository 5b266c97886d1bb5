"""A client of the event stream, without a browser."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.conformance.peer import Peer
from tests.conformance.wire import get

PATH = "/-/live-reload"
NAVIGATION = "Sec-Fetch-Mode: navigate"


class EventStream:
    """The events on a connection."""

    def __init__(self, peer: Peer, received: bytes = b"") -> None:
        self.peer = peer
        self._received = received

    async def next(self) -> dict[str, Any]:
        """The next event; fails if the stream ends before it."""
        while True:
            event, end, rest = self._received.partition(b"\n\n")
            if end:
                self._received = rest
                data = [line[6:] for line in event.split(b"\n") if line.startswith(b"data: ")]
                if data:
                    return json.loads(b"\n".join(data))  # type: ignore[no-any-return]
                continue
            received = await self.peer.read_at_least(1)
            assert received, "the stream has ended"
            self._received += received


@asynccontextmanager
async def event_stream(address: tuple[str, int]) -> AsyncIterator[EventStream]:
    """An event stream that has received its first event, so that no later change is missed."""
    async with Peer(address) as peer:
        await peer.send(get(PATH))
        stream = EventStream(peer, await peer.read_content_start())
        await stream.next()
        yield stream
