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
from .priority import parse_priority
from .sending import SendingSide


class ControlFrames(SendingSide):
    """The sending side, with the frames by which the client controls it."""

    __slots__ = ("_events", "_last", "_settled")

    def __init__(self, limits: ConnectionLimits, server: bytes) -> None:
        super().__init__(limits, server)
        self._last = CONNECTION  # the last stream that the client has opened
        self._settled = False  # the client's first SETTINGS have been received
        self._events: dict[bytes, Request | BadRequest] = {}  # requests of this turn

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
        values = dict(frames.read_settings(payload))  # of several values the last one counts
        for setting, value in values.items():
            low, high, code = _VALID.get(setting, _ANY)
            require(low <= value <= high, code, "the value of a setting is not valid")
        if values.get(frames.HEADER_TABLE_SIZE, TABLE_SIZE) < TABLE_SIZE:
            self._table_reduced = True
        self._set_initial_window(values.get(frames.INITIAL_WINDOW_SIZE, self._initial_window))
        self._settled = True
        self.output.append(frames.SETTINGS_ACK)

    def _set_initial_window(self, size: int) -> None:
        """Change the windows of all streams by what their initial size changes (RFC 9113 6.9.2)."""
        change = size - self._initial_window
        self._initial_window = size
        if not change:
            return
        for each in self.streams.values():
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
                self._events.pop(stream, None)
                self.cancel(known, fault[0])

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
        """PRIORITY_UPDATE (RFC 9218 7.1). One that arrives before its request is ignored."""
        require(stream == CONNECTION, ErrorCode.PROTOCOL_ERROR, "PRIORITY_UPDATE on a stream")
        require(len(payload) >= 4, ErrorCode.FRAME_SIZE_ERROR, "PRIORITY_UPDATE of a wrong size")
        known = self._live(payload[:4])
        if known is not None:
            known.urgency, known.incremental = parse_priority(payload[4:])
            self._reorder(known)

    def _goaway(self, flags: int, stream: bytes, payload: bytes) -> None:
        """GOAWAY: the client accepts no pushed streams, which there are none of (RFC 9113 6.8)."""
        require(stream == CONNECTION, ErrorCode.PROTOCOL_ERROR, "GOAWAY on a stream")
        require(len(payload) >= 8, ErrorCode.FRAME_SIZE_ERROR, "GOAWAY of a wrong size")

    def _push_promise(self, flags: int, stream: bytes, payload: bytes) -> None:
        """PUSH_PROMISE, which no client may send (RFC 9113 8.4)."""
        raise HTTP2ConnectionError(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE of a client")

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
