"""Pipes, and how not to wait for their other side (hazard E8).

A named pipe (mkfifo(1)) has two sides. A usual open() waits until the other side is there, too, and a write to a pipe
that is full waits until somebody reads.
"""

import errno
import os
import stat
from select import PIPE_BUF, POLLERR, POLLOUT, poll  # of the moment of the import: --mode gevent patches select later
from typing import Final

_APPEND: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK


def open_to_append(path: str) -> int:
    """A descriptor to write at the end of a file, which is made if need be, or to a pipe, whether or not somebody reads
    it: its writes are BrokenPipeError until somebody does, and BlockingIOError while it is full. Raises OSError."""
    try:
        return os.open(path, _APPEND, 0o644)
    except OSError as error:
        if error.errno != errno.ENXIO or not stat.S_ISFIFO(os.stat(path).st_mode):
            raise
    # Without a reader the kernel opens a pipe for nobody but a reader: so be one for a moment. One who stays a reader
    # (O_RDWR) does not find out that there is no other, and what was written is lost at his end, uncounted.
    try:
        reader = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except PermissionError:
        raise OSError(errno.ENXIO, "it is a pipe that nobody reads") from None
    try:
        return os.open(path, _APPEND, 0o644)  # it may have been replaced meanwhile
    finally:
        os.close(reader)


def read_file(path: str) -> bytes:
    """What a file holds, or what somebody writes to a pipe until it is closed. Raises OSError, for a pipe that nobody
    writes to as well."""
    number = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK)
    os.set_blocking(number, True)
    with open(number, "rb") as file:
        data = file.read()
        if not data and stat.S_ISFIFO(os.fstat(number).st_mode):
            raise OSError(errno.ENODATA, "it is a pipe that nobody writes to")
    return data


def unblocked(number: int) -> int:
    """Another descriptor for the same pipe, one whose writes never wait: where several processes write to a pipe, it
    may be full a moment after it had room, and to change the one that we were given would change theirs. The same
    number where it is no pipe, or may not be opened."""
    try:
        if stat.S_ISFIFO(os.fstat(number).st_mode):
            return os.open(f"/proc/self/fd/{number}", os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        pass
    return number


def is_ready(number: int, timeout: float = 0.0) -> bool:
    """Whether a write would not wait: there is room, or an error to report. patience: seconds to wait for that."""
    return bool(_poll(number, timeout))


def write_ready(number: int, data: bytes) -> bool:
    """Writes without waiting, in pieces that a pipe takes whole if it takes any. Whether all of it was taken; raises
    OSError."""
    while data:
        if not is_ready(number):
            return False
        data = data[os.write(number, data[:PIPE_BUF]) :]
    return True


def has_reader(number: int) -> bool:
    """Whether somebody reads the pipe."""
    return not _poll(number, 0.0) & POLLERR


def _poll(number: int, timeout: float) -> int:
    waiting = poll()
    waiting.register(number, POLLOUT)
    return sum(events for _, events in waiting.poll(max(0.0, timeout) * 1000))
