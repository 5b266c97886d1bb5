"""One client on the event loop: asyncio calls in, the core decides, the writer sends.

What a request does, step by step:
  1. data_received hands the bytes to the Connection and asks for its events.
  2. What needs no disk is answered on the spot, without a task.
  3. Else one task a connection: find through aiofiles, reply, send with back-pressure, and on to the next event.
What bounds it: nothing is read while an answer waits for a slow reader and the pipeline is full; each state has one
deadline, which the server's sweep looks at a few times a second; a timer a request does not exist.
"""

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final, cast

from .core.connection import Connection, Waiting
from .core.deadline import NEVER, Deadline
from .core.exchange import Exchange
from .core.lookup import Broken, Lookup
from .core.messages import CLOSED, NEED_DATA, BadRequest, Event, Request, Response
from .writer import CutShortError, Writer

if TYPE_CHECKING:
    from .server import Server

logger: Final = logging.getLogger("pwb")


class HTTPProtocol(asyncio.Protocol):
    """deadline: when the server's sweep calls expire()."""

    __slots__ = (
        "_connection",
        "_deaf",
        "_peer",
        "_server",
        "_task",
        "_transport",
        "_unsent",
        "_writer",
        "deadline",
    )

    _transport: asyncio.Transport
    _writer: Writer

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._connection = Connection(server.setup.reader, server.setup.name)
        self._task: asyncio.Task[None] | None = None
        self._deaf = False
        self._unsent = 0
        self._peer = "-"
        self.deadline = Deadline(server.setup.timeouts)

    @property
    def idle_since(self) -> float | None:
        """Orders idle connections, the oldest first; None while anything is under way."""
        return self.deadline.at if self._connection.waiting is Waiting.IDLE and not self._writer.paused else None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._writer = Writer(self._transport)
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if peer else "-"
        if self._server.admit(self):
            self._wait()
        else:
            self._handle(self._connection.turn_away())
            self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        self._writer.lose()
        self._server.forget(self)

    def data_received(self, data: bytes) -> None:
        connection = self._connection
        connection.receive_data(data)
        if self._task is None and not self._writer.paused:
            self._advance()
        elif connection.crowded and not self._deaf:
            self._deaf = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """A client that has said everything still gets its whole answer (hazard A8): the transport stays open."""
        self._connection.receive_data(b"")
        if self._task is None and not self._writer.paused:
            self._advance()
        return True

    def pause_writing(self) -> None:
        self._writer.pause()
        self._unsent = self._transport.get_write_buffer_size()
        self.deadline.at = self._server.loop.time() + self._server.setup.timeouts.send

    def resume_writing(self) -> None:
        self._writer.resume()
        self.deadline.lift()
        if self._task is None:
            self._advance()

    def _advance(self) -> None:
        """Answers what has arrived, until more is needed, a task takes over or the peer is too slow."""
        while self._task is None and not self._writer.paused:
            event = self._connection.next_event()
            if event is NEED_DATA or event is CLOSED:
                self._wait()
                return
            self._handle(event)

    def _handle(self, event: Event) -> None:
        """Answers one event, at once or by a task."""
        if isinstance(event, BadRequest):
            self._answer(event, self._server.setup.site.refuse(event))
        elif isinstance(event, Request):
            answer = self._server.setup.site.locate(event)
            if isinstance(answer, Lookup):
                self.deadline.lift()
                self._task = self._server.loop.create_task(self._answer_from_disk(event, answer))
            else:
                self._answer(event, answer)

    def _answer(self, request: Request | BadRequest, response: Response) -> None:
        """Sends a response that is all bytes."""
        began = time.time()
        parts = self._connection.respond(request, response, began)
        self.deadline.lift()
        self._writer.write(b"".join(cast(list[bytes], parts)))
        self._server.observe(Exchange(self._peer, request, response.status, response.length, began, 0.0))

    async def _answer_from_disk(self, request: Request, lookup: Lookup) -> None:
        began, start = time.time(), self._server.loop.time()
        writer = self._writer
        response: Response | None = None
        writer.sent = 0
        try:
            finding = await self._server.files.find(lookup)
            if isinstance(finding, Broken):
                logger.error("%r: %s", lookup.path, finding.why)
            response = self._server.setup.site.reply(lookup, finding)
            parts = self._connection.respond(request, response, time.time())
            await writer.send(parts, self._server.files)
        except ConnectionError as error:
            logger.debug("%s: %s", self._peer, error)
            self.abort()
        except CutShortError as error:
            # The promised length cannot be kept: only the end of the connection tells the client so (hazard D1).
            logger.error("%r: content cut short: %s", lookup.path, error)
            self.abort()
        except Exception:
            logger.exception("a fault of this server")
            self.abort()
        finally:
            self._task = None
            if response is not None:
                response.close()
                duration = self._server.loop.time() - start
                sent = max(0, writer.sent - self._connection.head_length)
                self._server.observe(Exchange(self._peer, request, response.status, sent, began, duration))
        if not writer.closed:
            self._advance()

    def _hear(self) -> None:
        if self._deaf and not self._connection.crowded:
            self._deaf = False
            self._transport.resume_reading()

    def _wait(self) -> None:
        """Puts the deadline on what comes next, or goes the steps of the end (RFC 9112 9.6)."""
        waiting = self._connection.waiting
        if waiting is Waiting.NOTHING:
            self._transport.close()
            return
        self._hear()
        if self.deadline.watch(waiting, self._server.loop.time()) and waiting is Waiting.LINGER:
            self._transport.write_eof()

    def expire(self) -> None:
        """The deadline has passed."""
        if self._writer.paused:
            self._expire_sending()
            return
        self.deadline.at = NEVER
        event = self._connection.expire()
        if event is CLOSED:
            self._wait()
        else:
            self._handle(event)
            self._advance()

    def _expire_sending(self) -> None:
        """A slow reader may be slow, not dead: as long as it takes some bytes in each period, it goes on."""
        unsent = self._transport.get_write_buffer_size()
        if unsent < self._unsent:
            self._unsent = unsent
            self.deadline.at = self._server.loop.time() + self._server.setup.timeouts.send
        else:
            self._transport.abort()

    def stop(self) -> None:
        """The server stops: what is under way is finished, nothing else is begun (hazard F2)."""
        self._connection.last = True
        if self._task is None and not self._writer.paused and self._connection.quiet:
            self._transport.close()

    def abort(self) -> None:
        """Ends the connection without another byte."""
        self._writer.lose()
        self._transport.abort()
