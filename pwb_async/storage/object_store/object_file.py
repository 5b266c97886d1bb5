"""A large object as a file that is read in slices."""

import errno
import io
from collections.abc import Callable
from typing import Final

from pwb_async.core.semantics.messages import NO_DEVICE
from pwb_async.storage.deferred import FetchError

from .client import SLICE
from .status import ObjectStatus

_AHEAD: Final = 3
"""Slices that are fetched beside the one that is needed, where a file is read from its start to its end."""


class ObjectFile:
    """A File of core/semantics/messages.py. A slice that is not here is fetched, if the object is still the same."""

    device: Final = NO_DEVICE

    def __init__(
        self,
        status: ObjectStatus,
        read: Callable[[int, Callable[[], object], int], bytes],
        in_memory: Callable[[int], bytes | None],
    ) -> None:
        """read: the slice with a number, what to call if the object has changed, and how many slices behind it are
        probably needed next; raises Deferred, FetchError.

        in_memory: the same, if it is in memory.
        """
        self._size, self._read, self._in_memory = status.size, read, in_memory
        self._has_changed = False
        self._last = -1  # the number of the slice that was read last

    def fileno(self) -> int:
        """Raise OSError: there is no descriptor."""
        raise io.UnsupportedOperation("an object has no descriptor")

    def read_into(self, buffer: bytearray | memoryview, start: int) -> int:
        """Fill `buffer` from the byte at `start`, and return how many bytes there were. Raises OSError, Deferred."""
        view = memoryview(buffer)
        filled, wanted = 0, min(len(view), self._size - start)
        while filled < wanted:
            number, offset = divmod(start + filled, SLICE)
            if self._has_changed:
                raise OSError(errno.EIO, "the object has changed")
            try:
                data = self._read(number, self._note_change, _AHEAD if number == self._last + 1 else 0)
            except FetchError as error:
                raise OSError(errno.EIO, str(error)) from None
            piece = data[offset : offset + wanted - filled]
            if not piece:
                raise OSError(errno.EIO, "a slice of the object is not whole")
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._last = number
        return filled

    def _note_change(self) -> None:
        self._has_changed = True

    def in_page_cache(self, start: int, length: int) -> bool:
        """Whether these bytes are in memory."""
        last = min(start + length, self._size) - 1
        return all(self._in_memory(number) is not None for number in range(start // SLICE, last // SLICE + 1))

    def read_ahead(self, start: int, length: int, ahead: int) -> None:
        """Do nothing, since sendfile(2) does not send it."""

    def close(self) -> None:
        """Do nothing: it is not open."""
