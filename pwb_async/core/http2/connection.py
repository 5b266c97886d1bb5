"""The server's end of an HTTP/2 connection, without a socket (RFC 9113).

    receive(data)         takes received bytes, and returns the requests to respond to, by their streams
    output                frames to send before the responses: at first SETTINGS, then acknowledgements, resets, GOAWAY
    respond(...) ...      the sending side (sending.py)
    ended                 streams that were reset, so that the server stops working for them
    retire(), finish()    the two steps of GOAWAY

An error of the peer ends a stream or the connection, as RFC 9113 5.4 demands, and raises nothing.
"""

from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.fields import CHUNKED
from pwb_async.core.semantics.messages import Request

from . import frames
from .budget import spend
from .control import ControlFrames
from .errors import ErrorCode, HTTP2ConnectionError, require
from .field_blocks import PartialBlock, without_padding
from .flow_control import received_window
from .frames import CONNECTION, LAST_STREAM, MAX_FRAME_SIZE, MAX_WINDOW, PREFACE
from .hpack import INITIAL_TABLE
from .limits import ConnectionLimits
from .requests import Malformed, RequestReader
from .streams import Stream

_HEADERS: Final = frames.HEADERS
_WINDOW_UPDATE: Final = frames.WINDOW_UPDATE
_HAS_PRIORITY: Final = frames.HAS_PRIORITY
_WHOLE: Final = frames.END_STREAM | frames.END_HEADERS
"""The flags of a request without content in one frame."""
_SHAPE: Final = frames.PADDED | _WHOLE
"""The flags of HEADERS that say whether it is that."""
_unpack: Final = frames.HEADER.unpack_from


class HTTP2Connection(ControlFrames):
    """An HTTP/2 connection.

    Args:
        reader: The reader of requests, which other connections may share.
        limits: The limits on the client.
        server: The value of the field Server.
    """

    __slots__ = ("_data", "_oversized", "_partial", "_preface", "_processed", "_reader", "_received",
                 "_requests", "_table", "advanced", "closed", "error", "finishing", "retiring")  # fmt: skip

    advanced: bool
    """Whether the bytes received last were the end of a frame, but not of one within a field block."""
    closed: bool
    """Whether the connection is over: nothing that is received counts any more."""
    error: HTTP2ConnectionError | None
    """The error of the peer that has ended it."""
    retiring: bool
    """Whether the client was asked to open no more streams; those that it opens all the same are served."""
    finishing: bool
    """Whether further streams are ignored, so that the connection ends with the last one."""

    def __init__(self, reader: RequestReader, limits: ConnectionLimits, server: bytes = b"PWB") -> None:
        super().__init__(limits, server)
        self._reader = reader
        self._table = INITIAL_TABLE
        self._data = b""  # the beginning of a frame
        self._preface = True  # the client's preface has not been received
        self._partial: PartialBlock | None = None
        self._processed = CONNECTION  # the last stream whose request the server has got
        self._received = 0  # bytes of content since the last update of the connection's window
        self._requests = self._oversized = 0
        self.advanced = self.closed = self.retiring = self.finishing = False
        self.error = None
        self.output.append(self._own_settings())

    @property
    def incomplete(self) -> bool:
        """Whether a frame or a field block has begun that has not been received whole, or the client's first SETTINGS
        have not."""
        return bool(self._data) or self._partial is not None or not self._settled

    def use_reader(self, reader: RequestReader) -> None:
        """Read the next request with another reader, such as one for a site that depends on other fields."""
        self._reader = reader

    def receive(self, data: bytes) -> dict[bytes, Request | BadRequest]:
        """Take received bytes; return the requests to respond to. One that is reset by the same bytes is left out."""
        if not self.closed:
            self._older = self._last
            try:
                self._receive(self._data + data if self._data else data)
            except HTTP2ConnectionError as error:
                self._fail(error)
        events, self._events = self._events, {}
        return events

    def _receive(self, data: bytes) -> None:
        position, end = 0, len(data)
        if self._preface:
            require(PREFACE.startswith(data[:24]), ErrorCode.PROTOCOL_ERROR, "not the preface of HTTP/2")
            if end < len(PREFACE):
                self._data = data
                return
            self._preface = False
            position = len(PREFACE)
        begun = self._partial
        events, cache, room = self._events, self._reader.cache, self._room()
        while end - position >= 9:
            high, low, kind, flags, stream = _unpack(data, position)
            start = position + 9
            stop = start + (high << 8 | low)
            if stop - start > MAX_FRAME_SIZE:
                raise HTTP2ConnectionError(ErrorCode.FRAME_SIZE_ERROR, "a frame of more than 16,384 bytes")
            if stop > end:
                break
            position = stop
            if stream > LAST_STREAM:  # the reserved bit, which is ignored (4.1)
                stream = (int.from_bytes(stream, "big") & MAX_WINDOW).to_bytes(4, "big")
            if kind == _HEADERS and flags & _SHAPE == _WHOLE and room > 0 and stream > self._last:
                block = data[start + 5 if flags & _HAS_PRIORITY else start : stop]
                known = cache.get((self._table, block))
                if known is not None and stream[3] & 1:
                    events[stream], self._table = known
                    self._last = stream
                    room -= 1
                    continue
            self._receive_frame(kind, flags, stream, data[start:stop])
            if kind != _WINDOW_UPDATE:  # the only frame that cannot change it
                room = self._room()
        self._data = data[position:]
        self.advanced = position > 0 and (self._partial is None or self._partial is not begun)
        self._count_requests()

    def _room(self) -> int:
        """How many requests may come by the short way: none if a frame of any other kind has to be first."""
        if not self._settled or self.finishing or self._partial is not None:
            return 0
        return self.limits.streams - self._count_open()

    def _count_open(self) -> int:
        """How many requests are under way, or an upper bound that is below the limit."""
        bound = len(self.streams) + len(self._events)
        if bound < self.limits.streams or not self.streams:
            return bound
        return len(self.streams.keys() | self._events.keys())  # one of this turn may have its object already

    def _count_requests(self) -> None:
        self._requests += len(self._events)
        if not self.finishing:
            self._processed = self._last
        if self._requests >= self.limits.requests > 0:
            self.retire()

    def _receive_frame(self, kind: int, flags: int, stream: bytes, payload: bytes) -> None:
        """Act on a frame that is not a request without content (RFC 9113 6)."""
        require(self._settled or kind == frames.SETTINGS, ErrorCode.PROTOCOL_ERROR, "no SETTINGS at first")
        if self._partial is not None:
            follows = kind == frames.CONTINUATION and stream == self._partial.stream
            require(follows, ErrorCode.PROTOCOL_ERROR, "a frame within a field block")
            self._continuation(self._partial, flags, payload)
        elif kind == frames.DATA:
            self._receive_data(flags, stream, payload)
        elif kind == frames.HEADERS:
            self._headers(flags, stream, payload)
        else:
            require(kind != frames.CONTINUATION, ErrorCode.PROTOCOL_ERROR, "CONTINUATION without HEADERS")
            self._control(kind, flags, stream, payload)

    def _headers(self, flags: int, stream: bytes, payload: bytes) -> None:
        """HEADERS (RFC 9113 6.2)."""
        require(stream[3] & 1 == 1, ErrorCode.PROTOCOL_ERROR, "HEADERS on a stream that no client can open")
        payload = without_padding(flags, payload)
        if flags & _HAS_PRIORITY:
            require(len(payload) >= 5, ErrorCode.FRAME_SIZE_ERROR, "HEADERS without its priority")
            payload = payload[5:]
        ends_stream = bool(flags & frames.END_STREAM)
        if flags & frames.END_HEADERS:
            self._receive_block(stream, ends_stream, payload)
        else:
            self._partial = PartialBlock(stream, ends_stream, payload)

    def _continuation(self, partial: PartialBlock, flags: int, payload: bytes) -> None:
        """CONTINUATION (RFC 9113 6.10), bounded in number and bytes, since the block is kept until its end."""
        partial.continuations += 1
        partial.block += payload
        small = partial.continuations <= self.limits.continuations and len(partial.block) <= self.limits.block
        require(small, ErrorCode.ENHANCE_YOUR_CALM, "a field block in too many pieces, or too long")
        if not payload:
            self.budget = spend(self.budget)
        if flags & frames.END_HEADERS:
            self._partial = None
            self._receive_block(partial.stream, partial.ends_stream, partial.block)

    def _receive_block(self, stream: bytes, ends_stream: bool, block: bytes) -> None:
        """A whole field block: a request, or trailers. It is decoded in any case, since later ones depend on it."""
        known = self._live(stream)
        if stream > self._last:
            known_request = self._reader.cache.get((self._table, block)) if ends_stream else None
            request, self._table = known_request or self._reader.read(self._table, block, ends_stream)
            self._open(stream, request, ends_stream)
            return
        fault, self._table = self._reader.read_trailers(self._table, block)
        if known is None or not known.request_open:
            self._receive_on_closed(stream, known, ErrorCode.PROTOCOL_ERROR)
        elif fault is not None or not ends_stream:  # trailers end a request (8.1)
            self._cancel_open(known, ErrorCode.PROTOCOL_ERROR)
        else:
            self._end_request(known)

    def _open(self, stream: bytes, request: Request | BadRequest | Malformed, ends_stream: bool) -> None:
        """A new stream (RFC 9113 5.1.1): pass its request on, or refuse it."""
        self._last = stream
        if self._is_ignored(stream):
            return
        if self.answered and self._count_open() >= self.limits.streams:
            self.stop_request(next(iter(self.answered.values())))
        if self._count_open() >= self.limits.streams or self.held > self.limits.held:
            self._reject(stream, ErrorCode.REFUSED_STREAM, ends_stream)
        elif isinstance(request, Malformed):
            self._reject(stream, ErrorCode.PROTOCOL_ERROR, ends_stream)
        else:
            if isinstance(request, BadRequest) and request.status in (414, 431):
                self._oversized += 1
                calm = self._oversized <= self.limits.oversized
                require(calm, ErrorCode.ENHANCE_YOUR_CALM, "too many requests with too many or too large fields")
            self._events[stream] = request
            if not ends_stream:
                opened = self.open(stream, request)
                opened.request_open = True
                opened.request_length = request.fields.content_length if request.fields is not None else CHUNKED

    def _is_ignored(self, stream: bytes) -> bool:
        """Whether GOAWAY has named an earlier stream as the last that is processed (RFC 9113 6.8).

        The client may not have received it yet, so any frame on such a stream is valid.
        """
        return self.finishing and stream > self._processed

    def _reject(self, stream: bytes, code: ErrorCode, ends_stream: bool) -> None:
        """Reset a stream that has no object (RFC 9113 5.4.2)."""
        if not ends_stream:
            self._discard(stream)
        self.output.append(frames.reset(stream, code))
        self.budget = spend(self.budget)

    def _receive_on_closed(self, stream: bytes, known: Stream | None, code: ErrorCode) -> None:
        """A frame on a stream whose request has ended (RFC 9113 5.1)."""
        if known is not None:
            self._cancel_open(known, ErrorCode.STREAM_CLOSED)
        else:
            known_end = stream in self._discarded or self._is_ignored(stream)
            require(known_end, code, "a frame on a stream that is closed")
            self.budget = spend(self.budget)

    def _receive_data(self, flags: int, stream: bytes, payload: bytes) -> None:
        """DATA (RFC 9113 6.1): count the content, and discard it."""
        self._require_known(stream)
        self.budget = spend(self.budget)
        self._received, increment = received_window(self._received + len(payload))
        if increment:
            self.output.append(frames.window_update(CONNECTION, increment))
        size = len(without_padding(flags, payload))
        known = self._live(stream)
        if known is None or not known.request_open:
            self._receive_on_closed(stream, known, ErrorCode.STREAM_CLOSED)
            return
        if known.received + len(payload) > self.limits.window:
            self._cancel_open(known, ErrorCode.FLOW_CONTROL_ERROR)
            return
        if size < len(payload) and not flags & frames.END_STREAM:  # padding, which is not counted below
            self.output.append(frames.window_update(stream, len(payload) - size))
        known.received += size
        if known.request_length >= 0 and known.received > known.request_length:
            self._cancel_open(known, ErrorCode.PROTOCOL_ERROR)
        elif flags & frames.END_STREAM:
            self._end_request(known)

    def _end_request(self, stream: Stream) -> None:
        """The end of a request, whose content has the length that it announced (RFC 9113 8.1.1)."""
        stream.request_open = False
        if stream.request_length >= 0 and stream.received != stream.request_length:
            self._cancel_open(stream, ErrorCode.PROTOCOL_ERROR)
        elif stream.responded and not (stream.unsent or stream.open_ended):
            self._complete(stream)

    def retire(self) -> None:
        """Ask the client to open no more streams; those that are under way are served (RFC 9113 6.8)."""
        if not self.retiring and not self.closed:
            self.retiring = True
            self.output.append(frames.goaway(LAST_STREAM, ErrorCode.NO_ERROR))

    def finish(self) -> None:
        """Ignore further streams, so that the connection ends with those that are open (RFC 9113 6.8)."""
        if not self.finishing and not self.closed:
            self.retiring = self.finishing = True
            self.output.append(frames.goaway(self._processed, ErrorCode.NO_ERROR))

    def close(self, code: ErrorCode, detail: str) -> None:
        """End the connection with an error."""
        if not self.closed:
            self._fail(HTTP2ConnectionError(code, detail))

    def _fail(self, error: HTTP2ConnectionError) -> None:
        """End the connection by GOAWAY (RFC 9113 5.4.1): no request of this turn is processed."""
        self.error, self.closed = error, True
        self._events.clear()
        self._older = LAST_STREAM
        self._data = b""
        self._partial = None
        for stream in list(self.streams.values()):
            self._end(stream)
        self.output.append(frames.goaway(self._processed, error.code))
