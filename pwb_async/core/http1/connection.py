"""The server's end of an HTTP/1.1 connection, without a socket (RFC 9112).

    receive_data(data)    takes received bytes; b"" means that the peer has closed its sending side
    next_event()          returns a Request or a BadRequest to respond to, NEED_DATA, or CLOSED
    receive(data)         does both, faster for the usual case of one whole request
    respond(...)          returns the response as parts to send in order; then next_event() continues
    state                 what the connection waits for; a server puts a deadline on it and calls expire() after that

Errors of the peer are events with a status, not exceptions, so that a server needs no second path for them. Every limit
on buffered bytes is enforced here; a server only has to stop reading while `input_full`.
"""

from math import inf
from typing import Final

from pwb_async.core.events import CLOSED, NEED_DATA, BadRequest, ConnectionState, Event, Fault
from pwb_async.core.semantics.fields import CHUNKED
from pwb_async.core.semantics.messages import HTTP_1_0, Part, Request, Response

from .chunked import ChunkedReader
from .parser import SEGMENT, RequestParser
from .serializer import prefix, serialize

_NOTHING_CHECKED: Final = (0, 0)
"""The first arguments of RequestParser.check_partial(), before any line has been checked."""
# Of a member of an Enum, CPython 3.11 looks up the attribute five times slower than a constant.
_HEAD: Final = ConnectionState.HEAD
_IDLE: Final = ConnectionState.IDLE
_CONTENT: Final = ConnectionState.CONTENT
_RESPONDING: Final = ConnectionState.RESPONDING
_LINGER: Final = ConnectionState.LINGER
_CLOSED: Final = ConnectionState.CLOSED


class Connection:
    """A persistent connection (RFC 9112 9).

    Args:
        parser: The parser of request heads, which other connections may share.
        server: The value of the field Server.
    """

    __slots__ = (
        "_buffer",
        "_checked",
        "_chunks",
        "_content_left",
        "_empty_lines",
        "_eof",
        "_linger_budget",
        "_max_responses",
        "_must_close",
        "_offset",
        "_parser",
        "_responses",
        "_server",
        "close_after_response",
        "head_length",
        "idle_and_empty",
        "state",
    )

    source: str = ""
    """The address of the client as the PROXY protocol names it; "" without it."""
    close_after_response: bool
    """Whether the next response is the last one; a server that shuts down sets it."""
    head_length: int
    """Bytes of the head that respond() returned last."""
    idle_and_empty: bool
    """Whether the last response left the connection IDLE with an empty buffer, so that next_event() would return
    NEED_DATA. It spares the server that call."""
    state: ConnectionState
    """What the connection waits for."""

    def __init__(self, parser: RequestParser, server: bytes = b"PWB") -> None:
        self._parser = parser
        self._server = server
        self._buffer = b""
        self._offset = 0
        self._eof = False
        self._empty_lines = 0
        self._checked = _NOTHING_CHECKED
        self._chunks: ChunkedReader | None = None
        self._content_left = 0
        self._must_close = False
        self._max_responses = parser.limits.requests
        self._responses = 0
        self._linger_budget = inf  # bytes that are discarded while it lingers; bounded only after a BadRequest
        self.head_length = 0
        self.idle_and_empty = False
        self.close_after_response = False
        self.state = _HEAD

    @property
    def input_full(self) -> bool:
        """Whether so much pipelined input is buffered behind a request that reading has to stop (hazard A14)."""
        return len(self._buffer) - self._offset > self._parser.limits.pipelined

    def receive_data(self, data: bytes) -> None:
        """Take bytes that were received; b"" means that the peer has closed its sending side."""
        if not data:
            self._eof = True
        elif self.state is _LINGER or self.state is _CLOSED:
            self._linger_budget -= len(data)
        elif self._offset < len(self._buffer):
            self._buffer = self._buffer[self._offset :] + data
            self._offset = 0
        else:
            self._buffer = data
            self._offset = 0

    def receive(self, data: bytes) -> Event:
        """Do receive_data() and next_event() in one call.

        The parser's cache is looked up first for data that is exactly one request, which is the usual case.
        """
        if not self._buffer and len(data) <= SEGMENT and (self.state is _IDLE or self.state is _HEAD):
            request = self._parser.cache.get(data) or self._parser.parse_single(data)
            if request is not None:
                self._empty_lines = 0
                self.state = _RESPONDING
                return request
        self.receive_data(data)
        return self.next_event()

    def next_event(self) -> Event:
        """Take the next event from the received bytes. Raises RuntimeError while a response is due."""
        if self.state is _IDLE and not self._buffer and not self._eof:
            return NEED_DATA
        if self.state is _LINGER:
            return self._close() if self._eof or self._linger_budget <= 0 else NEED_DATA
        if self.state is _CLOSED:
            return CLOSED
        if self.state is _RESPONDING:
            raise RuntimeError("next_event() was called before respond()")
        if self._chunks is not None:
            return self._read_chunks(self._chunks)
        if self._content_left and not self._skip_content():
            return self._close() if self._eof else NEED_DATA
        return self._read_head()

    def respond(self, request: Request | BadRequest, response: Response, now: float) -> list[Part]:
        """Begin a response: return all parts, in the order in which to send them. now: since the epoch, for Date."""
        start = prefix(response.status, self._server, int(now))
        self._responses += 1
        last = self._must_close or self.close_after_response or self._responses == self._max_responses
        if request.persistent and not last:
            self.state = _CONTENT if self._content_left else _IDLE
            self.idle_and_empty = not (self._content_left or self._buffer or self._eof)
            if request.version is HTTP_1_0:  # the parser's constant; comparing the tuples costs three times as much
                start += b"Connection: keep-alive\r\n"
        else:
            # Closing while data is unread resets the connection, and the client may lose the response (RFC 9112 9.6).
            # A client that asked to close sends nothing more, so unless it already has, there is no need to linger.
            client_closes = isinstance(request, Request) and not request.persistent
            unread = self._must_close or self._content_left or self._offset < len(self._buffer)
            done = self._eof or (client_closes and not unread)
            self.state = _CLOSED if done else _LINGER
            self._buffer, self._offset = b"", 0
            self.idle_and_empty = False
            start += b"Connection: close\r\n"
        if response.serialized:
            self.head_length = len(start) + response.serialized_head_length
            return [start + response.serialized, *response.parts]
        parts, self.head_length = serialize(response, start)
        return parts

    def use_parser(self, parser: RequestParser) -> None:
        """Parse the next request with another parser, such as one for a site that depends on other fields."""
        self._parser = parser

    @property
    def safe_to_close(self) -> bool:
        """Whether no request has begun and no response is due, so that closing the connection loses nothing."""
        return self.state in (_HEAD, _IDLE) and self._offset == len(self._buffer)

    def reject(self) -> BadRequest:
        """Refuse this client before anything is read, since the server is full (hazard A9)."""
        return self._refuse(Fault(503, "too many connections"))

    def expire(self) -> Event:
        """Act on the deadline, which has passed: 408 if a request has begun, else the end."""
        begun = self._chunks is not None or (self.state is _HEAD and self._offset < len(self._buffer))
        return self._refuse(Fault(408, "the request took too long")) if begun else self._close()

    def _close(self) -> Event:
        self.state = _CLOSED
        self._buffer, self._offset = b"", 0
        return CLOSED

    def _refuse(self, fault: Fault | BadRequest) -> BadRequest:
        """Make this the last event to respond to: where a request is invalid, the next one cannot be found."""
        if isinstance(fault, BadRequest):
            bad = fault
        elif self._chunks is not None:
            request = self._chunks.request
            bad = BadRequest(*fault, request.request_line, request.method, request.fields)
        else:
            bad = self._parser.refuse(fault, self._buffer[self._offset :])
        self._linger_budget = self._parser.limits.bad_head - (len(self._buffer) - self._offset)
        self._chunks = None
        self._buffer, self._offset = b"", 0
        self.state = _RESPONDING
        return bad

    def _emit(self, request: Request) -> Request:
        self.state = _RESPONDING
        if self._offset == len(self._buffer):
            self._buffer, self._offset = b"", 0
        return request

    def _read_head(self) -> Event:
        data = self._buffer
        while data.startswith(b"\r\n", self._offset):
            self._offset += 2
            self._empty_lines += 1
            if self._empty_lines > self._parser.limits.blank_lines:
                return self._refuse(Fault(400, "too many empty lines before a request"))
        end = data.find(b"\r\n\r\n", self._offset)
        if end < 0:
            return self._read_partial_head()
        request = self._parser.parse(data[self._offset : end + 2])
        if isinstance(request, BadRequest):
            return self._refuse(request)
        self._offset = end + 4
        self._empty_lines = 0
        self._checked = _NOTHING_CHECKED
        if request.fields.content_length == CHUNKED and not request.expects_continue:
            self._chunks = ChunkedReader(request, self._parser.limits)
            return self._read_chunks(self._chunks)
        if request.expects_continue or request.fields.content_length > self._parser.limits.content:
            # PWB never sends 100 (Continue), and after a final response a client may send the content or not (RFC 9110
            # 10.1.1), so the start of the next request cannot be found.
            self._must_close = True
        else:
            self._content_left = request.fields.content_length
        return self._emit(request)

    def _read_partial_head(self) -> Event:
        """Check the part of a head that has been received, so that a fault is answered before the deadline."""
        self._buffer, self._offset = self._buffer[self._offset :], 0
        if not self._buffer:
            return self._close() if self._eof else NEED_DATA
        checked = self._parser.check_partial(self._buffer, *self._checked)
        if isinstance(checked, Fault):
            return self._refuse(checked)
        if self._eof:
            return self._refuse(Fault(400, "the request ends within its head"))
        self._checked = checked
        self.state = _HEAD
        return NEED_DATA

    def _skip_content(self) -> bool:
        """Discard content whose length is known; return whether all of it has been received."""
        step = min(self._content_left, len(self._buffer) - self._offset)
        self._content_left -= step
        self._offset += step
        if self._content_left == 0 and self.state is _CONTENT:
            self.state = _IDLE
        return self._content_left == 0

    def _read_chunks(self, chunks: ChunkedReader) -> Event:
        """Check chunked content to its end before the response, so that invalid chunks cannot be read as a request."""
        self.state = _CONTENT
        offset = chunks.skip(self._buffer, self._offset)
        if isinstance(offset, Fault):
            return self._refuse(offset)
        self._offset = offset
        if not chunks.done and not chunks.over_limit:
            return self._refuse(Fault(400, "the request ends within its content")) if self._eof else NEED_DATA
        self._must_close = chunks.over_limit
        self._chunks = None
        return self._emit(chunks.request)
