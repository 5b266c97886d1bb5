"""The frames that control a connection, and what each of them does (RFC 9113 6.3 to 6.9, RFC 9218 7.1).

Each costs a part of the budget (budget.py), since none of them brings a response.
"""

from collections.abc import Callable
from typing import Final

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import Request

from . import frames
from .budget import spend
from .errors import ErrorCode, HTTP2ConnectionError, require
from .flow_control import increment_of, update_fault
from .frames import ACK, CONNECTION, MAX_WINDOW
from .hpack import TABLE_SIZE
from .limits import ConnectionLimits
from .priority import Priority, parse_priority
from .sending import SendingSide
from .streams import Stream


class ControlFrames(SendingSide):
    """The sending side, with the frames by which the client controls it."""

    __slots__ = ("_events", "_last", "_settled")

    def __init__(self, limits: ConnectionLimits, server: bytes) -> None:
        super().__init__(limits, server)
        self._last = CONNECTION  # the last stream that the client has opened
        self._settled = False  # the client's first SETTINGS have been received
        self._events: dict[bytes, Request | BadRequest] = {}  # requests of this turn

    def _own_settings(self) -> bytes:
        """SETTINGS, which a server sends before anything else (RFC 9113 3.4)."""
        return frames.settings(
            (
                (frames.MAX_CONCURRENT_STREAMS, self.limits.streams),
                (frames.INITIAL_WINDOW_SIZE, self.limits.window),
                (frames.MAX_HEADER_LIST_SIZE, self.limits.head),
                (frames.NO_RFC7540_PRIORITIES, 1),
            )
        )

    def _control(self, kind: int, flags: int, stream: bytes, payload: bytes) -> None:
        """Act on a frame of any other type than DATA, HEADERS and CONTINUATION; an unknown one is ignored (5.5)."""
        self.budget = spend(self.budget)
        handler = _HANDLERS.get(kind)
        if handler is not None:
            handler(self, flags, stream, payload)

    def _settings(self, flags: int, stream: bytes, payload: bytes) -> None:
        """SETTINGS (RFC 9113 6.5)."""
        require(stream == CONNECTION, ErrorCode.PROTOCOL_ERROR, "SETTINGS on a stream")
        if flags & ACK:
            require(not payload, ErrorCode.FRAME_SIZE_ERROR, "an acknowledgement with settings")
            require(self._settled, ErrorCode.PROTOCOL_ERROR, "an acknowledgement before the first SETTINGS")
            return
        require(len(payload) % 6 == 0, ErrorCode.FRAME_SIZE_ERROR, "SETTINGS of a wrong size")
        require(len(payload) <= 6 * self.limits.settings, ErrorCode.ENHANCE_YOUR_CALM, "too many settings in a frame")
        window = self._initial_window
        for setting, value in frames.read_settings(payload):  # of several values the last one counts
            low, high, code = _VALID.get(setting, _ANY)
            require(low <= value <= high, code, "the value of a setting is not valid")
            if setting == frames.INITIAL_WINDOW_SIZE:
                window = value
            elif setting == frames.HEADER_TABLE_SIZE and value < TABLE_SIZE:
                self._table_reduced = True  # even if a larger one follows (RFC 7541 4.2)
        self._set_initial_window(window)
        self._settled = True
        self.output.append(frames.SETTINGS_ACK)

    def _set_initial_window(self, size: int) -> None:
        """Change the windows of all streams by what their initial size changes (RFC 9113 6.9.2)."""
        change = size - self._initial_window
        self._initial_window = size
        if not change:
            return
        for each in self.streams.values():
            if each.ended:
                continue
            require(each.window + change <= MAX_WINDOW, ErrorCode.FLOW_CONTROL_ERROR, "a window is too large")
            each.window += change
            if each.order is None:
                self._reorder(each)

    def _ping(self, flags: int, stream: bytes, payload: bytes) -> None:
        """PING (RFC 9113 6.7)."""
        require(stream == CONNECTION, ErrorCode.PROTOCOL_ERROR, "PING on a stream")
        require(len(payload) == 8, ErrorCode.FRAME_SIZE_ERROR, "PING of a wrong size")
        if not flags & ACK:
            self.output.append(frames.frame(frames.PING, ACK, CONNECTION, payload))

    def _window_update(self, flags: int, stream: bytes, payload: bytes) -> None:
        """WINDOW_UPDATE (RFC 9113 6.9). For a request of this turn it makes the object of the stream."""
        require(len(payload) == 4, ErrorCode.FRAME_SIZE_ERROR, "WINDOW_UPDATE of a wrong size")
        increment = increment_of(payload)
        if stream == CONNECTION:
            fault = update_fault(self.window, increment)
            if fault:
                raise HTTP2ConnectionError(*fault)
            self.window += increment
            return
        self._require_known(stream)
        known = self._live(stream)
        if known is None and stream in self._events:
            known = self.open(stream, self._events[stream])
        if known is not None:
            fault = update_fault(known.window, increment)
            if fault is None:
                known.window += increment
                if known.order is None:
                    self._reorder(known)
            else:
                self._cancel_open(known, fault[0])

    def _rst_stream(self, flags: int, stream: bytes, payload: bytes) -> None:
        """RST_STREAM (RFC 9113 6.4)."""
        require(len(payload) == 4, ErrorCode.FRAME_SIZE_ERROR, "RST_STREAM of a wrong size")
        self._require_known(stream)
        self._events.pop(stream, None)
        known = self._live(stream)
        if known is not None:
            self._end(known)

    def _priority(self, flags: int, stream: bytes, payload: bytes) -> None:
        """PRIORITY, which is deprecated and has no effect (RFC 9113 6.3)."""
        require(stream != CONNECTION, ErrorCode.PROTOCOL_ERROR, "PRIORITY without a stream")
        require(len(payload) == 5, ErrorCode.FRAME_SIZE_ERROR, "PRIORITY of a wrong size")

    def _priority_update(self, flags: int, stream: bytes, payload: bytes) -> None:
        """PRIORITY_UPDATE (RFC 9218 7.1), which may come before its request."""
        require(stream == CONNECTION, ErrorCode.PROTOCOL_ERROR, "PRIORITY_UPDATE on a stream")
        require(len(payload) >= 4, ErrorCode.FRAME_SIZE_ERROR, "PRIORITY_UPDATE of a wrong size")
        prioritized = (int.from_bytes(payload[:4], "big") & MAX_WINDOW).to_bytes(4, "big")
        require(
            prioritized[3] & 1 == 1, ErrorCode.PROTOCOL_ERROR, "PRIORITY_UPDATE for a stream that no client can open"
        )
        priority, known = parse_priority(payload[4:]), self._live(prioritized)
        if known is None:
            self._keep_priority(prioritized, priority)
        elif priority != (known.urgency, known.incremental):
            known.urgency, known.incremental = priority
            self._reorder(known)

    def _keep_priority(self, stream: bytes, priority: Priority) -> None:
        """Keep the priority of a stream that may still get an object, for as many as may be open (RFC 9218 7.1)."""
        self._early_priorities[stream] = priority
        if stream <= self._last or len(self._early_priorities) > self.limits.streams:
            for each in list(self._early_priorities):
                if each <= self._last and each not in self._events:
                    del self._early_priorities[each]
            few = len(self._early_priorities) <= self.limits.streams
            require(few, ErrorCode.PROTOCOL_ERROR, "priorities of more streams than may be open")

    def _goaway(self, flags: int, stream: bytes, payload: bytes) -> None:
        """GOAWAY: the client accepts no pushed streams, which there are none of (RFC 9113 6.8)."""
        require(stream == CONNECTION, ErrorCode.PROTOCOL_ERROR, "GOAWAY on a stream")
        require(len(payload) >= 8, ErrorCode.FRAME_SIZE_ERROR, "GOAWAY of a wrong size")

    def _push_promise(self, flags: int, stream: bytes, payload: bytes) -> None:
        """PUSH_PROMISE, which no client may send (RFC 9113 8.4)."""
        raise HTTP2ConnectionError(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE of a client")

    def _cancel_open(self, stream: Stream, code: ErrorCode) -> None:
        """Reset a stream for what the client has sent on it, which takes from the budget."""
        self._events.pop(stream.id, None)
        self.cancel(stream, code)
        self.budget = spend(self.budget)

    def _require_known(self, stream: bytes) -> None:
        """Raise HTTP2ConnectionError if no such stream was ever opened: it is idle (RFC 9113 5.1)."""
        known = CONNECTION < stream <= self._last and stream[3] & 1
        require(bool(known), ErrorCode.PROTOCOL_ERROR, "a frame on a stream that was not opened")


_HANDLERS: Final[dict[int, Callable[[ControlFrames, int, bytes, bytes], None]]] = {
    frames.PRIORITY: ControlFrames._priority,
    frames.RST_STREAM: ControlFrames._rst_stream,
    frames.SETTINGS: ControlFrames._settings,
    frames.PUSH_PROMISE: ControlFrames._push_promise,
    frames.PING: ControlFrames._ping,
    frames.GOAWAY: ControlFrames._goaway,
    frames.WINDOW_UPDATE: ControlFrames._window_update,
    frames.PRIORITY_UPDATE: ControlFrames._priority_update,
}
"""The method for each type of frame."""
_ANY: Final = (0, 2**32 - 1, ErrorCode.PROTOCOL_ERROR)
_VALID: Final = {
    frames.ENABLE_PUSH: (0, 1, ErrorCode.PROTOCOL_ERROR),
    frames.INITIAL_WINDOW_SIZE: (0, MAX_WINDOW, ErrorCode.FLOW_CONTROL_ERROR),
    frames.SETTINGS_MAX_FRAME_SIZE: (frames.MAX_FRAME_SIZE, 2**24 - 1, ErrorCode.PROTOCOL_ERROR),
    frames.NO_RFC7540_PRIORITIES: (0, 1, ErrorCode.PROTOCOL_ERROR),
}
"""The lowest and the highest value of a setting, and the error of any other one (RFC 9113 6.5.2, RFC 9218 2.1)."""
