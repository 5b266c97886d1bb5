"""A client of HTTP/2, with TLS or with prior knowledge, made of the library h2, whose rules are not ours."""

import socket
from collections.abc import Iterable
from types import TracebackType
from typing import Final

import h2.config
import h2.connection
import h2.events
import h2.settings

from tests.conformance.tls import TLSAddress, trusting_context

TIMEOUT: Final = 15.0
_GOAWAY: Final = 7
FieldLines = list[tuple[bytes, bytes]]


class Answer:
    """What the server has sent on a stream so far."""

    def __init__(self) -> None:
        self.fields: FieldLines = []
        self.content = b""
        self.ended = False
        self.reset: int | None = None

    @property
    def status(self) -> int:
        return int(dict(self.fields)[b":status"])

    @property
    def named(self) -> dict[str, str]:
        """The fields but for the status, each of which occurs once."""
        named = {name.decode(): value.decode("latin-1") for name, value in self.fields if name != b":status"}
        assert len(named) == len(self.fields) - 1
        return named


class Client:
    """A connection to `address`, inside its `with` block.

    window: the initial window of streams. acknowledge: whether windows are opened again as content arrives. pieces: the
    bytes of each piece of the preface.
    """

    def __init__(
        self, address: tuple[str, int], *, window: int | None = None, acknowledge: bool = True, pieces: int = 1 << 20
    ) -> None:
        self._address, self._acknowledge, self._pieces = address, acknowledge, pieces
        # The tests send what no client should, too.
        config = h2.config.H2Configuration(
            client_side=True, header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self.h2 = h2.connection.H2Connection(config)
        if window is not None:
            self.h2.local_settings = h2.settings.Settings(
                client=True, initial_values={h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window}
            )
        self.answers: dict[int, Answer] = {}
        self.goaways: list[tuple[int, int]] = []
        """The last stream and the code of each GOAWAY."""
        self._data = b""
        self.pings: list[bytes] = []
        self.closed = False

    def __enter__(self) -> "Client":
        self.socket = socket.create_connection(tuple(self._address), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        if isinstance(self._address, TLSAddress):
            context = trusting_context()
            context.set_alpn_protocols(["h2"])
            self.socket = encrypted = context.wrap_socket(self.socket)
            assert encrypted.selected_alpn_protocol() == "h2"
        self.h2.initiate_connection()
        begin = self.h2.data_to_send()
        for start in range(0, len(begin), self._pieces):
            self.socket.sendall(begin[start : start + self._pieces])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def flush(self) -> None:
        """Send what h2 has to send."""
        self.socket.sendall(self.h2.data_to_send())

    def request(
        self,
        fields: Iterable[tuple[bytes, bytes]],
        content: bytes | None = None,
        *,
        flush: bool = True,
        end: bool = True,
    ) -> int:
        """Send a request, and return the number of its stream. content: None for none at all. end: whether it ends."""
        stream = self.h2.get_next_available_stream_id()
        self.answers[stream] = Answer()
        self.h2.send_headers(stream, list(fields), end_stream=content is None)
        if content is not None:
            size = self.h2.max_outbound_frame_size
            for start in range(0, len(content), size):
                piece = content[start : start + size]
                while self.answers[stream].reset is None and self._window(stream) < len(piece):
                    self.flush()
                    assert self.receive(), "the connection has ended"
                if self.answers[stream].reset is not None:
                    return stream
                self.h2.send_data(stream, piece)
            if end:
                self.h2.end_stream(stream)
        if flush:
            self.flush()
        return stream

    def _window(self, stream: int) -> int:
        return self.h2.local_flow_control_window(stream)

    def get(self, path: str = "/a.txt", *fields: tuple[str, str], method: str = "GET", flush: bool = True) -> int:
        """Send a request without content."""
        pseudo = [(":method", method), (":scheme", "http"), (":authority", "h"), (":path", path)]
        return self.request([(name.encode(), value.encode()) for name, value in (*pseudo, *fields)], flush=flush)

    def receive(self) -> bool:
        """Receive once; return False at the end of the connection."""
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionResetError:
            data = b""
        if not data:
            self.closed = True
            return False
        self._data += data
        while len(self._data) >= 9 and len(self._data) >= (end := 9 + int.from_bytes(self._data[:3], "big")):
            frame, self._data = self._data[:end], self._data[end:]
            if frame[3] == _GOAWAY:  # behind which h2 would neither send nor receive anything, as a client may
                last, code = (int.from_bytes(frame[start : start + 4], "big") for start in (9, 13))
                self.goaways.append((last, code))
                continue
            for event in self.h2.receive_data(frame):
                self._take(event)
        self.flush()
        return True

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ResponseReceived():
                self.answers[event.stream_id].fields = [(bytes(name), bytes(value)) for name, value in event.headers]
            case h2.events.DataReceived():
                self.answers[event.stream_id].content += event.data
                if self._acknowledge and event.flow_controlled_length:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case h2.events.StreamEnded():
                self.answers[event.stream_id].ended = True
            case h2.events.StreamReset():
                self.answers[event.stream_id].reset = event.error_code
            case h2.events.PingAckReceived():
                self.pings.append(event.ping_data)

    def wait(self, *streams: int) -> list[Answer]:
        """Receive until all these streams have ended; return their answers."""
        answers = [self.answers[stream] for stream in streams]
        while not all(answer.ended or answer.reset is not None for answer in answers):
            assert self.receive(), "the connection has ended"
        return answers

    def read_to_end(self) -> None:
        """Receive until the server closes."""
        while self.receive():
            pass
