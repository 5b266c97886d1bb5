"""What the kernel has counted for this process: open files and resident memory, from proc(5).

The files are opened once, since a process that has given up its rights may not open them any more.
"""

import os
from typing import Final

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class ProcessFigures:
    """The figures of the process that makes this object."""

    def __init__(self) -> None:
        """Raise OSError if there is no proc file system."""
        self._descriptors = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._memory = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            os.close(self._descriptors)
            raise

    def open_files(self) -> int:
        """The number of open descriptors."""
        # Linux 6.2 has the number as the size of the directory; before it is 0, and the names have to be counted.
        return os.fstat(self._descriptors).st_size or len(os.listdir(self._descriptors))

    def resident_memory(self) -> int:
        """Bytes of memory, with those that are shared with other processes."""
        return int(os.pread(self._memory, 256, 0).split()[1]) * _PAGE

    def close(self) -> None:
        """Close the files."""
        os.close(self._descriptors)
        os.close(self._memory)
