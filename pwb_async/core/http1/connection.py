"""One client's side of the conversation, without a socket: RFC 9112 from the first byte to the last.

    receive_data(bytes)   what came from the peer; b"" is the end of what it sends
    next_event()          a Request or a BadRequest to answer, NEED_DATA, or CLOSED
    receive(bytes)        both in one, the short way for what mostly comes: one whole request
    respond(...)          the answer as parts to send in order; afterwards next_event() goes on
    waiting               what must come next; a driver puts a deadline on it and calls expire() when it has passed

The peer's faults are events with a status, never exceptions, so that a driver has no error branch. All bounds on
what is kept of a client's bytes are here; a driver only stops reading while `crowded`.
"""

from enum import Enum
from math import inf
from typing import Final

from pwb_async.core.semantics.fields import CHUNKED
from pwb_async.core.semantics.messages import CLOSED, NEED_DATA, BadRequest, Event, Part, Request, Response

from .chunked import Chunks
from .limits import Fault
from .parser import SEGMENT, HeadReader, prefix, write

_NOTHING_CHECKED: Final = (0, 0)
"""What HeadReader.check() is given first."""


class Waiting(Enum):
    """What a connection waits for, and so which deadline holds."""

    HEAD = "a request head: the first, or one that has begun"
    IDLE = "the next request"
    CONTENT = "the rest of a request's content, to throw it away"
    ANSWER = "respond()"
    LINGER = "the peer to read our last answer and close (RFC 9112 9.6)"
    NOTHING = "nothing: close"


_HEAD: Final = Waiting.HEAD
_IDLE: Final = Waiting.IDLE
_ANSWER: Final = Waiting.ANSWER


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
        "_reader",
        "_server",
        "_skip",
        "head_length",
        "idle",
        "last",
        "waiting",
    )

    def __init__(self, reader: HeadReader, server: bytes = b"PWB") -> None:
        self._reader = reader
        self._server = server
        self._data = b""
        self._at = 0
        self._eof = False
        self._blank_lines = 0
        self._checked = _NOTHING_CHECKED
        self._chunks: Chunks | None = None
        self._skip = 0
        self._must_close = False
        self._most = reader.limits.requests
        self._answered = 0
        self._budget = inf
        self.head_length = 0
        self.idle = False
        self.last = False
        self.waiting = Waiting.HEAD

    @property
    def crowded(self) -> bool:
        """So much waits behind the answer under way that nothing more should be read (hazard A14)."""
        return len(self._data) - self._at > self._reader.limits.pipelined

    def receive_data(self, data: bytes) -> None:
        """Takes what the peer sent; b"" says that it will send nothing more."""
        if not data:
            self._eof = True
        elif self.waiting is Waiting.LINGER or self.waiting is Waiting.NOTHING:
            self._budget -= len(data)
        elif self._at < len(self._data):
            self._data = self._data[self._at :] + data
            self._at = 0
        else:
            self._data = data
            self._at = 0

    def receive(self, data: bytes) -> Event:
        """receive_data() and next_event() in one: the short way for a whole request in one piece."""
        if not self._data and len(data) <= SEGMENT and (self.waiting is _IDLE or self.waiting is _HEAD):
            request = self._reader.known.get(data) or self._reader.at_once(data)
            if request is not None:
                self._blank_lines = 0
                self.waiting = _ANSWER
                return request
        self.receive_data(data)
        return self.next_event()

    def next_event(self) -> Event:
        """What the bytes so far amount to. Raises RuntimeError while an answer is owed."""
        if self.waiting is _IDLE and not self._data and not self._eof:
            return NEED_DATA
        if self.waiting is Waiting.LINGER:
            return self._close() if self._eof or self._budget <= 0 else NEED_DATA
        if self.waiting is Waiting.NOTHING:
            return CLOSED
        if self.waiting is Waiting.ANSWER:
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
        if request.persistent and not (self._must_close or self.last or self._answered == self._most):
            self.waiting = Waiting.CONTENT if self._skip else _IDLE
            self.idle = not (self._skip or self._data or self._eof)
            if not request.minor:
                start += b"Connection: keep-alive\r\n"
        else:
            # A client that asked for the end has nothing more to say; any other could be cut off by a reset.
            asked = isinstance(request, Request) and not request.persistent
            unread = self._must_close or self._skip or self._at < len(self._data)
            self.waiting = Waiting.NOTHING if self._eof or (asked and not unread) else Waiting.LINGER
            self._data, self._at = b"", 0
            self.idle = False
            start += b"Connection: close\r\n"
        if response.tail:
            self.head_length = len(start) + response.tail_fields
            return [start + response.tail, *response.parts]
        parts, self.head_length = write(response, start)
        return parts

    @property
    def quiet(self) -> bool:
        """Nothing of a request has come and no answer is owed: closing now loses nothing."""
        return self.waiting in (Waiting.HEAD, Waiting.IDLE) and self._at == len(self._data)

    def turn_away(self) -> BadRequest:
        """There is no room for this client (hazard A9): the event to answer, before anything is read."""
        return self._refuse(Fault(503, "too many connections"))

    def expire(self) -> Event:
        """The deadline on `waiting` has passed: a request that had begun is answered 408, silence ends in silence."""
        begun = self._chunks is not None or (self.waiting is Waiting.HEAD and self._at < len(self._data))
        return self._refuse(Fault(408, "the request took too long")) if begun else self._close()

    def _close(self) -> Event:
        self.waiting = Waiting.NOTHING
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
            bad = self._reader.refuse(fault, self._data[self._at :])
        self._budget = self._reader.limits.bad_head - (len(self._data) - self._at)
        self._chunks = None
        self._data, self._at = b"", 0
        self.waiting = Waiting.ANSWER
        return bad

    def _give(self, request: Request) -> Request:
        self.waiting = Waiting.ANSWER
        if self._at == len(self._data):
            self._data, self._at = b"", 0
        return request

    def _read_head(self) -> Event:
        data = self._data
        while data.startswith(b"\r\n", self._at):
            self._at += 2
            self._blank_lines += 1
            if self._blank_lines > self._reader.limits.blank_lines:
                return self._refuse(Fault(400, "empty lines instead of a request"))
        end = data.find(b"\r\n\r\n", self._at)
        if end < 0:
            return self._wait_for_head()
        request = self._reader.read(data[self._at : end + 2])
        if isinstance(request, BadRequest):
            return self._refuse(request)
        self._at = end + 4
        self._blank_lines = 0
        self._checked = _NOTHING_CHECKED
        if request.fields.content_length == CHUNKED and not request.expects_continue:
            self._chunks = Chunks(request, self._reader.limits)
            return self._read_chunks(self._chunks)
        if request.expects_continue or request.fields.content_length > self._reader.limits.content:
            # Nobody knows whether the content follows where the final answer came instead of 100 (RFC 9110 10.1.1).
            self._must_close = True
        else:
            self._skip = request.fields.content_length
        return self._give(request)

    def _wait_for_head(self) -> Event:
        self._data, self._at = self._data[self._at :], 0
        if not self._data:
            return self._close() if self._eof else NEED_DATA
        checked = self._reader.check(self._data, *self._checked)
        if isinstance(checked, Fault):
            return self._refuse(checked)
        if self._eof:
            return self._refuse(Fault(400, "the request ends in the middle of its head"))
        self._checked = checked
        self.waiting = Waiting.HEAD
        return NEED_DATA

    def _skip_content(self) -> bool:
        """Throws away content of a known length; True when all of it has gone."""
        step = min(self._skip, len(self._data) - self._at)
        self._skip -= step
        self._at += step
        if self._skip == 0 and self.waiting is Waiting.CONTENT:
            self.waiting = Waiting.IDLE
        return self._skip == 0

    def _read_chunks(self, chunks: Chunks) -> Event:
        """Chunks are checked to their end before the answer: what is invalid must never look like a request."""
        self.waiting = Waiting.CONTENT
        at = chunks.skip(self._data, self._at)
        if isinstance(at, Fault):
            return self._refuse(at)
        self._at = at
        if not chunks.done and not chunks.too_much:
            return self._refuse(Fault(400, "the content ends in the middle")) if self._eof else NEED_DATA
        self._must_close = chunks.too_much
        self._chunks = None
        return self._give(chunks.request)
