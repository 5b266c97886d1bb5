"""The content of large files on an HTTP/2 connection: it is read when it is its turn, and sent as the windows allow.

The connection decides which response is next, and how much of it the windows allow (core/http2/sending.py). Where part
of a file has to be read first, a piece as large as the windows allow is read: at once if it is in the page cache,
otherwise in a thread, while other responses go on.
"""

import logging
from typing import Final

from pwb_async.core.semantics.messages import FileSlice

from .http2_transfer import Phase, Transfer
from .http2_transfers import Transfers

logger: Final = logging.getLogger("pwb")
MAX_BATCH: Final = 64 * 1024
"""Bytes that are written together; then other connections get their turn."""
_QUANTUM: Final = 16 * 1024
"""Bytes of an incremental response that are sent before the next one gets its turn."""
_MIN_PIECE: Final = 16 * 1024
"""Bytes of a file that are read at once at least, however small the windows are."""
_MAX_PIECE: Final = 256 * 1024
"""Bytes of a file that are read at once at most."""


class ContentSender:
    """Sends the content of the transfers that are open."""

    def __init__(self, transfers: Transfers) -> None:
        self._transfers = transfers
        self._connection = transfers.connection

    def send(self) -> int:
        """Collect what the windows and one turn allow; return how many bytes of content. There may be more if that is
        MAX_BATCH."""
        connection, transfers, paces, size = self._connection, self._transfers, self._transfers.paces, 0
        while size < MAX_BATCH and (stream := connection.next_stream()) is not None:
            transfer, part = transfers.active[stream.id], stream.next_slice
            if paces is not None and paces.holds(transfer):
                continue
            if part is not None and not self._read_next(transfer, part):
                continue
            unsent = stream.unsent
            limit = _QUANTUM if stream.incremental else MAX_BATCH
            transfers.out += connection.take(stream, limit if paces is None else paces.allowed(transfer, limit))
            size += unsent - stream.unsent
            if paces is not None:
                paces.sent(transfer, unsent - stream.unsent)
            if not (stream.unsent or stream.open_ended):
                transfers.end(transfer)
        return size

    def _read_next(self, transfer: Transfer, part: FileSlice) -> bool:
        """Read the next piece of a file, and return True if there is something to send; otherwise that comes later."""
        stream = transfer.stream
        if transfer.phase is Phase.PARKED:
            self._transfers.want_place(transfer)
            return False
        size = min(part.length, _MAX_PIECE, max(min(stream.window, self._connection.window), _MIN_PIECE))
        if not part.file.in_page_cache(part.start, size):
            self._transfers.work(transfer, Phase.READING)
            self._transfers.state.start_task(self._read_in_thread(transfer, part, size))
            return False
        buffer = memoryview(bytearray(size))
        try:
            count = part.file.read_into(buffer, part.start)
        except OSError as error:
            self._transfers.cut_short(transfer, error.strerror or "unreadable")
            return False
        return self._feed(transfer, buffer[:count])

    async def _read_in_thread(self, transfer: Transfer, part: FileSlice, size: int) -> None:
        transfers, buffer, fault, count = self._transfers, memoryview(bytearray(size)), "", 0
        try:
            count = await transfers.state.storage.read(part.file, part.start, buffer)
        except OSError as error:
            fault = error.strerror or "unreadable"
        except Exception:
            logger.exception("a fault of this server")
            transfers.owner.abort()
        finally:
            wanted = transfers.end_work(transfer)
            if transfer.phase is Phase.ENDED:
                transfers.release(transfer)  # perhaps another one waits for its place
        if wanted:
            if fault:
                transfers.cut_short(transfer, fault)
            elif self._feed(transfer, buffer[:count]):
                self._connection.queue(transfer.stream)
        transfers.owner.schedule()

    def _feed(self, transfer: Transfer, data: memoryview) -> bool:
        if not data:
            self._transfers.cut_short(transfer, "the file has become shorter")
            return False
        transfer.stream.feed(data)
        return True
