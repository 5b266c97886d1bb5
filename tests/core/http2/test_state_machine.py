"""An HTTP2Connection and a client that is made of the library h2, in any order of what both may do.

The client checks each frame of the server against windows, states and the protocol, and raises an exception if one is
wrong. In the end it opens its windows and asks for everything that is left.
"""

from itertools import pairwise
from typing import Final

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pwb_async.core.events import BadRequest
from pwb_async.core.http1.limits import Limits
from pwb_async.core.http2.connection import HTTP2Connection
from pwb_async.core.http2.frames import MAX_WINDOW
from pwb_async.core.http2.limits import ConnectionLimits
from pwb_async.core.http2.requests import RequestReader
from pwb_async.core.semantics.messages import FileSlice, Part, Request, Response

from .peer import NoFile

FIELDS: Final = [(b":scheme", b"https"), (b":authority", b"h"), (b":path", b"/a")]
SIZES: Final = st.sampled_from((0, 1, 100, 16_384, 16_385, 65_535, 65_536, 200_000))
WINDOWS: Final = st.sampled_from((0, 1, 100, 16_384, 65_535, 100_000))


class Client(RuleBasedStateMachine):
    """What a client may do, and when the server responds and sends."""

    def __init__(self) -> None:
        super().__init__()
        self.client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding=None))
        self.server = HTTP2Connection(RequestReader(Limits()), ConnectionLimits(budget=10**6, requests=0))
        self.pending: dict[bytes, Request | BadRequest] = {}
        """The requests that have no response yet."""
        self.expected: dict[int, int] = {}
        """Bytes of content of the response to each stream."""
        self.received: dict[int, int] = {}
        self.complete: set[int] = set()
        self.reset: set[int] = set()
        self.unsent_content: dict[int, int] = {}
        """Bytes of content that the client has still to send."""

    @initialize()
    def begin(self) -> None:
        self.client.initiate_connection()
        self.exchange([])

    def exchange(self, cuts: list[int]) -> None:
        """Pass on what the client has to send, cut at these places, and what the server has to send before responses."""
        data = self.client.data_to_send()
        places = sorted({0, len(data), *(place % (len(data) + 1) for place in cuts)})
        for start, end in pairwise(places):
            self.pending |= self.receive(data[start:end])
        self.to_client(self.server.output)
        self.server.output.clear()
        for ended in self.server.ended:
            self.pending.pop(ended.id, None)
        self.server.ended.clear()
        self.pending = {
            stream: event for stream, event in self.pending.items() if int.from_bytes(stream, "big") not in self.reset
        }

    def receive(self, data: bytes) -> dict[bytes, Request | BadRequest]:
        """Pass bytes to the server, which keeps the requests that have waited so long."""
        for stream, event in self.pending.items():
            self.server.open(stream, event)
        return self.server.receive(data)

    def to_client(self, parts: object) -> None:
        for event in self.client.receive_data(b"".join(parts)):  # type: ignore[call-overload]
            if isinstance(event, h2.events.DataReceived):
                self.received[event.stream_id] = self.received.get(event.stream_id, 0) + len(event.data)
            elif isinstance(event, h2.events.StreamEnded):
                self.complete.add(event.stream_id)
            elif isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                raise AssertionError(event)

    @property
    def open_streams(self) -> list[int]:
        return sorted(self.received.keys() - self.complete - self.reset)

    @precondition(lambda self: self.client.open_outbound_streams < 99)
    @rule(
        method=st.sampled_from((b"GET", b"HEAD")),
        urgency=st.integers(0, 7),
        incremental=st.booleans(),
        cuts=st.lists(st.integers(0, 10**6), max_size=3),
    )
    def ask(self, method: bytes, urgency: int, incremental: bool, cuts: list[int]) -> None:
        stream = self.client.get_next_available_stream_id()
        priority = b"u=%d%b" % (urgency, b", i" if incremental else b"")
        self.client.send_headers(stream, [(b":method", method), *FIELDS, (b"priority", priority)], end_stream=True)
        self.received[stream] = 0
        self.exchange(cuts)

    @precondition(lambda self: self.client.open_outbound_streams < 99)
    @rule(size=st.sampled_from((0, 1, 1000)))
    def ask_with_content(self, size: int) -> None:
        stream = self.client.get_next_available_stream_id()
        length = (b"content-length", b"%d" % size)
        self.client.send_headers(stream, [(b":method", b"POST"), *FIELDS, length], end_stream=False)
        self.received[stream] = 0
        self.unsent_content[stream] = size
        self.exchange([])

    @precondition(lambda self: self.unsent_content)
    @rule(which=st.integers(0, 100), trailers=st.booleans())
    def send_content(self, which: int, trailers: bool) -> None:
        stream = sorted(self.unsent_content)[which % len(self.unsent_content)]
        size = self.unsent_content.pop(stream)
        if min(size, self.client.local_flow_control_window(stream)) < size:
            self.unsent_content[stream] = size
        elif stream not in self.reset:
            self.client.send_data(stream, bytes(size), end_stream=not trailers)
            if trailers:
                self.client.send_headers(stream, [(b"digest", b"x")], end_stream=True)
        self.exchange([])

    @precondition(lambda self: self.pending)
    @rule(which=st.integers(0, 100), size=SIZES, slices=st.integers(0, 2))
    def respond(self, which: int, size: int, slices: int) -> None:
        stream = sorted(self.pending)[which % len(self.pending)]
        event = self.pending.pop(stream)
        if isinstance(event, Request) and event.method == b"HEAD":
            size = 0
        file = NoFile()
        head = size // 2 if slices else size
        parts: list[Part] = [bytes(head)] if head else []
        if slices == 1 and size - head:
            parts.append(FileSlice(file, 0, size - head))
        elif slices == 2 and size - head > 1:
            parts += [FileSlice(file, 0, 1), FileSlice(file, 1, size - head - 1)]
        response = Response(200, ((b"Content-Type", b"text/plain"),), tuple(parts))
        self.expected[int.from_bytes(stream, "big")] = response.length
        self.to_client(self.server.respond(stream, event, response, 0))

    @rule(limit=st.sampled_from((1, 1000, 65_536)), turns=st.integers(1, 5))
    def send(self, limit: int, turns: int) -> None:
        for _ in range(turns):
            stream = self.server.next_stream()
            if stream is None:
                return
            part = stream.next_slice
            if part is not None:
                stream.feed(memoryview(bytes(min(part.length, 50_000))))
            self.to_client(self.server.take(stream, limit))

    @rule(which=st.integers(0, 100), increment=st.sampled_from((1, 5, 16_384, 100_000)))
    def open_window(self, which: int, increment: int) -> None:
        streams: list[int | None] = [None, *self.open_streams]
        stream = streams[which % len(streams)]
        try:
            self.client.increment_flow_control_window(increment, stream)
        except (h2.exceptions.FlowControlError, ValueError, h2.exceptions.StreamClosedError):
            return
        self.exchange([])

    @rule(size=WINDOWS, table=st.sampled_from((0, 100, 4096, 65_536)))
    def change_settings(self, size: int, table: int) -> None:
        values = {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: size, h2.settings.SettingCodes.HEADER_TABLE_SIZE: table}
        self.client.update_settings(values)
        self.exchange([])

    @precondition(lambda self: self.open_streams)
    @rule(which=st.integers(0, 100))
    def reset_a_stream(self, which: int) -> None:
        stream = self.open_streams[which % len(self.open_streams)]
        self.client.reset_stream(stream)
        self.reset.add(stream)
        self.unsent_content.pop(stream, None)
        self.exchange([])

    @rule()
    def ping(self) -> None:
        self.client.ping(b"12345678")
        self.exchange([])

    @rule(which=st.integers(0, 100), urgency=st.integers(0, 7))
    def change_priority(self, which: int, urgency: int) -> None:
        streams = self.open_streams
        if streams:
            stream = streams[which % len(streams)].to_bytes(4, "big")
            self.receive(b"\0\0\x07\x10\0\0\0\0\0" + stream + b"u=%d" % urgency)

    @invariant()
    def nothing_is_too_much(self) -> None:
        assert not self.server.closed
        for stream, size in self.received.items():
            if stream in self.expected:
                assert size <= self.expected[stream]
            else:
                assert not size
        assert self.server.unsent_streams == sum(bool(stream.unsent) for stream in self.server.streams.values())

    def teardown(self) -> None:
        """All that is left arrives when the client opens its windows."""
        values = {h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: MAX_WINDOW // 2}
        self.client.update_settings(values)
        self.client.increment_flow_control_window(2**29)
        self.exchange([])
        while self.unsent_content:
            self.send_content(0, False)
        while self.pending:
            self.respond(0, 1000, 1)
        while self.server.unsent_streams:
            self.send(10**6, 5)
        for stream in self.received.keys() - self.reset:
            assert stream in self.complete
            assert self.received[stream] == self.expected[stream]
        assert not self.server.streams
        assert self.server.window == self.client.inbound_flow_control_window


Client.TestCase.settings = settings(
    deadline=None, max_examples=25, stateful_step_count=40, suppress_health_check=list(HealthCheck)
)
TestClient = Client.TestCase
