"""One part of a large file on its way out: sendfile(2) whenever the socket has room, without a task in between.

Writer.start() sends the first turn as an answer begins, which is all that a file of a few MiB needs to a client that
reads; a pump sends the rest. When the socket is full, which is when it took less than it was offered, drain.py calls
again as soon as it is nearly empty, and so 100 MiB go out in some 25 steps of 4 MiB.
What it costs beside nginx (CPU of an answer, 16 connections on loopback, Debian's CPython 3.11, uvloop 0.23, medians of
5 to 7 interleaved rounds, before the first turn went without a task): 150 KiB 1.6 times as much, 1 MiB 1.0, 10 MiB 1.3,
100 MiB 1.0. The first turn without a task: 150 KiB 21 % cheaper, 1 MiB 15 %, 10 and 100 MiB no difference.
What was before, and was given up: a piece of 16 KiB handed to the transport whenever the socket was full, to be called
when there is room for a third (150 KiB 1.6, 1 MiB 1.1, 10 MiB 1.6, 100 MiB 1.75); the same with a bound on what is not
yet sent (100 MiB 1.3); a task that waits for drain.py (1.1). Turns of 1 MiB cost 4 % more than those of 2 MiB; turns of
4 MiB 3 % less, or nothing (21 rounds on another day), and others wait as long again. Not taken: sendfile of aiofastnet,
which brings a transport of its own that would be under every connection; reading through aiofiles, 64 KiB a call, which
costs 6 to 10 times as much.
"""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Callable
from time import perf_counter
from typing import Final, TypeAlias, cast

from pwb_async.core.semantics.messages import File, FileSlice

from .send_queue import SendQueueWatcher

logger: Final = logging.getLogger("pwb")
Sendfile: TypeAlias = Callable[[int, File, int, int], int]
"""(descriptor of the socket, file, start, length) -> bytes that the kernel took, as sendfile() has it."""
TURN: Final = 2 * 1024 * 1024
"""Bytes of a file sent before every other connection has its turn, at most (hazard A15)."""
_LONG: Final = 0.002
"""Seconds: after a turn that took longer the next one is half as large, after one that took less than a quarter of it
twice as large again. 2 MiB in memory take 0.2 to 1 ms; of a hole in a file, whose pages the kernel makes on the way, 6:
the 99th percentile of small files beside a client that reads 8 GiB of hole was 6 to 14 ms without this, and is 2 to
3.5. With half as many seconds the asyncio loop's is 4 instead of 9 ms, but 100 MiB cost at least a tenth more."""
_LEAST: Final = 64 * 1024
"""Bytes, so small a turn becomes."""

_REFUSED: Final = frozenset((errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EACCES))
"""What sendfile(2) fails with where a file system does not have it (some of the network, of FUSE, most of /proc), or a
sandbox forbids it: the file can be read all the same. Any other error says that the disk failed, or the peer left."""


class TruncatedError(Exception):
    """The promised length cannot be kept: the file has become shorter, or the disk failed (hazard D1)."""


class SendfileRefusedError(OSError):
    """The file may well be read, but sendfile(2) does not send it."""


class SendfileSupport:
    """Where sendfile(2) is used: with every file system but those that have refused it. enabled: False: with none."""

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled
        self._refused: set[int] = set()

    def configure(self, enabled: bool) -> None:
        """Begins anew: what was refused may be there by now."""
        self.enabled = enabled
        self._refused.clear()

    def allows(self, file: File) -> bool:
        """Whether to try it."""
        return self.enabled and file.device not in self._refused

    def refuse(self, file: File, error: SendfileRefusedError) -> None:
        """Remembers the file's file system."""
        if file.device not in self._refused:
            self._refused.add(file.device)
            device = f"{os.major(file.device)}:{os.minor(file.device)}"
            logger.info("sendfile is refused on device %s (%s): its files are read", device, error.strerror)


class FileTransfer:
    """left: bytes still to go, from `start`. error: why they don't. cold: the next turn was found not to be in memory,
    and has not been loaded since."""

    __slots__ = (
        "_going",
        "_most",
        "_number",
        "_send_queue",
        "_sendfile",
        "_sock",
        "_told",
        "_transport",
        "cold",
        "error",
        "file",
        "left",
        "start",
    )

    def __init__(
        self, part: FileSlice, transport: asyncio.Transport, drain: SendQueueWatcher, sendfile: Sendfile
    ) -> None:
        self.file, self.start, self.left = part
        self.error: Exception | None = None
        self.cold = False
        self._transport = transport
        self._number: int = transport.get_extra_info("socket").fileno()
        self._sock: socket.socket | None = None
        self._send_queue = drain
        self._sendfile = sendfile
        self._going = self._told = False
        self._most = TURN

    @property
    def next(self) -> int:
        """Bytes of the next turn."""
        return min(self.left, self._most)

    def in_page_cache(self) -> bool:
        """Whether the next turn is. What was found cold is not looked at again: a look has the page read that it looks
        for, and that page alone."""
        if not self.cold:
            self.cold = not self.file.in_page_cache(self.start, self.next)
        return not self.cold

    def go(self) -> None:
        """Sends a turn, whatever is in memory, and on until all is sent, it fails, or the next bytes are not in memory.
        Unless that is at once, the protocol is told to pause, and to resume then."""
        self._going = True
        self._step(self._turn)
        if self._going:
            self._told = True
            self._protocol().pause_writing()

    def _go_on(self) -> None:
        if self._going:
            self._step(self._next_turn)

    def _step(self, turn: Callable[[], bool]) -> None:
        try:
            if not turn():
                self._rest()
        except Exception as error:
            self.error = error
            self._rest()

    def _next_turn(self) -> bool:
        return self.in_page_cache() and self._turn()

    def _turn(self) -> bool:
        """Whether there is to be another."""
        if self._transport.is_closing():  # the descriptor may be somebody else's by now
            raise ConnectionResetError("the peer has gone")
        size = self.next
        began = perf_counter()
        sent = self._sendfile(self._number, self.file, self.start, size)
        self._learn(perf_counter() - began)
        self.start += sent
        self.left -= sent
        if sent < size:
            self._send_queue.wait(self._borrow(), self._go_on)
        elif self.left:
            asyncio.get_running_loop().call_soon(self._go_on)
        return self.left > 0

    def _learn(self, took: float) -> None:
        """took: seconds of a turn."""
        if took > _LONG:
            self._most = max(self._most // 2, _LEAST)
        elif took < _LONG / 4:
            self._most = min(self._most * 2, TURN)

    def _rest(self) -> None:
        self._going = False
        if self._told:
            self._told = False
            self._protocol().resume_writing()

    def stop(self) -> None:
        """Nothing more is sent."""
        self._going = False
        # Its traceback holds this pump, and with it the file, until the garbage is collected.
        self.error = None
        if self._sock is not None:
            self._send_queue.forget(self._sock)
            self._sock.detach()
            self._sock = None

    def _protocol(self) -> asyncio.Protocol:
        return cast(asyncio.Protocol, self._transport.get_protocol())

    def _borrow(self) -> socket.socket:
        """The transport's socket as an object of Python's own: uvloop's stand-in makes one for each question."""
        if self._sock is None:
            there = self._transport.get_extra_info("socket")
            self._sock = socket.socket(there.family, there.type, there.proto, self._number)
        return self._sock


def sendfile(number: int, file: File, start: int, length: int) -> int:
    """Bytes that the kernel takes at once. Raises TruncatedError at the end of the file, or OSError, which is a
    SendfileRefusedError if reading may do."""
    try:
        sent = os.sendfile(number, file.fileno(), start, length)
    except BlockingIOError:
        return 0
    except OSError as error:
        if error.errno in _REFUSED:
            raise SendfileRefusedError(error.errno, error.strerror) from None
        raise
    if not sent:
        raise TruncatedError("the file has become shorter")
    return sent
