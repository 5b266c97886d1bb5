"""Floor 1: what is open, and how it is closed."""

import os
from _thread import start_new_thread
from contextlib import suppress
from typing import Final

from .open_beneath import close

_BYTE: Final = [bytearray(1)]
"""Read to see whether it can be; nobody looks at it."""
_HINT: Final = 512 * 1024
"""Bytes that the disk is told to read at a time; of more the kernel may forget the rest."""
_PIECE: Final = 64 * 1024
"""Bytes of memory that load() reads into."""


class Descriptor:
    """An open file or folder. It is closed at the latest when nobody holds it any more, without a word (hazard A12)."""

    __slots__ = ("_number",)

    def __init__(self, number: int) -> None:
        self._number = number

    def fileno(self) -> int:
        if self._number < 0:
            raise ValueError("the file is closed")
        return self._number

    def detach(self) -> int:
        """The number, which is closed by somebody else from now on; -1: it is closed."""
        number, self._number = self._number, -1
        return number

    def close(self) -> None:
        if self._number >= 0:
            close(self.detach())

    def __del__(self) -> None:
        self.close()


class LargeFile(Descriptor):
    """A file that is read at a position, a core.messages.File. device: number of the file system that it is on.

    Whoever closes a file last that has no name any more waits until the disk has let go of its blocks: 11 ms with 64
    MiB, 0.36 s with 2 GiB (ext4, Linux 6.18). So each release of such files would stop a loop; a thread does it.
    """

    __slots__ = ("device",)

    def __init__(self, number: int, device: int) -> None:
        super().__init__(number)
        self.device = device

    def read_into(self, buffer: bytearray | memoryview, start: int) -> int:
        return os.preadv(self.fileno(), [buffer], start)

    def in_page_cache(self, start: int, length: int) -> bool:
        """Told by the first and the last page; False if nobody can say, as on many a network's disk."""
        try:
            number, last = self.fileno(), start + length - 1
            return os.preadv(number, _BYTE, start, os.RWF_NOWAIT) + os.preadv(number, _BYTE, last, os.RWF_NOWAIT) == 2
        except OSError:
            return False

    def read_ahead(self, start: int, length: int, ahead: int) -> None:
        number = self.fileno()
        with suppress(OSError):  # it is only a hint
            for at in range(start, start + length + ahead, _HINT):
                os.posix_fadvise(number, at, _HINT, os.POSIX_FADV_WILLNEED)
        # All of it into the same few pages: nobody looks at them.
        os.preadv(number, [bytearray(_PIECE)] * -(-length // _PIECE), start)

    def close(self) -> None:
        if self._number >= 0 and _has_no_name(self._number):
            with suppress(RuntimeError):  # there can be no more threads
                # Not threading's: that waits until the thread has begun, and when Python ends none ever does.
                start_new_thread(close, (self._number,))
                self.detach()
        super().close()


def _has_no_name(number: int) -> bool:
    try:
        return os.fstat(number).st_nlink == 0
    except OSError:
        return False
