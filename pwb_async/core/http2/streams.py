"""Streams that outlive the turn in which their request was received (RFC 9113 5.1).

Most requests are answered at once and never have an object. A Stream is made where the disk is asked, the response does
not fit the windows, or the request has content.
"""

from collections import deque
from collections.abc import Sequence
from typing import TypeAlias, cast

from pwb_async.core.semantics.messages import File, FileSlice, Part

Order: TypeAlias = tuple[int, int, bytes]
"""The place of a stream among those to send: urgency, turn, and identifier."""


class Stream:
    """A stream, from its request to the end of the work for it."""

    __slots__ = (
        "_parts",
        "_read_from",
        "buffer",
        "ended",
        "head_size",
        "id",
        "incremental",
        "open_ended",
        "order",
        "parked",
        "received",
        "request_length",
        "request_open",
        "responded",
        "unsent",
        "urgency",
        "window",
        "working",
    )

    id: bytes
    """The stream identifier."""
    window: int
    """Bytes of content that the client accepts; negative if it has reduced the initial window (RFC 9113 6.9.2)."""
    urgency: int
    incremental: bool
    order: Order | None
    """The place among the streams to send; None if it has none."""
    head_size: int
    """Bytes of names and values of the request, which is kept for the log until the end."""
    request_open: bool
    """Whether more of the request may follow: the client has not sent END_STREAM."""
    request_length: int
    """The Content-Length of the request; -1 for none."""
    received: int
    """Bytes of the request's content so far."""
    responded: bool
    """Whether the head of the response has been sent."""
    unsent: int
    """Bytes of the response's content that have not been sent, in memory or not."""
    open_ended: bool
    """Whether more content may be added to the response, so that it is not over when all of it has been sent."""
    buffer: memoryview
    """The bytes to send next; empty where they have to be read first."""
    parked: bool
    """Whether the file of its slices has been closed, and has to be opened again first."""
    working: bool
    """Whether the server works on the response, even if the stream has been reset meanwhile."""
    ended: bool
    """Whether the stream is closed."""

    def __init__(self, stream_id: bytes, window: int) -> None:
        self.id = stream_id
        self.window = window
        self.urgency, self.incremental = 3, False
        self.order: Order | None = None
        self.head_size = 0
        self.request_open = False
        self.request_length = -1
        self.received = 0
        self.responded = False
        self.unsent = 0
        self.open_ended = False
        self.buffer = _EMPTY
        self._parts: deque[Part] = deque()
        self._read_from: FileSlice | None = None  # the slice that was read into the buffer
        self.parked = self.working = False
        self.ended = False

    def start(self, parts: Sequence[Part], length: int) -> None:
        """Begin to send the content of the response: `length` bytes, in these parts."""
        self._parts.extend(parts)
        self.unsent = length
        self._fill()

    def add(self, data: bytes) -> None:
        """Add content to a response that is open-ended."""
        self._parts.append(data)
        self.unsent += len(data)
        self._fill()

    def _fill(self) -> None:
        """Go on with the next part that is in memory, unless a slice of a file comes before it."""
        while not self.buffer and self._parts and isinstance(part := self._parts[0], bytes):
            self._parts.popleft()
            self.buffer, self._read_from = memoryview(part), None

    @property
    def next_slice(self) -> FileSlice | None:
        """The slice of a file that has to be read next; None if there are bytes to send."""
        part = self._parts[0] if self._parts and not self.buffer else None
        return part if isinstance(part, FileSlice) else None

    def replace_file(self, file: File | None) -> None:
        """Read the slices that remain from another descriptor of the same file; None until there is one.

        What has been read and not been sent is read again, so that nothing is kept meanwhile.
        """
        if self._read_from is not None and self.buffer:
            left = len(self.buffer)
            end = self._read_from.start + self._read_from.length
            self._parts.appendleft(FileSlice(self._read_from.file, end - left, left))
            self.buffer = _EMPTY
        self._read_from = None
        parts = [part if isinstance(part, bytes) else part._replace(file=cast(File, file)) for part in self._parts]
        self._parts = deque(parts)
        self.parked = file is None

    def feed(self, data: memoryview) -> None:
        """Take bytes that were read from the beginning of `next_slice`, as many as it has or fewer."""
        part = self._parts.popleft()
        assert isinstance(part, FileSlice)
        if len(data) < part.length:
            self._parts.appendleft(FileSlice(part.file, part.start + len(data), part.length - len(data)))
        self.buffer, self._read_from = data, FileSlice(part.file, part.start, len(data))

    def take(self, size: int) -> memoryview:
        """Remove `size` bytes from the buffer, which has as many."""
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        self.unsent -= size
        self.window -= size
        self._fill()
        return data

    def clear(self) -> None:
        """Forget what has not been sent."""
        self._parts.clear()
        self.buffer = _EMPTY
        self.order = None
        self.open_ended = False


_EMPTY = memoryview(b"")
