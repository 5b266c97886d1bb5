"""One client's side of the conversation, without a socket: RFC 9112 from the first byte to the last.

    receive_data(bytes)   what came from the peer; b"" is the end of what it sends
    next_event()          a Request or a BadRequest to answer, NEED_DATA, or CLOSED
    receive(bytes)        both in one, the short way for what mostly comes: one whole request
    respond(...)          the answer as parts to send in order; afterwards next_event() goes on
    waiting               what must come next; a driver puts a deadline on it and calls expire() when it has passed

The peer's faults are events with a status, never exceptions, so that a driver has no error branch. All bounds on
what is kept of a client's bytes are here; a driver only stops reading while `crowded`.
"""

from math import inf
from typing import Final

from pwb_async.core.events import CLOSED, NEED_DATA, BadRequest, ConnectionState, Event, Fault
from pwb_async.core.semantics.fields import CHUNKED
from pwb_async.core.semantics.messages import Part, Request, Response

from .chunked import ChunkedReader
from .parser import SEGMENT, RequestParser
from .serializer import prefix, write

_NOTHING_CHECKED: Final = (0, 0)
"""What RequestParser.check_partial() is given first."""


_HEAD: Final = ConnectionState.HEAD
_IDLE: Final = ConnectionState.IDLE
_RESPONDING: Final = ConnectionState.RESPONDING


class Connection:
    """A persistent connection. reader: shared by all connections of a server. server: the Server field's value.

    head_length: bytes of the head that respond() wrote last.
    idle: respond() knows that next_event() would only say NEED_DATA.
    last: set it to True and the next answer is the connection's last one (a server that stops).
    """

    __slots__ = (
        "_answered",
        "_at",
        "_blank_lines",
        "_budget",
        "_checked",
        "_chunks",
        "_data",
        "_eof",
        "_most",
        "_must_close",
        "_parser",
        "_server",
        "_skip",
        "close_after_response",
        "head_length",
        "idle",
        "state",
    )

    def __init__(self, parser: RequestParser, server: bytes = b"PWB") -> None:
        self._parser = parser
        self._server = server
        self._data = b""
        self._at = 0
        self._eof = False
        self._blank_lines = 0
        self._checked = _NOTHING_CHECKED
        self._chunks: ChunkedReader | None = None
        self._skip = 0
        self._must_close = False
        self._most = parser.limits.requests
        self._answered = 0
        self._budget = inf
        self.head_length = 0
        self.idle = False
        self.close_after_response = False
        self.state = ConnectionState.HEAD

    @property
    def input_full(self) -> bool:
        """So much waits behind the answer under way that nothing more should be read (hazard A14)."""
        return len(self._data) - self._at > self._parser.limits.pipelined

    def receive_data(self, data: bytes) -> None:
        """Takes what the peer sent; b"" says that it will send nothing more."""
        if not data:
            self._eof = True
        elif self.state is ConnectionState.LINGER or self.state is ConnectionState.CLOSED:
            self._budget -= len(data)
        elif self._at < len(self._data):
            self._data = self._data[self._at :] + data
            self._at = 0
        else:
            self._data = data
            self._at = 0

    def receive(self, data: bytes) -> Event:
        """receive_data() and next_event() in one: the short way for a whole request in one piece."""
        if not self._data and len(data) <= SEGMENT and (self.state is _IDLE or self.state is _HEAD):
            request = self._parser.cache.get(data) or self._parser.parse_single(data)
            if request is not None:
                self._blank_lines = 0
                self.state = _RESPONDING
                return request
        self.receive_data(data)
        return self.next_event()

    def next_event(self) -> Event:
        """What the bytes so far amount to. Raises RuntimeError while an answer is owed."""
        if self.state is _IDLE and not self._data and not self._eof:
            return NEED_DATA
        if self.state is ConnectionState.LINGER:
            return self._close() if self._eof or self._budget <= 0 else NEED_DATA
        if self.state is ConnectionState.CLOSED:
            return CLOSED
        if self.state is ConnectionState.RESPONDING:
            raise RuntimeError("respond() comes before the next event")
        if self._chunks is not None:
            return self._read_chunks(self._chunks)
        if self._skip and not self._skip_content():
            return self._close() if self._eof else NEED_DATA
        return self._read_head()

    def respond(self, request: Request | BadRequest, response: Response, now: float) -> list[Part]:
        """The answer, head and content, as it goes out. now: seconds since the epoch, for Date."""
        start = prefix(response.status, self._server, int(now))
        self._answered += 1
        if request.persistent and not (self._must_close or self.close_after_response or self._answered == self._most):
            self.state = ConnectionState.CONTENT if self._skip else _IDLE
            self.idle = not (self._skip or self._data or self._eof)
            if not request.minor:
                start += b"Connection: keep-alive\r\n"
        else:
            # A client that asked for the end has nothing more to say; any other could be cut off by a reset.
            asked = isinstance(request, Request) and not request.persistent
            unread = self._must_close or self._skip or self._at < len(self._data)
            self.state = ConnectionState.CLOSED if self._eof or (asked and not unread) else ConnectionState.LINGER
            self._data, self._at = b"", 0
            self.idle = False
            start += b"Connection: close\r\n"
        if response.serialized:
            self.head_length = len(start) + response.serialized_head_length
            return [start + response.serialized, *response.parts]
        parts, self.head_length = write(response, start)
        return parts

    @property
    def safe_to_close(self) -> bool:
        """Nothing of a request has come and no answer is owed: closing now loses nothing."""
        return self.state in (ConnectionState.HEAD, ConnectionState.IDLE) and self._at == len(self._data)

    def reject(self) -> BadRequest:
        """There is no room for this client (hazard A9): the event to answer, before anything is read."""
        return self._refuse(Fault(503, "too many connections"))

    def expire(self) -> Event:
        """The deadline on `waiting` has passed: a request that had begun is answered 408, silence ends in silence."""
        begun = self._chunks is not None or (self.state is ConnectionState.HEAD and self._at < len(self._data))
        return self._refuse(Fault(408, "the request took too long")) if begun else self._close()

    def _close(self) -> Event:
        self.state = ConnectionState.CLOSED
        self._data, self._at = b"", 0
        return CLOSED

    def _refuse(self, fault: Fault | BadRequest) -> BadRequest:
        """Nothing more is understood on this connection: one answer, then the end."""
        if isinstance(fault, BadRequest):
            bad = fault
        elif self._chunks is not None:
            request = self._chunks.request
            bad = BadRequest(*fault, request.line.raw, request.method, request.fields)
        else:
            bad = self._parser.refuse(fault, self._data[self._at :])
        self._budget = self._parser.limits.bad_head - (len(self._data) - self._at)
        self._chunks = None
        self._data, self._at = b"", 0
        self.state = ConnectionState.RESPONDING
        return bad

    def _give(self, request: Request) -> Request:
        self.state = ConnectionState.RESPONDING
        if self._at == len(self._data):
            self._data, self._at = b"", 0
        return request

    def _read_head(self) -> Event:
        data = self._data
        while data.startswith(b"\r\n", self._at):
            self._at += 2
            self._blank_lines += 1
            if self._blank_lines > self._parser.limits.blank_lines:
                return self._refuse(Fault(400, "empty lines instead of a request"))
        end = data.find(b"\r\n\r\n", self._at)
        if end < 0:
            return self._wait_for_head()
        request = self._parser.parse(data[self._at : end + 2])
        if isinstance(request, BadRequest):
            return self._refuse(request)
        self._at = end + 4
        self._blank_lines = 0
        self._checked = _NOTHING_CHECKED
        if request.fields.content_length == CHUNKED and not request.expects_continue:
            self._chunks = ChunkedReader(request, self._parser.limits)
            return self._read_chunks(self._chunks)
        if request.expects_continue or request.fields.content_length > self._parser.limits.content:
            # Nobody knows whether the content follows where the final answer came instead of 100 (RFC 9110 10.1.1).
            self._must_close = True
        else:
            self._skip = request.fields.content_length
        return self._give(request)

    def _wait_for_head(self) -> Event:
        self._data, self._at = self._data[self._at :], 0
        if not self._data:
            return self._close() if self._eof else NEED_DATA
        checked = self._parser.check_partial(self._data, *self._checked)
        if isinstance(checked, Fault):
            return self._refuse(checked)
        if self._eof:
            return self._refuse(Fault(400, "the request ends in the middle of its head"))
        self._checked = checked
        self.state = ConnectionState.HEAD
        return NEED_DATA

    def _skip_content(self) -> bool:
        """Throws away content of a known length; True when all of it has gone."""
        step = min(self._skip, len(self._data) - self._at)
        self._skip -= step
        self._at += step
        if self._skip == 0 and self.state is ConnectionState.CONTENT:
            self.state = ConnectionState.IDLE
        return self._skip == 0

    def _read_chunks(self, chunks: ChunkedReader) -> Event:
        """Chunks are checked to their end before the answer: what is invalid must never look like a request."""
        self.state = ConnectionState.CONTENT
        at = chunks.skip(self._data, self._at)
        if isinstance(at, Fault):
            return self._refuse(at)
        self._at = at
        if not chunks.done and not chunks.over_limit:
            return self._refuse(Fault(400, "the content ends in the middle")) if self._eof else NEED_DATA
        self._must_close = chunks.over_limit
        self._chunks = None
        return self._give(chunks.request)
