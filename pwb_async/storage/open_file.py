"""Open files and directories, and how they are closed."""

import os
from _thread import start_new_thread
from contextlib import suppress
from typing import Final, Self

from .open_beneath import close

_BYTE: Final = [bytearray(1)]
"""A buffer for a byte that is read only to see whether it can be; its content is not used."""
_HINT: Final = 512 * 1024
"""Bytes of one hint to read ahead; of a larger one the kernel may ignore the rest."""
_SCRATCH: Final = 64 * 1024
"""Bytes of the buffer that read_ahead() reads into again and again."""


def version_of(status: os.stat_result) -> tuple[int, ...]:
    """The version of a file: all that the system reports of a change (OpenFile.version)."""
    return status.st_dev, status.st_ino, status.st_ctime_ns, status.st_mtime_ns, status.st_size


class Descriptor:
    """An open file or directory. It is closed at the latest when the last reference to it is gone (hazard A12)."""

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        """The descriptor. Raises ValueError if it is closed."""
        if self._fd < 0:
            raise ValueError("the file is closed")
        return self._fd

    def detach(self) -> int:
        """Give the descriptor to the caller, which has to close it; -1 if it is closed already."""
        fd, self._fd = self._fd, -1
        return fd

    def close(self) -> None:
        """Close the descriptor and ignore errors. Further calls do nothing."""
        if self._fd >= 0:
            close(self.detach())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()


class LargeFile(Descriptor):
    """A file that is read at positions: a File of core/semantics/messages.py, whose methods it has.

    Closing the last descriptor of a deleted file blocks until the file system has freed its blocks: 11 ms for 64 MiB,
    0.36 s for 2 GiB (ext4, Linux 6.18). That would stop an event loop, so a thread does it.
    """

    __slots__ = ("device",)

    device: int
    """The number of the file system that the file is on."""

    def __init__(self, fd: int, device: int) -> None:
        super().__init__(fd)
        self.device = device

    def read_into(self, buffer: bytearray | memoryview, start: int) -> int:
        """Fill `buffer` from the byte at `start`, and return how many bytes there were. Raises OSError."""
        return os.preadv(self.fileno(), [buffer], start)

    def in_page_cache(self, start: int, length: int) -> bool:
        """Whether the first and the last of these bytes are in memory.

        False where that cannot be found out, as on many network file systems.
        """
        try:
            fd, last = self.fileno(), start + length - 1
            return os.preadv(fd, _BYTE, start, os.RWF_NOWAIT) + os.preadv(fd, _BYTE, last, os.RWF_NOWAIT) == 2
        except (OSError, AttributeError):  # macOS has no RWF_NOWAIT
            return False

    def read_ahead(self, start: int, length: int, ahead: int) -> None:
        """Wait until these bytes are in memory, and begin to read the `ahead` bytes behind them. Raises OSError."""
        fd = self.fileno()
        with suppress(OSError, AttributeError):  # only hints, which macOS does not have
            for offset in range(start, start + length + ahead, _HINT):
                os.posix_fadvise(fd, offset, _HINT, os.POSIX_FADV_WILLNEED)
        # The kernel keeps what was read; our copy is not used, so one small buffer stands in the vector many times.
        os.preadv(fd, [bytearray(_SCRATCH)] * -(-length // _SCRATCH), start)

    def close(self) -> None:
        """Close the file, in a thread if that may take long."""
        if self._fd >= 0 and _is_deleted(self._fd):
            with suppress(RuntimeError):  # no thread can be started; then it is closed here
                # Not threading.Thread, whose start() waits for the new thread: at Python's end that would never begin.
                start_new_thread(close, (self._fd,))
                self.detach()
        super().close()


def _is_deleted(fd: int) -> bool:
    try:
        return os.fstat(fd).st_nlink == 0
    except OSError:
        return False
