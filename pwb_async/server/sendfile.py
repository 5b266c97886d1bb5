"""Sends the rest of a large file with sendfile(2), without a task per chunk.

ResponseWriter.start() has sent the first chunk, and a client that keeps reading gets a few MiB that way without any
waiting. When the socket takes less than it is offered, it is full, and SendQueueWatcher calls back once it is nearly
empty. 100 MiB take about 25 steps. Measurements and rejected designs: docs/decisions.md.
"""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Callable
from time import perf_counter
from typing import Final, TypeAlias, cast

from pwb_async.core.semantics.messages import NO_DEVICE, File, FileSlice
from pwb_async.storage.errors import TruncatedError

from .send_queue import SendQueue

logger: Final = logging.getLogger("pwb")
Sendfile: TypeAlias = Callable[[int, File, int, int], int]
"""A function of the socket's descriptor, the file, start and length: the bytes sent, as by sendfile()."""
SENDFILE_CHUNK: Final = 2 * 1024 * 1024
"""The most bytes of a file that are sent before other connections get their turn."""
_SLOW_CHUNK: Final = 0.002
"""Seconds: after a slower chunk the next is half as large, after one four times as fast twice as large."""
_MIN_CHUNK: Final = 64 * 1024
"""Bytes of the smallest chunk."""
_REFUSED: Final = frozenset((errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EACCES))
"""Errors of sendfile(2) where a file system lacks it (some network and FUSE file systems, most of /proc) or a sandbox
forbids it, though the file can be read. Any other error means that the disk failed or the connection was lost."""


class SendfileRefusedError(OSError):
    """The file cannot be sent by sendfile(2), though it may be readable."""


class SendfileSupport:
    """The file systems with which sendfile(2) is used: all but those that have refused it."""

    enabled: bool
    """Whether sendfile(2) is used at all."""

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled
        self._refused: set[int] = set()

    def configure(self, enabled: bool) -> None:
        """Set `enabled`, and forget what was refused: another kind of file system may be mounted there by now."""
        self.enabled = enabled
        self._refused.clear()

    def allows(self, file: File) -> bool:
        """Whether sendfile(2) is to be tried with a file."""
        return self.enabled and file.device != NO_DEVICE and file.device not in self._refused

    def refuse(self, file: File, error: SendfileRefusedError) -> None:
        """Stop using sendfile(2) with the file system of a file."""
        if file.device not in self._refused:
            self._refused.add(file.device)
            device = f"{os.major(file.device)}:{os.minor(file.device)}"
            logger.info("sendfile is refused on device %s (%s): its files are read", device, error.strerror)


class FileTransfer:
    """A file slice that is being sent by sendfile(2).

    The transport does not see what sendfile(2) sends. So the transfer pauses and resumes the transport's protocol, as
    the transport would, and the protocol's back-pressure and send timeout apply to it.
    """

    __slots__ = (
        "_chunk",
        "_fd",
        "_protocol_paused",
        "_running",
        "_send_queue",
        "_sendfile",
        "_sock",
        "_transport",
        "error",
        "file",
        "position",
        "remaining",
        "uncached",
    )

    error: Exception | None
    """Why the transfer has ended early."""
    position: int
    """The position in the file of the next byte."""
    remaining: int
    """Bytes that have not been sent."""
    uncached: bool
    """The next chunk was found not to be in the page cache, and has not been read since."""

    def __init__(
        self, part: FileSlice, transport: asyncio.Transport, send_queue: SendQueue, sendfile: Sendfile
    ) -> None:
        self.file, self.position, self.remaining = part
        self.error = None
        self.uncached = False
        self._transport = transport
        self._fd: int = transport.get_extra_info("socket").fileno()
        self._sock: socket.socket | None = None
        self._send_queue = send_queue
        self._sendfile = sendfile
        self._running = self._protocol_paused = False
        self._chunk = SENDFILE_CHUNK

    @property
    def next_chunk(self) -> int:
        """Bytes of the next chunk."""
        return min(self.remaining, self._chunk)

    def in_page_cache(self) -> bool:
        """Whether the next chunk is in the page cache.

        This is not asked twice: asking makes the kernel read the page that is asked for, and no other.
        """
        if not self.uncached:
            self.uncached = not self.file.in_page_cache(self.position, self.next_chunk)
        return not self.uncached

    def start(self) -> None:
        """Send chunks until all is sent, an error occurs, or the next chunk is not in the page cache.

        The first chunk is sent in any case. If the transfer is not over when this returns, the protocol has been
        paused, and is resumed when it is over.
        """
        self._running = True
        self._step(self._send_chunk)
        if self._running:
            self._protocol_paused = True
            self._protocol().pause_writing()

    def _continue(self) -> None:
        if self._running:
            self._step(self._send_cached_chunk)

    def _step(self, send: Callable[[], bool]) -> None:
        try:
            if not send():
                self._pause()
        except Exception as error:
            self.error = error
            self._pause()

    def _send_cached_chunk(self) -> bool:
        return self.in_page_cache() and self._send_chunk()

    def _send_chunk(self) -> bool:
        """Send a chunk; return whether there is another."""
        if self._transport.is_closing():  # the number of its descriptor may have been reused
            raise ConnectionResetError("the peer has closed the connection")
        size = self.next_chunk
        started_at = perf_counter()
        sent = self._sendfile(self._fd, self.file, self.position, size)
        self._adapt_chunk(perf_counter() - started_at)
        self.position += sent
        self.remaining -= sent
        if sent < size:
            self._send_queue.wait(self._socket(), self._continue)
        elif self.remaining:
            asyncio.get_running_loop().call_soon(self._continue)
        return self.remaining > 0

    def _adapt_chunk(self, seconds: float) -> None:
        """Choose the size of the next chunk by how long the last one held up the loop."""
        if seconds > _SLOW_CHUNK:
            self._chunk = max(self._chunk // 2, _MIN_CHUNK)
        elif seconds < _SLOW_CHUNK / 4:
            self._chunk = min(self._chunk * 2, SENDFILE_CHUNK)

    def _pause(self) -> None:
        self._running = False
        if self._protocol_paused:
            self._protocol_paused = False
            self._protocol().resume_writing()

    def stop(self) -> None:
        """Send nothing more."""
        self._running = False
        # Its traceback refers to this transfer, which would keep the file open until the garbage is collected.
        self.error = None
        if self._sock is not None:
            self._send_queue.forget(self._sock)
            self._sock.detach()
            self._sock = None

    def _protocol(self) -> asyncio.Protocol:
        return cast(asyncio.Protocol, self._transport.get_protocol())

    def _socket(self) -> socket.socket:
        """The transport's socket as a Python socket; uvloop's substitute makes a new one for each call."""
        if self._sock is None:
            own = self._transport.get_extra_info("socket")
            self._sock = socket.socket(own.family, own.type, own.proto, self._fd)
        return self._sock


def sendfile(fd: int, file: File, start: int, length: int) -> int:
    """Send what the socket takes at once of a file, and return how many bytes that is.

    Raises TruncatedError at the end of the file, SendfileRefusedError where the file may still be readable, and any
    other OSError.
    """
    try:
        sent = os.sendfile(fd, file.fileno(), start, length)
    except BlockingIOError:
        return 0
    except OSError as error:
        if error.errno in _REFUSED:
            raise SendfileRefusedError(error.errno, error.strerror) from None
        raise
    if not sent:
        raise TruncatedError("the file has become shorter")
    return sent
