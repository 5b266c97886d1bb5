"""The sending side of an HTTP/2 connection: responses become frames, as windows and priorities allow (RFC 9113 5.2).

respond(...)            the frames that can leave at once: a small response whole, otherwise its head
begin_streaming(...)    the head of a response to which add_content() adds content, until end_content()
next_stream()           the stream whose turn it is, if any may be sent
take(stream, limit)     DATA frames of it
queue(stream)           its turn comes again, since bytes of a file have been read for it
"""

from collections.abc import Sequence

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request, Response

from .budget import RESPONSE, refill
from .errors import ErrorCode
from .frames import CONNECTION, DEFAULT_WINDOW, MAX_FRAME_SIZE, reset
from .hpack import SIZE_UPDATE_0
from .limits import ConnectionLimits
from .priority import Priority, SendOrder, parse_priority
from .responses import ResponseFrames, data_header, field_block, header_frames, prefix
from .streams import Stream


class SendingSide:
    """Windows, streams and the order in which they are sent.

    Args:
        limits: The limits on the client.
        server: The value of the field Server.
    """

    __slots__ = (
        "_discarded",
        "_early_priorities",
        "_initial_window",
        "_older",
        "_order",
        "_server",
        "_table_reduced",
        "_uncounted",
        "answered",
        "budget",
        "ended",
        "held",
        "limits",
        "output",
        "streams",
        "unsent_streams",
        "window",
    )

    answered: dict[bytes, Stream]
    """Streams whose response has been sent whole and whose request has not, the longest answered first."""
    budget: int
    """The budget for frames that bring no response."""
    streams: dict[bytes, Stream]
    """The streams that outlive the turn in which their request was received."""
    ended: list[Stream]
    """Streams that were reset since the server has looked last: it is to stop working for them."""
    held: int
    """Bytes of the requests that have an object."""
    output: list[bytes | memoryview]
    """Control frames to send. A reset of a stream comes behind the frames of the stream that were returned before."""
    unsent_streams: int
    """Streams whose response has been begun and not been sent whole."""
    window: int
    """Bytes of content that the client accepts on the connection."""

    def __init__(self, limits: ConnectionLimits, server: bytes) -> None:
        self.limits = limits
        self.budget = limits.budget
        self.streams = {}
        self.answered = {}
        self.ended = []
        self.output = []
        self.held = self.unsent_streams = 0
        self.window = self._initial_window = DEFAULT_WINDOW
        self._server = server
        self._order = SendOrder(self.streams)
        self._older = CONNECTION  # the last stream before those whose requests receive() has returned last
        self._early_priorities: dict[bytes, Priority] = {}  # PRIORITY_UPDATE for streams that have no object yet
        self._uncounted = 0  # bytes of content that have added nothing to the budget yet
        self._table_reduced = False
        self._discarded: dict[bytes, None] = {}  # streams that were reset while their request was open

    def respond(self, stream_id: bytes, event: Request | BadRequest, response: Response, now: float) -> Sequence[bytes]:
        """Begin a response: return frames to send now; the rest of it waits for its turn. now: since the epoch.

        The stream has an object, or its request is one of those that receive() has returned last; for one that has
        ended, nothing is sent.
        """
        stream = self.streams.get(stream_id)
        if stream.ended if stream is not None else stream_id <= self._older:
            return ()
        frames = response.prepared
        if not isinstance(frames, ResponseFrames) or frames.server != self._server:
            frames = response.prepared = ResponseFrames(response, self._server)
        size = frames.size
        if self.budget < self.limits.budget:
            self.budget += RESPONSE
        start = prefix(response.status, self._server, int(now))
        if stream is not None:
            return self._begin(stream_id, event, response, frames, start)
        if not frames.whole or size > self.window or size > self._initial_window or self._table_reduced:
            return self._begin(stream_id, event, response, frames, start)
        if not size:
            return frames.head, stream_id, start, frames.tail
        self.window -= size
        return frames.head, stream_id, start, frames.tail, stream_id, frames.content  # type: ignore[return-value]

    def _begin(
        self, stream_id: bytes, event: Request | BadRequest, response: Response, frames: ResponseFrames, start: bytes
    ) -> Sequence[bytes]:
        """Begin a response that waits for its turn: return its head."""
        stream = self.streams.get(stream_id)
        assert stream is None or not stream.ended
        if stream is None and frames.size:
            stream = self.open(stream_id, event)
        head = self._head(stream_id, start + frames.block, not frames.size)
        if stream is None:
            return (head,)
        stream.responded = True
        if frames.size:
            self.unsent_streams += 1
            stream.start(frames.parts(response), frames.size)
            self._order.add(stream)
        else:
            self._complete(stream)
        return (head,)

    def _head(self, stream_id: bytes, block: bytes, end: bool) -> bytes:
        """The frames of a head. end: there is no content."""
        if self._table_reduced:
            self._table_reduced = False
            block = SIZE_UPDATE_0 + block
        return header_frames(stream_id, block, end)

    def begin_streaming(self, stream: Stream, response: Response, now: float) -> bytes:
        """Begin a response whose content is added later: return its head. now: since the epoch."""
        stream.responded = stream.open_ended = True
        start = prefix(response.status, self._server, int(now))
        return self._head(stream.id, start + field_block(response.fields), end=False)

    def add_content(self, stream: Stream, data: bytes) -> None:
        """Add content, which is not empty, to a response that was begun by begin_streaming()."""
        if not stream.unsent:
            self.unsent_streams += 1
        stream.add(data)
        self._order.add(stream)

    def end_content(self, stream: Stream) -> None:
        """Let a response that was begun by begin_streaming() end with the content that it has by now."""
        stream.open_ended = False
        if not stream.unsent:
            self.output.append(data_header(stream.id, 0, end=True))
            self._complete(stream)

    def open(self, stream_id: bytes, event: Request | BadRequest) -> Stream:
        """The object of a stream, made if it has none yet."""
        stream = self.streams.get(stream_id)
        if stream is None:
            stream = self.streams[stream_id] = Stream(stream_id, self._initial_window)
            if event.fields is not None:
                stream.head_size = event.fields.size
                stream.urgency, stream.incremental = parse_priority(event.fields.get(b"priority"))
                self.held += stream.head_size
            if stream_id in self._early_priorities:
                stream.urgency, stream.incremental = self._early_priorities.pop(stream_id)
        return stream

    def next_stream(self) -> Stream | None:
        """Take the stream whose turn it is; give it back by take() or queue(). None if the windows allow none."""
        return self._order.pop() if self.window > 0 else None

    def take(self, stream: Stream, limit: int) -> list[bytes | memoryview]:
        """DATA frames of a stream whose buffer is not empty, with `limit` bytes at most."""
        assert stream.buffer
        parts: list[bytes | memoryview] = []
        sent = 0
        while stream.buffer and (room := min(stream.window, self.window, limit - sent)) > 0:
            data = stream.take(min(len(stream.buffer), MAX_FRAME_SIZE, room))
            size = len(data)
            self.window -= size
            sent += size
            parts += data_header(stream.id, size, not (stream.unsent or stream.open_ended)), data
        self.budget, self._uncounted = refill(self.budget, self._uncounted + sent, self.limits.budget)
        if stream.unsent:
            self._order.add(stream)
        else:
            self.unsent_streams -= 1
            if not stream.open_ended:
                self._complete(stream)
        return parts

    def queue(self, stream: Stream) -> None:
        """Give a stream its turn, for which bytes have been read."""
        self._order.add(stream)

    def _complete(self, stream: Stream) -> None:
        """End a stream whose response has been sent whole, unless its request has not ended.

        RFC 9113 8.1 allows a reset at once, but clients such as curl 7.88 discard a response that came with it. The
        client may go on as far as the window allows; most end the stream themselves when they have read the response.
        """
        if not stream.request_open:
            self._remove(stream)
        else:
            self.answered[stream.id] = stream
            self.held -= stream.head_size
            stream.head_size = 0

    @property
    def excessive(self) -> list[Stream]:
        """Those of the answered streams whose requests are longer than is skipped, so that they may never end."""
        limit = self.limits.content
        return [each for each in self.answered.values() if max(each.received, each.request_length) > limit]

    def stop_request(self, stream: Stream) -> None:
        """Reset an answered stream, unless it has ended: the rest of its request is not needed (RFC 9113 8.1)."""
        if not stream.ended:
            self._discard(stream.id)
            self.output.append(reset(stream.id, ErrorCode.NO_ERROR))
            self.budget = max(0, self.budget - 1)
            self._remove(stream)

    def _remove(self, stream: Stream) -> None:
        """Forget a stream; as long as the server works for it, it still counts."""
        if stream.unsent:
            self.unsent_streams -= 1
        self.answered.pop(stream.id, None)
        stream.clear()
        stream.ended, stream.request_open = True, False
        if not stream.working:
            self._forget(stream)

    def end_work(self, stream: Stream) -> None:
        """Note that the server does not work for a stream any more; if it has ended, it counts no longer."""
        stream.working = False
        if stream.ended and stream.id in self.streams:
            self._forget(stream)

    def _forget(self, stream: Stream) -> None:
        del self.streams[stream.id]
        self.held -= stream.head_size

    def cancel(self, stream: Stream, code: ErrorCode) -> None:
        """Reset a stream, unless it has ended (RFC 9113 5.4.2)."""
        if stream.ended:
            return
        if stream.request_open:
            self._discard(stream.id)
        self.output.append(reset(stream.id, code))
        self._end(stream)

    def _live(self, stream_id: bytes) -> Stream | None:
        """The object of a stream that is not closed; None if it has none."""
        stream = self.streams.get(stream_id)
        return None if stream is None or stream.ended else stream

    def _discard(self, stream: bytes) -> None:
        """Remember that a stream was reset while its request was open: more of it may be under way (5.4.2)."""
        self._discarded[stream] = None
        if len(self._discarded) > self.limits.streams:
            del self._discarded[next(iter(self._discarded))]

    def _end(self, stream: Stream) -> None:
        """End a stream before its response has been sent; the server finds it in `ended`."""
        if not stream.ended:
            self._remove(stream)
            self.ended.append(stream)

    def _reorder(self, stream: Stream) -> None:
        """Give a stream the place that its priority and its window allow, unless its content is being read."""
        if stream.unsent and not stream.working:
            self._order.add(stream)
