"""The responses under way on an HTTP/2 connection: they are written together, and files are read when it is their turn.

The connection decides which response is next, and how much of it the windows allow (core/http2/sending.py). Where part
of a file has to be read first, a piece as large as the windows allow is read: at once if it is in the page cache,
otherwise in a thread, while other responses go on. A piece is kept until it is sent, and each of at most two open files
has one. So a client cannot make the server keep more, whatever its windows are.
"""

import logging
from typing import Final, cast

from pwb_async.core.deadlines import NEVER
from pwb_async.core.events import BadRequest
from pwb_async.core.http2.connection import HTTP2Connection
from pwb_async.core.http2.errors import ErrorCode
from pwb_async.core.http2.streams import Stream
from pwb_async.core.semantics.messages import FileSlice, Request, Response

from .connection_protocol import ConnectionProtocol
from .faults import contain
from .http2_readers import HTTP2Readers
from .response_cache import ResponseCache
from .state import ServerState

logger: Final = logging.getLogger("pwb")
MAX_FILES: Final = 2
"""Large files of one connection that are open at a time."""
MAX_BATCH: Final = 64 * 1024
"""Bytes that are written together; then other connections get their turn."""
_QUANTUM: Final = 16 * 1024
"""Bytes of an incremental response that are sent before the next one gets its turn."""
_MIN_PIECE: Final = 16 * 1024
"""Bytes of a file that are read at once at least, however small the windows are."""
_MAX_PIECE: Final = 256 * 1024
"""Bytes of a file that are read at once at most."""


class Answer:
    """A request whose response could not be sent at once."""

    __slots__ = ("cache", "client", "has_slot", "needs_file", "request", "response", "started_at", "stream")

    stream: Stream
    request: Request | BadRequest
    client: str
    """The address of the client; "" for the peer."""
    started_at: float
    """When the request was received, in seconds since the epoch."""
    cache: ResponseCache | None
    """The cache at that time. A reload makes another one, whose keys may be made of other fields."""
    response: Response | None
    """The response, once it has been begun."""
    has_slot: bool
    """Whether it counts as one of the open files."""
    needs_file: bool
    """Whether it was found to be a large file, and waits until it may be open."""

    def __init__(
        self,
        stream: Stream,
        request: Request | BadRequest,
        client: str,
        started_at: float,
        cache: ResponseCache | None,
    ) -> None:
        self.stream = stream
        self.request = request
        self.client = client
        self.started_at = started_at
        self.cache = cache
        self.response = None
        self.has_slot = self.needs_file = False


def urgency(answer: Answer) -> tuple[int, bytes]:
    """The place of an answer among those that wait."""
    return answer.stream.urgency, answer.stream.id


class HTTP2Transfer(ConnectionProtocol):
    """The responses under way on a connection, and how they are written."""

    __slots__ = ("_answers", "_connection", "_content_sent", "_files", "_out", "_progress", "_scheduled", "_waiting")

    _connection: HTTP2Connection

    def __init__(self, state: ServerState, readers: HTTP2Readers) -> None:
        super().__init__(state)
        context = state.context
        self._connection = HTTP2Connection(*readers.of(context.parser), context.server_field)
        self._answers: dict[bytes, Answer] = {}
        self._files = 0  # open files
        self._waiting: list[Answer] = []  # requests that wait for another lookup or file to end
        self._out: list[bytes | memoryview] = []  # frames to write at the end of the turn
        self._progress = NEVER  # when content was passed to the transport last, or had to wait first
        self._content_sent = 0  # bytes, without those of responses that were sent at once
        self._scheduled = False

    def _schedule(self) -> None:
        """Continue when other connections have had their turn."""
        if not self._scheduled:
            self._scheduled = True
            self._state.loop.call_soon(self._continue)

    def _continue(self) -> None:
        """Send what is due. No exception may leave this: its callers would log it and keep the connection open."""
        self._scheduled = False
        if not (self._writer.closed or self._writer.paused):
            contain(self, self._take_turn)  # type: ignore[arg-type]  # a subclass has what ServerConnection demands

    def _take_turn(self) -> None:
        """Send what is due. To be overridden."""
        raise NotImplementedError

    def _flush(self) -> None:
        """Write what has been collected, all of it at once."""
        self._collect()
        if self._out:
            out, self._out = self._out, []
            self._writer.write((b"".join(out),))

    def _collect(self) -> None:
        """Put the frames of the connection behind those that are collected: RST_STREAM ends what was sent before it."""
        if self._connection.output:
            self._out += self._connection.output
            self._connection.output = []

    def _send_content(self) -> bool:
        """Collect what the windows and one turn allow of the responses that wait; return whether there may be more."""
        connection, out, size = self._connection, self._out, 0
        while size < MAX_BATCH and (stream := connection.next_stream()) is not None:
            part = stream.next_slice
            if part is not None and not (self._reopen(stream) if stream.parked else self._read(stream, part)):
                continue
            unsent = stream.unsent
            out += connection.take(stream, _QUANTUM if stream.incremental else MAX_BATCH)
            size += unsent - stream.unsent
            if not stream.unsent:
                self._complete(stream)
        if size:
            self._progress = self._state.clock()
            self._content_sent += size
        return size >= MAX_BATCH

    def _complete(self, stream: Stream) -> None:
        """Report a response that has been sent whole."""
        self._finish(self._answers.pop(stream.id))
        self._resume_waiting()

    def _finish(self, answer: Answer) -> None:
        """End the work for a response that was sent, whole or in part."""
        response = answer.response
        if response is not None:
            if not answer.stream.working:  # a thread reads its file, and closes it (_read_in_thread)
                response.close()
                answer.response = None
            sent = response.length - answer.stream.unsent
            self._report(answer.client, answer.request, response.status, sent, answer.started_at)
        self._release_slot(answer)

    def _drop_ended(self) -> None:
        """End the work for streams that were reset.

        All of them first, so that none gets the place of another one and comes to life again.
        """
        while self._connection.ended:
            ended, self._connection.ended = self._connection.ended, []
            dropped = [answer for stream in ended if (answer := self._answers.pop(stream.id, None)) is not None]
            for answer in dropped:
                if answer in self._waiting:
                    self._waiting.remove(answer)
                    self._connection.end_work(answer.stream)
            for answer in dropped:
                self._finish(answer)
            if not self._writer.closed:
                self._resume_waiting()

    def _release_slot(self, answer: Answer) -> None:
        if answer.has_slot:
            answer.has_slot = False
            self._files -= 1

    def _reopen(self, stream: Stream) -> bool:
        """Let a stream wait until its file may be open again; return False."""
        answer = self._answers[stream.id]
        answer.needs_file = stream.working = True
        self._waiting.append(answer)
        if self._files >= MAX_FILES:
            self._park_one()
        self._resume_waiting()
        return False

    def _park_one(self) -> bool:
        """Close the file of a response whose window is closed, so that another one can be opened.

        Otherwise two videos that are not played on would hold up all other large files of a page. It must have an
        entity tag, by which the same version of the file is known when it is opened again.
        """
        for answer in self._answers.values():
            stream, response = answer.stream, answer.response
            if answer.has_slot and response is not None and stream.window <= 0 and not stream.working:
                if b"ETag" not in dict(response.fields):
                    continue
                stream.replace_file(None)
                response.close()
                answer.has_slot = False
                self._files -= 1
                return True
        return False

    def _make_room(self) -> bool:
        """Let a request that waits for a file go on in the place of a response without a window, if there is one."""
        wanted = self._files >= MAX_FILES and any(answer.needs_file for answer in self._waiting)
        if not (wanted and self._park_one()):
            return False
        self._resume_waiting()
        return True

    def _go_on(self, answer: Answer, begun: Response, response: Response) -> None:
        """Go on with a response whose file was closed meanwhile, if it would still be the same."""
        self._connection.end_work(answer.stream)
        files = [part.file for part in response.parts if isinstance(part, FileSlice)]
        if files and (begun.status, begun.fields) == (response.status, response.fields):
            answer.response = response
            answer.stream.replace_file(files[0])
            self._connection.queue(answer.stream)
            self._schedule()
        else:
            response.close()
            self._cut_short(answer.stream, "the file has changed")

    def _resume_waiting(self) -> None:
        """Go on with requests that wait for an open file to be closed. To be overridden."""
        raise NotImplementedError

    def _read(self, stream: Stream, part: FileSlice) -> bool:
        """Read the next piece of a file if it is in the page cache, and return True; otherwise let a thread do it."""
        room = min(stream.window, self._connection.window)
        size = min(part.length, _MAX_PIECE, max(room, _MIN_PIECE))
        if not part.file.in_page_cache(part.start, size):
            stream.working = True
            self._state.loop.create_task(self._read_in_thread(self._answers[stream.id], part, size))
            return False
        buffer = memoryview(bytearray(size))
        try:
            count = part.file.read_into(buffer, part.start)
        except OSError as error:
            self._cut_short(stream, error.strerror or "")
            return False
        return self._feed(stream, buffer[:count])

    async def _read_in_thread(self, answer: Answer, part: FileSlice, size: int) -> None:
        stream, buffer, fault, count = answer.stream, memoryview(bytearray(size)), "", 0
        try:
            count = await self._state.storage.read(part.file, part.start, buffer)
        except OSError as error:
            fault = error.strerror or "unreadable"
        except Exception:
            logger.exception("a fault of this server")
            self.abort()
            return
        finally:
            self._connection.end_work(stream)
            if answer.response is not None and stream.ended:
                answer.response.close()
        if stream.ended or self._writer.closed:
            return
        if fault:
            self._cut_short(stream, fault)
        elif self._feed(stream, buffer[:count]):
            self._connection.queue(stream)
        self._schedule()

    def _feed(self, stream: Stream, data: memoryview) -> bool:
        if not data:
            self._cut_short(stream, "the file has become shorter")
            return False
        stream.feed(data)
        return True

    def _cut_short(self, stream: Stream, reason: str) -> None:
        """Reset a stream whose promised length cannot be kept."""
        answer = self._answers[stream.id]
        request = cast(Request, answer.request)  # for others there is no file
        logger.error("%r: content cut short: %s", request.cache_key, reason)
        self._connection.cancel(stream, ErrorCode.INTERNAL_ERROR)
